import itertools
import time

import models
import oracle
import pytest
from client import METHOD_NOT_FOUND
from conftest import SOURCE
from nasty import BLANK, NASTY
from plaintext import ENCODINGS, Text, width
from session import EXAMPLES, LEGEND, capabilities, unpack_tokens
from sources import functions


def assert_well_formed(tokens, text: Text, encoding: str) -> None:
    for token in tokens:
        assert token.length > 0 and 1 <= token.level <= len(LEGEND)
        assert token.start + token.length <= width(text.line(token.line), encoding), f"{token} leaves its line"
    for one, other in itertools.pairwise(tokens):
        assert (one.line, one.start + one.length) <= (other.line, other.start), f"{one} and {other}"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_36_tokens_of_ten_languages(start, encoding, path):
    """Tokens are well-formed and equal those of the command line. A heatmap has the same tokens, with lifts."""
    server = start()
    server.initialize([encoding])
    assert server.capabilities["semanticTokensProvider"]["legend"] == {"tokenTypes": LEGEND, "tokenModifiers": []}
    document = server.open_example(path)
    assert_equals_command_line(document, encoding, path.suffix)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", [*NASTY, *BLANK])
def test_36_tokens_of_nasty_texts(start, encoding, name):
    """The same for texts in which columns are difficult to count, and for texts without lexemes."""
    server = start()
    server.initialize([encoding])
    document = server.open({**NASTY, **BLANK}[name])
    assert_equals_command_line(document, encoding, ".py")
    if name in BLANK:
        assert document.tokens() == []


def assert_equals_command_line(document, encoding: str, suffix: str) -> None:
    expected = oracle.tokens(document.text.content, encoding, suffix)
    tokens = document.tokens()
    assert_well_formed(tokens, document.text, encoding)
    assert [token.place() for token in tokens] == [token.place() for token in expected]
    heatmap = document.heatmap()
    heat = document.heat()
    assert [token.place() for token in heat] == [token.place() for token in expected]
    assert all(abs(one.thousandths - other.thousandths) <= 1 for one, other in zip(heat, expected, strict=True))
    assert (heatmap["version"], heatmap["complete"], heatmap["levels"]) == (document.version, True, 5)
    assert (heatmap["view"]["method"], heatmap["view"]["model"]) == ("received", "codegaze-mini")


def test_36_tokens_of_a_long_document(server):
    """A document of many chunks has the command line's tokens too."""
    document = server.open(functions(600))
    assert_equals_command_line(document, "utf-16", ".py")


@pytest.mark.parametrize(
    "view",
    [
        {"method": "cls"},
        {"method": "norm"},
        {"method": "rollout"},
        {"layers": "0-2"},
        {"heads": "max"},
        {"heads": 3},
        {"sinks": "keep"},
        {"aggregate": "max"},
    ],
    ids=str,
)
def test_36_tokens_of_every_view(server, document, view):
    """After `setView`, tokens equal those of the command line with the same options."""
    server.command("codegaze.server.setView", view)
    options = [part for key, value in view.items() for part in (f"--{key}", str(value))]
    tokens = document.tokens()
    assert [token.place() for token in tokens] == [token.place() for token in oracle.tokens(SOURCE, "utf-16", ".py", *options)]


@pytest.mark.parametrize("level", [2, 5])
def test_36_minimum_level(start, level):
    """`minLevel` omits lower levels."""
    server = start()
    server.initialize(options={"minLevel": level})
    tokens = server.open(SOURCE).tokens()
    assert [token.place() for token in tokens] == [token.place() for token in oracle.tokens(SOURCE, "utf-16", min_level=level)]


def test_37_range_is_full_filtered(server, document):
    """`range` returns the tokens of `full` in the range."""
    full = document.tokens()
    last = len(document.text.starts)
    for first, end in [(0, last), (0, 1), (4, 9), (6, 6), (last, last + 50), (9, last)]:
        span = {"start": {"line": first, "character": 0}, "end": {"line": end, "character": 0}}
        answer = document.call("textDocument/semanticTokens/range", range=span)
        inside = [token for token in full if first <= token.line < end]
        assert [token.place() for token in unpack_tokens(answer["data"])] == [token.place() for token in inside]
        heatmap = document.heatmap(range=span)
        assert heatmap["data"][3::5] == [token.level for token in inside]


def test_37_range_within_a_line(server, document):
    """`range` includes tokens that begin or end in the range."""
    full = [token for token in document.tokens() if token.line == 8]
    assert len(full) > 2, full
    middle = full[len(full) // 2]
    span = {"start": {"line": 8, "character": middle.start}, "end": {"line": 8, "character": middle.start + middle.length}}
    answer = document.call("textDocument/semanticTokens/range", range=span)
    assert [token.place() for token in unpack_tokens(answer["data"])] == [middle.place()]


def test_38_off(start):
    """Semantic tokens are absent when the feature is off."""
    server = start()
    server.initialize(options={"features": {"semanticTokens": False}})
    assert "semanticTokensProvider" not in server.capabilities
    document = server.open(SOURCE)
    answer = document.request("textDocument/semanticTokens/full").wait()
    assert answer.get("result", "") is None or answer["error"]["code"] == METHOD_NOT_FOUND
    assert document.heat(), "the heatmap does not depend on it"


def test_38_null_while_the_model_loads(start, tmp_path):
    """While the model loads, tokens are null, never empty and never an error. A refresh follows."""
    server = start()
    # Its attention is uniform: only the length of names tells lexemes apart.
    server.initialize(options={"model": str(models.slow(tmp_path)), "aggregate": "sum"}, wait=False)
    document = server.open(SOURCE)
    early = [
        document.request("textDocument/semanticTokens/full"),
        document.request("codegaze/heatmap"),
        server.request("codegaze/model", {}),
    ]
    tokens, heatmap, model = (pending.result(5) for pending in early)
    assert model["state"] == "loading", "the model was to take longer"
    assert tokens is None
    assert heatmap is None
    for method in ("textDocument/hover", "codegaze/relations"):
        document.request(method, position=(8, 14)).result(1)
    assert document.request("codegaze/matrix").result(1) is None
    assert document.request("codegaze/thumbnails").result(1) is None
    assert document.request("textDocument/codeLens").result(1) in (None, [])
    server.wait_until(lambda: any(r.method == "workspace/semanticTokens/refresh" for r in server.requests), 60, "a refresh")
    assert document.tokens()
    status = [message.params["state"] for message in server.sent_by_server("codegaze/status")]
    assert "ready" in status


def test_38_nothing_is_empty_because_it_was_too_early(start):
    """Tokens that are requested together with `didOpen` are complete or null."""
    server = start()
    server.initialize(wait=False)
    for i in range(20):
        document = server.open(SOURCE.replace("total", f"total{i}"), f"file:///{i}.py")
        answer = document.request("textDocument/semanticTokens/full").result(10)
        assert answer is None or answer["data"]
        document.change(((0, 0), (0, 0), f"a = {i}\n"))
        answer = document.request("textDocument/semanticTokens/full").result(10)
        assert answer is None or answer["data"]
    server.wait_model()


def no_refresh() -> dict:
    without = capabilities()
    for feature in ("semanticTokens", "codeLens", "inlayHint"):
        without["workspace"][feature] = {"refreshSupport": False}
    return without


@pytest.mark.parametrize("supported", [True, False])
def test_39_refresh(start, supported):
    """`refresh` is sent only with `refreshSupport`, and at most twice a second; not for edits."""
    server = start()
    server.initialize(client=None if supported else no_refresh())
    document = server.open(SOURCE)
    assert document.tokens()
    time.sleep(1.1)
    before = len(refreshes(server))
    for i in range(20):
        document.change(((0, 0), (0, 0), f"a{i} = {i}\n"))
        document.tokens()
    time.sleep(0.6)
    assert len(refreshes(server)) == before, "an edit is no reason"
    for i in range(12):
        server.command("codegaze.server.setView", {"layers": i % 6})
        time.sleep(0.1)
    time.sleep(1.1)
    sent = refreshes(server)
    if not supported:
        assert not [message for message in server.requests if message.method.endswith("/refresh")]
        return
    assert len(sent) > before, "a change of the view is one"
    for one, third in zip(sent, sent[2:], strict=False):
        assert third.at - one.at > 0.9, "more than twice a second"
    view = server.command("codegaze.server.setView", {})
    assert view["layers"] == [5]
    assert sent[-1].at > server.started_at


def refreshes(server) -> list:
    return [message for message in server.requests if message.method == "workspace/semanticTokens/refresh"]

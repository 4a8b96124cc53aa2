import base64
import json
import re
import statistics
import struct
from xml.etree import ElementTree

import jsonschema
import oracle
import pytest
from conftest import SOURCE
from nasty import NASTY
from plaintext import ENCODINGS, from_range, to_range
from session import EXAMPLES, ROOT, capabilities

TOKENIZER = ROOT / "examples" / "tokenizer.rs"
PNG = b"\x89PNG\r\n\x1a\n"


def markup_of(hover: dict) -> str:
    return hover["contents"]["value"]


@pytest.mark.parametrize(
    ("formats", "kind"),
    [(["markdown", "plaintext"], "markdown"), (["plaintext"], "plaintext"), (["plaintext", "markdown"], "plaintext"), (None, "plaintext")],
    ids=str,
)
def test_40_hover(start, formats, kind):
    """A hover's range contains the position. The hover is Markdown or plain text, as the client requests."""
    server = start()
    client = capabilities()
    client["textDocument"]["hover"] = {} if formats is None else {"contentFormat": formats}
    server.initialize(client=client)
    document = server.open(SOURCE)
    hover = document.call("textDocument/hover", position=(8, 17))
    first, last = from_range(hover["range"])
    assert first <= (8, 17) < last
    assert hover["contents"]["kind"] == kind
    assert markup_of(hover).strip()
    assert "command:" not in markup_of(hover), "the client has no commands"
    if kind == "plaintext":
        assert not re.search(r"\*\*|`|^#", markup_of(hover), re.MULTILINE), markup_of(hover)


def test_40_hover_between_lexemes(server, document):
    """A position without a lexeme has no hover."""
    for position in [(1, 0), (4, 0), (999, 0)]:
        assert document.call("textDocument/hover", position=position) is None
        assert document.call("codegaze/relations", position=position) is None


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_40_numbers_are_the_command_lines(start, encoding, path):
    """The numbers of hovers and of `codegaze/relations` are those of the command line."""
    server = start()
    server.initialize([encoding])
    document = server.open_example(path)
    lexemes = oracle.analyze(document.text.content, path.suffix)["lexemes"]
    assert document.heatmap()["complete"], "ranks are of the whole document"
    for lexeme in lexemes[:: max(1, len(lexemes) // 15)]:
        line, start_at, _ = oracle.place(document.text.content, lexeme["span"], encoding)
        answer = document.call("codegaze/relations", position=(line, start_at))
        found = answer["lexeme"]
        assert answer["version"] == document.version
        assert (found["text"], found["level"], found["rank"]) == (lexeme["text"], lexeme["level"], lexeme["rank"])
        assert found["share"] == pytest.approx(lexeme["share"], abs=1e-5)
        assert found["lift"] == pytest.approx(lexeme["lift"], abs=1e-3)
        markup = markup_of(document.call("textDocument/hover", position=(line, start_at)))
        assert f"{lexeme['lift']:.1f}" in markup, f"{lexeme} is not in {markup}"
        assert re.search(rf"\b{lexeme['rank']}\b", markup), f"rank {lexeme['rank']} is not in {markup}"
        assert re.search(rf"\b{len(lexemes)}\b", markup), f"of {len(lexemes)} is not in {markup}"


def test_40_attention_is_the_matrix(server, document):
    """The relations of a lexeme are its row and its column of the matrix, heaviest first."""
    # The scores of a matrix are sums over subwords, whatever the view's aggregate.
    server.command("codegaze.server.setView", {"aggregate": "sum"})
    document.tokens()
    matrix = document.call("codegaze/matrix")
    n = len(matrix["tokens"])
    weights = struct.unpack(f"<{n * n}f", base64.b64decode(matrix["weights"]))
    at = {json.dumps(token["range"]): i for i, token in enumerate(matrix["tokens"])}
    lexemes = oracle.analyze(SOURCE, ".py", "--aggregate", "sum")["lexemes"]
    assert [token["label"] for token in matrix["tokens"]] == [lexeme["text"] for lexeme in lexemes]
    # Shares are scores without what fell on whitespace.
    ratios = [token["score"] / lexeme["share"] for token, lexeme in zip(matrix["tokens"], lexemes, strict=True)]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-3) and 0.5 < min(ratios) <= 1
    assert max(weights) == pytest.approx(matrix["max"])
    for row in range(n):
        assert sum(weights[row * n : (row + 1) * n]) == pytest.approx(1, abs=1e-3)
    for position in [(5, 13), (8, 13), (13, 4), (16, 8)]:
        answer = document.call("codegaze/relations", position=position, limit=1000)
        i = at[json.dumps(answer["lexeme"]["range"])]
        assert answer["lexeme"]["share"] == pytest.approx(lexemes[i]["share"], abs=1e-5)
        for ends, line in [(answer["attendsTo"], weights[i * n : (i + 1) * n]), (answer["attendedBy"], weights[i::n])]:
            listed = [end["weight"] for end in ends]
            assert listed == sorted(listed, reverse=True)
            assert len(ends) > n / 2
            for end in ends:
                assert end["weight"] == pytest.approx(line[at[json.dumps(end["range"])]], abs=1e-4)
        assert sum(end["weight"] for end in answer["attendsTo"]) == pytest.approx(1, abs=1e-2)
        assert len(document.call("codegaze/relations", position=position, limit=3)["attendsTo"]) == 3


@pytest.mark.parametrize("sinks", ["keep", "drop"])
def test_40_matrix_of_a_view(server, document, sinks):
    """The matrix of one layer and head by subword equals the command line's attention. Without sinks, its rows are renormalized."""
    options = ("--layers", "2", "--heads", "3", "--sinks", sinks, "--attention", "--tokens")
    analysis = oracle.analyze(SOURCE, ".py", *options)
    matrix = document.call("codegaze/matrix", view={"layers": 2, "heads": 3, "sinks": sinks}, unit="subword")
    assert (matrix["view"]["layers"], matrix["view"]["heads"], matrix["chunk"], matrix["chunks"]) == ([2], [3], 0, 1)
    shown = [i for i, token in enumerate(analysis["tokens"]) if sinks == "keep" or token["span"] is not None]
    expected = []
    for query in shown:
        row = [analysis["chunks"][0]["attention"][query][key] for key in shown]
        expected += [weight / sum(row) for weight in row]
    weights = struct.unpack(f"<{len(expected)}f", base64.b64decode(matrix["weights"]))
    assert weights == pytest.approx(expected, abs=1e-4)
    assert [token["range"] is None for token in matrix["tokens"]] == [analysis["tokens"][i]["span"] is None for i in shown]
    assert matrix["sinkShare"] == pytest.approx(analysis["chunks"][0]["sink_share"], abs=1e-4)
    assert server.command("codegaze.server.setView", {})["layers"] == [5], "the view of the documents stays"


def test_40_thumbnails(server, document):
    """All heads of all layers in one response, one byte for each cell."""
    answer = document.call("codegaze/thumbnails", size=16)
    assert (answer["layers"], answer["heads"], answer["size"], answer["version"]) == (6, 8, 16, document.version)
    cells = base64.b64decode(answer["cells"])
    assert len(cells) == 6 * 8 * 16 * 16
    maps = [cells[i : i + 256] for i in range(0, len(cells), 256)]
    assert {max(each) for each in maps} == {255}
    assert len(set(maps)) == 48


@pytest.fixture
def everything(start):
    """A server with every feature turned on."""
    server = start()
    features = ["semanticTokens", "hover", "codeLens", "codeActions", "inlayHints", "documentHighlight", "documentColor"]
    server.initialize(options={"features": dict.fromkeys(features, True)})
    return server


def test_41_inlay_hints(everything):
    """Inlay hints are in the requested range, one at the end of each line. Their numbers equal those of the command line."""
    document = everything.open(SOURCE)
    shares = {line["line"]: line["share"] for line in oracle.analyze(SOURCE)["lines"]}
    for first, last in [(0, 99), (4, 9), (6, 7)]:
        hints = document.call("textDocument/inlayHint", range=to_range((first, 0), (last, 0)))
        lines = [hint["position"]["line"] for hint in hints]
        assert lines == sorted(set(lines)) and lines
        for hint in hints:
            line = hint["position"]["line"]
            assert first <= line <= last
            assert hint["position"]["character"] == len(document.text.line(line))
            assert f"{100 * shares[line]:.1f}" in json.dumps(hint["label"]) or f"{100 * shares[line]:.0f}" in json.dumps(hint["label"])


@pytest.mark.parametrize(
    "commands", [[], ["codegaze.showHeatmap", "codegaze.selectView", "codegaze.exportHeatmap"]], ids=["server's", "client's"]
)
def test_42_commands_are_known(start, commands):
    """Commands of lenses and code actions are known to the client or offered by the server, and those of the server work."""
    server = start()
    server.initialize(options={"clientCommands": commands})
    document = server.open_example(TOKENIZER)
    offered = server.capabilities["executeCommandProvider"]["commands"]
    assert all(name.startswith("codegaze.server.") for name in offered)
    lenses = document.call("textDocument/codeLens")
    assert lenses
    actions = document.call("textDocument/codeAction", range=to_range((20, 10), (20, 10)), context={"diagnostics": []})
    assert actions
    used = [lens["command"] for lens in lenses] + [
        action if isinstance(action["command"], str) else action["command"] for action in actions
    ]
    for command in used:
        assert command["title"]
        assert command["command"] in offered or command["command"] in commands
        if command["command"] in offered:
            server.call("workspace/executeCommand", {"command": command["command"], "arguments": command.get("arguments", [])})
    names = {command["command"] for command in used}
    assert not commands or "codegaze.showHeatmap" in names
    if commands:
        shown = next(command for command in used if command["command"] == "codegaze.showHeatmap")
        assert shown["arguments"][0].keys() == {"uri", "range"} and shown["arguments"][0]["uri"] == document.uri


def test_42_lenses_compare_density(server):
    """A lens stands above each function, method and type whose lexemes get clearly more or less than those of the file on average. It
    names the difference and the most attended lexeme."""
    document = server.open_example(TOKENIZER)
    lexemes = oracle.analyze(document.text.content, TOKENIZER.suffix)["lexemes"]
    mean = statistics.mean(lexeme["lift"] for lexeme in lexemes)
    lines = document.text.content.split("\n")
    starts = [i for i, line in enumerate(lines) if re.match(r"\s*(pub )?(fn|struct|enum|impl|type)\b", line)]
    expected = {}
    for start in starts:
        indent = len(lines[start]) - len(lines[start].lstrip())
        closes = (i for i, line in enumerate(lines) if i >= start and re.match(rf" {{{indent}}}}}|.*[;}}]$", line) and (i > start or line[-1] in ";}"))
        end = next(i for i in closes if i == start or lines[i].startswith(" " * indent + "}"))
        # Attributes are part of a definition.
        first = start - next(n for n in range(start + 1) if not lines[start - n - 1].lstrip().startswith("#["))
        inside = [lexeme for lexeme in lexemes if first <= lexeme["range"]["start"]["line"] <= end]
        difference = statistics.mean(lexeme["lift"] for lexeme in inside) / mean - 1
        if len(inside) >= 8 and abs(difference) >= 0.05:
            expected[start] = (difference, max(inside, key=lambda lexeme: lexeme["lift"])["text"])
    found = {lens["range"]["start"]["line"]: lens["command"]["title"] for lens in document.call("textDocument/codeLens")}
    assert expected and found.keys() == expected.keys()
    for line, (difference, top) in expected.items():
        assert found[line].startswith(f"{abs(100 * difference):.0f} % {'more' if difference > 0 else 'less'} "), found[line]
        assert f"most on {top} (" in found[line]
        assert "`" not in found[line]


def test_43_unknown_command(server):
    """An unknown command is an error."""
    assert "error" in server.request("workspace/executeCommand", {"command": "codegaze.server.noSuch", "arguments": []}).wait()


@pytest.mark.parametrize("name", ["emoji", "special subwords", "BOM", "CRLF"])
def test_43_json_is_the_command_lines(server, name):
    """JSON is valid by its schema and equals the command line's."""
    document = server.open(NASTY[name], "file:///document.py")
    analysis = document.analysis(tokens=True, attention=True)
    analysis.pop("version")
    jsonschema.validate(analysis, json.loads((ROOT / "docs" / "analysis.schema.json").read_text()))
    expected = oracle.analyze(NASTY[name], ".py", "--tokens", "--attention")
    for key in ("model", "view", "lines", "chunks", "unscored", "tokens", "lexemes"):
        assert_close(analysis[key], expected[key], key)
    for key in ("sha256", "bytes", "lines", "language"):
        assert analysis["document"][key] == expected["document"][key]


def assert_close(found, expected, where: str) -> None:
    """Equal, except for the rounding of numbers."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_close(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, value in enumerate(expected):
            assert_close(found[i], value, f"{where}[{i}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=2e-5, rel=1e-4), where
    else:
        assert found == expected, where


HOSTILE = 'a = "<script>alert(1)</script>" & b"]]>"\nif a < b and c > d: pass\n'


@pytest.mark.parametrize("kind", ["matrix", "source"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_43_pictures(server, kind, theme):
    """A PNG has its signature, an SVG is valid XML with escaped text, and a page contains no script of the source."""
    document = server.open(HOSTILE)

    def picture(file_format: str) -> tuple[dict, bytes]:
        options = {"uri": document.uri, "format": file_format, "kind": kind, "theme": theme}
        answer = server.command("codegaze.server.heatmap", options, 30)
        assert answer["version"] == document.version and answer["view"]["method"] == "received"
        decoded = base64.b64decode(answer["data"], validate=True) if answer["encoding"] == "base64" else answer["data"].encode()
        return answer, decoded

    answer, png = picture("png")
    assert (answer["mimeType"], answer["encoding"]) == ("image/png", "base64") and png.startswith(PNG)
    answer, svg = picture("svg")
    assert answer["mimeType"] == "image/svg+xml"
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    answer, html = picture("html")
    assert answer["mimeType"] == "text/html" and b"<script>alert(1)" not in html


def test_43_written_to_a_path(server, document, tmp_path):
    """A heatmap is written to the requested path. A path that is not absolute or not writable is an error that names it."""
    path = tmp_path / "heat map.png"
    answer = server.command("codegaze.server.heatmap", {"uri": document.uri, "format": "png", "path": str(path)}, 30)
    assert (answer["data"], answer["path"]) == (None, str(path))
    assert path.read_bytes().startswith(PNG)
    for wrong in ["heat.png", str(tmp_path / "no" / "such" / "heat.png"), str(tmp_path)]:
        command = {"command": "codegaze.server.heatmap", "arguments": [{"uri": document.uri, "format": "png", "path": wrong}]}
        error = server.request("workspace/executeCommand", command).wait()["error"]
        assert wrong in error["message"], error


def test_43_heatmap_of_a_range(server):
    """The heatmap of a range has only its lines, with their numbers in the document."""
    document = server.open(SOURCE)
    part = {"uri": document.uri, "range": to_range((13, 0), (18, 0))}
    svg = server.command("codegaze.server.heatmap", {**part, "format": "svg", "kind": "source"}, 30)["data"]
    words = " ".join(ElementTree.fromstring(svg).itertext())
    assert "total" in words and "result" in words and "Store" not in words and "load" not in words
    inside = [lexeme for lexeme in document.analysis()["lexemes"] if 13 <= lexeme["range"]["start"]["line"] < 18]
    found = document.analysis(range=part["range"])["lexemes"]
    numbers = ("text", "level", "rank", "lift", "share")
    assert [[lexeme[key] for key in numbers] for lexeme in found] == [[lexeme[key] for key in numbers] for lexeme in inside]
    assert found[0]["range"]["start"] == {"line": 0, "character": 0}, "places count from the part's start"


def test_43_heatmap_of_an_unknown_document(server):
    """A command on a document that is not open is an error that names it."""
    command = {"command": "codegaze.server.heatmap", "arguments": [{"uri": "file:///no.py"}]}
    assert "file:///no.py" in server.request("workspace/executeCommand", command).wait()["error"]["message"]


def test_44_absent_unless_enabled(server, document):
    """Document highlight, document colors and inlay hints are absent unless they are turned on."""
    for name in ("documentHighlightProvider", "colorProvider", "inlayHintProvider"):
        assert not server.capabilities.get(name), name
    assert document.request("textDocument/documentHighlight", position=(8, 17)).wait().get("result") in (None, [])


def test_44_present_when_enabled(everything):
    """If they are turned on, highlights are the heaviest partners, and colors are on levels 4 and 5."""
    document = everything.open(SOURCE)
    for name in ("documentHighlightProvider", "colorProvider", "inlayHintProvider"):
        assert everything.capabilities[name], name
    attention = document.call("codegaze/relations", position=(8, 17))
    heavy = {
        kind: {json.dumps(end["range"]) for end in attention[ends][:5] if end["weight"] >= 0.02}
        for kind, ends in [(2, "attendsTo"), (3, "attendedBy")]
    }
    highlights = document.call("textDocument/documentHighlight", position=(8, 17))
    found = {kind: {json.dumps(each["range"]) for each in highlights if each["kind"] == kind} for kind in heavy}
    assert heavy[2] and heavy[3]
    # A lexeme of both lists may be marked once.
    assert found[2] <= heavy[2] and found[3] <= heavy[3] and found[2] | found[3] == heavy[2] | heavy[3]
    colors = document.call("textDocument/documentColor")
    tokens = [token for token in document.tokens() if token.level >= 4]
    assert [from_range(color["range"])[0] for color in colors] == [(token.line, token.start) for token in tokens]


FEATURES = {
    "semanticTokens": "semanticTokensProvider",
    "hover": "hoverProvider",
    "codeLens": "codeLensProvider",
    "codeActions": "codeActionProvider",
}


@pytest.mark.parametrize("feature", FEATURES)
def test_44_every_feature_can_be_turned_off(start, feature):
    """The server does not offer a feature that is off, and offers the others."""
    server = start()
    server.initialize(options={"features": {feature: False}})
    offered = {name: bool(server.capabilities.get(provider)) for name, provider in FEATURES.items()}
    assert offered == {name: name != feature for name in FEATURES}


def test_44_large_documents(start):
    """A document larger than the setting is not analyzed, and `info` reports this."""
    server = start()
    server.initialize(options={"maxFileKb": 1})
    document = server.open(SOURCE * 5)
    assert document.heatmap() is None
    assert document.call("textDocument/semanticTokens/full") is None
    assert server.info()["documents"][0]["state"] == "too large"
    document.change(SOURCE)
    assert document.tokens()

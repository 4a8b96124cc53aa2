import oracle
import pytest
from nasty import NASTY
from plaintext import ENCODINGS, Text
from session import capabilities

OFFERS = [
    (["utf-8"], "utf-8"),
    (["utf-16"], "utf-16"),
    (["utf-32"], "utf-32"),
    (["utf-32", "utf-8", "utf-16"], "utf-32"),
    (["utf-16", "utf-8"], "utf-16"),
    (["utf-7", "utf-8"], "utf-8"),
    (["utf-7", "ebcdic"], "utf-16"),
    ([], "utf-16"),
    (None, "utf-16"),
]


@pytest.mark.parametrize(("offered", "chosen"), OFFERS, ids=[str(offered) for offered, _ in OFFERS])
def test_35_negotiation(start, offered, chosen):
    """The server selects the first encoding of the client's list, or UTF-16 without a list. Columns are right in it."""
    server = start()
    answer = server.initialize(offered)
    said = answer["capabilities"].get("positionEncoding")
    assert said == chosen or (said is None and chosen == "utf-16")
    document = server.open(NASTY["emoji"])
    assert [token.place() for token in document.tokens()] == [token.place() for token in oracle.tokens(NASTY["emoji"], chosen)]
    assert document.heatmap()["encoding"] == chosen
    assert server.info()["positionEncoding"] == chosen


def test_35_client_without_general_capabilities(start):
    """A client without capabilities counts in UTF-16."""
    server = start()
    server.initialize(client={})
    document = server.open(NASTY["surrogate pairs"])
    assert [token.place() for token in document.tokens()] == [token.place() for token in oracle.tokens(NASTY["surrogate pairs"], "utf-16")]


@pytest.mark.parametrize("setting", ENCODINGS)
@pytest.mark.parametrize("offered", [["utf-16", "utf-8", "utf-32"], ["utf-8"], None], ids=str)
def test_35_setting(start, offered, setting):
    """A setting overrides the order of the client's list, but never selects an encoding that is not in it."""
    server = start()
    answer = server.initialize(offered, {"positionEncoding": setting})
    known = {"utf-16", *(offered or [])}
    chosen = setting if setting in known else (offered or ["utf-16"])[0]
    assert answer["capabilities"].get("positionEncoding", "utf-16") == chosen
    document = server.open(NASTY["emoji"])
    assert [token.place() for token in document.tokens()] == [token.place() for token in oracle.tokens(NASTY["emoji"], chosen)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NASTY)
def test_35_columns_of_every_feature(start, encoding, name):
    """Tokens, hovers, relations and matrices have the same range for every lexeme, in texts in which columns are difficult to count."""
    server = start()
    server.initialize([encoding])
    content = NASTY[name]
    document, text = server.open(content), Text(content)
    lexemes = oracle.analyze(content)["lexemes"]
    for lexeme in lexemes[:: max(1, len(lexemes) // 12)]:
        line, start_at, length = oracle.place(content, lexeme["span"], encoding)
        expected = {"start": {"line": line, "character": start_at}, "end": {"line": line, "character": start_at + length}}
        attention = document.call("codegaze/relations", position=(line, start_at))["lexeme"]
        assert (attention["range"], attention["text"]) == (expected, lexeme["text"])
        assert document.call("textDocument/hover", position=(line, start_at))["range"] == expected
    for token in document.call("codegaze/matrix")["tokens"]:
        if token["range"] is not None:
            start_at, end_at = ((token["range"][side]["line"], token["range"][side]["character"]) for side in ("start", "end"))
            first, last = text.offset(start_at, encoding), text.offset(end_at, encoding)
            assert first < last
            assert text.position(first, encoding) == start_at and text.position(last, encoding) == end_at


def test_35_capabilities_hold_no_other_encoding(start):
    """All results of the server have the same ranges."""
    server = start()
    server.initialize(client=capabilities(["utf-32"]))
    assert server.info()["positionEncoding"] == "utf-32"

import random

import pytest
from conftest import SOURCE
from edits import random_change
from nasty import BLANK, NASTY
from plaintext import ENCODINGS
from session import EXAMPLES


def test_30_edits_before_a_request(server):
    """A request after 300 one-character edits sees version 300."""
    document = server.open("", version=0)
    for i in range(300):
        document.change(((0, i), (0, i), "abcdefgh (+)"[i % 12]))
    pending = document.request("codegaze/heatmap")
    document.change(((0, 0), (0, 0), "later "))
    answer = pending.wait()
    assert answer.get("result", {}).get("version") == 300 or answer.get("error", {}).get("code") == -32801, answer
    document.change(((0, 0), (0, 6), ""))
    assert document.heatmap()["version"] == document.version == 302
    document.assert_text()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("seed", range(4))
def test_31_random_edits(start, encoding, seed):
    """After random incremental edits, the server has the text of the client, in every encoding, with all line ends."""
    server = start()
    server.initialize([encoding])
    assert server.encoding == encoding
    rng = random.Random(f"{encoding} {seed}")
    text = rng.choice([rng.choice([*NASTY.values(), *BLANK.values()]), SOURCE, rng.choice(EXAMPLES).read_bytes().decode()])
    document = server.open(text, version=rng.randint(-5, 100))
    for i in range(120):
        before, changes = document.text, []
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            change = random_change(rng, before, encoding)
            before = before.replaced(*change, encoding)
            changes.append(change)
        if rng.random() < 0.03:
            changes.insert(rng.randint(0, len(changes)), rng.choice([*NASTY.values(), *BLANK.values()]))
        document.change(*changes)
        if i % 10 == 9:
            document.assert_text()


FAR = 2**31 - 1


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_32_positions_out_of_range(start, encoding):
    """Positions out of range clamp: columns to the line's end, lines to the text's, a place within a character to its start."""
    server = start()
    server.initialize([encoding])
    document = server.open("a = '🚀é'\r\nb = 2\rc")
    for start_at, end_at, new in [
        ((0, 999), (0, 999), "!"),
        ((0, FAR), (0, FAR), "?"),
        ((1, 999), (1, FAR), "\n"),
        ((99, 0), (99, 5), "end"),
        ((FAR, FAR), (FAR, FAR), "\U0001f680"),
        ((0, 6), (0, 6), "<"),
        ((0, 0), (FAR, 0), "x = '🚀🚀'\n"),
        ((0, 8), (0, 9), "-"),
    ]:
        document.change((start_at, end_at, new))
        document.assert_text()
    for position in [(0, FAR), (FAR, 0), (FAR, FAR), (1, 0)]:
        for method in ("textDocument/hover", "codegaze/relations", "textDocument/documentHighlight"):
            if method != "textDocument/documentHighlight" or "documentHighlightProvider" in server.capabilities:
                document.call(method, position=position)
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": FAR, "character": FAR}}
    ranged = document.call("textDocument/semanticTokens/range", range=everything)
    assert ranged["data"] == document.call("textDocument/semanticTokens/full")["data"]


def test_33_unknown_documents(server, document):
    """A change or close of an unknown document is ignored."""
    server.notify("textDocument/didChange", {"textDocument": {"uri": "file:///no.py", "version": 2}, "contentChanges": [{"text": "x"}]})
    server.notify("textDocument/didClose", {"textDocument": {"uri": "file:///no.py"}})
    assert server.call("codegaze/heatmap", {"textDocument": {"uri": "file:///no.py"}}) is None
    assert server.call("textDocument/semanticTokens/full", {"textDocument": {"uri": "file:///no.py"}}) is None
    assert server.call("textDocument/hover", {"textDocument": {"uri": "file:///no.py"}, "position": {"line": 0, "character": 0}}) is None
    document.assert_text()
    assert [known["uri"] for known in server.info()["documents"]] == [document.uri]


def test_33_reopened_with_a_lower_version(server):
    """A document can be reopened with a lower version, and with another text."""
    document = server.open("x = 1\n", version=50)
    document.change("y = 2\n")
    document.close()
    assert document.heatmap() is None
    again = server.open("z = 3\n", document.uri, version=1)
    assert again.heatmap()["version"] == 1
    again.assert_text()
    again.change(((0, 0), (0, 1), "w"))
    again.assert_text()


URIS = [
    "untitled:Untitled-1",
    "vscode-notebook-cell:/home/me/a%20b.ipynb#W0sZmlsZQ%3D%3D",
    "git:/home/me/a.py?%7B%22path%22%3A%22%2Fhome%2Fme%2Fa.py%22%2C%22ref%22%3A%22~%22%7D",
    "file:///c%3A/Users/me/a.py",
    "file:///C:/Users/me/a.py",
    "file:///home/me/%F0%9F%9A%80%20%C3%A9/a%23b.py",
    "file:///home/me/a+b@c.py",
    "vscode-remote://ssh-remote%2Bhost/home/me/a.py",
    "zipfile:///home/me/a.zip::inner/a.py",
    "file:///%E2%82%AC",
]


@pytest.mark.parametrize("uri", URIS)
def test_34_uris_are_echoed(server, uri):
    """`untitled:`, `vscode-notebook-cell:`, `git:` and Windows drive URIs are echoed byte for byte."""
    document = server.open("x = 1\n", uri)
    assert document.heatmap()["uri"] == uri
    assert document.call("codegaze/matrix")["uri"] == uri
    assert [known["uri"] for known in server.info()["documents"]] == [uri]
    server.wait_notification("codegaze/heatmapChanged", lambda changed: changed["uri"] == uri)
    document.change(((0, 0), (0, 1), "y"))
    document.assert_text()
    document.close()
    assert server.info()["documents"] == []


def test_34_spellings_of_a_uri_are_one_document(server):
    """Two spellings of one URI are one document, and each response repeats the spelling of its request."""
    opened = server.open("a = 1\n", "file:///c%3A/a%28b%29.py")
    for spelling in ("file:///c:/a(b).py", "file:///c%3a/a%28b).py", opened.uri):
        heat = server.call("codegaze/heatmap", {"textDocument": {"uri": spelling}})
        assert heat["uri"] == spelling and heat["version"] == opened.version
    assert len(server.info()["documents"]) == 1
    opened.assert_text()


def test_34_no_file_is_read(server, tmp_path):
    """The text of a document is that of the client, not that of the file."""
    path = tmp_path / "a.py"
    path.write_text("on_disk = 1\n")
    unopened = {"textDocument": {"uri": path.as_uri()}}
    assert server.call("codegaze/heatmap", unopened) is None
    document = server.open("in_editor = 2\n", path.as_uri())
    document.assert_text()

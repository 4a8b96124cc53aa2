import json
import random

import pytest
from client import INVALID_REQUEST, PARSE_ERROR, encode, frame, notification, request
from processes import resident_mib
from session import LEGEND

ALIVE = {"jsonrpc": "2.0", "method": "codegaze/model", "params": {}}


def assert_survived(server, code: int | None = None) -> None:
    """The session continues. An invalid body has one error response without an id."""
    assert server.call("codegaze/model", {}, timeout=5)["state"] == "ready"
    assert [answer["error"]["code"] for answer in server.anonymous] == ([] if code is None else [code])
    assert server.open("x = 1\n", "file:///alive.py").tokens()


@pytest.mark.parametrize("body", [b'{"jsonrpc":"2.0","method":', b"nonsense", b"", b"\x00", b'{"a":1} {"b":2}', b'{"jsonrpc":"2.0",}'])
def test_12_body_that_is_not_json(server, body):
    """A body that is not JSON is answered with -32700, and the session continues."""
    server.send_body(body)
    assert_survived(server, PARSE_ERROR)


@pytest.mark.parametrize("body", [b"1", b"null", b"[]", b'"text"', b"{}", b'{"jsonrpc":"1.0","method":"a"}', b'{"jsonrpc":"2.0"}'])
def test_12_json_that_is_no_message(server, body):
    """JSON that is not a message is answered with -32600, and the session continues."""
    server.send_body(body)
    assert_survived(server, INVALID_REQUEST)


@pytest.mark.parametrize(
    "junk", [b"junk\r\n", b"\r\n\r\n", b"\x1b[31mred\r\n", b"a: b\r\n\r\n", b"Content-Length: many\r\n\r\n", b"Content-Length: -5\r\n\r\n"]
)
def test_13_junk_between_frames(server, junk):
    """An invalid line between frames is skipped, and the session continues."""
    server.send_bytes(junk + frame(encode(notification("$/setTrace", {"value": "off"}))))
    assert server.call("codegaze/model", {}, timeout=5)["state"] == "ready"
    assert server.open("x = 1\n").tokens()


def test_13_message_that_is_too_long(server):
    """A message above the maximum length is skipped without being stored, and has an error response."""
    before, mib = resident_mib(server.pid), 300
    server.send_bytes(b"Content-Length: %d\r\n\r\n" % (mib << 20))
    for _ in range(mib):
        server.send_bytes(b" " * (1 << 20))
    assert_survived(server, INVALID_REQUEST)
    assert resident_mib(server.pid) - before < 100


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x9a"])
def test_14_body_that_is_not_utf8(server, bad):
    """A body that is not UTF-8 is answered with -32700, and the session continues."""
    server.send_body(b'{"jsonrpc":"2.0","method":"' + bad + b'"}')
    assert_survived(server, PARSE_ERROR)


def test_15_batch(server):
    """A batch is answered with -32600, and the session continues."""
    server.send([request(71, "codegaze/model", {}), request(72, "codegaze/model", {})])
    assert_survived(server, INVALID_REQUEST)


@pytest.mark.parametrize("name", [b"content-length", b"CONTENT-LENGTH", b"Content-length"])
def test_16_header_in_any_case(server, name):
    """Header names are read in any case."""
    pending = server.expect("codegaze/model")
    body = encode(request(pending.id, "codegaze/model", {}))
    server.send_bytes(name + b": %d\r\n\r\n" % len(body) + body)
    assert pending.result(5)["state"] == "ready"


@pytest.mark.parametrize("kind", [b"application/vscode-jsonrpc; charset=utf-8", b"application/vscode-jsonrpc; charset=utf8"])
@pytest.mark.parametrize("first", [True, False])
def test_17_content_type(server, kind, first):
    """A `Content-Type` header is accepted, before the length and after it."""
    pending = server.expect("codegaze/model")
    body = encode(request(pending.id, "codegaze/model", {}))
    headers = [b"Content-Type: " + kind, b"Content-Length: %d" % len(body)]
    server.send_bytes(b"\r\n".join(headers if first else headers[::-1]) + b"\r\n\r\n" + body)
    assert pending.result(5)["state"] == "ready"


def test_18_byte_by_byte(server):
    """A frame can arrive one byte at a time."""
    pending = server.expect("codegaze/model")
    for byte in frame(encode(request(pending.id, "codegaze/model", {"note": "é🚀"}))):
        server.send_bytes(bytes([byte]))
    assert pending.result(5)["state"] == "ready"


def test_18_cut_at_any_byte(server):
    """A frame can be split at any byte."""
    length = len(frame(encode(request(100, "codegaze/model", {"note": "é🚀"}))))
    for cut in range(1, length):
        pending = server.expect("codegaze/model", 1000 + cut)
        data = frame(encode(request(pending.id, "codegaze/model", {"note": "é🚀"})))
        server.send_bytes(data[:cut])
        server.send_bytes(data[cut:])
        assert pending.result(5)["state"] == "ready"


def test_18_two_frames_in_one_write(server):
    """Two frames can arrive in one write, with a part of a third."""
    pending = [server.expect("codegaze/model") for _ in range(3)]
    data = b"".join(frame(encode(request(each.id, "codegaze/model", {}))) for each in pending)
    server.send_bytes(data[:-7])
    assert [each.result(5)["state"] for each in pending[:2]] == ["ready", "ready"]
    assert pending[2].answer is None
    server.send_bytes(data[-7:])
    assert pending[2].result(5)["state"] == "ready"


def test_19_client_that_does_not_read(server, document):
    """If a client sends 3,000 requests without reading stdout, the server continues to read stdin, and the client receives every response."""
    tokens = document.tokens()
    server.pause_reading()
    read = server.n_bytes_read
    pending = [document.request("textDocument/semanticTokens/full") for _ in range(3000)]
    document.change(((0, 0), (0, 0), "import sys\n"))
    assert server.n_bytes_read - read < 1 << 17, "the client was to read nothing"
    server.resume_reading()
    for each in pending:
        answer = each.wait(30)
        assert "result" in answer, answer
    assert {json.dumps(each.answer["result"]["data"]) for each in pending} == {json.dumps(pending[0].answer["result"]["data"])}
    assert len(pending[0].answer["result"]["data"]) == 5 * len(tokens)
    assert document.heatmap()["version"] == document.version


def test_20_only_frames_on_stdout(start):
    """Nothing but frames is written to stdout, at log level `trace` too; the log is on stderr."""
    server = start(env={"RUST_LOG": "trace"})
    server.initialize(options={"logLevel": "trace"})
    assert server.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"] == LEGEND
    document = server.open("def f(a):\n    return a\n")
    rng = random.Random(20)
    for _ in range(20):
        document.change(((0, rng.randint(0, 9)), (0, 9), "f(b"))
        assert document.tokens()
    server.send_body(b"nonsense")
    server.command("codegaze.server.heatmap", {"uri": document.uri, "format": "svg"})
    document.close()
    assert server.violations == []
    server.close()
    assert server.violations == []
    assert server.stderr, "nothing is logged at trace"

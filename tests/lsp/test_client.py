"""The client detects every violation of the protocol."""

import random
import sys
from pathlib import Path

import pytest
from client import Client, Timeout, Violation
from edits import random_change
from nasty import BLANK, NASTY
from plaintext import ENCODINGS, Text

SERVER = [sys.executable, Path(__file__).with_name("misbehaving_server.py")]


def test_a_session_without_faults():
    with Client(SERVER) as client:
        pending = [client.request(f"echo {i}", {"text": "é🚀"}) for i in range(100)]
        assert [each.result() for each in pending] == [f"echo {i}" for i in range(100)]


def test_requests_of_the_server_are_answered():
    with Client(SERVER) as client:
        replies = client.call("ask")
        assert [(reply["id"], reply.get("result", "no"), reply.get("error", {}).get("code")) for reply in replies] == [
            (1, None, None),
            ("two", "no", -32601),
        ]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("twice", "a second answer"),
        ("stranger", "nobody asked for"),
        ("text id", "nobody asked for"),
        ("both", "neither request nor answer"),
        ("print", "not a frame"),
        ("version", "not JSON-RPC 2.0"),
        ("panic", "panic"),
        ("silent", "never answered"),
    ],
)
def test_breaches_are_noticed(how, said):
    with pytest.raises((Violation, Timeout), match=said):
        client = Client(SERVER)
        try:
            pending = client.request(how)
            if how in ("twice", "stranger", "panic"):
                assert pending.result() == how
            pending.taken = True
            if how == "panic":
                client.call("close stderr")
                client.threads[1].join(5)
            client.call("last") if how != "print" else client.wait_until(lambda: bool(client.violations), 5, "the violation")
            raise Violation("; ".join(client.faults()))
        finally:
            client.kill()


def test_unread_answers_are_noticed():
    client = Client(SERVER)
    client.request("one")
    with pytest.raises(Violation, match="nobody looked"):
        client.close()


def test_a_server_that_does_not_read_is_noticed():
    client = Client(SERVER)
    client.request("deaf")
    try:
        with pytest.raises((Timeout, BrokenPipeError)):
            client.send_bytes(b" " * (1 << 20), timeout=0.5)
    finally:
        client.kill()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", [*NASTY, *BLANK])
def test_positions_round_trip(encoding, name):
    text = Text({**NASTY, **BLANK}[name])
    for offset in range(0, len(text.content) + 1, max(1, len(text.content) // 200)):
        position = text.position(offset, encoding)
        assert text.offset(position, encoding) == offset or text.content[offset - 1 : offset + 1] == "\r\n"


def test_edits_are_where_they_seem_to_be():
    text = Text("a🚀b\r\né")
    assert text.replaced((0, 3), (0, 4), "X", "utf-16").content == "a🚀X\r\né"
    assert text.replaced((0, 5), (0, 6), "X", "utf-8").content == "a🚀X\r\né"
    assert text.replaced((0, 2), (0, 3), "X", "utf-32").content == "a🚀X\r\né"
    assert text.replaced((0, 2), (0, 2), "X", "utf-16").content == "aX🚀b\r\né", "within a surrogate pair is before it"
    assert text.replaced((0, 99), (0, 99), "X", "utf-16").content == "a🚀bX\r\né"
    assert text.replaced((9, 9), (9, 9), "X", "utf-16").content == "a🚀b\r\néX"


def test_random_edits_have_their_start_before_their_end():
    rng = random.Random(0)
    for encoding in ENCODINGS:
        text = Text(NASTY["mixed ends"])
        for _ in range(2000):
            start, end, new = random_change(rng, text, encoding)
            assert text.offset(start, encoding) <= text.offset(end, encoding)
            text = text.replaced(start, end, new, encoding) if len(text.content) < 3000 else Text(NASTY["emoji"])

import time

import models
import pytest
from client import REQUEST_CANCELLED, SILENCE, counts
from conftest import SOURCE
from processes import seconds_until_idle, wait_busy
from session import capabilities
from sources import functions

LONG = functions(2500)


def test_25_cancel_among_64_running_requests(start, tmp_path):
    """While 64 requests run, a cancelled one is answered with -32800 within 50 ms."""
    server = start()
    server.initialize(options={"model": str(models.slow(tmp_path, 2))}, wait=False)
    server.wait_model(timeout=60)
    document = server.open(LONG)
    options = {"uri": document.uri, "format": "json", "view": {"method": "rollout"}}
    command = {"command": "codegaze.server.heatmap", "arguments": [options]}
    running = [server.request("workspace/executeCommand", command) for _ in range(64)]
    server.call("codegaze/model", {}, timeout=1)
    for i in (63, 31, 0):
        at = time.monotonic()
        running[i].cancel()
        assert running[i].error_code(1) == REQUEST_CANCELLED
        assert running[i].answered_at - at < 0.05
    for each in running:
        each.cancel()
    assert {each.error_code(1) for each in running} == {REQUEST_CANCELLED}


def test_25_cancel_of_what_is_answered_or_unknown(server):
    """Cancelling an answered or unknown request has no effect."""
    pending = server.request("codegaze/model", {})
    pending.result()
    pending.cancel()
    server.notify("$/cancelRequest", {"id": 999999})
    server.notify("$/cancelRequest", {"id": "nobody"})
    assert server.call("codegaze/model", {}, timeout=5)["state"] == "ready"


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_26_cancelled_inference_is_idle(server, end):
    """When inference is cancelled, by closing the document or cancelling the command, the processor is idle within 200 ms."""
    document = server.open(LONG)
    if end == "close":
        wait_busy(server.pid)
        document.close()
    else:
        document.call("textDocument/semanticTokens/full", timeout=60)
        options = {"uri": document.uri, "format": "json", "view": {"method": "rollout"}}
        pending = server.request("workspace/executeCommand", {"command": "codegaze.server.heatmap", "arguments": [options]})
        wait_busy(server.pid)
        assert pending.answer is None, "the command was to take longer"
        pending.cancel()
        assert pending.error_code(1) == REQUEST_CANCELLED
    assert seconds_until_idle(server.pid) < 0.2


def test_27_cheap_requests_while_inference_runs(start, tmp_path):
    """A cheap request is answered within 50 ms while inference runs."""
    server = start()
    # Its attention is uniform: only the length of names tells lexemes apart.
    server.initialize(options={"model": str(models.slow(tmp_path, 2)), "aggregate": "sum"}, wait=False)
    server.wait_model(timeout=60)
    small = server.open(SOURCE, "file:///small.py")
    assert small.tokens()
    large = server.open(LONG, "file:///large.py")
    wait_busy(server.pid)
    seconds = []
    for _ in range(30):
        for pending in [
            server.request("codegaze/model", {}),
            small.request("textDocument/hover", position=(8, 14)),
            small.request("codegaze/heatmap"),
            server.request("no/such/request"),
        ]:
            pending.wait(5)
            seconds.append(pending.seconds)
        time.sleep(0.01)
    states = {document["uri"]: document["state"] for document in server.info()["documents"]}
    assert states[large.uri] == "running", "inference was to run all the time"
    late = [each for each in seconds if each >= 0.05]
    assert len(late) <= 1, f"{late} of {len(seconds)}"  # One may be the machine's.
    large.close()


def test_29_client_that_never_answers(start):
    """A client that never answers the server's requests does not block it, with 150 messages in the queue."""
    server = start(answers=SILENCE)
    server.initialize()
    document = server.open(SOURCE)
    for i in range(150):
        document.change(((0, 0), (0, 0), f"x{i} = {i}\n"))
        server.notify("workspace/didChangeConfiguration", {"settings": None})
    commands = [server.request("workspace/executeCommand", {"command": "codegaze.server.info", "arguments": []}) for _ in range(20)]
    for each in commands:
        each.result(10)
    document.assert_text()
    for layer in range(3):
        server.command("codegaze.server.setView", {"layers": layer})
    assert document.tokens()
    asked = counts(server.requests)
    assert asked["workspace/configuration"] and asked["client/registerCapability"], asked


def test_29_client_that_never_answers_while_64_requests_run(start):
    """The same while many requests run that can create progress."""
    server = start(answers=SILENCE)
    server.initialize(client=capabilities())
    document = server.open(SOURCE)
    arguments = [{"uri": document.uri, "format": "json"}]
    running = [
        server.request("workspace/executeCommand", {"command": "codegaze.server.heatmap", "arguments": arguments}) for _ in range(64)
    ]
    for i in range(150):
        document.change(((0, 0), (0, 0), f"y{i} = {i}\n"))
    for each in running:
        each.result(20)
    document.assert_text()

import models
import pytest
from client import REQUEST_CANCELLED, Refusal
from session import capabilities
from sources import functions

LONG = functions(3000)


def kinds(server) -> dict[str, list[str]]:
    """The messages of each token."""
    reported: dict[str, list[str]] = {}
    for message in server.sent_by_server("$/progress"):
        reported.setdefault(message.params["token"], []).append(message.params["value"]["kind"])
    return reported


def assert_balanced(server) -> None:
    for token, sequence in kinds(server).items():
        assert sequence[0] == "begin" and sequence[-1] == "end", f"{token}: {sequence}"
        assert set(sequence[1:-1]) <= {"report"}, f"{token}: {sequence}"


def export(document, **params):
    options = {"uri": document.uri, "format": "json", "view": {"method": "rollout"}}
    return document.server.request("workspace/executeCommand", {"command": "codegaze.server.heatmap", "arguments": [options], **params})


def test_47_progress_of_a_command(server):
    """A command reports progress with the request's token, and progress that begins also ends."""
    document = server.open(LONG)
    export(document, workDoneToken="mine").result(60)
    assert "mine" in kinds(server)
    assert_balanced(server)
    created = [message.params["token"] for message in server.requests if message.method == "window/workDoneProgress/create"]
    assert "mine" not in created
    percentages = [m.params["value"].get("percentage") for m in server.sent_by_server("$/progress") if m.params["token"] == "mine"]
    known = [percentage for percentage in percentages if percentage is not None]
    assert known == sorted(known) and all(0 <= percentage <= 100 for percentage in known)


def test_47_progress_of_a_cancelled_command(server):
    """The progress of a cancelled command ends."""
    document = server.open(LONG)
    pending = export(document, workDoneToken="mine")
    server.wait_until(lambda: any(m.method == "$/progress" for m in server.notifications) or pending.answer is not None, 20, "progress")
    pending.cancel()
    assert pending.error_code(5) == REQUEST_CANCELLED
    server.wait_until(lambda: kinds(server).get("mine", [""])[-1] == "end", 5, "the end of the progress")
    assert_balanced(server)


def test_47_progress_of_loading(start, tmp_path):
    """A model that loads slowly shows progress with a token that the client accepted, after `initialized`."""
    server = start()
    server.initialize(options={"model": str(models.slow(tmp_path))}, wait=False)
    server.wait_model(timeout=60)
    created = [message.params["token"] for message in server.requests if message.method == "window/workDoneProgress/create"]
    server.wait_until(lambda: all(sequence[-1] == "end" for sequence in kinds(server).values()), 5, "the end of the progress")
    assert set(kinds(server)) <= set(created)
    assert_balanced(server)


@pytest.mark.parametrize("why", ["no capability", "refused"])
def test_47_no_progress(start, tmp_path, why):
    """The server sends no progress without the capability, or if the client rejects the token."""
    refused = why == "refused"
    server = start(answers={"window/workDoneProgress/create": Refusal(-32603)} if refused else None)
    client = capabilities() if refused else capabilities(window={"workDoneProgress": False})
    server.initialize(client=client, options={"model": str(models.slow(tmp_path, 2))}, wait=False)
    server.wait_model(timeout=60)
    document = server.open(functions(100))
    export(document).result(60)
    assert server.sent_by_server("$/progress") == []
    created = [message for message in server.requests if message.method == "window/workDoneProgress/create"]
    assert refused or not created

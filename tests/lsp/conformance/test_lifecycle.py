import json
import os
import socket
import subprocess
import sys
import time

import models
import pytest
from client import INVALID_REQUEST, SERVER_NOT_INITIALIZED, SILENCE, encode, frame, request
from session import binary, capabilities


def initialize_params(**params) -> dict:
    return {"processId": None, "rootUri": None, "capabilities": capabilities(), **params}


@pytest.mark.parametrize("model", ["missing", "slow"])
def test_01_initialize_is_answered_without_the_model(start, tmp_path, model):
    """`initialize` is answered within 1 s if the model is missing or loads slowly."""
    directory = getattr(models, model)(tmp_path)
    server = start()
    pending = server.request("initialize", initialize_params(initializationOptions={"model": str(directory)}))
    pending.result(timeout=1)
    server.notify("initialized", {})
    assert server.call("codegaze/model", {}, timeout=1)["state"] in ("loading", "error")
    if model == "missing":
        state = server.wait_model("error")
        assert str(directory) in state["message"]


def test_02_request_before_initialize(raw):
    """A request before `initialize` is answered with -32002."""
    params = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}
    assert raw.request("textDocument/hover", params).error_code() == SERVER_NOT_INITIALIZED
    assert raw.request("codegaze/model", {}).error_code() == SERVER_NOT_INITIALIZED
    raw.initialize()


def test_03_notification_before_initialize(raw):
    """A notification before `initialize` is dropped."""
    item = {"uri": "file:///early.py", "languageId": "python", "version": 1, "text": "x = 1\n"}
    raw.notify("textDocument/didOpen", {"textDocument": item})
    raw.initialize()
    assert raw.info()["documents"] == []


def test_03_exit_before_initialize(raw):
    """`exit` before `initialize` ends the process with 1."""
    raw.notify("exit")
    assert raw.wait_exit(1) == 1


def test_04_second_initialize(server):
    """A second `initialize` is answered with -32600."""
    assert server.request("initialize", initialize_params()).error_code() == INVALID_REQUEST
    assert server.open("x = 1\n").tokens()


def test_05_request_after_shutdown(server, document):
    """A request after `shutdown` is answered with -32600."""
    assert server.call("shutdown") is None
    assert document.request("textDocument/semanticTokens/full").error_code() == INVALID_REQUEST
    assert server.request("codegaze/model", {}).error_code() == INVALID_REQUEST
    server.notify("exit")
    assert server.wait_exit(1) == 0


@pytest.mark.parametrize("busy", [False, True])
def test_06_shutdown_and_exit(server, busy):
    """`shutdown` and `exit` end the process with 0 within 1 s, with stdin still open, while inference runs too."""
    if busy:
        server.open("import os\n" + "value = os.path.join(value, other)\n" * 20000)
        time.sleep(0.1)
    assert server.call("shutdown", timeout=1) is None
    server.notify("exit")
    assert server.wait_exit(1) == 0


def test_06_shutdown_while_the_model_loads(start, tmp_path):
    """`shutdown` and `exit` end the process with 0 within 1 s while the model loads."""
    server = start()
    server.initialize(options={"model": str(models.slow(tmp_path))}, wait=False)
    assert server.call("shutdown", timeout=1) is None
    server.notify("exit")
    assert server.wait_exit(1) == 0


def test_07_exit_without_shutdown(server):
    """`exit` without `shutdown` ends the process with 1."""
    server.notify("exit")
    assert server.wait_exit(1) == 1


@pytest.mark.parametrize("answers", [None, SILENCE], ids=["answered", "owing"])
@pytest.mark.parametrize("initialized", [False, True])
def test_08_end_of_stdin(start, answers, initialized):
    """When stdin ends, the process ends within 3 s, even if the client has not answered the server's requests."""
    server = start(answers=answers)
    if initialized:
        server.initialize()
        server.open("x = 1\n").tokens()
    if answers is SILENCE and initialized:
        server.wait_until(lambda: bool(server.requests), 5, "a request of the server's")
    server.process.stdin.close()
    server.wait_exit(3)
    faults = server.faults()
    server.process.stdout.close()
    assert not faults


@pytest.mark.parametrize("told", ["processId", "--clientProcessId", "--clientProcessId="])
def test_09_dead_parent(start, told):
    """When the parent process dies, the process ends within 10 s, with stdin still open."""
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    flag = {"--clientProcessId": [told, parent.pid], "--clientProcessId=": [f"{told}{parent.pid}"]}.get(told, [])
    server = start("--stdio", *flag)
    server.initialize(processId=parent.pid if told == "processId" else None)
    assert server.open("x = 1\n").tokens()
    parent.kill()
    parent.wait()
    server.wait_exit(10)


def test_09_dead_parent_before_initialize(start):
    """When the parent process dies before `initialize`, the process ends within 10 s."""
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    server = start("--stdio", "--clientProcessId", parent.pid)
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    server.wait_exit(10)


def test_10_no_parent(start):
    """`processId: null` is accepted."""
    server = start()
    server.initialize(processId=None)
    assert server.open("x = 1\n").tokens()


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5)


def test_11_flags(start):
    """`--stdio`, `--clientProcessId`, `--version` and `--help` work; an unknown flag ends the process with 2 and a line on stderr."""
    version, helped, unknown = run("--version"), run("lsp", "--help"), run("lsp", "--no-such-flag")
    assert version.returncode == 0 and version.stdout.startswith("codegaze ")
    assert helped.returncode == 0 and "--stdio" in helped.stdout and "--socket" in helped.stdout
    assert unknown.returncode == 2 and "--no-such-flag" in unknown.stderr and unknown.stdout == ""
    server = start("--stdio", f"--clientProcessId={os.getpid()}")
    server.initialize()


def test_11_socket():
    """`--socket` connects to a client that listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        with subprocess.Popen([binary(), "lsp", "--socket", str(listener.getsockname()[1])], stdin=subprocess.DEVNULL) as process:
            try:
                connection, _ = listener.accept()
                with connection, connection.makefile("rwb") as stream:
                    connection.settimeout(5)
                    assert exchange(stream, request(1, "initialize", initialize_params()))["result"]["capabilities"]
                    assert exchange(stream, request(2, "shutdown"))["result"] is None
                    send(stream, {"jsonrpc": "2.0", "method": "exit"})
                assert process.wait(3) == 0
            finally:
                process.kill()


def exchange(stream, message: dict) -> dict:
    """Sends a request, and reads until its response."""
    send(stream, message)
    while True:
        length = int(stream.readline().split(b":")[1])
        assert stream.readline() == b"\r\n"
        answer = json.loads(stream.read(length))
        if answer.get("id") == message["id"] and "method" not in answer:
            return answer


def send(stream, message: dict) -> None:
    stream.write(frame(encode(message)))
    stream.flush()


def test_11_socket_without_a_client():
    """Without a client on the port, the process ends with 1 and one line on stderr."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = run("lsp", "--socket", str(port))
    assert done.returncode == 1 and str(port) in done.stderr and done.stdout == ""

import random

import pytest
from client import CONTENT_MODIFIED, INVALID_PARAMS, METHOD_NOT_FOUND, REQUEST_CANCELLED, command
from conftest import SOURCE


@pytest.mark.parametrize("method", ["no/such/request", "$/noSuchRequest", "codegaze/noSuchRequest", ""])
@pytest.mark.parametrize("params", [None, {}, [1]])
def test_21_unknown_request(server, method, params):
    """An unknown request is answered with -32601, also if its name begins with `$/`. Requests for tests are unknown in a release."""
    assert server.request(method, params).error_code() == METHOD_NOT_FOUND


def test_21_request_that_is_not_offered(server, document):
    """A request of the protocol that the server does not offer is unknown."""
    assert document.request("textDocument/definition", position=(8, 14)).error_code() == METHOD_NOT_FOUND


@pytest.mark.parametrize("method", ["no/such/notification", "$/noSuchNotification", "textDocument/didSave", "workspace/didRenameFiles"])
def test_21_unknown_notification(server, method):
    """An unknown notification is not answered."""
    server.notify(method, {"textDocument": {"uri": "file:///a.py"}})
    assert server.call("codegaze/model", {}, timeout=5)["state"] == "ready"
    assert server.anonymous == []


WRONG = [
    ("textDocument/hover", {}),
    ("textDocument/hover", {"textDocument": {"uri": 5}, "position": {"line": 0, "character": 0}}),
    ("textDocument/hover", {"textDocument": {"uri": "file:///document.py"}, "position": {"line": -1, "character": 0}}),
    ("textDocument/semanticTokens/range", {"textDocument": {"uri": "file:///document.py"}}),
    ("codegaze/heatmap", {}),
    ("codegaze/heatmap", {"textDocument": {"uri": "file:///document.py"}, "range": 5}),
    ("codegaze/relations", {"textDocument": {"uri": "file:///document.py"}}),
    ("codegaze/matrix", {"textDocument": {"uri": "file:///document.py"}, "unit": "page"}),
    ("codegaze/matrix", {"textDocument": {"uri": "file:///document.py"}, "view": {"method": "magic"}}),
    ("codegaze/matrix", {"textDocument": {"uri": "file:///document.py"}, "view": {"layers": 99}}),
    ("codegaze/thumbnails", {"textDocument": {"uri": "file:///document.py"}, "size": "large"}),
    ("workspace/executeCommand", {"arguments": []}),
    ("workspace/executeCommand", command("codegaze.server.heatmap")),
    ("workspace/executeCommand", command("codegaze.server.heatmap", {"uri": "file:///document.py", "format": "gif"})),
    ("workspace/executeCommand", command("codegaze.server.setView", {"layers": "first"})),
    ("workspace/executeCommand", command("codegaze.server.setView", {"heads": [99]})),
    ("workspace/executeCommand", command("codegaze.server.setModel", {})),
]


@pytest.mark.parametrize(("method", "params"), WRONG, ids=[f"{i}-{method}" for i, (method, _) in enumerate(WRONG)])
def test_22_wrong_parameters(server, document, method, params):
    """Parameters of a wrong shape are answered with -32602."""
    answer = server.request(method, params).wait()
    assert answer.get("error", {}).get("code") == INVALID_PARAMS, answer
    assert document.tokens()


@pytest.mark.parametrize("request_id", ["", "abc", "1", "é🚀", "a" * 1000, 0, 2**31 - 1])
def test_23_ids_are_echoed(server, request_id):
    """String ids are echoed as strings, numbers as numbers."""
    assert server.request("codegaze/model", {}, request_id).result()["state"] == "ready"
    assert server.request("no/such/request", {}, f"{request_id}-").error_code() == METHOD_NOT_FOUND


REQUESTS = [
    ("textDocument/semanticTokens/full", {}),
    ("textDocument/semanticTokens/range", {"range": {"start": {"line": 2, "character": 0}, "end": {"line": 9, "character": 0}}}),
    ("textDocument/hover", {"position": (8, 14)}),
    ("textDocument/codeLens", {}),
    ("codegaze/heatmap", {}),
    ("codegaze/relations", {"position": (8, 14)}),
    ("codegaze/matrix", {}),
    ("codegaze/thumbnails", {"size": 8}),
    ("codegaze/model", {}),
    ("no/such/request", {}),
]


def test_24_every_request_is_answered_once(server):
    """Every request is answered exactly once, a cancelled one too (1,000 mixed requests)."""
    rng = random.Random(24)
    documents = [server.open(SOURCE, f"file:///document{i}.py") for i in range(3)]
    pending = []
    for _ in range(1000):
        document = rng.choice(documents)
        if rng.random() < 0.2:
            document.change(((rng.randint(0, 20), 0), (rng.randint(0, 20) + 20, 0), rng.choice(["x = 1\n", "", "def f():\n    pass\n"])))
        method, params = rng.choice(REQUESTS)
        pending.append(document.request(method, **params))
        if rng.random() < 0.3:
            rng.choice(pending[-20:]).cancel()
    allowed = {None, REQUEST_CANCELLED, CONTENT_MODIFIED, METHOD_NOT_FOUND}
    codes = [each.error_code(30) for each in pending]
    assert set(codes) <= allowed, set(codes) - allowed
    for document in documents:
        document.assert_text()

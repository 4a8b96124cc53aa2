import time

from conftest import SOURCE
from processes import resident_mib
from sources import function, functions


def cache(server) -> dict:
    return server.info()["model"]["cache"]


def test_48_same_text_twice(server):
    """The same text is analyzed once: later responses come from the cache, without another pass."""
    text = functions(400)
    first = server.open(text, "file:///first.py")
    tokens = first.tokens()
    passes, before = server.info()["engine"]["passes"], cache(server)
    assert passes > 0 and before["entries"] > 0 and 0 < before["bytes"] <= before["limitBytes"]
    for i in range(5):
        again = server.open(text, f"file:///again{i}.py")
        assert [token.place() for token in again.tokens()] == [token.place() for token in tokens]
    assert cache(server)["hits"] > before["hits"]
    assert cache(server)["misses"] == before["misses"]
    assert server.info()["engine"]["passes"] == passes


def test_48_edit_and_undo(server):
    """An edit runs the model only on its chunk, and its undo runs no pass."""
    document = server.open(functions(600))
    tokens = document.tokens()
    chunks = server.info()["documents"][0]["chunks"]
    assert chunks > 5
    passes = server.info()["engine"]["passes"]
    document.change(((205, 4), (205, 4), "x"))
    document.tokens()
    edited = server.info()["engine"]["passes"]
    assert 1 <= edited - passes <= 2, f"{edited - passes} passes for one edit in {chunks} chunks"
    hits = cache(server)["hits"]
    document.change(((205, 4), (205, 5), ""))
    assert [token.place() for token in document.tokens()] == [token.place() for token in tokens]
    assert server.info()["engine"]["passes"] == edited
    assert cache(server)["hits"] > hits


def test_48_view_change_needs_no_pass(server):
    """Another layer or head is computed from cached hidden states: no pass begins at the embeddings."""
    document = server.open(functions(100))
    document.tokens()
    engine = server.info()["engine"]
    assert engine["passes"] > engine["resumed"] == 0
    server.command("codegaze.server.setView", {"layers": 2, "heads": 1})
    document.tokens()
    server.command("codegaze.server.setView", {"layers": None, "heads": "mean"})
    document.tokens()
    after = server.info()["engine"]
    assert after["passes"] - after["resumed"] == engine["passes"], f"{engine}, then {after}"


def test_48_clear_cache(server):
    """`clearCache` returns the number of freed bytes, and the next result is computed again."""
    text = functions(100)
    document = server.open(text, "file:///first.py")
    tokens = document.tokens()
    held = cache(server)["bytes"]
    assert server.command("codegaze.server.clearCache")["bytes"] == held > 0
    assert cache(server)["bytes"] == 0
    again = server.open(text, "file:///second.py")
    assert [token.place() for token in again.tokens()] == [token.place() for token in tokens]
    assert cache(server)["bytes"] > 0


def test_48_cache_is_bounded(start):
    """The cache stays within `cacheMb`, and evicts the least recently used results."""
    server = start()
    server.initialize(options={"cacheMb": 4})
    document = server.open("")
    for i in range(20):
        document.change(functions(100, first=i * 20))
        assert document.tokens()
        assert cache(server)["bytes"] <= 4 << 20
    assert cache(server)["limitBytes"] == 4 << 20
    assert cache(server)["evictions"] > 0


def test_49_documents_opened_and_closed(start):
    """Memory is bounded after 200 documents were opened and closed."""
    server = start()
    server.initialize(options={"cacheMb": 4})
    sizes = []
    for i in range(200):
        document = server.open(functions(20, first=i * 2), f"file:///{i}.py")
        assert document.tokens()
        document.call("textDocument/hover", position=(3, 8))
        document.close()
        if i % 20 == 19:
            sizes.append(resident_mib(server.pid))
    assert server.info()["documents"] == []
    assert max(sizes[5:]) - sizes[4] < 8, f"MiB: {[round(size) for size in sizes]}"


def test_49_closed_while_running(server):
    """A document that is closed during its analysis needs no memory afterwards, and its requests are answered."""
    for i in range(50):
        document = server.open(function(i) * 40, f"file:///{i}.py")
        pending = document.request("textDocument/semanticTokens/full")
        time.sleep(i % 5 / 1000)
        document.close()
        answer = pending.wait(5)
        assert answer.get("result", "") is None or answer.get("result") or answer["error"]["code"] == -32801, answer
    assert server.info()["documents"] == []
    assert server.open(SOURCE).tokens()

import time

import pytest
from client import Refusal
from conftest import SOURCE
from session import capabilities

WARNING = 2


def no_configuration(**workspace) -> dict:
    client = capabilities()
    client["workspace"] = {"semanticTokens": {"refreshSupport": True}, **workspace}
    return client


def wait_method(server, method: str) -> None:
    """Waits until the view of all documents has the method. Settings take effect without a response."""
    end = time.monotonic() + 5
    while (view := server.call("codegaze/model", {})["view"])["method"] != method:
        assert time.monotonic() < end, f"the view stays {view}"
        time.sleep(0.01)


def warnings(server) -> list[str]:
    return [message.params["message"] for message in server.sent_by_server("window/showMessage") if message.params["type"] <= WARNING]


def test_45_clients_that_are_asked(start):
    """The server requests the section `codegaze` from a client with `workspace/configuration` after `initialized` and after each change."""
    settings = {"method": "cls"}
    server = start(answers={"workspace/configuration": lambda params: [settings.copy() for _ in params["items"]]})
    server.initialize(options={"method": "norm"})
    wait_method(server, "cls")
    asked = [message for message in server.requests if message.method == "workspace/configuration"]
    assert asked and all(item["section"] == "codegaze" for message in asked for item in message.params["items"])
    registered = [r["method"] for m in server.requests if m.method == "client/registerCapability" for r in m.params["registrations"]]
    assert "workspace/didChangeConfiguration" in registered
    settings["method"] = "rollout"
    server.notify("workspace/didChangeConfiguration", {"settings": None})
    wait_method(server, "rollout")
    assert server.open(SOURCE).heatmap()["view"]["method"] == "rollout"
    assert warnings(server) == []


@pytest.mark.parametrize(
    "answer",
    [Refusal(-32601), lambda params: [None], lambda params: [], None, lambda params: [5]],
    ids=["error", "null", "none", "not a list", "number"],
)
def test_45_clients_that_have_nothing_to_say(start, answer):
    """An error, null or an invalid value does not change the settings."""
    server = start(answers={"workspace/configuration": answer})
    server.initialize(options={"method": "norm"})
    assert server.open(SOURCE).heatmap()["view"]["method"] == "norm"
    assert len(warnings(server)) <= 1


@pytest.mark.parametrize("wrap", [lambda settings: {"codegaze": settings}, lambda settings: settings], ids=["section", "flat"])
def test_45_clients_that_push(start, wrap):
    """A client without `workspace/configuration` pushes settings, as `settings.codegaze` or as `settings`."""
    server = start()
    server.initialize(options={"heads": "max"}, client=no_configuration(didChangeConfiguration={}))
    assert [message.method for message in server.requests if message.method == "workspace/configuration"] == []
    server.notify("workspace/didChangeConfiguration", {"settings": wrap({"method": "cls", "layers": None})})
    wait_method(server, "cls")
    view = server.open(SOURCE).heatmap()["view"]
    assert (view["method"], view["heads"]) == ("cls", "max"), "what is left out stays"


def test_45_clients_without_configuration(start):
    """A client without settings has the defaults."""
    server = start()
    server.initialize(client={}, options=None)
    view = server.open(SOURCE).heatmap()["view"]
    assert (view["method"], view["layers"], view["heads"], view["sinks"], view["aggregate"]) == ("received", [5], "mean", "drop", "corrected")
    assert server.requests == []
    assert not [message for message in server.notifications if message.method.startswith("codegaze/")]


WRONG = [
    {"method": 5},
    {"method": "magic"},
    {"layers": {"from": 0}},
    {"layers": "99"},
    {"features": []},
    {"features": {"hover": "yes"}},
    {"debounceMs": "soon"},
    {"debounceMs": -1},
    {"minLevel": 9},
    {"levelQuantiles": [0.5]},
    {"cacheMb": None, "maxFileKb": "large"},
    {"clientCommands": "codegaze.showHeatmap"},
    {"positionEncoding": "utf-7"},
    {"logLevel": "loud"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_45_wrong_types_at_the_start(start, wrong):
    """A value of a wrong type causes one warning, which names the key. The other values apply."""
    server = start()
    server.initialize(options={"heads": "max", **wrong})
    assert server.open(SOURCE).heatmap()["view"]["heads"] == "max"
    server.wait_notification("window/showMessage", timeout=5)
    assert len(warnings(server)) == 1, warnings(server)
    key = next(key for key, value in wrong.items() if value is not None)
    assert key.removesuffix("s") in warnings(server)[0], warnings(server)


@pytest.mark.parametrize("wrong", [{"method": 5}, {"features": {"hover": "yes"}}, {"minLevel": 9}], ids=str)
def test_45_wrong_types_later(start, wrong):
    """The same for pushed settings."""
    server = start()
    server.initialize(client=no_configuration(didChangeConfiguration={}))
    server.notify("workspace/didChangeConfiguration", {"settings": {"codegaze": {"heads": "max", **wrong}}})
    server.wait_notification("window/showMessage", timeout=5)
    assert server.open(SOURCE).heatmap()["view"]["heads"] == "max"
    assert len(warnings(server)) == 1, warnings(server)


@pytest.mark.parametrize("options", [5, [], "text", None])
def test_45_options_of_a_wrong_shape(raw, options):
    """The server ignores `initializationOptions` that are not an object."""
    params = {"processId": None, "rootUri": None, "capabilities": capabilities(), "initializationOptions": options}
    raw.call("initialize", params)
    raw.notify("initialized", {})
    raw.wait_model()
    assert raw.open(SOURCE).heatmap()["view"]["method"] == "received"


def test_45_view_is_live(server, document):
    """`setView` changes every document and returns the new view; `codegaze/status` contains it as well."""
    view = server.command("codegaze.server.setView", {"method": "rollout"})
    assert (view["method"], view["layers"]) == ("rollout", [0, 1, 2, 3, 4, 5])
    assert document.heatmap()["view"] == view
    server.wait_notification("codegaze/status", lambda status: status["view"] == view, timeout=5)
    back = server.command("codegaze.server.setView", {"method": "received", "layers": None})
    assert back["layers"] == [5]
    assert document.heatmap()["view"] == back


def test_45_levels_are_live(start):
    """A change of the levels sends `heatmapChanged` for the new heat of the same analysis."""
    server = start()
    server.initialize(client=no_configuration(didChangeConfiguration={}))
    document = server.open(SOURCE)
    server.wait_notification("codegaze/heatmapChanged", lambda changed: changed["complete"])
    assert len(set(document.heatmap()["data"][3::5])) == 5
    since = len(server.notifications)
    server.notify("workspace/didChangeConfiguration", {"settings": {"levelQuantiles": [0, 0, 0, 0, 0]}})
    changed = server.wait_notification("codegaze/heatmapChanged", since=since, timeout=5)
    heat = document.heatmap()
    assert changed.params == {"uri": heat["uri"], "version": heat["version"], "complete": True, "percent": 100}
    assert set(heat["data"][3::5]) == {5}


def test_45_only_those_who_ask_are_notified(start):
    """The server sends `codegaze/status` and `codegaze/heatmapChanged` only to clients that request them."""
    server = start()
    server.initialize(client=capabilities(experimental={"codegaze": {"heatmapChanged": True}}))
    document = server.open(SOURCE)
    server.wait_notification("codegaze/heatmapChanged", lambda changed: changed["complete"])
    server.command("codegaze.server.setView", {"method": "cls"})
    document.tokens()
    assert server.sent_by_server("codegaze/status") == []
    assert server.capabilities["experimental"]["codegaze"] == {"heatmap": 1, "explain": 1, "relations": 1, "matrix": 1, "thumbnails": 1, "model": 1}


@pytest.mark.parametrize("how", ["folder", "root"])
def test_45_projects_bring_settings(start, tmp_path, how):
    """`.codegaze.toml` of the first folder has a lower priority than the settings of the client."""
    project = tmp_path / "a b"
    project.mkdir()
    (project / ".codegaze.toml").write_text('method = "cls"\nheads = "max"\ndebounceMs = "soon"\n')
    uri = project.as_uri()
    where = {"rootUri": uri} if how == "root" else {"workspaceFolders": [{"uri": uri, "name": "a"}, {"uri": "file:///two", "name": "b"}]}
    server = start()
    server.initialize(options={"heads": "mean"}, client=no_configuration(), **where)
    view = server.open(SOURCE).heatmap()["view"]
    assert (view["method"], view["heads"]) == ("cls", "mean")
    [warning] = warnings(server)
    assert ".codegaze.toml" in warning and "debounceMs" in warning


@pytest.mark.parametrize("text", ["method = = 1", "#" * 100_000], ids=["malformed", "too long"])
def test_45_a_broken_project_file_costs_a_warning(start, tmp_path, text):
    (tmp_path / ".codegaze.toml").write_text(text)
    server = start()
    server.initialize(options={"method": "norm"}, client=no_configuration(), rootUri=tmp_path.as_uri())
    assert server.open(SOURCE).heatmap()["view"]["method"] == "norm"
    [warning] = warnings(server)
    assert ".codegaze.toml" in warning


def test_46_folders(start):
    """A client can add and remove folders, also all of them."""
    server = start()
    answer = server.initialize(workspaceFolders=[{"uri": "file:///one", "name": "one"}])
    folders = answer["capabilities"]["workspace"]["workspaceFolders"]
    assert folders["supported"] is True and folders["changeNotifications"]
    for added, removed in [
        ([{"uri": "file:///two", "name": "two"}], []),
        ([], [{"uri": "file:///one", "name": "one"}]),
        ([], [{"uri": "file:///no", "name": "no"}]),
    ]:
        server.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": removed}})
    assert server.open(SOURCE, "file:///two/a.py").tokens()
    assert server.open(SOURCE, "untitled:a").tokens()


@pytest.mark.parametrize("folders", [None, []], ids=["null", "none"])
def test_46_no_folders(start, folders):
    """A client can have no folders."""
    server = start()
    server.initialize(workspaceFolders=folders)
    assert server.open(SOURCE).tokens()

"""Do the configurations for Helix, Sublime Text and Zed parse, and does the server do what they want of it?

    python3 editors/tests/configurations.py DIRECTORY

DIRECTORY has the program `codegaze`. The server is started as each configuration says, with the client's own encodings.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

EDITORS = Path(__file__).resolve().parent.parent
LEVELS = [f"attention{level}" for level in range(1, 6)]


def load_json(path: str) -> dict:
    return json.loads((EDITORS / path).read_text())


def capabilities(command: list[str], options: dict, encodings: list[str] | None) -> dict:
    """What the server offers, and that it ends when it is told to."""
    general = {"positionEncodings": encodings} if encodings else {}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def send(**message: object) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        process.stdin.flush()

    def answer(wanted: int) -> dict:
        while True:
            length = 0
            while (line := process.stdout.readline()) != b"\r\n":
                assert line, "the server has ended"
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            message = json.loads(process.stdout.read(length))
            if message.get("id") == wanted and "method" not in message:
                return message["result"]

    params = {"processId": None, "rootUri": None, "capabilities": {"general": general}, "initializationOptions": options}
    send(id=1, method="initialize", params=params)
    result = answer(1)["capabilities"]
    send(method="initialized", params={})
    send(id=2, method="shutdown")
    answer(2)
    send(method="exit")
    assert process.wait(5) == 0
    return result


def is_equal(actual: object, expected: object, what: str) -> None:
    assert actual == expected, f"{what}: {actual}, expected {expected}"


def helix() -> None:
    config = tomllib.loads((EDITORS / "helix/languages.toml").read_text())
    server = config["language-server"]["codegaze"]
    offered = capabilities([server["command"], *server["args"]], server["config"], ["utf-8", "utf-32", "utf-16"])
    is_equal(offered.get("positionEncoding"), "utf-8", "Helix: encoding")
    # Helix's name of a feature → the server's.
    names = {
        "hover": "hoverProvider",
        "code-action": "codeActionProvider",
        "workspace-command": "executeCommandProvider",
        "document-colors": "colorProvider",
    }
    for language in config["language"]:
        *others, ours = language["language-servers"]
        assert all(isinstance(other, str) for other in others) and others, f"Helix, {language['name']}: codegaze is the last"
        is_equal(ours["name"], "codegaze", f"Helix, {language['name']}: last server")
        for feature in ours["only-features"]:
            assert offered.get(names[feature]), f"Helix, {language['name']}: the server does not offer {feature}"


def sublime() -> None:
    server = load_json("sublime/LanguageServers.sublime-settings")["codegaze"]
    offered = capabilities(server["command"], server["initialization_options"], None)
    assert offered.get("positionEncoding") in (None, "utf-16"), "Sublime: encoding"
    assert offered["hoverProvider"] and not offered.get("documentHighlightProvider")
    types = offered["semanticTokensProvider"]["legend"]["tokenTypes"]
    scopes = [rule["scope"] for rule in load_json("sublime/codegaze.sublime-color-scheme")["rules"]]
    is_equal(scopes, ["meta.semantic-token", *(f"meta.semantic-token.{name}" for name in types)], "Sublime: scopes")


def zed() -> None:
    settings = load_json("zed/settings.json")
    options = settings["lsp"]["codegaze"]["initialization_options"]
    offered = capabilities(["codegaze", "lsp", "--stdio"], options, ["utf-16"])
    types = offered["semanticTokensProvider"]["legend"]["tokenTypes"]
    is_equal(types, LEVELS, "legend")
    rules = settings["global_lsp_settings"]["semantic_token_rules"]
    is_equal([rule["token_type"] for rule in rules], types, "Zed: rules")
    colors = [rule["background_color"] for rule in rules]
    assert all(re.fullmatch(r"#0072B2[0-9A-F]{2}", color) for color in colors) and colors == sorted(colors), f"Zed: {colors}"
    extension = tomllib.loads((EDITORS / "zed/extension.toml").read_text())
    package = tomllib.loads((EDITORS / "zed/Cargo.toml").read_text())["package"]
    is_equal(extension["version"], package["version"], "Zed: versions")
    is_equal(list(extension["language_servers"]), ["codegaze"], "Zed: servers")


def main() -> None:
    os.environ["PATH"] = f"{Path(sys.argv[1]).resolve()}{os.pathsep}{os.environ['PATH']}"
    for check in (helix, sublime, zed):
        check()
        print(f"ok     {check.__name__}")


if __name__ == "__main__":
    main()

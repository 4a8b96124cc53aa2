"""The README links to each editor's configuration in docs/editors.md, which the editors' tests run."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = ["codegaze", "lsp", "--stdio"]
# A heading of docs/editors.md, the language of its first block, and the command that the block starts, where a parser can find it.
EDITORS = {
    "Neovim": ("lua", None),
    "Helix": ("toml", lambda block: _command(tomllib.loads(block)["language-server"]["codegaze"], "command", "args")),
    "Emacs": ("elisp", None),
    "Zed": ("json", lambda block: _command(json.loads(block)["lsp"]["codegaze"]["binary"], "path", "arguments")),
    "Sublime Text": ("json", lambda block: json.loads(block)["codegaze"]["command"]),
}


def _command(server: dict, program: str, arguments: str) -> list[str]:
    return [server[program], *server[arguments]]


def test_the_readme_links_to_every_editor():
    links = re.findall(r"\(docs/editors\.md#([\w-]+)\)", (ROOT / "README.md").read_text())
    assert links == [name.lower().replace(" ", "-") for name in EDITORS]


def test_every_editor_has_a_configuration_that_starts_the_server():
    page = (ROOT / "docs/editors.md").read_text()
    for name, (language, command) in EDITORS.items():
        section = page.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
        found, block = re.search(r"^```(\w+)\n(.*?)^```", section, re.DOTALL | re.MULTILINE).groups()
        assert found == language, name
        assert command(block) == START if command else all(word in block for word in START), name

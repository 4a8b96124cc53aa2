"""The README's configurations are those of docs/editors.md, which the editors' tests run."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```(lua|toml|elisp|json)\n(.*?)```", re.DOTALL)


def test_the_readme_shows_what_is_tested():
    shown = BLOCK.findall((ROOT / "README.md").read_text())
    tested = BLOCK.findall((ROOT / "docs/editors.md").read_text())
    assert [language for language, _ in shown] == ["lua", "toml", "elisp", "json", "json"]
    for block in shown:
        assert block in tested

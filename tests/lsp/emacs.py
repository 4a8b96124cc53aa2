"""codegaze in Emacs without a window, under lsp-mode and eglot, on real files of six languages.

    python tests/lsp/emacs.py

The configurations are those of docs/editors.md; emacs.el compares what is seen with the command line. On Debian:
apt-get install emacs-nox elpa-lsp-mode elpa-eglot.
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
# The languages for which Emacs 28 has a mode.
SUFFIXES = {".c", ".cpp", ".java", ".js", ".py", ".rb"}


def run(client: str, heading: str, emacs: str) -> int:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "work").mkdir()
        (directory / "init.el").write_text(snippet("elisp", heading))
        plan = {"client": client, "files": expectations(directory / "work", "utf-16", SUFFIXES), "typed": TYPED}
        (directory / "plan.json").write_text(json.dumps(plan))
        command = [emacs, "--batch", "-l", HERE / "emacs.el", directory / "init.el", directory / "plan.json"]
        # The log of a failed session.
        with open(directory / "log", "w+b") as log:
            done = subprocess.run(command, env=environment(directory), cwd=directory / "work", timeout=180, stderr=log)
            if done.returncode:
                log.seek(0)
                sys.stderr.write(log.read().decode(errors="replace")[:6000])
    return done.returncode


def main() -> None:
    emacs = os.environ.get("EMACS_BINARY") or shutil.which("emacs")
    if not emacs:
        sys.exit("there is no Emacs: apt-get install emacs-nox elpa-lsp-mode elpa-eglot")
    failed = [client for client in ("lsp-mode", "eglot") if run(client, f"### {client}", emacs)]
    sys.exit(f"failed: {failed}" if failed else 0)


if __name__ == "__main__":
    main()

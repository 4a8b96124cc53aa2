"""Sends random valid and invalid requests from the OpenAPI document to the real server, and checks every response against the document.

    python tests/http_api/run.py [OPTIONS OF SCHEMATHESIS]

CODEGAZE is the program (default: target/release/codegaze).
"""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The server also rejects requests that the schema allows, for example with unknown models, with 422.
NOT_CHECKED = "positive_data_acceptance"
# Without the WebSocket.
OPTIONS = ["--exclude-path", "/ws", "--phases", "examples,coverage,fuzzing", "--max-examples", "40", "--seed", "1", "--request-timeout", "60"]


def main() -> None:
    program = os.environ.get("CODEGAZE") or ROOT / "target" / "release" / "codegaze"
    server = subprocess.Popen([program, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        line = server.stderr.readline()
        url = re.search(r"http://\S+", line)[0]
        threading.Thread(target=server.stderr.read, daemon=True).start()
        schemathesis = Path(sys.executable).parent / "schemathesis"
        command = [schemathesis, "run", f"{url}/openapi.json", "--exclude-checks", NOT_CHECKED, *OPTIONS, *sys.argv[1:]]
        done = subprocess.run(command, cwd=ROOT / "target")
        assert server.poll() is None, "the server has ended"
    finally:
        server.terminate()
        server.wait(30)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()

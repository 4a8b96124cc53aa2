"""Requests made up from the OpenAPI document, right and wrong ones, against the real server: no answer may be one that it does not promise.

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
# What a schema cannot say, such as the names of models, is refused with 422: not every request that suits it is taken.
NOT_CHECKED = "positive_data_acceptance"
# A WebSocket is none of its requests.
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

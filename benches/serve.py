"""Holds `codegaze serve` to its bars, over real HTTP on loopback, and prints a table.

    python benches/serve.py                 builds codegaze, measures every row
    python benches/serve.py --check         and fails when a bar is missed
    python benches/serve.py --quick         for a shorter time
    python benches/serve.py --rows cached   those rows alone
    python benches/serve.py --before FILE   measures every row of that program of another commit, too

The clients run on the same cores as the server. What is compared with something else takes turns with it in one run. Needs Linux, `wrk`
for the row `cached` and matplotlib for the row `heatmap`.
"""

import argparse
import base64
import contextlib
import dataclasses
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import compare

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lsp"))

import sources  # noqa: E402

# A POST of the same text over and over, by wrk's interpreter.
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open(os.getenv("BODY"), "r")
wrk.body = file:read("*a")
file:close()
"""


@dataclasses.dataclass
class Row:
    what: str
    bar: str
    measured: str
    ok: bool


class Server:
    """`codegaze serve` on a free port."""

    def __init__(self, program: Path, *arguments):
        self.process = subprocess.Popen([program, "serve", "--port", "0", *map(str, arguments)], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        while self.get("/ready") != 200:
            time.sleep(0.02)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def get(self, path: str) -> int:
        with contextlib.closing(self.connect()) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def post(connection: http.client.HTTPConnection, path: str, body: dict) -> tuple[int, dict, http.client.HTTPMessage]:
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read()), response.headers


def stages(headers: http.client.HTTPMessage) -> dict[str, float]:
    """ms by stage."""
    return {name: float(ms) for name, ms in re.findall(r"([a-z]+);dur=([0-9.]+)", headers["server-timing"])}


def text(i: int) -> str:
    return sources.functions(20, first=i * 7)


def cached(program: Path, seconds: float) -> Iterator[Row]:
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as directory, Server(program) as server:
        body, script = Path(directory, "body.json"), Path(directory, "post.lua")
        body.write_text(json.dumps({"code": text(0)}))
        script.write_text(WRK_SCRIPT)
        command = ["wrk", "-t1", "-c64", f"-d{int(seconds)}s", "--latency", "-s", script, f"http://127.0.0.1:{server.port}/analyze"]
        said = subprocess.run(command, env=os.environ | {"BODY": str(body)}, capture_output=True, text=True, check=True).stdout
    per_second = float(re.search(r"Requests/sec:\s+([0-9.]+)", said)[1])
    number, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said).groups()
    p99 = float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
    is_clean = "Non-2xx" not in said and "Socket errors" not in said
    measured = f"{per_second:.0f} a second, p99 {p99:.1f} ms" + ("" if is_clean else ", with errors")
    yield Row("64 connections, the same text", "≥ 2,000 a second, p99 ≤ 100 ms", measured, is_clean and per_second >= 2000 and p99 <= 100)


def uncached(program: Path, seconds: float) -> Iterator[Row]:
    """Every text is new, to the server and to the command line that it takes turns with."""
    n_texts = max(16, int(seconds * 4))
    ratios, rates = [], []
    with Server(program) as server:
        for round_idx in range(3):
            texts = [text(1000 * (round_idx + 1) + i) for i in range(n_texts)]
            own = engine_seconds(program, texts)
            served = served_seconds(server, texts)
            ratios.append(own / served)
            rates.append(n_texts / served)
    ratio = statistics.median(ratios)
    measured = f"{ratio:.2f} × the engine's own throughput ({statistics.median(rates):.1f} texts a second)"
    yield Row("new texts of 24 lines, 4 clients", "≥ 0.9 × `codegaze analyze` of the same texts", measured, ratio >= 0.9)


def engine_seconds(program: Path, texts: list[str]) -> float:
    """What the command line's analyses took, without its start and its reports."""
    with tempfile.TemporaryDirectory() as directory:
        for i, source in enumerate(texts):
            Path(directory, f"{i:04}.py").write_text(source)
        command = [program, "analyze", directory, "--format", "json"]
        documents = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(documents) == len(texts)
    return sum(json.loads(document)["timing_ms"]["total"] for document in documents) / 1e3


def served_seconds(server: Server, texts: list[str]) -> float:
    waiting, lock = list(texts), threading.Lock()

    def client():
        with contextlib.closing(server.connect()) as connection:
            while True:
                with lock:
                    if not waiting:
                        return
                    source = waiting.pop()
                status, answer, _ = post(connection, "/analyze", {"code": source})
                assert status == 200, answer

    start = time.monotonic()
    in_threads(client, 4)
    return time.monotonic() - start


def in_threads(work, n: int) -> None:
    failures = []

    def guarded():
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def overload(program: Path, seconds: float) -> Iterator[Row]:
    """Twice as many clients as the queue has places, each with the next text as soon as it is answered."""
    queue, texts = 16, [text(i) for i in range(400)]
    statuses, wrong, waits = Counter(), [], Counter()
    with Server(program, "--queue", queue, "--cache-mb", 8) as server:
        with contextlib.closing(server.connect()) as connection:
            expected = [post(connection, "/analyze", {"code": source})[1] for source in texts]
        sizes, over = [], time.monotonic() + seconds
        lock = threading.Lock()

        def client():
            rng = random.Random(threading.get_ident())
            with contextlib.closing(server.connect()) as connection:
                while time.monotonic() < over:
                    i = rng.randrange(len(texts))
                    status, answer, headers = post(connection, "/analyze", {"code": texts[i]})
                    is_right = status == 429 or (status == 200 and close(answer, expected[i]))
                    with lock:
                        statuses[status] += 1
                        if not is_right:
                            wrong.append((status, answer))
                    if status == 429:
                        waits[headers["retry-after"]] += 1
                        # Sooner than asked: that is the overload.
                        time.sleep(0.05)

        def observer():
            while time.monotonic() < over:
                sizes.append(server.resident_mib())
                time.sleep(seconds / 50)

        looking = threading.Thread(target=observer)
        looking.start()
        in_threads(client, 2 * queue)
        looking.join()
    early, late = statistics.median(sizes[5:15]), statistics.median(sizes[-10:])
    ok = not wrong and statuses[429] > 0 and None not in waits and late <= early * 1.1 + 4
    measured = f"{statuses[200]} answers, {len(wrong)} wrong, {statuses[429]} × 429 with Retry-After; {early:.0f} MiB, at the end {late:.0f}"
    yield Row(f"{seconds:.0f} s of twice as many clients as places", "429s, flat memory, no wrong answer", measured, ok)


def close(answer: dict, expected: dict) -> bool:
    pairs = zip(answer["embedding"], expected["embedding"], strict=True)
    counts, right = ([chunk["token_count"] for chunk in each["chunks"]] for each in (answer, expected))
    return counts == right and all(abs(a - b) < 1e-4 for a, b in pairs)


def heatmap(program: Path, seconds: float) -> Iterator[Row]:
    """The same matrix and labels, as a PNG of about the same size."""
    import io

    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np

    n = 512
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(n, 0.1), n).astype(np.float32)
    tokens = [f"token{i}" for i in range(n)]
    body = {"tokens": tokens, "attention": weights.tolist(), "size": 1600}
    ours, theirs = [], []
    with Server(program) as server, contextlib.closing(server.connect()) as connection:
        for _ in range(max(3, int(seconds / 2))):
            status, answer, headers = post(connection, "/explain", body)
            assert status == 200 and base64.b64decode(answer["visualization"]).startswith(b"\x89PNG"), answer
            ours.append(stages(headers)["draw"])
            start = time.monotonic()
            figure, axes = plt.subplots(figsize=(16, 16), dpi=100)
            axes.imshow(weights, cmap="cividis")
            axes.set_xticks(range(n), tokens, rotation=90, fontsize=2)
            axes.set_yticks(range(n), tokens, fontsize=2)
            figure.savefig(io.BytesIO(), format="png")
            plt.close(figure)
            theirs.append((time.monotonic() - start) * 1e3)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    median = statistics.median(ours)
    measured = f"{median:.1f} ms, {ratio:.3f} × matplotlib's {statistics.median(theirs):.0f} ms"
    yield Row("a PNG of 512 × 512 weights with labels, /explain", "≤ 50 ms", measured, median <= 50)


ROWS = (cached, uncached, heatmap, overload)
SECONDS = {cached: (20, 5), uncached: (20, 6), heatmap: (20, 6), overload: (600, 15)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a bar is missed")
    parser.add_argument("--quick", action="store_true", help="for a shorter time")
    parser.add_argument("--codegaze", type=Path, help="the program (default: built)")
    parser.add_argument("--before", type=Path, metavar="FILE", help="the program of another commit, measured in turn; it cannot fail")
    parser.add_argument("--rows", nargs="+", choices=[row.__name__ for row in ROWS], default=[row.__name__ for row in ROWS])
    return parser.parse_args()


def main() -> None:
    args = arguments()
    program = args.codegaze
    if not program:
        compare.run("cargo", "build", "--release", "--quiet")
        program = ROOT / "target" / "release" / "codegaze"
    missed = []
    print("| measurement | limit | measured | ok |\n| --- | --- | --- | --- |")
    for measure in ROWS:
        if measure.__name__ in args.rows:
            if args.before:
                for row in measure(args.before, SECONDS[measure][args.quick]):
                    print(f"| before: {row.what} | {row.bar} | {row.measured} | |", flush=True)
            for row in measure(program, SECONDS[measure][args.quick]):
                print(f"| {row.what} | {row.bar} | {row.measured} | {'yes' if row.ok else '**no**'} |", flush=True)
                if not row.ok:
                    missed.append(row)
    print(f"\n{compare.processor()}, {os.cpu_count()} cores")
    if args.check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Measures codegaze against PyTorch, ONNX Runtime and candle, pair by pair in one run.

    python benches/compare.py                    builds and installs what it needs, prints a table
    python benches/compare.py --check            and fails when a bar of docs/PERFORMANCE.md is missed
    python benches/compare.py --json FILE        and writes every figure
    python benches/compare.py --before WORKER    measures against this program's worker of another commit alone

All run one model of CodeBERT's shape (shape.py) in f32 over the same ids with the same number of threads, and produce the attention weights of
all layers and the last hidden state; their results are compared before anything is timed. Each is a process that stays alive and waits
for its turn. In a pair, codegaze and the peer take turns: what slows the machine down slows both. Needs Linux, Python alone.
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LENGTHS = (32, 64, 128, 256, 512)

# The greatest ratio of codegaze's time to the peer's.
BARS = {
    "onnxruntime": {32: 1.4, 64: 1.4, 128: 1.2, 256: 1.2, 512: 1.2},
    "candle": dict.fromkeys(LENGTHS, 1.0),
}
# Peak memory at 512 tokens, in sizes of the weights in f32.
MEMORY_BAR = 1.6

# The greatest difference between the attention of two implementations.
TOLERANCE = 1e-4
# Each turn is one warm-up pass, and then passes for about this long.
TURN_SECONDS = 0.4
# A peer that waits may use this share of one core, or the figures of the other are not worth reading; the rest of the machine, this one.
IDLE_SHARE = 0.02
OTHERS_SHARE = 0.1
# The kernel counts processor time in ticks of this length, and rounds.
CLOCK_SECONDS = 0.03
# After which threads that waited for more work have gone to sleep.
SETTLE_SECONDS = 0.05
MOST_RETRIES = 60


class Worker:
    """A process that runs passes on request."""

    def __init__(self, name: str, command: list, environment: dict[str, str]):
        self.name = name
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, tokens: int, passes: int, hidden: bool = True) -> dict:
        request = {"tokens": tokens, "passes": passes, "hidden": hidden}
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            self.process.kill()
            sys.exit(f"{self.name} died:\n{self.process.stderr.read()}")

    def cpu_seconds(self) -> float:
        """The processor time that it has used."""
        # utime and stime; the second field, in brackets, may hold blanks.
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stdout.close()
        self.process.stderr.close()


class Bench:
    """The measured programs and the model."""

    def __init__(self, python: Path, binary: Path, before: Path | None, model: Path, threads: int):
        n = str(threads)
        rayon = {"RAYON_NUM_THREADS": n}
        peer = HERE / "peers" / "worker.py"
        self.commands = {
            "codegaze": ([binary, model, "cpu"], rayon),
            "pytorch": ([python, peer, "pytorch", model, n], {"OMP_NUM_THREADS": n}),
            "onnxruntime": ([python, peer, "onnxruntime", model, n], {}),
            "candle": ([binary, model, "candle-cpu"], rayon),
            "before": ([before, model, "cpu"], rayon),
        }

    @contextmanager
    def start(self, *names: str) -> Iterator[list[Worker]]:
        workers = [Worker(name, *self.commands[name]) for name in names]
        try:
            yield workers
        finally:
            for worker in workers:
                worker.close()


@dataclasses.dataclass
class Row:
    """One pair at one length; milliseconds are medians over the rounds, the ratio is the median of the rounds' ratios."""

    tokens: int
    peer: str
    ours_ms: float
    peer_ms: float
    ratio: float
    ours_mib: float = 0.0
    peer_mib: float = 0.0

    def bar(self) -> float | None:
        return BARS.get(self.peer, {}).get(self.tokens)

    def misses(self) -> bool:
        return self.bar() is not None and self.ratio > self.bar()


def expect_same(ours: dict, peer: dict, what: str) -> None:
    pairs = [
        (a, b) for layer_a, layer_b in zip(ours["samples"], peer["samples"], strict=True) for a, b in zip(layer_a, layer_b, strict=True)
    ]
    worst = max(abs(a - b) for a, b in pairs)
    if not worst <= TOLERANCE:
        sys.exit(f"{what}: attention differs by {worst:.2e}")


def measure_pair(bench: Bench, peer_name: str, lengths: list[int], rounds: int) -> Iterator[Row]:
    with bench.start("codegaze", peer_name) as workers:
        ours, peer = workers
        for tokens in lengths:
            first = [worker.run(tokens, 3) for worker in workers]
            expect_same(*first, f"{peer_name} at {tokens} tokens")
            passes = [max(2, round(TURN_SECONDS * 1e3 / min(answer["ms"]))) for answer in first]
            times: dict[str, list[float]] = {worker.name: [] for worker in workers}
            for round_idx in range(rounds):
                # The order alternates.
                for i in (0, 1) if round_idx % 2 == 0 else (1, 0):
                    worker, waiting = workers[i], workers[1 - i]
                    times[worker.name].append(take_turn(worker, waiting, tokens, passes[i]))
            ours_ms, peer_ms = times[ours.name], times[peer.name]
            ratios = [a / b for a, b in zip(ours_ms, peer_ms, strict=True)]
            median = statistics.median
            yield Row(tokens, peer_name, median(ours_ms), median(peer_ms), median(ratios))


def take_turn(worker: Worker, waiting: Worker | None, tokens: int, passes: int, hidden: bool = True) -> float:
    """The median of the passes in ms. A turn during which other processes used the processor is repeated."""
    for _ in range(MOST_RETRIES):
        time.sleep(SETTLE_SECONDS)
        start, busy = time.monotonic(), busy_seconds()
        ours, theirs = worker.cpu_seconds(), waiting.cpu_seconds() if waiting else 0.0
        ms = worker.run(tokens, passes + 1, hidden)["ms"]
        elapsed = time.monotonic() - start
        ours = worker.cpu_seconds() - ours
        idle = waiting.cpu_seconds() - theirs if waiting else 0.0
        others = busy_seconds() - busy - ours
        if idle > IDLE_SHARE * elapsed + CLOCK_SECONDS:
            sys.exit(f"{waiting.name} used {idle:.2f} s of processor time while {worker.name} was measured")
        if others <= OTHERS_SHARE * elapsed + CLOCK_SECONDS:
            return statistics.median(ms[1:])
        time.sleep(1)
    sys.exit(f"other processes keep this machine busy ({others / elapsed:.1f} cores); run this when it is idle")


def busy_seconds() -> float:
    """The processor time of all processes so far, and the time that the host took away."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = Path("/proc/stat").read_text().split()[1:9]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / os.sysconf("SC_CLK_TCK")


def peak_mib(bench: Bench, name: str, tokens: int) -> float:
    """The peak of resident memory of a fresh process, from its start to the end of three passes."""
    with bench.start(name) as (worker,):
        return worker.run(tokens, 3)["peak_kib"] / 1024


def attention_alone(bench: Bench, lengths: list[int], rounds: int) -> dict[int, float]:
    """ms of codegaze when no hidden state is wanted, as in an analysis: the last layer's other half is not run."""
    with bench.start("codegaze") as (worker,):
        return {tokens: statistics.median(take_turn(worker, None, tokens, 3, hidden=False) for _ in range(rounds)) for tokens in lengths}


def run(*command, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, **options)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return done


def prepared_python(directory: Path) -> Path:
    """The interpreter of a virtual environment with the peers in it."""
    python = directory / "bin" / "python"
    if not python.exists():
        print(f"installing the peers into {directory}", file=sys.stderr)
        venv.create(directory, with_pip=True)
        run(python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt")
    return python


def built_worker() -> Path:
    command = ["cargo", "build", "--profile", "bench", "-p", "codegaze-benches", "--bench", "worker", "--message-format", "json-render-diagnostics"]
    messages = run(*command, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for message in map(json.loads, messages):
        if message.get("executable") and message["target"]["name"] == "worker":
            return Path(message["executable"])
    sys.exit("cargo built no worker")


def prepared_model(python: Path, directory: Path, peers: list[str]) -> Path:
    run(python, HERE / "shape.py", directory, stdout=subprocess.DEVNULL)
    if "onnxruntime" in peers and not (directory / "model.onnx").exists():
        run(python, HERE / "peers" / "export_onnx.py", directory, stderr=subprocess.DEVNULL)
    return directory


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def print_table(rows: list[Row], alone: dict[int, float]) -> None:
    print("| tokens | peer | codegaze ms | peer ms | ratio | limit | codegaze MiB | peer MiB |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        bar = "" if row.bar() is None else f"≤ {row.bar():.1f}{' missed' if row.misses() else ''}"
        print(
            f"| {row.tokens} | {row.peer} | {row.ours_ms:.1f} | {row.peer_ms:.1f} | {row.ratio:.2f} | {bar} "
            f"| {row.ours_mib:.0f} | {row.peer_mib:.0f} |"
        )
    shown = ", ".join(f"{ms:.1f} ms at {tokens}" for tokens, ms in alone.items())
    print(f"\ncodegaze, attention alone: {shown}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a bar is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--before", type=Path, metavar="WORKER", help="the bench `worker` that another commit's checkout built")
    parser.add_argument("--venv", type=Path, default=ROOT / "target" / "compare-venv", help="made and filled if missing")
    parser.add_argument("--model", type=Path, default=ROOT / "target" / "codebert-shape", help="made if missing")
    parser.add_argument("--threads", type=int, default=2, help="of every peer (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each in a pair (default: %(default)s)")
    parser.add_argument("--peers", nargs="+", default=["pytorch", "onnxruntime", "candle"])
    parser.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS), metavar="TOKENS")
    parser.add_argument("--no-memory", action="store_true", help="time alone")
    args = parser.parse_args()
    if args.before:
        args.peers = ["before"]
    return args


def main() -> None:
    args = arguments()
    python = prepared_python(args.venv)
    model = prepared_model(python, args.model, args.peers)
    bench = Bench(python, built_worker(), args.before, model, args.threads)
    weights_mib = (model / "model.safetensors").stat().st_size / 2**20

    rows = []
    for peer in args.peers:
        for row in measure_pair(bench, peer, args.lengths, args.rounds):
            print(f"{peer} at {row.tokens}: {row.ratio:.2f}", file=sys.stderr)
            rows.append(row)
    alone = attention_alone(bench, args.lengths, args.rounds)
    if not args.no_memory:
        for tokens in args.lengths:
            peaks = {name: peak_mib(bench, name, tokens) for name in ("codegaze", *args.peers)}
            for row in rows:
                if row.tokens == tokens:
                    row.ours_mib, row.peer_mib = peaks["codegaze"], peaks[row.peer]

    print(f"{processor()}, {args.threads} threads, f32, {weights_mib:.0f} MiB of weights, {args.rounds} rounds\n")
    print_table(rows, alone)
    if args.json:
        report = {
            "processor": processor(),
            "threads": args.threads,
            "rounds": args.rounds,
            "weights_mib": weights_mib,
            "pairs": [dataclasses.asdict(row) for row in rows],
            "attention_alone_ms": alone,
        }
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    missed = [f"{row.peer} at {row.tokens} tokens: {row.ratio:.2f}, the bar is {row.bar()}" for row in rows if row.misses()]
    missed += sorted(
        {
            f"memory at {row.tokens} tokens: {row.ours_mib / weights_mib:.2f} × the weights, the bar is {MEMORY_BAR}"
            for row in rows
            if row.ours_mib > MEMORY_BAR * weights_mib
        }
    )
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    if args.check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Measures a pass that goes back to the word embeddings beside the same pass forward, and its memory, at CodeBERT's shape.

    python benches/gradients.py            builds the worker, makes the model, prints a table
    python benches/gradients.py --check    and fails above 3.5 times the forward pass, or above the weights plus 400 MB

Needs numpy, and Linux for the memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

from shape import CONFIG, MODEL, ROOT, make_model, weight_bytes

TIME_BAR = 3.5
MEMORY_BAR = 400e6
TOKENS = (32, 128, 512)


def build() -> str:
    command = ["cargo", "bench", "-p", "codegaze-benches", "--bench", "worker", "--no-run", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "worker")


class Worker:
    def __init__(self, binary: str, threads: int):
        self.process = subprocess.Popen(
            [binary, str(MODEL), "cpu"],
            env=os.environ | {"RAYON_NUM_THREADS": str(threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tokens: int, passes: int, gradient: bool) -> dict:
        request = {"tokens": tokens, "passes": passes, "hidden": True, "gradient": gradient}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail above a bar")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    binary = build()
    make_model(MODEL)
    worker = Worker(binary, arguments.threads)
    worker.run(max(TOKENS), 1, False)
    before = worker.run(max(TOKENS), 1, False)["peak_kib"] * 1024
    first = worker.run(max(TOKENS), 1, True)
    # The encoder's linear layers are stored a second time; tables of embeddings are not.
    peak = first["peak_kib"] * 1024
    weights = 2 * weight_bytes() - weight_bytes(CONFIG | {"num_hidden_layers": 0})
    print(f"{arguments.threads} threads; the first backward pass, which packs the weights again: {first['ms'][0]:.0f} ms")
    print(f"peak memory: forward {before / 1e6:.0f} MB, backward {peak / 1e6:.0f} MB; the weights, with those of the layers twice, {weights / 1e6:.0f} MB")
    failed = peak > weights + MEMORY_BAR
    print("| tokens | forward ms | with gradients ms | ratio |\n| ---: | ---: | ---: | ---: |")
    for tokens in TOKENS:
        times = {False: [], True: []}
        for _ in range(arguments.rounds):
            for gradient, found in times.items():
                found += worker.run(tokens, 3, gradient)["ms"]
        forward, backward = (statistics.median(times[gradient]) for gradient in (False, True))
        print(f"| {tokens} | {forward:.1f} | {backward:.1f} | {backward / forward:.2f} |")
        failed |= backward > TIME_BAR * forward
    worker.close()
    return int(arguments.check and failed)


if __name__ == "__main__":
    sys.exit(main())

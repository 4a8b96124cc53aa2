"""Measures the peak memory of `codegaze analyze` on a text that fills a model of CodeBERT's shape.

    python benches/memory.py            builds codegaze, makes the model, prints the figures
    python benches/memory.py --check    and fails above 1.6 times the size of the weights in f32

Needs numpy, and Linux or macOS.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from shape import MODEL, ROOT, make_model, weight_bytes

BAR = 1.6
# A separate process, because the peak of a child includes the memory of its parent at its start.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "wb"))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def build() -> Path:
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    return ROOT / "target" / "release" / "codegaze"


def analyze(codegaze: Path, text: str, *options) -> tuple[list[int], int]:
    """The number of subwords of each chunk, and the peak of resident memory in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        source, output = Path(directory) / "sums.py", Path(directory) / "out.json"
        source.write_text(text)
        command = [codegaze, "analyze", *options, "--format", "json", source]
        measured = subprocess.run([sys.executable, "-c", MEASURE, output, *command], stdout=subprocess.PIPE, text=True, check=True)
        analysis = json.loads(output.read_text())
    peak = int(measured.stdout) * (1 if sys.platform == "darwin" else 1024)
    return [chunk["tokens"] for chunk in analysis["chunks"]], peak


def longest_text(codegaze: Path) -> str:
    """As many lines as fit into one chunk. The embedded model counts them, because both models have the same tokenizer."""

    def text(n_lines: int) -> str:
        return "def sums(a, b):\n" + "    a += b\n" * n_lines

    fits, too_long = 1, 512
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        chunks, _ = analyze(codegaze, text(middle))
        fits, too_long = (middle, too_long) if len(chunks) == 1 else (fits, middle)
    return text(fits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help=f"fail above {BAR} times the weights")
    parser.add_argument("--model", type=Path, default=MODEL, help="where the model is, or is made")
    args = parser.parse_args()
    codegaze = build()
    text = longest_text(codegaze)
    (n_tokens,), peak = analyze(codegaze, text, "--model", make_model(args.model))
    weights = weight_bytes()
    ratio = peak / weights
    print(f"{n_tokens} subwords: peak {peak / 2**20:.0f} MiB, {ratio:.2f} times the weights ({weights / 2**20:.0f} MiB in f32)")
    if n_tokens < 500:
        sys.exit(f"the longest chunk has {n_tokens} subwords; the text was to fill the model's 512")
    if args.check and ratio > BAR:
        sys.exit(f"the bar is {BAR} times the weights")


if __name__ == "__main__":
    main()

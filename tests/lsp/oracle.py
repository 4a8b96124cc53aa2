"""The results of the command line, with which tests compare the numbers of the server."""

import functools
import json
import subprocess
import tempfile
from pathlib import Path

from plaintext import Text, width
from session import Token, binary

LEVELS = (0.5, 0.65, 0.78, 0.88, 0.95)


@functools.lru_cache(maxsize=None)
def analyze(content: str, suffix: str = ".py", *options: str) -> dict:
    """`codegaze analyze --format json` of a file with this text."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"document{suffix}"
        path.write_bytes(content.encode())
        command = [binary(), "analyze", "--model", "embedded", *options, "--format", "json", path]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def place(content: str, span: dict, encoding: str) -> tuple[int, int, int]:
    """Line, start and length of a span of bytes on one line."""
    data = content.encode()
    before, within = data[: span["start"]].decode(), data[span["start"] : span["end"]].decode()
    text = Text(content)
    line, start = text.position(len(before), encoding)
    assert len(before) + len(within) <= text.ends[line], f"{within!r} stands on several lines"
    return line, start, width(within, encoding)


def tokens(content: str, encoding: str, suffix: str = ".py", *options: str, min_level: int = 1) -> list[Token]:
    """The expected semantic tokens and heatmaps."""
    found = []
    for lexeme in analyze(content, suffix, *options)["lexemes"]:
        if lexeme["level"] >= min_level:
            found.append(Token(*place(content, lexeme["span"], encoding), lexeme["level"], round(lexeme["lift"] * 1000)))
    return found

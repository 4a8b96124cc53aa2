"""Random edits, some of them out of range or inside a character."""

import random

from plaintext import Position, Text


def random_position(rng: random.Random, text: Text, encoding: str) -> Position:
    """A position, mostly on a character boundary, and sometimes inside a character or out of range."""
    line, column = text.position(rng.randint(0, len(text.content)), encoding)
    return rng.choices(
        [
            (line, column),
            (line, column + 1),
            (line, column + rng.choice([7, 1000, 2**31 - 1])),
            (line + rng.choice([1, 1000, 2**31 - 1000]), column),
        ],
        weights=[12, 4, 1, 1],
    )[0]


SNIPPETS = [
    "", "x", " ", "\n", "\r\n", "\r", "\t", "(", "}", "value", "def f(a):\n    return a\n", "🚀", "é", "e\u0301", "\u2028", "\u0085", "\ufeff", "漢字",
    "👩‍👩‍👧", "// note\r\n", "\n\n\n", "\U0001d538", "\x0b", "\x0c", "'''", "<s>", "\u00a0", "0x1F",
]  # fmt: skip


def random_change(rng: random.Random, text: Text, encoding: str) -> tuple[Position, Position, str]:
    """A replacement of some characters, with the start before the end."""
    start = random_position(rng, text, encoding)
    offset = text.offset(start, encoding)
    if rng.random() < 0.2:
        end = max(start, random_position(rng, text, encoding))
    else:
        end = max(start, text.position(min(len(text.content), offset + rng.choice([0, 0, 0, 1, 2, 9])), encoding))
    if text.offset(end, encoding) < offset:
        end = start
    return start, end, "".join(rng.choices(SNIPPETS, k=rng.choice([1, 1, 1, 2, 5])))

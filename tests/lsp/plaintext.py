"""Text and positions of the Language Server Protocol, implemented independently of the server, to compare the results."""

import bisect
import hashlib
import re

ENCODINGS = ("utf-8", "utf-16", "utf-32")
LINE_END = re.compile("\r\n|\n|\r")

Position = tuple[int, int]


def width(text: str, encoding: str) -> int:
    """The number of code units of a text."""
    if encoding == "utf-8":
        return len(text.encode())
    if encoding == "utf-16":
        return len(text) + sum(char > "\uffff" for char in text)
    return len(text)


class Text:
    """A text with its lines. Offsets count characters."""

    def __init__(self, content: str):
        self.content = content
        ends = list(LINE_END.finditer(content))
        self.starts = [0] + [end.end() for end in ends]
        self.ends = [end.start() for end in ends] + [len(content)]

    def line(self, line: int) -> str:
        """A line without its terminator."""
        return self.content[self.starts[line] : self.ends[line]]

    def offset(self, position: Position, encoding: str) -> int:
        """The offset of a position. It clamps columns to the end of the line, lines to the end of the text, and a position inside a character to its start."""
        line, column = position
        if line >= len(self.starts):
            return len(self.content)
        offset, units = self.starts[line], 0
        for char in self.line(line):
            units += width(char, encoding)
            if units > column:
                break
            offset += 1
        return offset

    def position(self, offset: int, encoding: str) -> Position:
        line = bisect.bisect_right(self.starts, offset) - 1
        return line, width(self.content[self.starts[line] : offset], encoding)

    def replaced(self, start: Position, end: Position, new: str, encoding: str) -> "Text":
        first, last = self.offset(start, encoding), self.offset(end, encoding)
        return Text(self.content[:first] + new + self.content[last:])

    def end(self, encoding: str) -> Position:
        return self.position(len(self.content), encoding)

    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


def to_position(position: Position) -> dict:
    return {"line": position[0], "character": position[1]}


def from_position(position: dict) -> Position:
    return position["line"], position["character"]


def to_range(start: Position, end: Position) -> dict:
    return {"start": to_position(start), "end": to_position(end)}


def from_range(span: dict) -> tuple[Position, Position]:
    return from_position(span["start"]), from_position(span["end"])

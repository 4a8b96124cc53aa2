"""The list and the tests hold each other."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent


def promised() -> set[int]:
    lines = (HERE.parent / "CONFORMANCE.md").read_text().splitlines()
    return {int(match[1]) for line in lines if (match := re.match(r"(\d+)\. ", line))}


def covered() -> set[int]:
    numbers = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_(\d+)_", node.name)):
                numbers.add(int(match[1]))
    return numbers


def test_every_promise_has_a_test():
    assert promised() == set(range(1, 51))
    assert covered() == promised()

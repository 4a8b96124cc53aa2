"""Every promise of the list has a test, and every test a promise."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def lines() -> dict[int, str]:
    """Number → promise."""
    lines = (HERE.parent / "CONFORMANCE.md").read_text().splitlines()
    return {int(match[1]): line for line in lines if (match := re.match(r"(\d+)\. ", line))}


def covered() -> set[int]:
    numbers = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_(\d+)_", node.name)):
                numbers.add(int(match[1]))
    return numbers


def covered_in_rust() -> set[int]:
    """The promises whose lines name a test in Rust."""
    numbers = set()
    for number, line in lines().items():
        if match := re.search(r"\(`(\w+)` in `([\w/]+\.rs)`\)$", line):
            name, file = match.groups()
            assert f"#[test]\nfn {name}()" in (ROOT / file).read_text(), line
            numbers.add(number)
    return numbers


def test_every_promise_has_a_test():
    assert set(lines()) == set(range(1, 51))
    assert covered() | covered_in_rust() == set(lines())

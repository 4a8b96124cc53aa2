"""Fibonacci numbers, twice: step by step, and remembered."""

from functools import cache


def fibonacci(n: int) -> int:
    """Return the n-th Fibonacci number, counting from 0."""
    if n < 0:
        raise ValueError(f"no Fibonacci number {n}")
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@cache
def remembered(n: int) -> int:
    return n if n < 2 else remembered(n - 1) + remembered(n - 2)


if __name__ == "__main__":
    assert all(fibonacci(n) == remembered(n) for n in range(90))
    print(", ".join(str(fibonacci(n)) for n in range(12)))

"""Deterministic sources of any length."""

FUNCTION = """def {name}({a}, {b}):
    \"\"\"Adds {a} to {b} as often as it fits, and says how often that was.\"\"\"
    {total} = 0
    for {item} in range({n}):
        if {item} % {step} == 0:
            {total} += {a} * {item}
        else:
            {total} -= {b}
        {b} = {total} - {item}
    return {total}


"""
LINES = FUNCTION.count("\n")
NAMES = ["count", "width", "first", "other", "value", "index", "total", "share", "limit", "depth", "price", "score"]


def function(i: int) -> str:
    """The i-th function. All functions are different."""
    pick = [NAMES[(i * step + shift) % len(NAMES)] for shift, step in enumerate((1, 5, 7, 11))]
    a, b, total, item = (f"{name}_{i % 89 + shift}" for shift, name in enumerate(pick))
    return FUNCTION.format(name=f"{pick[0]}_of_{pick[1]}_{i}", a=a, b=b, total=total, item=item, n=i * 37 % 1009, step=i % 13 + 2)


def functions(n_lines: int, first: int = 0) -> str:
    """Functions with at least this many lines."""
    return "".join(function(first + i) for i in range(-(-n_lines // LINES)))

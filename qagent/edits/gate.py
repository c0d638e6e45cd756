"""The syntax gate: what its language could read before a change can be read after it, or nothing is changed."""

from __future__ import annotations

from qagent.edits.refused import EditRefused
from qagent.edits.short import short

_AROUND = 1


def check(before: str, after: str, path: str, todo: str = "give the lines with their exact indentation.") -> None:
    """Raises EditRefused with the three lines around the first new fault. `before` "": the file is new."""
    from qagent.code.syntax import new_fault

    fault = new_fault(before.removeprefix("\ufeff"), after.removeprefix("\ufeff"), path)
    if fault is None:
        return
    lines = after.split("\n")
    numbers = range(max(1, fault.line - _AROUND), min(len(lines), fault.line + _AROUND) + 1)
    rows = [f"{'>' if n == fault.line else ' '} {n} | {lines[n - 1].rstrip()}" for n in numbers]
    shown = "\n".join(short(rows, 250))
    raise EditRefused(
        "syntax",
        f"this would make a syntax error on line {fault.line}; nothing was changed:\n{shown}\nTry again: {todo}",
    )

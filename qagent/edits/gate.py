"""The syntax gate: what its language could read before a change can be read after it, or nothing is changed."""

from __future__ import annotations

from qagent.edits.diff import lines_of, span, stretches
from qagent.edits.refused import EditRefused
from qagent.edits.short import short

_AROUND = 1


def check(before: str, after: str, path: str, todo: str = "mend that, with the exact indentation.") -> None:
    """Raises EditRefused with the three lines around the first new fault. `before` "": the file is new."""
    from qagent.code.syntax import new_fault

    fault = new_fault(before.removeprefix("\ufeff"), after.removeprefix("\ufeff"), path)
    if fault is None:
        return
    lines = after.split("\n")
    numbers = range(max(1, fault.line - _AROUND), min(len(lines), fault.line + _AROUND) + 1)
    rows = [f"{'>' if n == fault.line else ' '} {n} | {lines[n - 1].rstrip()}" for n in numbers]
    shown = "\n".join(short(rows, 250))
    why = f" ({fault.why})" if fault.why else ""
    what = f"{path}: this would make a syntax error on line {fault.line}{why}; nothing was changed"
    raise EditRefused("syntax", f"{what}:\n{shown}\n{_cause(before, after, fault.line)}Try again: {todo}")


def _cause(before: str, after: str, line: int) -> str:
    """Where the change is, when the error shows elsewhere: a bracket left open is noticed lines below."""
    changed = stretches(lines_of(before), lines_of(after))
    last = next((each for each in reversed(changed) if each.new_start < line), None)
    if last is None or line <= last.new_end:
        return ""
    return f"Your change of {span(last.new_start + 1, max(last.new_start + 1, last.new_end))} leaves something open. "

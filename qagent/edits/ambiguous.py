"""What to tell the model when its text stands in several places: each with its symbol, and a line that decides."""

from __future__ import annotations

from collections.abc import Sequence

from qagent.edits.short import clipped
from qagent.edits.standing import MOST
from qagent.edits.table import Table

_SHOWN = 8
_WIDEST = 100


def ambiguous(table: Table, starts: Sequence[int], old: str, path: str) -> str:
    """`starts`: where the hits begin in the flat text."""
    lines = [table.line_of(start) for start in starts]
    if not lines:
        return "a piece around the lines that you left out stands there more than once; give all of the lines instead."
    from qagent.code.symbols import enclosing

    inside = enclosing(table.flat, path, [line + 1 for line in lines[:_SHOWN]])
    each = (f"line {n + 1}{f' in {clipped(name)}' if name else ''}" for n, name in zip(lines, inside, strict=False))
    named = ", ".join(each)
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return (
        f"the text to replace occurs {'at least ' * (len(lines) == MOST)}{len(lines)} times: {named}{more}; "
        "give it again with more of the lines around the place you mean, so that it occurs once"
        f"{_hint(table, lines, old)}."
    )


def _hint(table: Table, lines: Sequence[int], old: str) -> str:
    """The nearest line in front of the first two places that the other ones do not have in front of them."""
    depth = old.strip("\n").count("\n")
    hints = [hint for number in range(min(2, len(lines))) if (hint := _deciding(table, lines, number, depth))]
    return f": {'; '.join(hints)}" if hints else ""


def _deciding(table: Table, lines: Sequence[int], number: int, depth: int) -> str:
    own = lines[number]
    for where, step in (("above", -1), ("below", depth + 1)):
        text = _line(table, own + step)
        if text.strip() and all(_line(table, other + step) != text for other in lines if other != own):
            return f"line {own + 1} has `{text.strip()[:_WIDEST]}` {where} it"
    return ""


def _line(table: Table, number: int) -> str:
    return table.lines[number] if 0 <= number < len(table.lines) else ""

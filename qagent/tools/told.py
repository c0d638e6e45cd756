"""What the model reads after a change: which lines are new, and these lines with two around. Bounded. Pure."""

from __future__ import annotations

from qagent.edits.change import Change
from qagent.edits.diff import Stretch, lines_of, span, stretches
from qagent.edits.short import short
from qagent.edits.table import flat
from qagent.workspace.names import shown

_AROUND = 2


def told(change: Change) -> str:
    """`edited PATH, lines 40-46:` and the new lines with two around, verbatim; further places alike."""
    before = "" if change.before is None else flat(change.before.text)
    lines = lines_of(flat(change.after.text))
    places = _merged(stretches(lines_of(before), lines))
    if not places:  # nothing but line endings
        return f"edited {shown(change.relative)}: only its line endings changed"
    first, *rest = "".join(_part(lines, place) for place in places).removesuffix("\n").split("\n")
    how = f", found {' and '.join(change.how)}" if change.how else ""
    note = f"\n(note: {change.note})" if change.note else ""
    body = "\n".join([f"{first.removesuffix(':')}{how}:", *short(rest)])
    return f"edited {shown(change.relative)}, {body}{note}"


def _merged(changes: list[Stretch]) -> list[Stretch]:
    """Places whose surroundings would overlap become one."""
    merged: list[Stretch] = []
    for change in changes:
        if merged and change.new_start - merged[-1].new_end <= 2 * _AROUND:
            first = merged.pop()
            merged.append(Stretch(first.start, change.end, first.new_start, change.new_end))
        else:
            merged.append(change)
    return merged


def _part(lines: list[str], change: Stretch) -> str:
    around = lines[max(0, change.new_start - _AROUND) : change.new_end + _AROUND]
    if change.new_start == change.new_end:
        where = f"lines removed after line {change.new_start}"
    else:
        where = span(change.new_start + 1, change.new_end)
    return f"{where}:\n{''.join(around)}" + "\n" * bool(around and not around[-1].endswith("\n"))

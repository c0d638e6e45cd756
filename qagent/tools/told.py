"""What is told of a change: to the model which lines are new, and these lines with two around; to a person who is to
allow it, that it takes most of a file. Bounded. Pure.
"""

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
    if not lines:
        return f"edited {shown(change.relative)}: all its lines were removed, it is empty now{_note(change)}"
    first, *rest = "".join(_part(lines, place) for place in places).removesuffix("\n").split("\n")
    how = f", found {' and '.join(change.how)}" if change.how else ""
    body = "\n".join([f"{first.removesuffix(':')}{how}:", *short(rest)])
    return f"edited {shown(change.relative)}, {body}{_note(change)}"


def shrunk(change: Change) -> str:
    """How much of the file this leaves, when it takes more than half of its text; else ""."""
    if change.before is None or 2 * len(change.after.text) >= len(change.before.text):
        return ""
    old, new = (len(lines_of(flat(each.text))) for each in (change.before, change.after))
    lines = "one line" if old == 1 else f"{old} lines"
    return f"this leaves {new} of the {lines} of `{shown(change.relative)}`"


def _note(change: Change) -> str:
    return f"\n(note: {change.note})" if change.note else ""


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
        where = f"lines removed after line {change.new_start}" if change.new_start else "the first lines removed"
    else:
        where = span(change.new_start + 1, change.new_end)
    return f"{where}:\n{''.join(around)}" + "\n" * bool(around and not around[-1].endswith("\n"))

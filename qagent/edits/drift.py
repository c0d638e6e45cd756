"""Blocks of which the model remembers every line of code, and not every blank line and comment.

A hit has all code lines, in order, one below the other but for blank lines and comments; any other difference is none:
it would be other code. What the edit does not touch stays as the file has it, blank lines and comments included; a
comment whose text the model did not have is never changed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

from qagent.edits.comments import are_comments, comments
from qagent.edits.diff import Stretch, stretches
from qagent.edits.folding import bare
from qagent.edits.indents import Shift, shifts
from qagent.edits.rungs import Ground, Joined, on_lines, whole_lines
from qagent.edits.standing import MOST
from qagent.edits.table import Piece, Place, Table
from qagent.edits.unwrap import Reading
from qagent.edits.weave import replaced

_FEWEST = 3
"""Lines of code that must agree: fewer stand in too many places."""


def drifted(ground: Ground, reading: Reading, path: str) -> list[Place]:
    old, new = whole_lines(reading)
    code = _code(old, comments(old, path))
    if len(code) < _FEWEST or len(old) < _FEWEST + 1 or (code[0], code[-1]) != (0, len(old) - 1):
        return []
    lines = ground.table.lines
    every = _windows(ground, [bare(old[number]) for number in code], _code(ground.bare, comments(lines, path)))
    some = list(every if ground.every else islice(every, MOST + 1))
    if len(some) > MOST and not ground.every:
        return []  # what stands there so often tells no place
    skipped = {number for at in some for number in range(at[0], at[-1]) if lines[number].strip()}.difference(*some)
    if not some or not (are_comments(old, path, _beside(old, code)) and are_comments(lines, path, skipped)):
        return []
    merged = (_merged(ground, old, new, dict(zip(code, at, strict=True))) for at in some)
    return [place for place in merged if place]


def _code(lines: Sequence[str], noted: frozenset[int]) -> list[int]:
    return [number for number, line in enumerate(lines) if number not in noted and line.strip()]


def _beside(old: Sequence[str], code: Sequence[int]) -> set[int]:
    return {number for number, line in enumerate(old) if line.strip()}.difference(code)


def _windows(ground: Ground, wanted: Sequence[str], code: Sequence[int]) -> Iterator[Sequence[int]]:
    """The file's lines that hold the wanted code, from each line that may be its first; without overlaps where all are
    wanted."""
    done = -1
    for start in Joined.of([ground.bare[number] for number in code]).runs(wanted):
        if start > done:
            yield code[start : start + len(wanted)]
            done = start + len(wanted) - 1 if ground.every else done


def _merged(ground: Ground, old: Sequence[str], new: Sequence[str], at: dict[int, int]) -> Place | None:
    """The old lines' change made on the file's lines; None when it is unclear what becomes of a comment."""
    table = ground.table
    at = _with_gaps(table, old, at)
    first, last = at[0], at[len(old) - 1]
    numbers = sorted(at)
    its = [table.lines[at[n]] for n in numbers]
    for shift in shifts(([old[n] for n in numbers], new), its, ground.unit):
        if (pieces := _pieces(table, (old, new), at, shift)) is not None:
            return on_lines(table, first, last + 1, pieces)
    return None


def _with_gaps(table: Table, old: Sequence[str], at: Mapping[int, int]) -> dict[int, int]:
    """Between two lines of code: the blank lines and comments that are the same; and the comments, when both sides have
    as many that are not, one for one."""
    full = dict(at)
    for low, high in pairwise(sorted(at)):
        mine, its = range(low + 1, high), range(at[low] + 1, at[high])
        comments = _comments(
            table, old, [n for n in mine if old[n].strip()], [n for n in its if table.lines[n].strip()]
        )
        full |= comments
        full |= _blank_lines(table, old, mine, its, comments)
    return full


def _comments(table: Table, old: Sequence[str], mine: Sequence[int], its: Sequence[int]) -> dict[int, int]:
    """Those that are the same, in order; and the others, where that keeps the order too."""
    taken: dict[int, int] = {}
    left = list(its)
    for number in mine:
        found = next((n for n in left if bare(table.lines[n]) == bare(old[number])), None)
        if found is not None:
            taken[number] = found
            left = [n for n in left if n > found]
    mine = [n for n in mine if n not in taken]
    its = [n for n in its if n not in taken.values()]
    if len(mine) != len(its):
        return taken
    both = {**taken, **dict(zip(mine, its, strict=True))}
    return both if [both[n] for n in sorted(both)] == sorted(both.values()) else taken


def _blank_lines(
    table: Table, old: Sequence[str], mine: range, its: range, comments: Mapping[int, int]
) -> dict[int, int]:
    """Each of the model's blank lines for one of the file's, between the same comments."""
    taken: dict[int, int] = {}
    for number in (n for n in mine if not old[n].strip()):
        known = {**comments, **taken}
        low = max((at for n, at in known.items() if n < number), default=its.start - 1)
        high = min((at for n, at in known.items() if n > number), default=its.stop)
        found = next((n for n in range(low + 1, high) if not table.lines[n].strip()), None)
        if found is not None:
            taken[number] = found
    return taken


def _pieces(
    table: Table, texts: tuple[Sequence[str], Sequence[str]], at: Mapping[int, int], shift: Shift
) -> list[Piece] | None:
    old, new = texts
    changed = shift.lines(new)
    if changed is None:
        return None
    parts: list[Piece] = []
    done = at[0]
    for part in stretches(list(old), list(new)):
        span = _span(at, part.start, part.end)
        if _touches_unseen(table, old, at, part) or _hides(table, at, span):
            return None
        parts += [Piece(table.lines[n], n) for n in range(done, span[0])]
        file = [Piece(table.lines[n], n) for n in range(*span)]
        parts += replaced(file, changed[part.new_start : part.new_end])
        done = max(done, span[1])
    return [*parts, *(Piece(table.lines[n], n) for n in range(done, at[len(old) - 1] + 1))]


def _touches_unseen(table: Table, old: Sequence[str], at: Mapping[int, int], part: Stretch) -> bool:
    """Whether the change is of a comment that the file has in other words, or not at all."""
    touched = (n for n in range(part.start, part.end) if old[n].strip())
    return any(n not in at or bare(old[n]) != bare(table.lines[at[n]]) for n in touched)


def _span(at: Mapping[int, int], start: int, end: int) -> tuple[int, int]:
    """The file's lines that these old lines stand for; what the model put in goes behind the line above it."""
    inside = [at[n] for n in range(start, end) if n in at]
    if inside:
        return inside[0], inside[-1] + 1
    above = max((at[n] for n in at if n < start), default=min(at.values()) - 1)
    return above + 1, above + 1


def _hides(table: Table, at: Mapping[int, int], span: tuple[int, int]) -> bool:
    """Whether a comment that the model never saw would go with these lines."""
    seen = set(at.values())
    return any(n not in seen and table.lines[n].strip() for n in range(*span))

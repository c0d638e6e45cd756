"""Edits whose old and new text both leave lines out: `...` here and there stands for what is between two pieces.

Every gap of the old text has its gap in the new one, in order. Each piece that changes is found by itself, once in all
of the file, and behind the one before it; what lies in a gap is never touched, and never leads into another function.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from qagent.edits.folding import indent_of
from qagent.edits.omission import is_gap
from qagent.edits.rungs import Ground, whole_lines
from qagent.edits.table import Place
from qagent.edits.unwrap import Reading

_GOES_ON = re.compile(r"\s*(?:\}?\s*(?:else|elif|except|finally|catch|case|default)\b|[)\]].*[:{]\s*$)")
"""What stands as deep as a heading and does not end its block: `} else {`, and the end of its parameters."""

Find = Callable[[Ground, Reading], list[Place]]


def has_gaps(text: str) -> bool:
    return any(is_gap(line) for line in text.split("\n"))


def around_gaps(ground: Ground, reading: Reading, find: Find) -> list[Place] | None:
    """The places of the pieces that change; None when the gaps do not pair or a piece is missing, [] when one is found
    more than once. `find` gives all hits of one piece."""
    old, new = _pieces(reading.old), _pieces(reading.new)
    if len(old) < 2 or len(old) != len(new):
        return None
    places: list[Place] = []
    reached, above = 0, -1
    for mine, its in zip(old, new, strict=True):
        if not mine.strip():
            if its.strip():
                return None
            continue
        found = [place for place in find(ground, Reading(mine, its)) if place.start >= reached]
        if not found or not _within(ground, above, found[0], between=above >= 0):
            return None
        if mine != its:
            if len(found) > 1 or len(find(ground, Reading(mine, its))) > 1:
                return []
            places += found
        reached = found[0].end
        above = ground.table.line_of(found[0].start) + len(whole_lines(Reading(mine, ""))[0]) - 1
    return places if places and all(a.end <= b.start for a, b in pairwise(places)) else None


def _within(ground: Ground, above: int, below: Place, *, between: bool) -> bool:
    """Whether a gap, between the line `above` and a place, stays in one block: none of its lines is less deep than the
    piece below, nor as little as the line above where that is the heading of the piece below."""
    if not between:
        return True
    lines = ground.table.lines
    start = ground.table.line_of(below.start)
    top, bottom = _depth(lines[above]), _depth(lines[start])
    gap = (line for line in lines[above + 1 : start] if line.strip())
    if bottom > top:
        return all(_depth(line) > top or _GOES_ON.match(line) for line in gap)
    return all(_depth(line) >= bottom for line in gap)


def _depth(line: str) -> int:
    return len(indent_of(line).expandtabs())


def _pieces(text: str) -> Sequence[str]:
    """The text between the lines that stand for others; whole lines."""
    pieces: list[list[str]] = [[]]
    for line in text.split("\n"):
        if is_gap(line):
            pieces.append([])
        else:
            pieces[-1].append(line)
    return ["\n".join(piece).strip("\n") for piece in pieces]

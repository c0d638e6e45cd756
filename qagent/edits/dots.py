"""Edits whose old and new text both leave lines out: `...` here and there stands for what is between two pieces.

Every gap of the old text has its gap in the new one, in order. Each piece that changes is found by itself, once in all
of the file, and behind the one before it; what lies in a gap is never touched. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from qagent.edits.omission import is_gap
from qagent.edits.rungs import Ground
from qagent.edits.table import Place
from qagent.edits.unwrap import Reading

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
    reached = 0
    for mine, its in zip(old, new, strict=True):
        if not mine.strip():
            if its.strip():
                return None
            continue
        found = [place for place in find(ground, Reading(mine, its)) if place.start >= reached]
        if not found:
            return None
        if mine != its:
            if len(found) > 1 or len(find(ground, Reading(mine, its))) > 1:
                return []
            places += found
        reached = found[0].end
    return places if places and all(a.end <= b.start for a, b in pairwise(places)) else None


def _pieces(text: str) -> Sequence[str]:
    """The text between the lines that stand for others; whole lines."""
    pieces: list[list[str]] = [[]]
    for line in text.split("\n"):
        if is_gap(line):
            pieces.append([])
        else:
            pieces[-1].append(line)
    return ["\n".join(piece).strip("\n") for piece in pieces]

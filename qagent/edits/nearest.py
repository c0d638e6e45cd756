"""What to tell the model when the text to replace is not in the file: the cause if it shows, and the nearest lines.

Only words come out of here; whether a text matches is never decided by likeness. Linear in the file but for lines that
occur very often, which are not looked at. All text comes with LF. Pure.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from qagent.edits.diff import span

_SHOWN = 12
"""Lines of the file that a refusal shows."""

_WIDEST = 500
"""Characters of one line that a refusal shows."""

_FREQUENT = 40
"""A line that occurs more often than this says nothing about the place."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The file's lines beside those of the old text; `start` counts from 0."""

    start: int
    file: list[str]
    old: list[str]

    @property
    def lines(self) -> list[str]:
        return self.file[self.start : self.start + len(self.old)]

    @property
    def first_difference(self) -> int:
        pairs = zip(self.old, self.lines, strict=False)
        return next((number for number, (old, line) in enumerate(pairs) if old != line), len(self.lines))

    @property
    def differs_in_blanks_only(self) -> bool:
        return [_bare(line) for line in self.lines] == [_bare(line) for line in self.old]


def not_found(flat: str, old: str, new: str) -> str:
    """One or two sentences, then at most 12 lines of the file."""
    file, wanted = flat.split("\n"), _without_blank_ends(old.split("\n"))
    place = _nearest(file, wanted)
    cause = _cause(flat, new, place)
    if place is None:
        return f"the text to replace is not in the file{cause}, and nothing is like it; read the file first."
    first = max(0, min(place.first_difference - _SHOWN // 2, len(place.old) - _SHOWN)) + place.start
    last = min(first + _SHOWN, place.start + len(place.old), len(file))
    shown = "".join(f"{_clipped(line)}\n" for line in file[first:last])
    said = f"the text to replace is not in the file{cause}. Nearest: {span(first + 1, last)}:"
    return f"{said}\n{shown}copy these lines exactly"


def _cause(flat: str, new: str, place: _Place | None) -> str:
    if len(new.strip()) > 3 and (at := flat.find(new.strip("\n"))) >= 0:
        return f"; the new text is already there, on line {flat.count(chr(10), 0, at) + 1}"
    if place is None or not place.lines:
        return ""
    if place.differs_in_blanks_only:
        return "; it differs only in white space or indentation"
    number = place.first_difference
    return f"; line {place.start + number + 1} differs" if 0 < number < len(place.lines) else ""


def _clipped(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"


def _without_blank_ends(lines: list[str]) -> list[str]:
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _bare(line: str) -> str:
    return "".join(line.split())


# ------------------------------------------------------------------ where


def _nearest(file: list[str], wanted: list[str]) -> _Place | None:
    """The place where most lines agree but for white space, or else the line that shares most words."""
    start = _most_agreed(file, wanted)
    if start is None:
        start = _most_words(file, wanted)
    return None if start is None else _Place(start, file, wanted)


def _most_agreed(file: list[str], wanted: list[str]) -> int | None:
    at: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(file):
        if (bare := _bare(line)) and len(at[bare]) <= _FREQUENT:
            at[bare].append(number)
    votes: Counter[int] = Counter()
    for number, line in enumerate(wanted):
        found = at.get(_bare(line), [])
        if len(found) <= _FREQUENT:
            votes.update({max(0, start - number): _weight(line) for start in found})
    return min(votes, key=lambda start: (-votes[start], start)) if votes else None


def _weight(line: str) -> int:
    """A bracket or an `else:` alone says little about the place."""
    return min(len(_bare(line)), 20)


def _most_words(file: list[str], wanted: list[str]) -> int | None:
    """The wanted line with the most words is held against each line of the file."""
    sets = [set(_words(line)) for line in wanted]
    best = max(range(len(wanted)), key=lambda number: len(sets[number]), default=None)
    if best is None or not sets[best]:
        return None
    lines = [set(_words(line)) for line in file]
    closest = max(range(len(file)), key=lambda number: (len(sets[best] & lines[number]), -len(lines[number])))
    return max(0, closest - best) if 2 * len(sets[best] & lines[closest]) >= len(sets[best]) else None


def _words(line: str) -> list[str]:
    return re.findall(r"\w+", line)

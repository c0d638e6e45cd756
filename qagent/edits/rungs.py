"""The rungs that find one text as it stands, from exact to other indentation: a reading of an edit in, its hits out.

Each rung gives all its hits; whether one is enough and what is tried next is decided in `ladder`. A hit says what
stands there afterwards. Nothing here weighs how alike two texts are. Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from qagent.edits.folding import View, bare, view
from qagent.edits.indents import shifts
from qagent.edits.table import Piece, Place, Table
from qagent.edits.unwrap import Reading
from qagent.edits.weave import woven


@dataclass(frozen=True, slots=True)
class Joined:
    """Lines as one text, with a line feed around each: a search takes no longer where most of them are the same."""

    text: str
    starts: Sequence[int]

    @classmethod
    def of(cls, lines: Sequence[str]) -> Joined:
        return cls("\n".join(["", *lines, ""]), [0, *accumulate(len(line) + 1 for line in lines)])

    def runs(self, wanted: Sequence[str]) -> Iterator[int]:
        """Where `wanted` stands, by the number of the first line, from 0."""
        old = "\n".join(["", *wanted, ""])
        at = self.text.find(old)
        while at >= 0:
            yield bisect_left(self.starts, at)
            at = self.text.find(old, at + 1)


@dataclass(frozen=True)
class Ground:
    """A table, and the views of it, each made when a rung first needs it. `every`: all places are wanted; else those
    beyond MOST are not looked for, since two are too many."""

    table: Table
    every: bool = False

    @cached_property
    def ends(self) -> View:
        return view(self.table.lines, self.table.starts, signs=False)

    @cached_property
    def signs(self) -> View:
        return view(self.table.lines, self.table.starts, signs=True)

    @cached_property
    def bare(self) -> list[str]:
        return [bare(line) for line in self.table.lines]

    @cached_property
    def joined(self) -> Joined:
        return Joined.of(self.bare)


MOST = 20

_WORK = 200_000
"""Lines that are compared with those of places whose indentation turns out to be another."""

Rung = Callable[[Ground, Reading], list[Place]]


def exact(ground: Ground, reading: Reading) -> list[Place]:
    """Every character, line endings apart."""
    flat = ground.table.flat
    starts = _whole(ground, _anchored(flat, list(_starts(flat, reading.old)), reading.old), reading.old)
    return [
        _placed(ground.table, at, at + len(reading.old), reading) for at in _wanted(ground, starts, len(reading.old))
    ]


def boundary(ground: Ground, reading: Reading) -> list[Place]:
    """Without empty lines at either end of the old text, and the new one without as many; on whole lines there."""
    trimmed, front, back = _trimmed(reading)
    if not trimmed.old.strip() or trimmed.old == reading.old:
        return []
    flat = ground.table.flat
    starts = [
        at
        for at in _starts(flat, trimmed.old)
        if (not front or _begins_line(flat, at)) and (not back or _ends_line(flat, at + len(trimmed.old)))
    ]
    starts = _whole(ground, _anchored(flat, starts, trimmed.old), trimmed.old)
    found = _wanted(ground, starts, len(trimmed.old))
    return [_placed(ground.table, at, at + len(trimmed.old), trimmed) for at in found]


def trailing_blanks(ground: Ground, reading: Reading) -> list[Place]:
    return _in_view(ground, ground.ends, reading, signs=False)


def signs(ground: Ground, reading: Reading) -> list[Place]:
    """Typographic quotes, dashes and spaces for plain ones, or the other way round."""
    return _in_view(ground, ground.signs, reading, signs=True)


def indentation(ground: Ground, reading: Reading) -> list[Place]:
    """Whole lines that are the same but for indentation, which differs in one consistent way."""
    old, new = whole_lines(reading)
    wanted = [bare(line) for line in old]
    found: list[Place] = []
    for tried, start in enumerate(windows(ground, wanted)):
        if not ground.every and tried * len(old) > _WORK:
            return []  # so many lines of one kind tell no place
        behind = not found or not ground.every or ground.table.starts[start] >= found[-1].end
        if behind and (place := _shifted(ground.table, start, old, new)):
            found.append(place)
        if len(found) == MOST and not ground.every:
            break
    return found


# ------------------------------------------------------------------ finding


def _starts(text: str, old: str) -> Iterator[int]:
    at = text.find(old) if old else -1
    while at >= 0:
        yield at
        at = text.find(old, at + 1)


def _wanted(ground: Ground, starts: Sequence[int], length: int) -> Sequence[int]:
    """All that do not overlap the one before, as `str.replace` counts, when all are wanted; else the first few."""
    if not ground.every:
        return starts[:MOST]
    kept: list[int] = []
    for start in starts:
        if not kept or start >= kept[-1] + length:
            kept.append(start)
    return kept


def _begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _ends_line(text: str, at: int) -> bool:
    return at == len(text) or text[at] == "\n" or text[at - 1] == "\n"


def _anchored(text: str, starts: Sequence[int], old: str) -> Sequence[int]:
    """Of several hits of an indented text the whole lines, if there are any: `  x` also stands in `    x`."""
    if len(starts) < 2 or old[0] not in " \t":
        return starts
    whole = [at for at in starts if _begins_line(text, at) and _ends_line(text, at + len(old))]
    return whole or starts


def _whole(ground: Ground, starts: Sequence[int], old: str) -> Sequence[int]:
    """Without the one hit that ends inside a number, or lines that end inside a word: `limit = 30` is no part of
    `limit = 300`."""
    if ground.every or len(starts) != 1:
        return starts
    inside = _cuts_word if "\n" in old else _cuts_number
    flat, start = ground.table.flat, starts[0]
    return [] if inside(flat, start) or inside(flat, start + len(old)) else starts


def _trimmed(reading: Reading) -> tuple[Reading, int, int]:
    """Without the empty lines at either end, and how many there were."""
    old, new = reading.old, reading.new
    front = len(old) - len(old.lstrip("\n"))
    back = len(old) - len(old.rstrip("\n"))
    new = _less(_less(new, front)[::-1], back)[::-1]
    return Reading(old.strip("\n"), new, reading.line), front, back


def _less(text: str, most: int) -> str:
    """Without at most so many line ends in front."""
    return text[min(most, len(text) - len(text.lstrip("\n"))) :]


def windows(ground: Ground, wanted: Sequence[str]) -> Iterator[int]:
    """Where these lines stand one below the other, indentation apart."""
    if any(wanted):
        yield from ground.joined.runs(wanted)


# ------------------------------------------------------------------ what stands there afterwards


def _placed(table: Table, start: int, end: int, reading: Reading) -> Place:
    """The new text in the place of these characters; where a line goes, its indentation goes too."""
    old, new = reading.old.split("\n"), reading.new.split("\n")
    first = table.line_of(start)
    if not reading.new and old[-1] == "" and not table.flat[table.starts[first] : start].strip(" \t"):
        start = table.starts[first] if old[0] else start
    if len(old) == 1 and len(new) == 1:
        return Place(start, end, (Piece(new[0], first),))
    texts = table.flat[start:end].split("\n")
    file = [Piece(text, first + number) for number, text in enumerate(texts)]
    return Place(start, end, woven(old, new, file, new))


def _in_view(ground: Ground, seen: View, reading: Reading, *, signs: bool) -> list[Place]:
    """The old text as this view shows it. A hit that begins or ends inside a word is none."""
    for tried, front, back in ((reading, 0, 0), _trimmed(reading)):
        old = view(tried.old.split("\n"), [0] * (tried.old.count("\n") + 1), signs=signs).text
        if not old.strip():
            continue
        starts = [
            at
            for at in _starts(seen.text, old)
            if not _cuts_word(seen.text, at)
            and not _cuts_word(seen.text, at + len(old))
            and (not front or _begins_line(seen.text, at))
            and (not back or _ends_line(seen.text, at + len(old)))
        ]
        if found := _anchored(seen.text, starts, old):
            some = _wanted(ground, found, len(old))
            return [_placed(ground.table, seen.start(at), seen.end(at + len(old)), tried) for at in some]
    return []


def _cuts_word(text: str, at: int) -> bool:
    inside = 0 < at < len(text)
    return inside and all(char.isalnum() or char == "_" for char in text[at - 1 : at + 1])


def _cuts_number(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isdigit() and text[at].isdigit()


def whole_lines(reading: Reading) -> tuple[list[str], list[str]]:
    """Old and new as lines, without blank ones at the old text's ends, and the new one's ends without as many."""
    old, new = reading.old.split("\n"), reading.new.split("\n")
    front = next((number for number, line in enumerate(old) if line.strip()), len(old))
    back = next((number for number, line in enumerate(reversed(old)) if line.strip()), len(old))
    for _ in range(front):
        if new and not new[0].strip():
            new = new[1:]
    for _ in range(back or 1):
        if new and not new[-1].strip():
            new = new[:-1]
    return old[front : len(old) - back], new


def _shifted(table: Table, start: int, old: Sequence[str], new: Sequence[str]) -> Place | None:
    lines = table.lines[start : start + len(old)]
    for shift in shifts(old, lines):
        if (changed := shift.lines(new)) is not None:
            file = [Piece(line, start + number) for number, line in enumerate(lines)]
            return on_lines(table, start, start + len(old), woven(old, new, file, changed))
    return None


def on_lines(table: Table, start: int, stop: int, pieces: Sequence[Piece]) -> Place:
    """Whole lines, from `start` up to `stop`; when nothing takes their place, they go with their ending."""
    last = stop - 1
    if pieces:
        return Place(table.starts[start], table.end_of(last), tuple(pieces))
    gone = min(table.end_of(last) + 1, len(table.flat))
    return Place(table.starts[start], gone, (Piece("", None),))

"""The rungs that find one text as it stands, from exact to other indentation: a reading of an edit in, its hits out.

Each rung gives all its hits; whether one is enough and what is tried next is decided in `ladder`. A hit says what
stands there afterwards. Nothing here weighs how alike two texts are. Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from qagent.edits.diff import Stretch, stretches
from qagent.edits.folding import View, bare, view
from qagent.edits.indents import Unit, is_relative, shifts, unit_of
from qagent.edits.standing import MOST, Sought, begins_in_indentation, begins_line, cuts, cuts_number, ends_line, stands
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
    beyond MOST are not looked for, since two are too many. `blanks_count`: those in front of a line are content;
    `nests`: they alone say what belongs to what, and no bracket or keyword does."""

    table: Table
    every: bool = False
    blanks_count: bool = False
    nests: bool = False

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
    def unit(self) -> Unit:
        return unit_of(self.table.lines)

    @cached_property
    def joined(self) -> Joined:
        return Joined.of(self.bare)


_WORK = 200_000
_WORK_FOR_ALL = 1_000_000
"""Lines that are compared with those of places whose indentation turns out to be another."""

Rung = Callable[[Ground, Reading], list[Place]]


def exact(ground: Ground, reading: Reading) -> list[Place]:
    """Every character, line endings apart."""
    return _in_text(ground, reading, Sought(reading.old, every=ground.every))


def boundary(ground: Ground, reading: Reading) -> list[Place]:
    """Without empty lines at either end of the old text, and the new one without as many; on whole lines there."""
    trimmed, front, back = _trimmed(reading)
    if not trimmed.old.strip() or trimmed.old == reading.old:
        return []
    return _in_text(ground, trimmed, Sought(trimmed.old, bool(front), bool(back), ground.every))


def trailing_blanks(ground: Ground, reading: Reading) -> list[Place]:
    return _in_view(ground, ground.ends, reading, signs=False)


def signs(ground: Ground, reading: Reading) -> list[Place]:
    """Typographic quotes, dashes and spaces for plain ones, or the other way round."""
    return _in_view(ground, ground.signs, reading, signs=True)


def indentation(ground: Ground, reading: Reading) -> list[Place]:
    """Whole lines that are the same but for indentation, which differs in one consistent way."""
    old, new = whole_lines(reading)
    wanted = [bare(line) for line in old]
    parts = stretches(old, new)
    found: list[Place] = []
    failed = 0
    for start in windows(ground, wanted):
        if failed * len(old) > (_WORK_FOR_ALL if ground.every else _WORK):
            return []  # so many lines of one kind tell no place
        behind = not found or not ground.every or ground.table.starts[start] >= found[-1].end
        if behind and (place := _shifted(ground, start, (old, new), parts)):
            found.append(place)
        else:
            failed += behind
        if len(found) == MOST and not ground.every:
            break
    return found


# ------------------------------------------------------------------ finding


def _in_text(ground: Ground, reading: Reading, sought: Sought) -> list[Place]:
    flat, size = ground.table.flat, len(reading.old)
    starts = stands(flat, sought)
    if ground.every or reading.line is not None:  # else two hits are two, and refused
        starts = [at for at in starts if not (cuts_number(flat, at) or cuts_number(flat, at + size))]
    if len(starts) == 1 and not ground.every and cuts(flat, starts[0], starts[0] + size):
        return []
    return _literal(ground, reading, [(at, at + size) for at in starts])


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


def _literal(ground: Ground, reading: Reading, found: Sequence[tuple[int, int]]) -> list[Place]:
    """The new text as written in these places; none where it cannot be meant so, for the indentation is another."""
    table = ground.table
    shifted = [not ground.blanks_count and _is_shifted(ground, start, end, reading.new) for start, end in found]
    alone = all(begins_in_indentation(table.flat, start) or begins_line(table.flat, start) for start, _ in found)
    if any(shifted) and alone and all(ends_line(table.flat, end) for _, end in found):
        return []  # all are whole lines, which that rung finds too
    return [
        _on_line(ground, start, reading) if other else _placed(table, start, end, reading)
        for (start, end), other in zip(found, shifted, strict=True)
    ]


def _is_shifted(ground: Ground, start: int, end: int, new: str) -> bool:
    """Whether a hit is a line but for some of its indentation, and the later ones of several new lines do not stand as
    deep as it: then they are written from where the model thinks that the line begins. Where the old text has later
    lines too, they have shown that theirs is the file's."""
    table = ground.table
    if not begins_in_indentation(table.flat, start) or not ends_line(table.flat, end):
        return False
    old, _, later = table.flat[start:end].partition("\n")
    if later.strip():
        return False
    return is_relative(old, new.split("\n"), table.lines[table.line_of(start)], nests=ground.nests)


def _on_line(ground: Ground, start: int, reading: Reading) -> Place:
    """Of several places of which some are parts of lines; only one that is a line."""
    old, new = whole_lines(reading)
    place = _shifted(ground, ground.table.line_of(start), (old, new), stretches(old, new))
    return place or _placed(ground.table, start, start + len(reading.old), reading)


def _placed(table: Table, start: int, end: int, reading: Reading) -> Place:
    """The new text in the place of these characters; where a line goes, its indentation goes too."""
    reading = _with_line_end(table, start, reading)
    old, new = reading.old.split("\n"), reading.new.split("\n")
    first = table.line_of(start)
    if not reading.new and old[-1] == "" and not table.flat[table.starts[first] : start].strip(" \t"):
        start = table.starts[first] if old[0] else start
    if len(old) == 1 and len(new) == 1:
        return Place(start, end, (Piece(new[0], first),))
    texts = table.flat[start:end].split("\n")
    file = [Piece(text, first + number) for number, text in enumerate(texts)]
    return Place(start, end, woven(stretches(old, new), file, new))


def _with_line_end(table: Table, start: int, reading: Reading) -> Reading:
    """Whole lines stay whole lines: the next one is not joined to the last new one."""
    joins = reading.old.endswith("\n") and reading.new and not reading.new.endswith("\n")
    whole = begins_line(table.flat, start) or begins_in_indentation(table.flat, start)
    return replace(reading, new=reading.new + "\n") if joins and whole and reading.old.strip() else reading


def _in_view(ground: Ground, seen: View, reading: Reading, *, signs: bool) -> list[Place]:
    """The old text as this view shows it. A hit that begins or ends inside a word is none."""
    for tried, front, back in ((reading, 0, 0), _trimmed(reading)):
        old = view(tried.old.split("\n"), [0] * (tried.old.count("\n") + 1), signs=signs).text
        if not old.strip():
            continue
        sought = Sought(old, bool(front), bool(back), ground.every)
        if found := stands(seen.text, sought, half_words=False):
            return _literal(ground, tried, [(seen.start(at), seen.end(at + len(old))) for at in found])
    return []


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


def _shifted(
    ground: Ground, start: int, texts: tuple[Sequence[str], Sequence[str]], parts: Sequence[Stretch]
) -> Place | None:
    table, (old, new) = ground.table, texts
    lines = table.lines[start : start + len(old)]
    for shift in shifts(texts, lines, ground.unit):
        if (changed := shift.lines(new)) is not None:
            file = [Piece(line, start + number) for number, line in enumerate(lines)]
            return on_lines(table, start, start + len(old), woven(parts, file, changed))
    return None


def on_lines(table: Table, start: int, stop: int, pieces: Sequence[Piece]) -> Place:
    """Whole lines, from `start` up to `stop`; when nothing takes their place, they go with their ending."""
    last = stop - 1
    if pieces:
        return Place(table.starts[start], table.end_of(last), tuple(pieces))
    gone = min(table.end_of(last) + 1, len(table.flat))
    return Place(table.starts[start], gone, (Piece("", None),))

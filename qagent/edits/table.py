"""A text as a table of lines, each with its own ending, and how new lines are put into it.

In: the text as it stands in the file. All finding is done on `flat`: the same without a byte order mark and with LF for
every ending. What is put in is a row of pieces; each keeps the ending of the line that it stands for, or gets the one
that most lines have. All that lies outside a place comes out byte for byte. Pure.

A carriage return counts as an ending before a line feed, and in a text that has no line feed at all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add

MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Piece:
    """One new line without its ending. `line`: the line of the table, from 0, whose ending it keeps, if any."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """From `start` to `end` of the flat text these pieces are put; the last one stands in front of what follows."""

    start: int
    end: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`starts`: where each line begins in `flat`, `origins`: in the text. `lines` is never empty; its last one has the
    ending ""."""

    text: str
    flat: str
    lines: Sequence[str]
    endings: Sequence[str]
    starts: Sequence[int]
    origins: Sequence[int]

    def line_of(self, at: int) -> int:
        """The line, from 0, on which a position of the flat text lies; a line feed belongs to the line that it ends."""
        return bisect_right(self.starts, at) - 1

    def end_of(self, line: int) -> int:
        return self.starts[line] + len(self.lines[line])

    @property
    def ending(self) -> str:
        """That of most lines; the first one's where two kinds are as frequent."""
        found = Counter(ending for ending in self.endings if ending)
        return found.most_common(1)[0][0] if found else "\n"

    def with_places(self, places: Sequence[Place]) -> str:
        """The whole text with these places changed; they are in order and do not overlap."""
        parts: list[str] = []
        done, ending = 0, self.ending
        for place in places:
            parts += self.text[done : self._at(place.start)], self._written(place.pieces, ending)
            done = self._at(place.end)
        return "".join([*parts, self.text[done:]])

    def _at(self, flat: int) -> int:
        """The same position in the text as it is."""
        line = self.line_of(flat)
        return self.origins[line] + flat - self.starts[line]

    def _written(self, pieces: Sequence[Piece], ending: str) -> str:
        ended = [
            piece.text + ((self.endings[piece.line] or ending) if piece.line is not None else ending)
            for piece in pieces[:-1]
        ]
        return "".join([*ended, pieces[-1].text]) if pieces else ""


def table(text: str) -> Table:
    body = text.removeprefix(MARK)
    if "\r" not in body:
        lines = body.split("\n")
        endings = ["\n"] * (len(lines) - 1) + [""]
    else:
        parts = re.split(r"(\r\n|\n)" if "\n" in body else r"(\r)", body)
        lines, endings = parts[::2], [*parts[1::2], ""]
    starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]
    mark = len(text) - len(body)
    if len("".join(endings)) == len(lines) - 1:  # all of one character: nothing moves
        origins = [start + mark for start in starts] if mark else starts
    else:
        origins = [mark, *accumulate(map(len, map(add, lines[:-1], endings)), initial=mark)][1:]
    return Table(text, "\n".join(lines), lines, endings, starts, origins)


def flat(text: str) -> str:
    """The text as `Table.flat` has it."""
    return as_lf(text, text)


def as_lf(written: str, text: str) -> str:
    """What somebody wrote about this text, without a byte order mark and with LF for what ends a line in the text."""
    body = written.removeprefix(MARK)
    if "\r" not in body:
        return body
    body = body.replace("\r\n", "\n")
    return body.replace("\r", "\n") if "\r" in text and "\n" not in text else body

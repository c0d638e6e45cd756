"""Views of a text in which what differs without meaning is the same: trailing blanks, typographic characters.

In: lines. Out: the text in which one looks for a match, and the way back to positions of the real one. Folding is the
same for both sides, so a match says that they differ in nothing else. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

_SIGNS = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc",
    '"': "\u201c\u201d\u201e\u201f\u2033",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\uff0d",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "...": "\u2026",
    "": "\u200b\u2060\ufeff",
}
_TABLE = {ord(char): plain for plain, chars in _SIGNS.items() for char in chars}
_FOLDED = re.compile(f"[{''.join(_SIGNS.values())}]")
_BLANKS = " \t\f\v"


def without_end(line: str) -> str:
    """Without trailing blanks."""
    return line.rstrip(_BLANKS)


def folded(line: str) -> str:
    """Without trailing blanks, with plain quotes, dashes, spaces and dots, composed as NFC."""
    return _plain(line).rstrip(_BLANKS)


def _plain(text: str) -> str:
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    return text.translate(_TABLE) if _FOLDED.search(text) else text  # most have none, and `translate` is slow


def bare(line: str) -> str:
    """Folded, and without indentation."""
    return folded(line).strip(_BLANKS)


def indent_of(line: str) -> str:
    """The blanks in front, whatever their kind."""
    return line[: len(line) - len(line.lstrip(" \t\f\v\u00a0\u3000"))]


@dataclass(frozen=True, slots=True)
class View:
    """`text`: the folded lines, joined; `starts`: where each begins in it. `lines` and `flat_starts`: the real ones.
    `signs`: whether characters were folded, so that columns may have moved."""

    text: str
    starts: Sequence[int]
    lines: Sequence[str]
    flat_starts: Sequence[int]
    signs: bool

    def start(self, at: int) -> int:
        """Where a match that begins here begins in the flat text; before a line feed that is behind the blanks, but for
        a line of nothing else."""
        line = bisect_right(self.starts, at) - 1
        if at < len(self.text) and self.text[at] == "\n" and at > self.starts[line]:
            return self.flat_starts[line] + len(self.lines[line])
        return self.end(at)

    def end(self, at: int) -> int:
        line = bisect_right(self.starts, at) - 1
        column = at - self.starts[line]
        return self.flat_starts[line] + (_column(self.lines[line], column) if self.signs else column)


def view(lines: Sequence[str], flat_starts: Sequence[int], *, signs: bool) -> View:
    """Without trailing blanks; `signs`: and with typographic characters folded."""
    fold = folded if signs and not all(map(str.isascii, lines)) else without_end
    texts = [fold(line) for line in lines]
    starts = [0, *accumulate(len(text) + 1 for text in texts[:-1])]
    return View("\n".join(texts), starts, lines, flat_starts, signs)


def _column(line: str, column: int) -> int:
    """Where the character at this column of the folded line begins in the line itself; folding may change lengths."""
    if line.isascii():
        return column
    done = at = 0
    for size in (4096, 1):  # by long pieces first: a line may be all of a file
        for cluster in re.compile(rf".{{1,{size}}}[\u0300-\u036f\u1160-\u11ff]*", re.DOTALL).finditer(line, at):
            width = len(_plain(cluster[0]))
            if done >= column or (size > 1 and done + width >= column):
                break
            done += width
            at = cluster.end()
    return at

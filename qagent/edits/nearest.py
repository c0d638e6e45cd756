"""What to tell the model when the text to replace is not in the file: the cause if it shows, and the nearest lines.

Only words come out of here; whether a text matches is never decided by likeness. Linear in the file but for lines that
occur very often, which are not looked at. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qagent.edits.diff import span
from qagent.edits.dots import has_gaps
from qagent.edits.folding import without_end
from qagent.edits.short import short
from qagent.edits.table import Table

_SHOWN = 12
"""Lines of the file that a refusal shows."""

_TOKENS = 400
"""What the shown lines may cost."""

_MORE = 3
"""Lines behind those that stand beside the old text: where it lacks a line, its last ones stand there."""

_FREQUENT = 40
"""A line that occurs more often than this says nothing about the place."""


@dataclass(frozen=True, slots=True)
class _Near:
    """The file's lines beside those of the old text; `start` counts from 0."""

    start: int
    file: Sequence[str]
    old: Sequence[str]

    @property
    def lines(self) -> Sequence[str]:
        return self.file[self.start : self.start + len(self.old)]

    @property
    def first_difference(self) -> int:
        pairs = zip(self.old, self.lines, strict=False)
        return next(
            (number for number, (old, line) in enumerate(pairs) if without_end(old) != without_end(line)),
            len(self.lines),
        )

    @property
    def differs_in_blanks_only(self) -> bool:
        return [_bare(line) for line in self.lines] == [_bare(line) for line in self.old]


def not_found(table: Table, old: str, new: str) -> str:
    """One or two sentences, then a diff of at most 12 lines of each side."""
    wanted = _without_blank_ends(old.split("\n"))
    near = _nearest(table, wanted)
    cause = _cause(table, old, new, near)
    if near is None:
        return f"the text to replace is not in the file{cause}, and nothing is like it; read the file first."
    first, last = _window(near)
    mine = near.old[first - near.start :][:_SHOWN]
    diff = list(_compared(mine, near.file[first:last]))
    while len(diff) > 1 and diff[-1][0] == "+" and last > first + len(mine):
        diff, last = diff[:-1], last - 1
    said = f"the text to replace is not in the file{cause}. Nearest: {span(first + 1, last)}"
    return f"{said} {_shown(diff, near.file[first:last], blanks=near.differs_in_blanks_only)}"


def nearest_lines(table: Table, old: str) -> tuple[int, int] | None:
    """The first and the last line, from 1, of the place that is most like the old text."""
    near = _nearest(table, _without_blank_ends(old.split("\n")))
    return None if near is None else (near.start + 1, min(near.start + len(near.old), len(near.file)))


def _shown(diff: Sequence[tuple[str, str]], file: Sequence[str], *, blanks: bool) -> str:
    """The diff; where only blanks differ they are made visible, and the lines follow as they are to be copied."""
    rows = [sign + (_visible(text) if blanks else text) for sign, text in diff]
    body = "\n".join(short(rows, _TOKENS // 2 if blanks else _TOKENS))
    if not blanks:
        return f"(- yours, + the file's):\n{body}\nCopy the file's lines exactly, without the signs in front."
    plain = "\n".join(short(file, _TOKENS // 2))
    return f"(- yours, + the file's, · a blank, → a tab):\n{body}\nCopy these lines exactly:\n{plain}"


def _cause(table: Table, old: str, new: str, near: _Near | None) -> str:
    if len(new.strip()) > 3 and (at := table.flat.find(new.strip("\n"))) >= 0:
        return f"; the new text is already there, on line {table.line_of(at) + 1}"
    if has_gaps(old):
        return "; it leaves lines out, so write all of them"
    if near is None or not near.lines:
        return ""
    if near.differs_in_blanks_only:
        return "; it differs only in white space or indentation"
    number = near.first_difference
    return f"; line {near.start + number + 1} differs" if number < len(near.lines) else ""


def _window(near: _Near) -> tuple[int, int]:
    """The lines of the file to show, around the first difference."""
    first = max(0, min(near.first_difference - _SHOWN // 2, len(near.old) - _SHOWN)) + near.start
    return first, min(first + _SHOWN, near.start + len(near.old) + _MORE, len(near.file))


def _compared(old: Sequence[str], file: Sequence[str]) -> Iterator[tuple[str, str]]:
    mine, its = [without_end(line) for line in old], [without_end(line) for line in file]
    for tag, a, b, c, d in difflib.SequenceMatcher(None, mine, its, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from ((" ", line) for line in file[c:d])
        else:
            yield from (("-", line) for line in old[a:b])
            yield from (("+", line) for line in file[c:d])


def _visible(line: str) -> str:
    """With blanks that can be seen: where only they differ, nothing else tells."""
    return re.sub(r"[ \t]+", lambda found: found[0].replace(" ", "·").replace("\t", "→"), line)


def _without_blank_ends(lines: list[str]) -> list[str]:
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _bare(line: str) -> str:
    return "".join(line.split())


# ------------------------------------------------------------------ where


def _nearest(table: Table, wanted: list[str]) -> _Near | None:
    """The place where most lines agree but for white space, or else the line that shares most words."""
    start = _most_agreed(table.lines, wanted)
    if start is None:
        start = _most_words(table, wanted)
    return None if start is None else _Near(start, table.lines, wanted)


def _most_agreed(file: Sequence[str], wanted: list[str]) -> int | None:
    bares = {_bare(line) for line in wanted} - {""}
    at: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(file):
        if (bare := _bare(line)) in bares and len(at[bare]) <= _FREQUENT:
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


def _most_words(table: Table, wanted: list[str]) -> int | None:
    """The line that has the most words of the wanted line with the most words, and the fewest others; half at least."""
    sets = [set(_words(line)) for line in wanted]
    best = max(range(len(wanted)), key=lambda number: len(sets[number]), default=None)
    if best is None or not sets[best]:
        return None
    some = "|".join(map(re.escape, sorted(sets[best])[:_WORDS]))
    found = {(table.line_of(each.start()), each[0]) for each in re.finditer(rf"\b(?:{some})\b", table.flat)}
    votes = Counter(line for line, _ in found)
    most = max(votes.values(), default=0)
    if 2 * most < len(sets[best]):
        return None
    closest = [line for line, count in votes.items() if count == most]
    return max(0, min(closest, key=lambda line: (len(set(_words(table.lines[line]))), line)) - best)


_WORDS = 30
"""Different words of a line that are looked for."""


def _words(line: str) -> list[str]:
    return re.findall(r"\w+", line)

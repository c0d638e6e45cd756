"""The indentation of the model's lines against that of the file's: one rule for all lines, or none.

    a shift            as much in front of every line, or as much less
    another unit       tabs for blanks, two blanks for four: every line as many levels deep as in the file; also as many
                       levels deeper or less deep, where no line can be in another scope: the model's unit is no
                       multiple of the file's, or the old text begins at the margin
    the first line     without its indentation, all others as they are

A line that would stand in another scope follows none of these. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import gcd

from qagent.edits.folding import indent_of

_TAB = 8
_LOOKED_AT = 2_000
"""Lines of a file that tell its unit."""

_UNITS = (4, 2, 8, 3)
"""Blanks that stand for a tab, the likeliest first."""

_HEADING = re.compile(r"[:{\[(]\s*$")
_OPENS = re.compile(r"[:{\[(,>=+\\]\s*$")
_DEFINES = re.compile(r"(?:async\s+def|def|class)\b|@\w")
"""In Python; at the margin behind a line that is in a block it is out of it, or written from where that line begins:
nobody can tell."""

Follow = Callable[[str], str | None]
Known = Mapping[str, str]
Texts = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Unit:
    """`tabs`: whether most indented lines of the file have them; `blanks`: of one level where they have not, 0 where
    that does not show."""

    tabs: bool
    blanks: int


def unit_of(lines: Sequence[str]) -> Unit:
    depths = [indent_of(line) for line in islice(lines, _LOOKED_AT) if line.strip()]
    tabs = sum(depth.startswith("\t") for depth in depths)
    widths = [len(depth) for depth in depths if "\t" not in depth]
    steps = Counter(b - a for a, b in pairwise([0, *widths]) if b - a > 1)  # one blank: the star of a comment
    most = max(steps.items(), key=lambda step: (step[1], -step[0]), default=(0, 0))
    return Unit(tabs > sum(depth.startswith(" ") for depth in depths), most[0])


@dataclass(frozen=True, slots=True)
class Shift:
    """`known`: the model's indentation -> the file's; `follow`: for any other. `first`: that of the file's first line,
    where the model left out the indentation of its own first line alone."""

    known: Known
    follow: Follow
    first: str | None = None

    def lines(self, new: Sequence[str]) -> list[str] | None:
        """The model's new lines with the file's indentation; None when one has none that follows."""
        done: list[str] = []
        for number, line in enumerate(new):
            own = indent_of(line)
            depth = self.known[own] if own in self.known else self.follow(own) if line.strip() else own
            if number == 0 and self.first is not None and not own:
                depth = self.first
            if depth is None:
                return None
            done.append(depth + line[len(own) :] if line.strip() else line)
        return done


def shifts(texts: Texts, file: Sequence[str], unit: Unit) -> Iterator[Shift]:
    """The ways to read the file's indentation out of lines that are otherwise those of `old`; the likeliest first.
    `texts`: the model's old and new lines."""
    old, new = texts
    if _leaves_a_block(old, new, file):
        return
    if _lacks_first(old, file):
        yield Shift({}, _same, indent_of(file[0]))
    if not _consistent(old, file):
        return
    known = dict(_pairs(old, file))
    for follow in (_constant(known, unit), _by_levels(texts, known, unit), _rebased(known)):
        if follow:
            yield Shift(known, follow)


def is_relative(old: str, new: Sequence[str], line: str, *, nests: bool = False) -> bool:
    """Whether new lines, of which the first is put behind this line's indentation, have the later ones as seen from
    another depth: less deep than this line, or under a new heading no deeper than it. `old`: what the model wrote of
    the line. Where it left out all of its indentation and all later lines have some, these cannot be seen from there,
    unless the first opens a block; `nests`: or where depth alone nests, as in YAML."""
    later = [each for each in new[1:] if each.strip()]
    depth, opens = _width(indent_of(line)), _OPENS.search(new[0]) is not None
    if any(_width(indent_of(each)) < depth for each in later):
        bare = not indent_of(old) and not opens and not nests
        return not (bare and all(map(indent_of, later)))
    heading = bool(later) and _HEADING.search(new[0]) is not None and not _HEADING.search(line)
    return heading and _width(indent_of(later[0])) == depth and later[0].lstrip()[0] not in ")]}-"


def _width(indent: str) -> int:
    return len(indent.expandtabs(_TAB))


def _pairs(old: Sequence[str], file: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((indent_of(mine), indent_of(its)) for mine, its in zip(old, file, strict=True) if mine.strip())


def _same(own: str) -> str:
    return own


def _leaves_a_block(old: Sequence[str], new: Sequence[str], file: Sequence[str]) -> bool:
    at_margin = not indent_of(old[0]) and bool(indent_of(file[0])) and not any(map(_DEFINES.match, old))
    return at_margin and any(map(_DEFINES.match, new[1:]))


def _lacks_first(old: Sequence[str], file: Sequence[str]) -> bool:
    pairs = _pairs(old, file)
    mine, its = next(pairs, ("", ""))
    if mine or not its:
        return False
    deep = False
    for mine, its in pairs:
        if mine != its:
            return False
        deep = deep or bool(mine)
    return deep


def _consistent(old: Sequence[str], file: Sequence[str]) -> bool:
    """Whether each depth of the model is one of the file; seen at the first line where it is not."""
    known: dict[str, str] = {}
    return all(known.setdefault(mine, its) == its for mine, its in _pairs(old, file))


# ------------------------------------------------------------------ a shift


def _constant(known: Known, unit: Unit) -> Follow | None:
    mine, its = next(iter(known.items()), ("", ""))
    if all(a == b for a, b in known.items()):
        return _same
    more, less = its.removesuffix(mine), mine.removesuffix(its)
    if all(b == more + a for a, b in known.items()):
        return _deeper(more, unit)
    if all(a == less + b for a, b in known.items()):
        return _less_deep(less, unit)
    return None


def _rebased(known: Known) -> Follow | None:
    """Tabs for blanks in front of all lines, and the same blanks behind them; of no line but the known ones."""
    base = min(known, key=len, default="")
    rest = all(own.startswith(base) and its == known[base] + own.removeprefix(base) for own, its in known.items())
    return _nowhere if rest and known else None


def _nowhere(own: str) -> None:
    del own


def _deeper(more: str, unit: Unit) -> Follow:
    return lambda own: _as_in_file(more + own, unit)


def _less_deep(less: str, unit: Unit) -> Follow:
    return lambda own: _as_in_file(own.removeprefix(less), unit) if own.startswith(less) else None


def _as_in_file(indent: str, unit: Unit) -> str | None:
    """None where it mixes tabs and blanks, or has blanks where the file has tabs: that takes another rule."""
    return None if " " in indent and ("\t" in indent or unit.tabs) else indent


# ------------------------------------------------------------------ another unit


def _by_levels(texts: Texts, known: Known, unit: Unit) -> Follow | None:
    old, new = texts
    depths = {indent_of(line) for line in (*old, *new) if line.strip()}
    mine = {char for depth in depths for char in depth}
    its = {char for depth in known.values() for char in depth} or {"\t" if unit.tabs else " "}
    if mine not in ({" "}, {"\t"}) or its not in ({" "}, {"\t"}) or mine == its == {"\t"}:
        return None
    step = 1 if its == {"\t"} else unit.blanks
    margin = "" in known and not indent_of(next(line for line in old if line.strip()))
    common = gcd(*map(len, depths))
    for own, shifted in _units(mine, its, common, step, margin=margin) if step else ():
        moved = _moved(known, own, step)
        if moved is not None and (shifted or not moved):
            return _at_level(own, moved, next(iter(mine)), next(iter(its)) * step)
    return None


def _units(mine: set[str], its: set[str], common: int, step: int, *, margin: bool) -> Iterator[tuple[int, bool]]:
    """The model's characters of one level, and whether its lines may be some levels deeper than the file's. `margin`:
    the first of them is not indented, so what is deeper is in its block."""
    if mine == {"\t"}:
        yield 1, True
    elif mine == its:
        yield common, common % step > 0 or (margin and common in _UNITS[:2])
    else:
        yield from ((own, False) for own in _UNITS if common % own == 0)
        if common in _UNITS[:2]:
            yield common, True


def _moved(known: Known, own: int, step: int) -> int | None:
    """How many levels the file's lines are deeper than the model's, where that is so for all of them."""
    found: set[int] = set()
    for mine, its in known.items():
        if len(mine) % own or len(its) % step:
            return None
        found.add(len(its) // step - len(mine) // own)
        if len(found) > 1:
            return None
    return found.pop() if found else None


def _at_level(own: int, moved: int, sign: str, step: str) -> Follow:
    def follow(indent: str) -> str | None:
        level, odd = divmod(len(indent), own)
        return None if odd or level + moved < 0 or indent.strip(sign) else step * (level + moved)

    return follow

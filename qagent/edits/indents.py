"""The indentation of the model's lines against that of the file's: one consistent, increasing function, or none.

That takes shifts, tabs for spaces, two blanks for four, and a first line without its indentation; a line that would
stand in another scope makes the function inconsistent. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qagent.edits.folding import indent_of

_TAB = 8


@dataclass(frozen=True, slots=True)
class Shift:
    """`known`: the model's indentation -> the file's. `first`: that of the file's first line, where the model left out
    the indentation of its own first line alone."""

    known: Mapping[str, str]
    first: str | None = None

    def lines(self, new: Sequence[str]) -> list[str] | None:
        """The model's new lines with the file's indentation; None when one has none that follows."""
        depths = dict(self.known)
        done: list[str] = []
        for number, line in enumerate(new):
            own = indent_of(line)
            if number == 0 and self.first is not None and not own:
                done.append(self.first + line)
                continue
            if line.strip() and own not in depths:
                depth = _followed(self.known, own)
                if depth is None:
                    return None
                depths[own] = depth
            done.append(depths[own] + line[len(own) :] if line.strip() else line)
        return done if _increases(depths) else None


def shifts(old: Sequence[str], file: Sequence[str]) -> Iterator[Shift]:
    """The ways to read the file's indentation out of lines that are otherwise the same; the likeliest first."""
    pairs = [(indent_of(mine), indent_of(its)) for mine, its in zip(old, file, strict=True) if mine.strip()]
    rest = pairs[1:]
    if rest and pairs[0][0] == "" != pairs[0][1] and all(mine == its for mine, its in rest) and any(i for i, _ in rest):
        yield Shift(dict(rest), pairs[0][1])
    known = dict(pairs)
    if all(known[mine] == its for mine, its in pairs) and _increases(known):
        yield Shift(known)


def _increases(depths: Mapping[str, str]) -> bool:
    widths = sorted((_width(mine), _width(its)) for mine, its in depths.items())
    return all((a < b) == (x < y) and (a == b) == (x == y) for (a, x), (b, y) in pairwise(widths))


def _width(indent: str) -> int:
    return len(indent.expandtabs(_TAB))


def _followed(known: Mapping[str, str], own: str) -> str | None:
    """The indentation of a line that is deeper or shallower than all known ones, by the step between those."""
    if all(mine == its for mine, its in known.items()):
        return own
    points = sorted((len(mine), len(its)) for mine, its in known.items())
    mine, its = {char for key in (*known, own) for char in key}, {char for value in known.values() for char in value}
    if len(mine) > 1 or len(its) > 1 or points[0][0] < len(own) < points[-1][0]:
        return None
    near, far = (
        (points[0], points[min(1, len(points) - 1)]) if len(own) < points[0][0] else (points[-1], points[-2:][0])
    )
    step = _step(near, far, same=mine == its or not its)
    if step is None:
        return None
    top, bottom = step
    width, odd = divmod(near[1] * bottom + (len(own) - near[0]) * top, bottom)
    sign = next(iter(its), next(iter(mine), " "))
    return None if odd or width < 0 else sign * width


def _step(near: tuple[int, int], far: tuple[int, int], *, same: bool) -> tuple[int, int] | None:
    """So many of the file's characters for so many of the model's."""
    if near != far:
        return near[1] - far[1], near[0] - far[0]
    if same:
        return 1, 1
    return (near[1], near[0]) if near[0] and near[1] else None

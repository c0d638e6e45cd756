"""When tools were at work in a turn, and whether a change may be theirs: by its moment, and by the file they named.

A tool that names its file changes nothing else, and removes nothing; a command may do anything. Whose a change is that
came while a command ran, nobody can tell.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from qagent.workspace.standing import stat_of

FOREIGN = "was changed by somebody else meanwhile"

_SLACK = 1_000_000_000
"""Nanoseconds by which the clock of a disk may differ from ours."""


class Span(NamedTuple):
    """begin, end: nanoseconds since 1970; path: the file that the tool named, None for a command."""

    begin: int
    end: int
    path: str | None = None


ALL_THE_TIME = Span(0, 1 << 80)


def may_be_of(spans: Iterable[Span], path: str, moment: int | None) -> bool:
    """`moment`: when the file last changed; None: it is gone, and nobody knows since when."""
    if moment is None:
        return any(span.path is None for span in spans)
    return any(_covers(span, moment) and (span.path is None or _alike(span.path, path)) for span in spans)


def was_in_command(here: int, path: str, spans: Iterable[Span]) -> bool:
    """Whether what stands at the path now may have come from a command. `here`: the root's descriptor."""
    found = stat_of(here, path)
    commands = [span for span in spans if span.path is None]
    return any(found is None or _covers(span, found.st_ctime_ns) for span in commands)


def _covers(span: Span, moment: int) -> bool:
    return span.begin - _SLACK <= moment <= span.end + _SLACK


def _alike(one: str, other: str) -> bool:
    """A disk may tell neither cases nor spellings of Unicode apart."""
    return one == other or _folded(one) == _folded(other)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()

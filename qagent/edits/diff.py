"""What changed between two texts: the changed stretches of lines, and a unified diff of bounded length.

Lines end at LF alone and keep their ending, so a diff that is not cut can be applied. A long changed middle counts as
one stretch, because comparing is quadratic. Pure.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

_COMPARED = 2_000
"""Changed lines (old and new together) up to which line by line is compared."""

_CONTEXT = 3
_WIDEST = 2_000
"""Characters of one line that are shown."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines [start, end) of the text before became lines [new_start, new_end) of the text after; counted from 0."""

    start: int
    end: int
    new_start: int
    new_end: int


def lines_of(text: str) -> list[str]:
    """The lines with their endings; the last may have none."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def span(first: int, last: int) -> str:
    """Lines as people name them, counted from 1: `line 3`, `lines 3-9`."""
    return f"line {first}" if first == last else f"lines {first}-{last}"


def stretches(before: list[str], after: list[str]) -> list[Stretch]:
    """The changed stretches in order; none when nothing changed."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old and not new:
        return []
    if not old or not new or len(old) + len(new) > _COMPARED:
        return [Stretch(head, head + len(old), head, head + len(new))]
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Stretch(head + a, head + b, head + c, head + d) for tag, a, b, c, d in codes if tag != "equal"]


def unified(path: str, before: str | None, after: str, most_lines: int = 400) -> str:
    """A unified diff, "" when nothing changed; `before` is None for a new file. What is cut off is said."""
    old, new = lines_of(before or ""), lines_of(after)
    body = [line for group in _groups(stretches(old, new)) for line in _hunk(old, new, group)]
    if not body and before is not None:
        return ""
    left = "/dev/null" if before is None else f"a/{path}"
    head = [f"--- {left}\n", f"+++ b/{path}\n"]
    cut = [f"... {len(body) - most_lines} more lines of the diff\n"] if len(body) > most_lines else []
    return "".join([*head, *map(_narrow, body[:most_lines]), *cut])


def _narrow(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…\n"


def _common(left: list[str], right: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _groups(changes: list[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches whose surrounding lines touch go into one hunk."""
    group: list[Stretch] = []
    for change in changes:
        if group and change.start - group[-1].end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _hunk(old: list[str], new: list[str], group: list[Stretch]) -> Iterator[str]:
    first, last = group[0], group[-1]
    lead = min(_CONTEXT, first.start)
    trail = min(_CONTEXT, len(old) - last.end)
    ours = _range(first.start - lead, last.end + trail)
    theirs = _range(first.new_start - lead, last.new_end + trail)
    yield f"@@ -{ours} +{theirs} @@\n"
    at = first.start - lead
    for change in group:
        yield from _marked(" ", old[at : change.start])
        yield from _marked("-", old[change.start : change.end])
        yield from _marked("+", new[change.new_start : change.new_end])
        at = change.end
    yield from _marked(" ", old[at : at + trail])


def _range(start: int, end: int) -> str:
    """As `diff` writes it: an empty range names the line before it."""
    return f"{start + (end > start)},{end - start}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"

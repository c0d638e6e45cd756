"""What a turn changed, as text for people: a line a file, or a unified diff. Changes with their bytes in. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from qagent.edits.diff import lines_of, stretches, unified
from qagent.workspace.names import shown
from qagent.workspace.turns import Change, Kept

Contents: TypeAlias = tuple[Change, bytes | None, bytes | None]
"""A change, and the bytes before and after it; None where there is no file."""

_WIDEST = 60
_MOST_COMPARED = 2_000_000
"""Bytes of a file whose lines are counted."""
_MOST_LINES = 2_000
"""Lines of one file's diff."""


def stat_lines(contents: list[Contents]) -> Iterator[str]:
    """`calc.py | 2 lines added, 1 removed`, one a file, and their number."""
    names = [shown(change.path) for change, _, _ in contents]
    width = min(_WIDEST, max(map(len, names), default=0))
    for name, content in zip(names, contents, strict=True):
        yield f"{name:{width}} | {stat(*content)}"
    count = len(contents)
    yield f"{count} file{'' if count == 1 else 's'}"


def stat(change: Change, before: bytes | None, after: bytes | None) -> str:
    """What happened to one file, in a few words."""
    return ", ".join(part for part in (_kind(change), _content(before, after)) if part)


def _content(before: bytes | None, after: bytes | None) -> str:
    if before == after:
        return ""
    old, new = _text(before), _text(after)
    if old is None or new is None:
        sizes = " -> ".join(f"{len(side):,} bytes" for side in (before, after) if side is not None)
        return f"binary, {sizes}"
    if before is None or after is None:
        return _lines(len(lines_of(old or new)))
    added, removed = counts(old, new)
    told = [f"{_lines(number)} {word}" for number, word in ((added, "added"), (removed, "removed")) if number]
    return ", ".join(told)


def _lines(number: int) -> str:
    return f"{number:,} line{'' if number == 1 else 's'}"


def _kind(change: Change) -> str:
    if change.before is None:
        return _named(change.after, "new")
    if change.after is None:
        return _named(change.before, "removed")
    if change.before.link != change.after.link:
        return "a link becomes a file" if change.before.link else "a file becomes a link"
    if change.before.mode != change.after.mode:
        return f"mode {change.before.mode:o} becomes {change.after.mode:o}"
    return "link" if change.after.link else ""


def _named(kept: Kept | None, word: str) -> str:
    return f"{word} link" if kept and kept.link else word


def counts(before: str, after: str) -> tuple[int, int]:
    """Lines added, lines removed."""
    changed = stretches(lines_of(before), lines_of(after))
    return sum(each.new_end - each.new_start for each in changed), sum(each.end - each.start for each in changed)


def diff(change: Change, before: bytes | None, after: bytes | None) -> str:
    """As git would write it; of what is no text, and of links and modes, only what happened."""
    name = shown(change.path)
    old, new = _text(before), _text(after)
    plain = not any(side and side.link for side in (change.before, change.after))
    head = "" if _kind(change) == "" else f"{name}: {_kind(change)}\n"
    if old is None or new is None or not plain:
        return head or f"{name}: {stat(change, before, after)}\n"
    if change.after is None:
        return head + "".join(f"-{line}" for line in lines_of(old)[:_MOST_LINES]).rstrip("\n") + "\n"
    return head + unified(name, None if change.before is None else old, new, _MOST_LINES)


def _text(data: bytes | None) -> str | None:
    """None for what is no text, or too much of it."""
    if data is None:
        return ""
    if len(data) > _MOST_COMPARED or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None

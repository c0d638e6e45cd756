"""What a turn changed, as text for people: a line a file, or a unified diff. Changes with their bytes in. Pure."""

from __future__ import annotations

import os
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


def stat_lines(contents: list[Contents], new: str = "new") -> Iterator[str]:
    """`calc.py | 2 lines added, 1 removed`, one a file, and their number; `new`: what is said of a file that comes."""
    names = [shown(change.path) for change, _, _ in contents]
    width = min(_WIDEST, max(map(len, names), default=0))
    for name, content in zip(names, contents, strict=True):
        yield f"{name:{width}} | {stat(*content, new)}"
    count = len(contents)
    yield f"{count} file{'' if count == 1 else 's'}"


def stat(change: Change, before: bytes | None, after: bytes | None, new: str = "new") -> str:
    """What happened to one file, in a few words."""
    return ", ".join(part for part in (_kind(change, new), _content(before, after)) if part)


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


def _kind(change: Change, new: str = "new") -> str:
    if change.before is None:
        return _named(change.after, new)
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
    """A patch as git writes it, which `git apply` takes where nothing was cut and nothing is binary. A mode that git
    does not know is told in a line above. A link that becomes a file, or the other way round, is removed and made."""
    old, new = change.before, change.after
    if old and new and old.link != new.link:
        gone, made = Change(change.path, old, None), Change(change.path, None, new)
        return diff(gone, before, None) + diff(made, None, after)
    head = "".join(f"{line}\n" for line in _modes(old, new))
    body = _body(change.path, before, after)
    git = f"diff --git {_quoted(f'a/{change.path}')} {_quoted(f'b/{change.path}')}\n" if head or body else ""
    if old and new and old.mode != new.mode and not head:
        return f"{shown(change.path)}: {_kind(change)}\n{git}{body}"
    return git + head + body


def _modes(old: Kept | None, new: Kept | None) -> Iterator[str]:
    if old is None or new is None:
        yield from (f"{word} file mode {_mode(side)}" for word, side in (("new", new), ("deleted", old)) if side)
    elif _mode(old) != _mode(new):
        yield from (f"old mode {_mode(old)}", f"new mode {_mode(new)}")


def _mode(kept: Kept) -> str:
    """Git knows three."""
    return "120000" if kept.link else "100755" if kept.mode & 0o100 else "100644"


def _body(path: str, before: bytes | None, after: bytes | None) -> str:
    if before == after:
        return ""
    left = "/dev/null" if before is None else _quoted(f"a/{path}")
    right = "/dev/null" if after is None else _quoted(f"b/{path}")
    old, new = _text(before), _text(after)
    if old is None or new is None:
        return f"Binary files {left} and {right} differ\n"
    hunks = unified("", old, new, _MOST_LINES).partition("\n")[2].partition("\n")[2]  # its names are not quoted
    end = "\t" if " " in path else ""  # so that what comes behind a blank is not taken for a date
    return f"--- {left}{end}\n+++ {right}{end}\n{hunks}" if hunks else ""


def _quoted(name: str) -> str:
    """As git writes a name in a diff: in quotes, with octal escapes, when it holds what could be misread."""
    if name.isprintable() and not set(name) & {'"', "\\"}:
        return name
    return '"' + "".join(map(_escaped, os.fsencode(name))) + '"'


def _escaped(byte: int) -> str:
    plain = 32 <= byte < 127 and byte not in b'"\\'
    return chr(byte) if plain else f"\\{byte:03o}"


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

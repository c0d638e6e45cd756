"""What the model knows of files: results in, which lines of which bytes it has read out. A pure fold, so a resumed
session knows the same; and the refusals for a change of what it does not know.

Known is what read_file showed, what the model wrote itself, and what a refusal showed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from qagent.edits.diff import lines_of, span
from qagent.edits.refused import EditRefused
from qagent.edits.short import short
from qagent.edits.table import flat
from qagent.types import Message, Seen, ToolResult
from qagent.workspace.files import FileText

_AROUND = 2


@dataclass(frozen=True, slots=True)
class _Read:
    digest: str
    total: int
    lines: frozenset[tuple[int, int]]

    @property
    def unread(self) -> int | None:
        """The first line that was not read; None when all were."""
        reached = 0
        for first, last in sorted(self.lines):
            if first > reached + 1:
                break
            reached = max(reached, last)
        return None if reached >= self.total else reached + 1


@dataclass(frozen=True, slots=True)
class Known:
    """The files by their names in the workspace."""

    files: Mapping[str, _Read] = field(default_factory=dict[str, _Read])

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self.files)

    def has(self, path: str, digest: str) -> bool:
        """Whether the model has read these bytes, some of them at least."""
        return path in self.files and self.files[path].digest == digest

    def has_all(self, path: str, digest: str) -> bool:
        return self.has(path, digest) and self.files[path].unread is None


def known(messages: Iterable[Message]) -> Known:
    files: dict[str, _Read] = {}
    for message in messages:
        for seen in message.seen if isinstance(message, ToolResult) else ():
            before = files.get(seen.path)
            lines = before.lines if before and before.digest == seen.digest else frozenset[tuple[int, int]]()
            files[seen.path] = _Read(seen.digest, seen.total, lines | {(seen.first, seen.last)})
    return Known(files)


def seen(path: str, file: FileText, first: int, last: int) -> Seen:
    """These lines of it, from 1, were shown."""
    return Seen(path, file.digest, first, last, len(lines_of(flat(file.text))))


def seen_after(reads: Known | None, path: str, before: FileText | None, after: FileText) -> tuple[Seen, ...]:
    """What the model knows when it has made this change: all of the file if it knew all of it."""
    whole = before is None or (reads is not None and reads.has_all(path, before.digest))
    found = seen(path, after, 0, 0)
    return (replace(found, first=min(1, found.total), last=found.total) if whole else found,)


def refuse_unread(reads: Known, path: str, file: FileText, place: tuple[int, int] | None) -> NoReturn:
    """Raises EditRefused with the lines around the place, from 1; from the first line on when none shows."""
    total = len(lines_of(flat(file.text)))
    first, last = (1, total) if place is None else (max(1, place[0] - _AROUND), min(total, place[1] + _AROUND))
    rows = [line.removesuffix("\n") for line in lines_of(flat(file.text))[first - 1 : last]]
    shown = short(rows)
    stop = first + (len(shown) if len(shown) == len(rows) else len(shown) - 1) - 1
    why = f"{path} changed since you read it" if path in reads.files else f"you have not read {path} in this session"
    size = "It is empty." if not total else f"It has {total} line{'' if total == 1 else 's'}."
    head = f"{size} {span(first, stop).capitalize()} now:" if rows else size
    now = "\n".join([f"{why}; nothing was changed. {head}", *shown])
    raise EditRefused("stale", f"{now}\nSend the change again if it still fits.", (seen(path, file, first, stop),))


def check_read_whole(reads: Known | None, path: str, file: FileText) -> None:
    """Raises EditRefused when the model has not read all of these bytes; then a short file is shown to it."""
    if reads is None or not file.text or reads.has_all(path, file.digest):
        return
    if reads.has(path, file.digest):
        rest = f"read on with start={reads.files[path].unread}, or change its lines with edit_file"
        raise EditRefused("stale", f"you have read only a part of {path}, and this would replace all of it; {rest}.")
    refuse_unread(reads, path, file, None)

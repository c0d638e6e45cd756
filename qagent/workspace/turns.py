"""What one turn changed on the disk, as values: a path's state before and after it, and the turn as a line of JSON.

A turn is one task of the person's. Knows no files, no git and no clock. A record comes from a folder of our own, but
may be torn or of another version: reading one gives None then, and never raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple, cast, get_args

from qagent.workspace.names import shown

VERSION = 1

State = Literal["open", "done", "undone", "halfway"]
"""`open`: its end was never reached, or not yet. `halfway`: an undo or redo of it was begun and did not end."""
Settled = Literal["done", "undone"]
Store = Literal["git", "copies"]

_TEXTS = ("id", "root", "task", "session", "begun")
_TITLE = 60
"""Characters."""


class Kept(NamedTuple):
    """A file or a link as it was; a tuple, because a work tree has thousands of them.

    blob: the id of its bytes as git counts it (SHA-1 or SHA-256 of a header and the bytes); of a link, of the path it
    leads to. mode: the permission bits, 0 for a link. size: bytes.
    """

    blob: str
    mode: int
    size: int
    link: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """`path` is relative to the work tree's root, with slashes; None: there was nothing, or a folder."""

    path: str
    before: Kept | None
    after: Kept | None

    @property
    def turned(self) -> Change:
        return Change(self.path, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn. `id` sorts by time; `begun` is ISO 8601 in UTC. changes: while the turn is open, none by
    git; by copies the files named so far, with what they were before and `after` None.

    left: what was not kept, in words for the person. skipped: files that the last undo or redo left as they were,
    because the person had changed them. strewn: files that an undo has put beside their places.
    An open turn by git has: named, the files that its edits have named; tree, what it began with, as git names that;
    odd, the modes in there that are not `usual`.
    """

    id: str
    root: str
    task: str
    session: str
    begun: str
    store: Store
    state: State = "open"
    changes: tuple[Change, ...] = ()
    left: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    strewn: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    tree: str = ""
    usual: int = 0o644
    odd: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def id_size(self) -> int:
        """Bytes of a blob's id."""
        return 32 if self.store == "copies" or len(self.tree) == 64 else 20

    @property
    def title(self) -> str:
        """The first line of the task, cut, as people read it."""
        return shown(self.task.strip().partition("\n")[0][:_TITLE]) or "untitled"

    def ended(self, changes: Iterable[Change], left: Iterable[str]) -> Turn:
        return replace(self, state="done", changes=tuple(changes), left=tuple(left), named=(), odd={})


# ------------------------------------------------------------------ as JSON


def encode(turn: Turn) -> bytes:
    changes = [{"path": c.path, "before": _record(c.before), "after": _record(c.after)} for c in turn.changes]
    return json.dumps({"version": VERSION, **asdict(turn), "changes": changes}).encode("ascii") + b"\n"


def _record(kept: Kept | None) -> dict[str, Any] | None:
    return None if kept is None else kept._asdict()


def decode(data: bytes) -> Turn | None:
    """None for what is torn, of another version, no such record, or names a path that leads out of the work tree."""
    try:
        record = cast("dict[str, Any]", json.loads(data))
        if record.pop("version") != VERSION:
            return None
        record["changes"] = tuple(_change(change) for change in record["changes"])
        for name in ("left", "skipped", "strewn", "named"):
            record[name] = tuple(map(str, record.get(name, ())))
        record["tree"], record["usual"] = str(record.get("tree", "")), int(record.get("usual", 0o644))
        record["odd"] = {str(path): int(mode) for path, mode in record.get("odd", {}).items()}
        turn = Turn(**record)
        return turn if _is_plain(record) and _is_dated(turn) and _is_inside(turn) else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _is_plain(record: Mapping[str, Any]) -> bool:
    words = record.get("state", "open") in get_args(State) and record["store"] in get_args(Store)
    return words and all(isinstance(record[name], str) for name in _TEXTS)


def _is_dated(turn: Turn) -> bool:
    """Raises ValueError."""
    return datetime.fromisoformat(turn.begun).utcoffset() == timedelta(0)


def _is_inside(turn: Turn) -> bool:
    return all(is_inside(path) for path in (*turn.named, *turn.strewn, *(change.path for change in turn.changes)))


def _change(record: Mapping[str, Any]) -> Change:
    return Change(str(record["path"]), _kept(record["before"]), _kept(record["after"]))


def _kept(record: Mapping[str, Any] | None) -> Kept | None:
    if record is None:
        return None
    return Kept(str(record["blob"]), int(record["mode"]), int(record["size"]), bool(record["link"]))


def is_inside(path: str) -> bool:
    """Whether this is a plain relative path that does not lead into git's own folder."""
    parts = PurePosixPath(path).parts
    plain = bool(parts) and not path.startswith("/") and "\0" not in path
    return plain and not any(part == ".." or part.casefold() == ".git" for part in parts)

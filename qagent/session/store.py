"""The folder of sessions: which are there, which one is meant, and away with one.

Reads without locking, so a session can be listed and shown while it runs. Listing never fails because of one file.
"""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from qagent.errors import SessionProblem
from qagent.session.file import LARGEST, LockedFile, in_use, too_large
from qagent.session.lines import VERSION, Header, Record, decode, decode_header
from qagent.workspace.disk import read_plain

State = Literal["ok", "in use", "damaged", "newer"]

_LONGEST_HEADER = 64 << 10


@dataclass(frozen=True, slots=True)
class SessionRow:
    """`created` is ISO 8601 in UTC, `messages` their number. What a damaged file does not tell is "" or 0."""

    id: str
    created: str
    cwd: str
    model: str
    title: str
    messages: int
    state: State


def peek(path: Path) -> Record:
    """A session as it is on disk, for showing and exporting; takes no lock, writes nothing. Raises SessionProblem."""
    return decode(_bytes(path), str(path))


def latest(folder: Path, cwd: Path) -> Path | None:
    """The newest session that was started in `cwd` and in which the person said something."""
    wanted = str(cwd.resolve())
    for path in _newest_first(folder):
        header = _header_of(path)
        if header and header.cwd == wanted and _was_used(path):
            return path
    return None


def _was_used(path: Path) -> bool:
    """A line of the person's is looked for as text: a quote inside a JSON text would have a backslash in front."""
    with contextlib.suppress(SessionProblem):
        return b'"kind":"user"' in _bytes(path)
    return False


def find(folder: Path, id_prefix: str) -> Path:
    """The one session whose id starts so. Raises SessionProblem that names those that come near, or fit as well."""
    paths = _newest_first(folder)
    fitting = [path for path in paths if id_prefix and path.stem.startswith(id_prefix)]
    exact = [path for path in fitting if path.stem == id_prefix]
    if len(fitting) == 1 or exact:
        return (exact or fitting)[0]
    if fitting:
        raise SessionProblem(f"{len(fitting)} sessions start with {id_prefix!r}", todo=f"say which: {_names(fitting)}")
    ids = [path.stem for path in paths]
    near = difflib.get_close_matches(id_prefix, ids, n=3, cutoff=0.5) or ids[:3]
    todo = f"perhaps {', '.join(near)}; `qagent sessions` lists all" if near else "there are no sessions yet"
    raise SessionProblem(f"there is no session {id_prefix!r}", todo=todo)


def listing(folder: Path) -> list[SessionRow]:
    """The newest first."""
    return [_row(path) for path in _newest_first(folder)]


def delete(folder: Path, session_id: str) -> None:
    """Removes the session with exactly this id, and what was torn off it. Raises SessionProblem when it is in use."""
    path = next((path for path in _newest_first(folder) if path.stem == session_id), None)
    if path is None:
        find(folder, session_id)  # names those that come near; a prefix is not enough to delete by
        raise SessionProblem(f"there is no session {session_id!r}", todo="write the whole id to delete a session")
    held = LockedFile.open(path)
    try:
        path.unlink(missing_ok=True)
        path.with_suffix(".torn").unlink(missing_ok=True)
    except OSError as error:
        raise SessionProblem(f"cannot delete {path}: {error.strerror}", todo="check the folder's rights") from error
    finally:
        held.close()


def _newest_first(folder: Path) -> list[Path]:
    try:
        return sorted((path for path in folder.iterdir() if path.suffix == ".jsonl"), reverse=True)
    except OSError:
        return []


def _names(paths: list[Path]) -> str:
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(path.stem for path in paths[:5]) + more


def _bytes(path: Path) -> bytes:
    try:
        if path.lstat().st_size > LARGEST:
            raise too_large(path)
        return read_plain(path, LARGEST, follow=False)
    except OSError as error:
        why = error.strerror or str(error)
        raise SessionProblem(f"cannot read {path}: {why}", todo="`qagent sessions` lists what is there") from error


def _header_of(path: Path) -> Header | None:
    """None also for a first line that is longer than any of ours."""
    with contextlib.suppress(OSError, SessionProblem):
        return decode_header(read_plain(path, _LONGEST_HEADER, follow=False).partition(b"\n")[0], path.name)
    return None


def _row(path: Path) -> SessionRow:
    try:
        record = peek(path)
    except SessionProblem:
        return _unreadable(path)
    state: State = "in use" if in_use(path) else "ok"
    return _told(path, record.header, state, record.title, len(record.messages))


def _unreadable(path: Path) -> SessionRow:
    header = _header_of(path)
    if header is None:
        return SessionRow(path.stem, "", "", "", "", 0, "damaged")
    return _told(path, header, "newer" if header.version > VERSION else "damaged", header.title, 0)


def _told(path: Path, header: Header, state: State, title: str, messages: int) -> SessionRow:
    try:
        datetime.fromisoformat(header.created)
        created = header.created
    except ValueError:  # somebody has edited it
        created = ""
    return SessionRow(path.stem, created, header.cwd, header.model, title, messages, state)

"""The folder of sessions: which are there, which one is meant, and away with one.

Reads without locking, so a session can be listed and shown while it runs. Listing never fails because of one file.
"""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qagent.errors import SessionProblem
from qagent.session.file import LockedFile, in_use
from qagent.session.lines import VERSION, Header, Record, decode, decode_header

State = Literal["ok", "in use", "damaged", "newer"]


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
    """The newest session that was started in `cwd`."""
    wanted = str(cwd.resolve())
    for path in _newest_first(folder):
        header = _header_of(path)
        if header and header.cwd == wanted:
            return path
    return None


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
        if path.is_file():
            return path.read_bytes()
        why = "no such file"
    except OSError as error:
        why = error.strerror or str(error)
    raise SessionProblem(f"cannot read {path}: {why}", todo="`qagent sessions` lists what is there")


def _header_of(path: Path) -> Header | None:
    with contextlib.suppress(OSError, SessionProblem), path.open("rb") as file:
        return decode_header(file.readline(), path.name)
    return None


def _row(path: Path) -> SessionRow:
    try:
        record = peek(path)
    except SessionProblem:
        return _unreadable(path)
    header = record.header
    return SessionRow(
        path.stem,
        header.created,
        header.cwd,
        header.model,
        record.title,
        len(record.messages),
        "in use" if in_use(path) else "ok",
    )


def _unreadable(path: Path) -> SessionRow:
    header = _header_of(path)
    if header is None:
        return SessionRow(path.stem, "", "", "", "", 0, "damaged")
    state: State = "newer" if header.version > VERSION else "damaged"
    return SessionRow(path.stem, header.created, header.cwd, header.model, header.title, 0, state)

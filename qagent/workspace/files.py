"""Reading and writing one file: bytes on disk here, text there, and the bytes outside an edit never change.

Text is strict UTF-8; an encoding is never guessed. Newlines stay as they are in the file, a byte order mark is taken
off and remembered. Paths come from `Workspace.resolve`; whether one may be touched is not asked here.

A file is replaced, not written over: nobody sees half of it. The price: a second name of it, a hard link, keeps the
old text.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from qagent.errors import ToolFailed
from qagent.workspace.disk import read_plain
from qagent.workspace.names import shown

LARGEST = 5_000_000
"""Bytes of a file that is still read as a whole."""

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class FileText:
    """`bom`: the file began with a byte order mark."""

    text: str
    bom: bool = False

    @property
    def data(self) -> bytes:
        """The bytes of the file; raises ToolFailed when the text is not Unicode (half a surrogate pair)."""
        try:
            return (_MARK if self.bom else b"") + self.text.encode()
        except UnicodeEncodeError as error:
            raise ToolFailed("the text contains half of a surrogate pair; write the character itself.") from error


def read_text(path: Path) -> FileText:
    """The whole file. Raises ToolFailed for a folder, more than LARGEST bytes, and whatever is not UTF-8 text."""
    data = _read(path)
    bom = data.startswith(_MARK)
    try:
        text = data.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        raise ToolFailed(f"{shown(path.name)} is not UTF-8 text, so it cannot be read or edited here.") from error
    if "\0" in text:
        raise ToolFailed(f"{shown(path.name)} is not UTF-8 text but binary, so it cannot be read or edited here.")
    return FileText(text, bom)


def _read(path: Path) -> bytes:
    name = shown(path.name)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ToolFailed(f"{name} is a folder; use list_files.")
        if not stat.S_ISREG(found.st_mode):
            raise ToolFailed(f"{name} is not a plain file.")
        if found.st_size > LARGEST:
            raise ToolFailed(f"{name} has {found.st_size:,} bytes, too many to read; use search, or run head or sed.")
        return read_plain(path, LARGEST)
    except OSError as error:
        raise ToolFailed(f"{name} cannot be read: {error.strerror}.") from error


def write_atomic(path: Path, data: bytes) -> None:
    """All of the file or nothing: other programs see the old bytes or the new ones. Missing folders are made.

    The permission bits stay, but for the set-id ones; so does the owner, where the system lets us. A link stays a link
    and its target is written. Raises ToolFailed; then the old file is untouched and nothing is left behind.
    """
    target = path.resolve()
    old = _stat(target)
    if old is not None and not old.st_mode & 0o222:
        raise ToolFailed(f"{shown(path.name)} is read-only; nothing was written.")
    temporary = target.with_name(f".qagent-{secrets.token_hex(8)}.tmp")
    missing = [folder for folder in target.parents if not os.path.lexists(folder)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(temporary, data, old)
        temporary.replace(target)
    except OSError as error:
        _remove(temporary, missing)
        raise ToolFailed(f"{shown(path.name)} cannot be written: {error.strerror}; nothing was changed.") from error
    except BaseException:
        _remove(temporary, missing)
        raise


def _remove(temporary: Path, folders: list[Path]) -> None:
    """`folders`: those that were made, the innermost first; what somebody else put into one keeps it."""
    with contextlib.suppress(OSError):
        temporary.unlink()
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _write(temporary: Path, data: bytes, old: os.stat_result | None) -> None:
    """Not with `tempfile`: a new file gets the rights of the person's umask. An old one's text is never, not even for
    an instant, in a file that more people may read."""
    first_mode = 0o666 if old is None else 0o600
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, first_mode), "wb") as file:
        if old is not None:
            _keep_owner(file.fileno(), old)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if old is not None:
        _keep_younger(temporary, old)


def _keep_owner(descriptor: int, old: os.stat_result) -> None:
    """And the rights. Only root can give a file away; for others this keeps a group that they are in."""
    with contextlib.suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)


def _keep_younger(temporary: Path, old: os.stat_result) -> None:
    """Python trusts a .pyc whose source has the same size and the same whole second of change: an edit that follows
    within that second would be tested with the old code. So the second always grows, also over several edits."""
    new = temporary.stat()
    if int(new.st_mtime) <= int(old.st_mtime):
        os.utime(temporary, ns=(new.st_atime_ns, old.st_mtime_ns + 1_000_000_000))

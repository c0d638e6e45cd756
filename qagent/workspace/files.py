"""Reading and writing one file: bytes on disk here, text there, and the bytes outside an edit never change.

Text is strict UTF-8; an encoding is never guessed. Newlines stay as they are in the file, a byte order mark is taken
off and remembered. Paths come from `Workspace.resolve`; whether one may be touched is not asked here.

A file is replaced, not written over: nobody sees half of it. The price: a second name of it, a hard link, keeps the
old text.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Generator
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

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for these bytes."""
        return hashlib.blake2b(self.data, digest_size=8).hexdigest()


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


def write_atomic(path: Path, data: bytes, root: Path | None = None) -> None:
    """All of the file or nothing: other programs see the old bytes or the new ones. Missing folders are made.

    The permission bits stay, but for the set-id ones; so does the owner, where the system lets us. Raises ToolFailed;
    then the old file is untouched and nothing is left behind.

    Without `root` a link stays a link and its target is written. With it `path` is one that was judged to lie below
    `root` and to be no link: a part of it that has become one since is refused, so nothing outside is ever written.
    """
    target = path.resolve() if root is None else path
    try:
        with _folder(target.parent, root) as folder:
            _replace(folder, target.name, data)
    except OSError as error:
        why = "a part of its path has become a link" if error.errno == errno.ELOOP else error.strerror
        raise ToolFailed(f"{shown(path.name)} cannot be written: {why}; nothing was changed.") from error


@contextlib.contextmanager
def _folder(path: Path, root: Path | None) -> Generator[int]:
    """A descriptor of the folder, reached without following a link below `root`; what was made goes again on errors."""
    top = root or next(folder for folder in (path, *path.parents) if folder.exists())
    made: list[Path] = []
    at = os.open(top, _SEARCH)
    try:
        reached = top
        for part in path.relative_to(top).parts:
            reached /= part
            inner = _entered(at, part, reached, made)
            os.close(at)
            at = inner
        yield at
    except BaseException:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    finally:
        os.close(at)


_SEARCH = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


def _entered(folder: int, part: str, path: Path, made: list[Path]) -> int:
    """The descriptor of a folder inside this one."""
    with contextlib.suppress(FileNotFoundError):
        return _opened(folder, part)
    os.mkdir(part, dir_fd=folder)
    made.append(path)
    return _opened(folder, part)


def _opened(folder: int, part: str) -> int:
    try:
        return os.open(part, _SEARCH | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError as error:  # what Linux says of a link here
        if stat.S_ISLNK(os.lstat(part, dir_fd=folder).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
        raise


def _replace(folder: int, name: str, data: bytes) -> None:
    old = _stat(folder, name)
    if old is not None and stat.S_ISLNK(old.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if old is not None and not old.st_mode & 0o222:
        raise ToolFailed(f"{shown(name)} is read-only; nothing was written.")
    temporary = f".qagent-{secrets.token_hex(8)}.tmp"
    try:
        _write(folder, temporary, data, old)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    _settle(folder)


def _settle(folder: int) -> None:
    """The new name reaches the disk too; and what a writer that was killed has left here goes."""
    with contextlib.suppress(OSError):
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(here)
            with os.scandir(here) as found:
                left = [entry for entry in found if _LEFT.fullmatch(entry.name)]
            for entry in left:
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED:
                    os.unlink(entry.name, dir_fd=here)
        finally:
            os.close(here)


_LEFT = re.compile(r"\.qagent-[0-9a-f]{16}\.tmp")
_ABANDONED = 3_600
"""Seconds after which nobody is still writing a temporary file."""


def _stat(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return None


def _write(folder: int, temporary: str, data: bytes, old: os.stat_result | None) -> None:
    """Not with `tempfile`: a new file gets the rights of the person's umask. An old one's text is never, not even for
    an instant, in a file that more people may read."""
    first_mode = 0o666 if old is None else 0o600
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, flags, first_mode, dir_fd=folder), "wb") as file:
        if old is not None:
            _keep_owner(file.fileno(), old)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        if old is not None:
            _keep_younger(file.fileno(), old)


def _keep_owner(descriptor: int, old: os.stat_result) -> None:
    """And the rights. Only root can give a file away; for others this keeps a group that they are in."""
    with contextlib.suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)


def _keep_younger(descriptor: int, old: os.stat_result) -> None:
    """Python trusts a .pyc whose source has the same size and the same whole second of change: an edit that follows
    within that second would be tested with the old code. So the second always grows, also over several edits."""
    new = os.fstat(descriptor)
    if int(new.st_mtime) <= int(old.st_mtime):
        os.utime(descriptor, ns=(new.st_atime_ns, old.st_mtime_ns + 1_000_000_000))

"""Reading and writing one file: bytes on disk here, text there, and the bytes outside an edit never change.

Text is strict UTF-8; an encoding is never guessed. Newlines stay as they are in the file, a byte order mark is taken
off and remembered. Paths come from `Workspace.resolve`; whether one may be touched is not asked here.

A file is replaced, not written over; how, `replacing` knows.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from qagent.errors import ToolFailed
from qagent.workspace.names import shown
from qagent.workspace.replacing import replace

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


def read_text(path: Path, root: Path | None = None) -> FileText:
    """The whole file. Raises ToolFailed for a folder, more than LARGEST bytes, and whatever is not UTF-8 text.

    With `root` `path` is one that was judged to lie below it and to be no link, as in `write_atomic`.
    """
    data = _read(path, root)
    bom = data.startswith(_MARK)
    try:
        text = data.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        raise ToolFailed(f"{shown(path.name)} is not UTF-8 text, so it cannot be read or edited here.") from error
    if "\0" in text:
        raise ToolFailed(f"{shown(path.name)} is not UTF-8 text but binary, so it cannot be read or edited here.")
    return FileText(text, bom)


def _read(path: Path, root: Path | None) -> bytes:
    try:
        descriptor = _descriptor(path, root)
        try:
            size = _checked_size(os.fstat(descriptor), shown(path.name))
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ToolFailed(f"{shown(path.name)} cannot be read: {_why(error)}.") from error


def _checked_size(found: os.stat_result, name: str) -> int:
    if stat.S_ISDIR(found.st_mode):
        raise ToolFailed(f"{name} is a folder; use list_files.")
    if not stat.S_ISREG(found.st_mode):
        raise ToolFailed(f"{name} is not a plain file.")
    if found.st_size > LARGEST:
        raise ToolFailed(f"{name} has {found.st_size:,} bytes, too many to read; use search, or run head or sed.")
    return found.st_size


def _descriptor(path: Path, root: Path | None) -> int:
    """Never waits for the other end of a pipe."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    if root is None or path == root:
        return os.open(path, flags)
    with _folder(path.parent, root, make=False) as folder:
        return os.open(path.name, flags | os.O_NOFOLLOW, dir_fd=folder)


def _why(error: OSError) -> str:
    return "a part of its path has become a link" if error.errno == errno.ELOOP else str(error.strerror)


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
            replace(folder, target.name, data)
    except OSError as error:
        raise ToolFailed(f"{shown(path.name)} cannot be written: {_why(error)}; nothing was changed.") from error


@contextlib.contextmanager
def _folder(path: Path, root: Path | None, *, make: bool = True) -> Generator[int]:
    """A descriptor of the folder, reached without following a link below `root`; what was made goes again on errors."""
    top = root or next(folder for folder in (path, *path.parents) if folder.exists())
    made: list[Path] = []
    at = os.open(top, _SEARCH)
    try:
        reached = top
        for part in path.relative_to(top).parts:
            reached /= part
            inner = _entered(at, part, reached, made) if make else _opened(at, part)
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

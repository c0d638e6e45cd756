"""One path of a work tree, seen and changed through folders that were opened one by one: no link is ever followed.

In: a descriptor of the root and a path inside. Out: what stands there, as a `Kept`. A folder on the way that somebody
turned into a link meanwhile leads nowhere, so nothing outside the root can be read, written or removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from qagent.workspace.turns import Kept

STRANGE = Kept("", 0, 0)
"""What is neither file nor link nor folder, or cannot be read: it is like nothing that was ever kept."""

_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextlib.contextmanager
def opened(root: Path) -> Generator[int, None, None]:
    """The root's descriptor. Raises OSError."""
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield here
    finally:
        os.close(here)


@contextlib.contextmanager
def folder_of(here: int, path: str, *, make: bool = False) -> Generator[tuple[int, str], None, None]:
    """The folder that the path lies in, and the path's last name; `make`: with the folders that are missing.

    Raises OSError (NotADirectoryError for a link on the way).
    """
    *above, name = path.split("/")
    inner = os.dup(here)
    try:
        for part in above:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=inner)
            outer, inner = inner, os.open(part, _FOLDER, dir_fd=inner)
            os.close(outer)
        yield inner, name
    finally:
        os.close(inner)


def stat_of(here: int, path: str) -> os.stat_result | None:
    """None when nothing is there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), folder_of(here, path) as (folder, name):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return None


def kept_at(here: int, path: str, id_size: int) -> Kept | None:
    """What stands there now; None for nothing, or a folder. `id_size`: 20 for ids by SHA-1, 32 for SHA-256."""
    try:
        found = stat_of(here, path)
        if found is None or stat.S_ISDIR(found.st_mode):
            return None
        with folder_of(here, path) as (folder, name):
            if stat.S_ISLNK(found.st_mode):
                target = os.fsencode(os.readlink(name, dir_fd=folder))
                return Kept(blob_id(target, id_size), 0, len(target), link=True)
            return _file(folder, name, id_size) if stat.S_ISREG(found.st_mode) else STRANGE
    except OSError:
        return STRANGE


def blob_id(data: bytes, id_size: int) -> str:
    """As git counts it."""
    counted = _begun(len(data), id_size)
    counted.update(data)
    return counted.hexdigest()


class _Counted(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def _begun(size: int, id_size: int) -> _Counted:
    header = b"blob %d\0" % size
    return hashlib.sha1(header, usedforsecurity=False) if id_size == 20 else hashlib.sha256(header)


def _file(folder: int, name: str, id_size: int) -> Kept:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        found = os.fstat(descriptor)
        counted, left = _begun(found.st_size, id_size), found.st_size
        while left and (chunk := os.read(descriptor, min(_CHUNK, left))):
            counted.update(chunk)
            left -= len(chunk)
        whole = stat.S_ISREG(found.st_mode) and not left and not os.read(descriptor, 1)
        return Kept(counted.hexdigest(), found.st_mode & 0o7777, found.st_size) if whole else STRANGE
    finally:
        os.close(descriptor)


def read_at(here: int, path: str, most: int) -> tuple[Kept, bytes] | None:
    """A file's or a link's bytes with what they are, by SHA-256; None for nothing or a folder.

    Raises OSError for what cannot be read, or has more than `most` bytes.
    """
    found = stat_of(here, path)
    if found is None or stat.S_ISDIR(found.st_mode):
        return None
    with folder_of(here, path) as (folder, name):
        if stat.S_ISLNK(found.st_mode):
            data, mode = os.fsencode(os.readlink(name, dir_fd=folder)), 0
        else:
            data, mode = _bytes(folder, name, most), found.st_mode & 0o7777
    return Kept(blob_id(data, 32), mode, len(data), stat.S_ISLNK(found.st_mode)), data


def _bytes(folder: int, name: str, most: int) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no file")
        if found.st_size > most:
            raise OSError(f"it has {found.st_size >> 20} MB, too many to keep")
        return file.read(most)

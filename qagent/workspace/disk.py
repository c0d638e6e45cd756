"""Foreign files and our own: a path in, the first bytes of a regular file out; or a file or folder, the owner's alone.

What lies in a folder may be a pipe that never answers, a device that never ends, a file with a hole of terabytes: such
a thing is refused, or read up to a bound that the caller names. It knows no project and no formats.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path


def read_plain(path: Path, most: int, *, follow: bool = True) -> bytes:
    """At most `most` bytes from the beginning; `follow`: also of what a link at the path's end leads to.

    Raises OSError, also for what is no regular file, and ValueError for a path with a NUL in it. Never waits.
    """
    link = 0 if follow else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | link)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(min(most, found.st_size))  # `most` alone would ask for so much memory at once
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """Mode 0600, on the disk when this returns; others see the old file or the new one. Raises OSError."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def make_private(folder: Path) -> None:
    """Makes the folder and those above it that are missing, each with mode 0700 whatever the umask. Raises OSError."""
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))

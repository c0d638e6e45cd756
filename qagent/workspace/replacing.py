"""Puts new bytes in the place of a file in an open folder: all of them or none, and nothing is left of a try.

In: a folder's descriptor, a name, bytes. The new text is written and synced before it gets a name, so a writer that is
killed leaves the old file or the new one. Rights stay. The price: a second name of the file, a hard link, keeps the old
text. Which folder it is and whether it may be written is not asked here.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
import time

from qagent.errors import ToolFailed
from qagent.workspace.names import shown


def replace(folder: int, name: str, data: bytes) -> None:
    """Raises OSError, with ELOOP when the name is a link, and ToolFailed for a file that is read-only."""
    old = _stat(folder, name)
    if old is not None and stat.S_ISLNK(old.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if old is not None and not old.st_mode & 0o222:
        raise ToolFailed(f"{shown(name)} is read-only; nothing was written.")
    temporary = f".qagent-{secrets.token_hex(8)}.tmp"
    try:
        if not _without_a_name(folder, temporary, name, data, old):
            with os.fdopen(_made(folder, temporary, os.O_CREAT | os.O_EXCL, old), "wb") as file:
                _written(file.fileno(), data, old)
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    _settle(folder)


def _without_a_name(folder: int, temporary: str, name: str, data: bytes, old: os.stat_result | None) -> bool:
    """Where the system can write a file that has no name yet: it gets one only to be moved into its place, so next to
    nothing can be left behind. False where it cannot."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        descriptor = _made(folder, ".", os.O_TMPFILE, old)
    except OSError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        _written(file.fileno(), data, old)
        try:
            os.link(f"/proc/self/fd/{file.fileno()}", temporary, dst_dir_fd=folder, follow_symlinks=True)
        except OSError:  # no /proc, or a file system that gives no names afterwards
            return False
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    return True


def _stat(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return None


# ------------------------------------------------------------------ writing


def _made(folder: int, name: str, how: int, old: os.stat_result | None) -> int:
    """Not with `tempfile`: a new file gets the rights of the person's umask. An old one's text is never, not even for
    an instant, in a file that more people may read. The lock says that its writer lives."""
    first_mode = 0o666 if old is None else 0o600
    descriptor = os.open(name, os.O_WRONLY | os.O_CLOEXEC | how, first_mode, dir_fd=folder)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _written(descriptor: int, data: bytes, old: os.stat_result | None) -> None:
    if old is not None:
        _keep_owner(descriptor, old)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)
    if old is not None:
        _keep_younger(descriptor, old)


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


# ------------------------------------------------------------------ afterwards

_LEFT = re.compile(r"\.qagent-[0-9a-f]{16}\.tmp")
_ABANDONED = 3_600
"""Seconds after which nobody is still writing a temporary file, where locks do not tell."""


def _settle(folder: int) -> None:
    """The new name reaches the disk too; and what a writer that was killed has left here goes."""
    with contextlib.suppress(OSError):
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(here)
            with os.scandir(here) as found:
                left = [entry.name for entry in found if _LEFT.fullmatch(entry.name)]
            for name in left:
                _cleared(here, name)
        finally:
            os.close(here)


def _cleared(folder: int, name: str) -> None:
    """Removes it unless its writer lives."""
    with contextlib.suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            if _is_dead(descriptor):
                os.unlink(name, dir_fd=folder)
        finally:
            os.close(descriptor)


def _is_dead(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return time.time() - os.fstat(descriptor).st_mtime > _ABANDONED
    return True

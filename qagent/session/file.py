"""A file that is only appended to, by one process at a time. Bytes in, bytes out; knows nothing of what they mean.

Each line is one `write` at the end of the file and is on the disk before `append` returns. When that fails (a full
disk), the file is cut back to its last whole line and SessionProblem is raised. The lock is `flock`: it goes away with
the process, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from pathlib import Path

from qagent.errors import SessionProblem
from qagent.workspace.disk import make_private

LARGEST = 512 << 20
"""Bytes of a session that is still read. A year of talk is not so much; a file that is, is none of ours."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK


class LockedFile:
    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        self._size = os.fstat(descriptor).st_size

    @classmethod
    def create(cls, path: Path, first_line: bytes) -> LockedFile:
        """Mode 0600; folders that are missing are made with mode 0700. Raises FileExistsError, or SessionProblem."""
        try:
            make_private(path.parent)
        except OSError as error:
            raise _problem(path.parent, "make", error) from error
        try:
            descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise
        except OSError as error:
            raise _problem(path, "make", error) from error
        return cls._begun(path, descriptor, first_line)

    @classmethod
    def _begun(cls, path: Path, descriptor: int, first_line: bytes) -> LockedFile:
        try:
            _lock(descriptor, path)
            file = cls(path, descriptor)
            file.append(first_line)
            _sync_folder(path.parent)
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return file

    @classmethod
    def open(cls, path: Path) -> LockedFile:
        """Raises SessionProblem when the file is missing, no file, or held by another process."""
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise _problem(path, "open", error) from error
        try:
            _lock(descriptor, path)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink == 0:
                raise SessionProblem(f"{path} is not there any more, or is no file", todo=_ADVICE)
            return cls(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def read(self) -> bytes:
        """All of it. Raises SessionProblem when that is more than LARGEST."""
        descriptor = self._open_descriptor()
        if self._size > LARGEST:
            raise too_large(self.path)
        try:
            return _read_all(descriptor, self._size)
        except OSError as error:
            raise _problem(self.path, "read", error) from error

    def append(self, line: bytes) -> None:
        descriptor = self._open_descriptor()
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError("the disk took only a part of it")
            os.fsync(descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._size)
            raise _problem(self.path, "write to", error) from error
        self._size += len(line)

    def cut(self, size: int) -> None:
        """Drops what follows `size` bytes, after putting it into a side file."""
        descriptor = self._open_descriptor()
        try:
            _keep(self.path.with_suffix(".torn"), self.read()[size:])
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        except OSError as error:
            raise _problem(self.path, "mend", error) from error
        self._size = size

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise SessionProblem(f"{self.path} has been closed", todo="open the session again")
        return self._descriptor


def in_use(path: Path) -> bool:
    """Whether a process holds the file. Looking takes a shared lock for an instant; `open` waits that long."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


_ADVICE = "`qagent sessions` lists what is there"


def too_large(path: Path) -> SessionProblem:
    return SessionProblem(f"{path} is larger than {LARGEST >> 20} MB: that is no session", todo=_ADVICE)


def _lock(descriptor: int, path: Path) -> None:
    """Tries for a twentieth of a second, since somebody may be looking at the lock just now."""
    for _ in range(5):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return None  # This file system knows no locks (some network folders): better unguarded than unusable.
    raise SessionProblem(
        f"the session {path.stem} is in use by another qagent", todo="end that one first, or start a new session"
    )


def _read_all(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    position = 0
    while position < size and (part := os.pread(descriptor, size - position, position)):
        parts.append(part)
        position += len(part)
    return b"".join(parts)


def _keep(path: Path, torn: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, torn)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """So that the new file's name, too, survives a power cut. Not every file system can; then nothing is lost by it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _problem(path: Path, verb: str, error: OSError) -> SessionProblem:
    why = error.strerror or str(error)
    return SessionProblem(f"cannot {verb} {path}: {why}", todo="check the folder, its rights and the free space")

"""The scratch folders of this machine: one is made and held by its owner, and goes with it; what a killed owner left
behind is swept.

Who holds a folder has a lock on it, which the kernel takes away when that process dies, however it dies. Swept is only
what has such a name, belongs to this person, has what every scratch folder has inside, and is held by nobody. Where a
file system knows no locks, nothing is swept.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

OWN = "qagent"
"""In the scratch folder, what TMPDIR names: nothing else that is mounted below /tmp gets in its way."""

_PREFIX = "qagent-scratch-"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
"""As `tempfile` makes them."""

_TRIES = 10
"""A sweeper may take a folder before its owner holds it; twice in a row is already unlikely."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """`lock`: the descriptor by which the folder is held."""

    path: Path
    lock: int

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def make() -> Scratch:
    """Raises OSError."""
    for _ in range(_TRIES):
        path = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        with suppress(FileNotFoundError):
            lock = _opened(path)
            if _is_held(lock) and _is_there(path, lock):
                (path / OWN).mkdir()
                return Scratch(path, lock)
            os.close(lock)
    raise OSError(f"no scratch folder can be made in {tempfile.gettempdir()}")


def sweep() -> None:
    """Removes what dead owners left in the folder for temporary files. What cannot be removed stays."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as found:
        for entry in found:
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _sweep(Path(entry.path))


def _sweep(path: Path) -> None:
    lock = _opened(path)
    try:
        if os.fstat(lock).st_uid == os.geteuid() and (path / OWN).is_dir() and _locked(lock) and _is_there(path, lock):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _is_held(lock: int) -> bool:
    """Whether it is this process's now; also where there are no locks, and so no sweepers."""
    try:
        return _locked(lock)
    except OSError:
        return True


def _locked(lock: int) -> bool:
    """Raises OSError where there are no locks."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_there(path: Path, lock: int) -> bool:
    """Whether the name still leads to what is held."""
    with suppress(FileNotFoundError):
        found = path.lstat()
        return stat.S_ISDIR(found.st_mode) and os.path.samestat(found, os.fstat(lock))
    return False

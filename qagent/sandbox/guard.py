"""For a sandbox that cannot shut what lies inside the project: remembers the files that steer git and qagent, and puts
them back when a command has changed them.

Comes in: the bounds. Goes out: what was put back, as names for the model. Nothing of a command runs any more when it is
asked, so nothing can change them again. What somebody else changed in the same minutes is put back as well; that is the
price of a kernel without namespaces.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qagent.sandbox.bounds import Bounds

_STEER = ("config", "config.worktree", "commondir", "hooks")
"""In git's folder: what it obeys and runs."""

_MOST = 200
"""Files of one folder; git has about fifteen hooks, `.qagent` as many words."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`mode` and `data` of a file; None for what did not exist."""

    path: Path
    mode: int = 0
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    root: Path
    folders: tuple[Path, ...]
    kept: tuple[Kept, ...]
    modes: tuple[tuple[Path, int], ...] = ()
    """Of the folders, and of those that they lie in, the outer ones first."""

    def put_back(self) -> tuple[str, ...]:
        """Raises OSError when it cannot be done."""
        changed = [folder for folder, mode in self.modes if _is_reset(folder, mode)]
        for folder in (folder for folder in self.folders if _is_replaced(folder)):
            changed.append(folder)
            _remove(folder)
            folder.mkdir(parents=True)
        known = {kept.path for kept in self.kept}
        added = [path for folder in self.folders for path in _files(folder) if path not in known]
        changed += added
        for path in added:
            _remove(path)
        for kept in self.kept:
            if _kept(kept.path) != kept:
                _write(kept)
                changed.append(kept.path)
        return tuple(dict.fromkeys(os.path.relpath(path, self.root) for path in changed))


def guard(bounds: Bounds) -> Guard:
    """Raises OSError."""
    steering = [path for shut in bounds.shut for path in _steering(shut)] + list(bounds.unwanted)
    folders = [path for path in steering if path.is_dir()]
    files = [path for path in steering if path not in folders]
    files += [path for folder in folders for path in _files(folder)]
    within = dict.fromkeys((*(path for path in bounds.shut if path.is_dir()), *folders))
    modes = tuple((folder, folder.stat().st_mode & 0o7777) for folder in within)
    return Guard(bounds.root, tuple(folders), tuple(_kept(path) for path in dict.fromkeys(files)), modes)


def _steering(shut: Path) -> Iterator[Path]:
    """Of git's folder not all: its objects are many, and run nothing."""
    if (shut / "HEAD").is_file() and (shut / "objects").is_dir():
        yield from (shut / name for name in _STEER)
    else:
        yield shut


def _files(folder: Path) -> list[Path]:
    found = (Path(top) / name for top, _, names in os.walk(folder) for name in names)
    return sorted(found)[:_MOST]


def _kept(path: Path) -> Kept:
    try:
        if path.is_symlink():
            return Kept(path, -1, os.fsencode(path.readlink()))
        return Kept(path, path.stat().st_mode & 0o7777, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Kept(path)
    except IsADirectoryError:
        return Kept(path, -2)


def _is_reset(folder: Path, mode: int) -> bool:
    """Gives a folder its mode back; whether it had another one."""
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_mode & 0o7777 == mode:
        return False
    folder.chmod(mode)
    return True


def _is_replaced(folder: Path) -> bool:
    return folder.is_symlink() or not folder.is_dir()


def _write(kept: Kept) -> None:
    _remove(kept.path)
    if kept.data is None:
        return
    kept.path.parent.mkdir(parents=True, exist_ok=True)
    if kept.mode == -1:
        kept.path.symlink_to(os.fsdecode(kept.data))
    else:
        kept.path.write_bytes(kept.data)
        kept.path.chmod(kept.mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

"""For a sandbox that cannot shut what lies inside the project: remembers the files that steer git and qagent, and puts
them back when a command has changed them.

Comes in: the bounds. Goes out: what was put back, as names for the model. Nothing of a command runs any more when it is
asked, so nothing can change them again. What somebody else changed in the same minutes is put back as well; that is the
price of a kernel without namespaces.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from qagent.sandbox.bounds import Bounds, inside

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
    """Of the folders, and of those that lie above what is kept, the outer ones first."""

    def put_back(self) -> tuple[str, ...]:
        """Raises OSError when it cannot be done."""
        changed = [folder for folder, mode in self.modes if _is_reset(folder, mode)]
        known = {kept.path for kept in self.kept}
        added = [path for folder in self.folders for path in _files(folder) if path not in known]
        changed += added
        for path in added:
            _remove(path)
        for kept in self.kept:
            if _is_changed(kept):
                _write(kept)
                changed.append(kept.path)
        return tuple(dict.fromkeys(os.path.relpath(path, self.root) for path in changed))


def guard(bounds: Bounds) -> Guard:
    """Raises OSError, also when a folder has too many files to keep."""
    steering = [path for shut in bounds.shut for path in _steering(shut)] + list(bounds.unwanted)
    links = [path for path in steering if path.is_symlink()]
    steering += [path for link in links if _lies_in(path := link.resolve(), bounds.writable)]
    folders = [path for path in steering if _is_folder(path)]
    files = [path for path in steering if path not in folders]
    files += [path for folder in folders for path in _few_files(folder)]
    above = {path for kept in (*folders, *files) for path in (kept, *kept.parents) if _lies_in(path, bounds.writable)}
    modes = tuple((path, path.stat().st_mode & 0o7777) for path in sorted(above) if _is_folder(path))
    return Guard(bounds.root, tuple(folders), tuple(_kept(path) for path in dict.fromkeys(files)), modes)


def _lies_in(path: Path, folders: tuple[Path, ...]) -> bool:
    """Not one of the folders itself."""
    return path not in folders and inside(path, folders)


def _steering(shut: Path) -> Iterator[Path]:
    """Of git's folders, submodules' too, not all: their objects are many, and run nothing."""
    if _is_git(shut) or (shut.name == "modules" and _is_git(shut.parent)):
        yield from (folder / name for folder in _git_folders(shut) for name in _STEER)
    else:
        yield shut


def _git_folders(top: Path) -> Iterator[Path]:
    """`top` and below: `modules` holds those of submodules, whose names may have slashes."""
    for name, folders, _ in os.walk(top):
        if _is_git(Path(name)):
            folders[:] = [folder for folder in folders if folder == "modules"]
            yield Path(name)


def _is_git(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _few_files(folder: Path) -> list[Path]:
    """Raises OSError for more than can be kept: what is not kept would count as added by the command."""
    found = list(islice(_files(folder), _MOST + 1))
    if len(found) > _MOST:
        raise OSError(f"{folder} has more than {_MOST} files")
    return found


def _files(folder: Path) -> Iterator[Path]:
    """And links, those to folders too."""
    for top, folders, names in os.walk(folder):
        yield from (Path(top) / name for name in names)
        yield from (path for name in folders if (path := Path(top) / name).is_symlink())


def _is_changed(kept: Kept) -> bool:
    try:
        return _kept(kept.path) != kept
    except PermissionError:
        return True


def _kept(path: Path) -> Kept:
    """Of what is neither a file nor a link, only that it is there: a pipe would keep its reader waiting."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return Kept(path, -1, os.fsencode(path.readlink()))
        return Kept(path, mode & 0o7777, path.read_bytes()) if stat.S_ISREG(mode) else Kept(path, -2)
    except (FileNotFoundError, NotADirectoryError):
        return Kept(path)


def _is_reset(folder: Path, mode: int) -> bool:
    """Gives a folder its mode back; whether it had another one, or something else stood there: through a link, what
    is put back would be written somewhere else."""
    if _is_folder(folder) and folder.stat().st_mode & 0o7777 == mode:
        return False
    if not _is_folder(folder):
        _remove(folder)
        folder.mkdir(parents=True)
    folder.chmod(mode)
    return True


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


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
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

"""Puts files back: changes and the bytes to put in, a work tree that is as each change's `after` says out.

First it is looked at whether every path is as the change found it or as it leaves it; one that is neither was changed
by somebody else, and then nothing is done. Then all new bytes are written beside their places, so that a full disk is
known before anything is gone. Then files are removed, and the new ones take their places, one rename each. So it can be
killed at any moment and be done again: what is already as it should be counts as done.

Folders are made as needed, and removed when a removed file leaves them empty. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from qagent.errors import UndoProblem
from qagent.workspace.names import shown
from qagent.workspace.standing import STRANGE, blob_id, folder_of, kept_at, opened, stat_of
from qagent.workspace.turns import Change, Kept

Read = Callable[[Sequence[Kept]], Iterator[tuple[str, bytes]]]
"""Gives blobs with their bytes, each once, in any order."""
Note = Callable[[tuple[str, ...]], None]
"""Is told which files lie about while it works, so that they can be removed after a crash."""

_MOST_IN_THE_WAY = 10_000


NOTHING: Mapping[str, Kept | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Check:
    """todo: what is not as it should be yet. changed: paths that somebody else has changed since."""

    todo: tuple[Change, ...]
    changed: tuple[str, ...]


def check(root: Path, changes: Iterable[Change], id_size: int, as_if: Mapping[str, Kept | None] = NOTHING) -> Check:
    """Looks, and changes nothing. Raises OSError when the root is gone.

    as_if: files that are taken to stand so, whatever is there.
    """
    todo: list[Change] = []
    changed: list[str] = []
    with opened(root) as here:
        for change in changes:
            now = as_if[change.path] if change.path in as_if else kept_at(here, change.path, id_size)
            if now == change.after:
                continue
            if now == change.before and now is not STRANGE:
                todo.append(change)
            else:
                changed.append(change.path)
        gone = {change.path for change in todo if change.after is None}
        gone |= {path for path, kept in as_if.items() if kept is None}
        changed += [change.path for change in todo if change.after and _is_in_the_way(here, change.path, gone)]
    return Check(tuple(todo), tuple(sorted(set(changed))))


def _is_in_the_way(here: int, path: str, gone: set[str]) -> bool:
    """Whether a folder with files that must stay stands where a file must go."""
    found = stat_of(here, path)
    if found is None or not stat.S_ISDIR(found.st_mode):
        return False
    return any(inner not in gone for inner in _leaves(here, path))


def _leaves(here: int, folder: str) -> Iterator[str]:
    """Everything below that is no folder; also more than anybody wants to look at."""
    todo, seen = [folder], 0
    while todo:
        path = todo.pop()
        with folder_of(here, f"{path}/x") as (inner, _), os.scandir(inner) as entries:
            for entry in entries:
                seen += 1
                below = f"{path}/{entry.name}"
                if entry.is_dir(follow_symlinks=False) and seen < _MOST_IN_THE_WAY:
                    todo.append(below)
                else:
                    yield below


# ------------------------------------------------------------------ doing it


def put_back(root: Path, changes: Sequence[Change], read: Read, *, id_size: int, mark: str, note: Note) -> None:
    """`changes`: those that `check` left to do. `mark`: a name for the files that lie about meanwhile.

    Raises UndoProblem when the disk refuses, or somebody changes a file just now; what is done until then stays done.
    """
    with opened(root) as here:
        _Work(here, id_size, mark).run(changes, read, note)


def clear(root: Path, names: Iterable[str]) -> None:
    """Removes what a killed run left lying about."""
    with opened(root) as here:
        _clear(here, names)


@dataclass(frozen=True, slots=True)
class _Work:
    here: int
    id_size: int
    mark: str

    def run(self, changes: Sequence[Change], read: Read, note: Note) -> None:
        new = [change for change in changes if change.after]
        try:
            self._check_rights(changes)
            beside = {change.path: self._beside(change.path, number) for number, change in enumerate(new)}
            note(tuple(beside.values()))
            try:
                self._write_beside(new, beside, read)
                self._move(changes, beside)
            finally:
                _clear(self.here, beside.values())
            note(())
        except OSError as error:
            why = error.strerror or str(error)
            raise UndoProblem(f"the files cannot be put back: {why}", todo="mend that, and do it again") from error

    def _check_rights(self, changes: Iterable[Change]) -> None:
        for folder in {self._nearest_folder(change.path) for change in changes}:
            with folder_of(self.here, f"{folder}/x" if folder else "x") as (inner, _):
                if not os.access(".", os.W_OK | os.X_OK, dir_fd=inner):
                    raise PermissionError(errno.EACCES, f"no right to write in {shown(folder or 'this folder')}")

    def _nearest_folder(self, path: str) -> str:
        """The nearest folder above the path that is there now; "" for the root."""
        for folder in map(str, PurePosixPath(path).parents):
            found = None if folder == "." else stat_of(self.here, folder)
            if found and stat.S_ISDIR(found.st_mode):
                return folder
        return ""

    def _beside(self, path: str, number: int) -> str:
        """Where a rename will do to bring it to its place."""
        return str(PurePosixPath(self._nearest_folder(path), f".qagent-{self.mark}-{number}.tmp"))

    def _write_beside(self, new: Iterable[Change], beside: Mapping[str, str], read: Read) -> None:
        wanted: dict[str, list[Change]] = {}
        for change in new:
            if change.after:
                wanted.setdefault(change.after.blob, []).append(change)
        for blob, data in read([change.after for changes in wanted.values() if (change := changes[0]).after]):
            for change in wanted[blob]:
                self._write(change, beside[change.path], data)

    def _write(self, change: Change, path: str, data: bytes) -> None:
        kept = change.after
        if kept is None or blob_id(data, self.id_size) != kept.blob:
            raise OSError(errno.EIO, f"the kept bytes of {shown(change.path)} are damaged")
        with folder_of(self.here, path) as (folder, name):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            if kept.link:
                os.symlink(data, os.fsencode(name), dir_fd=folder)
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
                file.write(data)
                file.flush()
                self._dress(file.fileno(), change.path, kept)
                os.fsync(file.fileno())

    def _dress(self, descriptor: int, path: str, kept: Kept) -> None:
        """The mode as it was kept, the owner of what stands there, and a later second: Python takes a .pyc for fresh
        whose source has the same size and the same second."""
        if found := stat_of(self.here, path):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, found.st_uid, found.st_gid)
            now = os.fstat(descriptor)
            if int(now.st_mtime) <= int(found.st_mtime):
                os.utime(descriptor, ns=(now.st_atime_ns, found.st_mtime_ns + 1_000_000_000))
        os.fchmod(descriptor, kept.mode)

    def _move(self, changes: Sequence[Change], beside: Mapping[str, str]) -> None:
        for change in sorted(changes, key=lambda change: change.path, reverse=True):
            if change.after is None:
                self._check_again(change)
                self._remove(change.path)
        for change in changes:
            if change.after:
                self._check_again(change)
                self._move_in(change.path, beside[change.path])
        self._sync(changes)

    def _sync(self, changes: Iterable[Change]) -> None:
        """So that the names survive a power cut, too. Not every file system can; then nothing is lost by it."""
        for folder in {self._nearest_folder(change.path) for change in changes}:
            path = f"{folder}/x" if folder else "x"
            with contextlib.suppress(OSError), folder_of(self.here, path) as (inner, _):
                os.fsync(inner)

    def _check_again(self, change: Change) -> None:
        if kept_at(self.here, change.path, self.id_size) != change.before:
            what = f"{shown(change.path)} was changed just now; what came before it has been put back"
            raise UndoProblem(what, todo="look at that file, and do it again")

    def _remove(self, path: str) -> None:
        with folder_of(self.here, path) as (folder, name):
            os.unlink(name, dir_fd=folder)
        for above in map(str, PurePosixPath(path).parents):
            if above == "." or not self._remove_folder(above):
                return

    def _remove_folder(self, path: str) -> bool:
        with contextlib.suppress(OSError), folder_of(self.here, path) as (folder, name):
            os.rmdir(name, dir_fd=folder)
            return True
        return False

    def _move_in(self, path: str, beside: str) -> None:
        found = stat_of(self.here, path)
        if found and stat.S_ISDIR(found.st_mode):
            self._remove_empty(path)
        with folder_of(self.here, path, make=True) as (folder, name), folder_of(self.here, beside) as (near, other):
            os.rename(other, name, src_dir_fd=near, dst_dir_fd=folder)

    def _remove_empty(self, path: str) -> None:
        """A folder that holds folders alone. Raises OSError when there is anything else."""
        with folder_of(self.here, f"{path}/x") as (inner, _), os.scandir(inner) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            self._remove_empty(f"{path}/{name}")
        with folder_of(self.here, path) as (folder, name):
            os.rmdir(name, dir_fd=folder)


def _clear(here: int, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError), folder_of(here, name) as (folder, last):
            os.unlink(last, dir_fd=folder)

"""One look at a work tree: how each of its files looks on the disk, and which of them look as they did before.

In: a folder, names relative to it, index files. Out: what `lstat` tells. Opens no file of the tree and follows no link.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qagent.workspace.git_index import Entry, Looked, is_same, moment, write

_KINDS = (stat.S_IFREG >> 12, stat.S_IFLNK >> 12)


@dataclass(slots=True)
class Survey:
    """What one look at the work tree found. `known` has the files whose bytes git has already."""

    known: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    unread: dict[bytes, Looked] = field(default_factory=dict[bytes, Looked])
    modes: dict[bytes, int] = field(default_factory=dict[bytes, int])
    left: dict[bytes, str] = field(default_factory=dict[bytes, str])

    def recall(self, entries: Mapping[bytes, Entry], taken: bytes) -> None:
        """What looks as it did when an index was taken has the bytes that it had then."""
        known, recall = self.known, entries.get
        unread: dict[bytes, Looked] = {}
        for name, now in self.unread.items():
            if (entry := recall(name)) and is_same(entry, now, taken):
                known[name] = entry
            else:
                unread[name] = now
        self.unread = unread


def read_index(path: Path) -> tuple[bytes, bytes]:
    """The file, and the moment at which it was written; an empty one when there is none."""
    try:
        with path.open("rb") as file:
            return file.read(), moment(os.fstat(file.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return write({}, 20), moment(0)


def found_at(top: Path, names: Iterable[bytes]) -> Iterator[tuple[bytes, os.stat_result]]:
    """The files and links among the names; what lies behind a link is none of this tree."""
    here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        real = _real_folders(here)
        for name in names:
            if real(name.rpartition(b"/")[0]) and (found := _stat(name, here)) and found.st_mode >> 12 in _KINDS:
                yield name, found
    finally:
        os.close(here)


def _real_folders(here: int) -> Callable[[bytes], bool]:
    known = {b"": True}

    def real(folder: bytes) -> bool:
        if folder not in known:
            found = _stat(folder, here) if real(folder.rpartition(b"/")[0]) else None
            known[folder] = found is not None and stat.S_ISDIR(found.st_mode)
        return known[folder]

    return real


def mode_of(found: os.stat_result) -> int:
    return 0 if stat.S_ISLNK(found.st_mode) else found.st_mode & 0o7777


def _stat(name: bytes, here: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=here, follow_symlinks=False)
    except OSError:
        return None

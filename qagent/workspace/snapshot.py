"""A work tree at one moment, as a value: its files by name, and what is between two such moments. Pure.

`Kept`s are made of what is asked for only: a tree has thousands of files, and a turn changes few.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from qagent.workspace.git_index import LOOKED, Entry, Looked, is_link, plain_entry, size_of
from qagent.workspace.turns import Change, Kept


@dataclass(frozen=True, slots=True)
class Snapshot:
    """tree: the id of git's tree. prefix: where the workspace lies in the repository, "" or "folder/".

    entries: how each file looked, with the id of its bytes; modes: its permission bits; by git's name of it. left_out:
    names, with the reason. untracked: files that were kept though git does not track them. taken: when, in nanoseconds.
    """

    tree: str
    prefix: bytes
    entries: Mapping[bytes, Entry]
    modes: Mapping[bytes, int]
    left_out: Mapping[bytes, str] = field(default_factory=dict[bytes, str])
    untracked: tuple[bytes, ...] = ()
    taken: int = 0

    def path_of(self, name: bytes) -> str:
        """Relative to the workspace's root."""
        return name[len(self.prefix) :].decode("utf-8", "surrogateescape")

    def name_of(self, path: str) -> bytes:
        return self.prefix + os.fsencode(path)

    def of(self, path: str) -> Kept | None:
        return self._kept(self.name_of(path))

    @property
    def paths(self) -> Iterator[str]:
        return map(self.path_of, self.entries)

    @property
    def usual(self) -> int:
        """The mode that most files have."""
        counts: dict[int, int] = {}
        for mode in self.modes.values():
            counts[mode] = counts.get(mode, 0) + 1
        return max(counts, key=lambda mode: counts[mode], default=0o644)

    def odd(self, usual: int) -> dict[str, int]:
        """The files that have another mode; links, which have none, are told by git's tree."""
        modes = self.modes
        return {self.path_of(name): modes[name] for name in self.entries if modes[name] != usual}

    def changes(self, after: Snapshot) -> Iterator[Change]:
        """In the order of the names. What one of the two left out did not change as far as anybody knows."""
        for name in sorted(self._names(after)):
            if name in self.left_out or name in after.left_out:
                continue
            before, now = self._kept(name), after._kept(name)
            if before != now:
                yield Change(self.path_of(name), before, now)

    def _names(self, after: Snapshot) -> Iterable[bytes]:
        """Those that may differ."""
        ours, theirs = self.entries, after.entries
        yield from ours.keys() ^ theirs.keys()
        for name, entry in ours.items():
            other = theirs.get(name, entry)
            if other is not entry and (other != entry or self.modes[name] != after.modes[name]):
                yield name

    def _kept(self, name: bytes) -> Kept | None:
        entry = self.entries.get(name)
        return None if entry is None else Kept(entry[LOOKED:].hex(), self.modes[name], size_of(entry), is_link(entry))


def remembered(tree: str, prefix: bytes, listed: bytes, usual: int, odd: Mapping[str, int]) -> Snapshot:
    """A snapshot that was taken before, of what `git ls-tree -r -l -z` lists; how its files looked is not known."""
    entries: dict[bytes, Entry] = {}
    modes: dict[bytes, int] = {}
    for about, _, name in (line.partition(b"\t") for line in listed.split(b"\0") if line):
        mode, _, blob, size = about.split()
        if name.startswith(prefix):
            looked: Looked = plain_entry(int(mode, 8), int(size))
            entries[name] = looked + bytes.fromhex(blob.decode())
            modes[name] = 0 if is_link(looked) else odd.get(os.fsdecode(name[len(prefix) :]), usual)
    return Snapshot(tree, prefix, entries, modes)

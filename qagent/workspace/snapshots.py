"""A snapshot of the work tree in the person's own repository: every file that git tracks or would offer to track.

The bytes of what is new go into the repository's store of objects, as they stand on the disk; nothing of the person's
is touched: not the index, HEAD, stashes, reflogs, hooks. What is left out by rule is told in words: files over LARGEST,
files that cannot be read, repositories inside the repository. Ignored files are left out unless they are named.

It is quick because nothing is read that looks as it did before: the person's index tells how each file looked when git
read it last, and an index of our own how it looked at the last snapshot. The first counts only where git keeps the
bytes of a file as they are; where attributes or settings convert them, every file is read once.

Everything here blocks. Raises GitRefusedError, and OSError for our own folder.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from qagent.workspace.git_index import (
    LOOKED,
    Entry,
    Index,
    Looked,
    forget_trees,
    is_link,
    looked,
    moment,
    parse,
    size_of,
    write,
)
from qagent.workspace.plumbing import GitRefusedError, Plumbing, Repository, repository_at
from qagent.workspace.snapshot import Snapshot, remembered
from qagent.workspace.standing import opened
from qagent.workspace.survey import Survey, found_at, mode_of, read_index
from qagent.workspace.turns import Kept

LARGEST = 50 << 20
"""Bytes of a changed file that is still kept."""
MOST_BYTES, MOST_FILES = 1 << 30, 50_000
"""What a snapshot may have to read anew; more than that is data which somebody forgot to ignore."""

_LAG = 20_000_000
"""Nanoseconds by which a file's time may lag behind the clock."""
_BATCH = 32 << 20
"""Bytes of files that are read back at once."""
_PLACE = "refs/qagent/turns"

_WHAT = slice(24, None)
"""Of an entry: what makes it another one in git's tree (the mode, the blob), and more."""

Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """`prefix`: where the workspace lies in the repository, "" or "folder/". Use `open`."""

    plumbing: Plumbing
    prefix: bytes

    @classmethod
    def open(cls, root: Path, home: Path) -> Snapshots:
        """`home`: a folder of our own, for this root alone."""
        there = repository_at(root)
        plumbing = Plumbing(there, home / "git")
        plumbing.prepare()
        inner = os.fsencode(root.relative_to(there.top))
        return cls(plumbing, b"" if inner == b"." else inner + b"/")

    @property
    def id_size(self) -> int:
        return self._there.id_size

    @property
    def _there(self) -> Repository:
        return self.plumbing.repository

    def take(self, named: Iterable[str] = ()) -> Snapshot:
        """`named`: files that are kept even when they are ignored, relative to the root."""
        try:
            return self._taken(named, ours=True)
        except GitRefusedError:  # a file went away under git's hands, or objects were thrown away
            return self._taken(named, ours=False)

    def with_file(self, snapshot: Snapshot, path: str) -> Snapshot:
        """The snapshot with this one file as it is now, or without it, whatever was kept. Raises GitRefusedError."""
        name = snapshot.name_of(path)
        survey = Survey()
        self._look(survey, [name])
        self._hash(survey, Index({}), moment(0))
        entries = {known: entry for known, entry in snapshot.entries.items() if known != name} | survey.known
        tree = self._tree(write(entries, self.id_size), None)
        modes, left_out = {**snapshot.modes, **survey.modes}, {**snapshot.left_out, **survey.left}
        return replace(snapshot, tree=tree, entries=entries, modes=modes, left_out=left_out)

    def is_unseen(self, snapshot: Snapshot, path: str) -> bool:
        """Whether a file stands here that the snapshot lacks though it was there: it was ignored, or lies in a
        repository inside this one. What came since is left out by no rule."""
        name = snapshot.name_of(path)
        found = {} if name in snapshot.entries else dict(found_at(self._there.top, [name]))
        if not found or name in snapshot.left_out:
            return False
        older = found[name].st_ctime_ns < snapshot.taken
        return older or any(name.startswith(folder + b"/") for folder in snapshot.left_out) or self._is_ignored(name)

    def _is_ignored(self, name: bytes) -> bool:
        words = ("check-ignore", "--no-index", "--", os.fsdecode(name))
        return bool(self.plumbing.run(*words, index=self._there.index, fine=(0, 1)))

    def is_untouched(self, snapshot: Snapshot, path: str) -> bool:
        """Whether a file still looks as it did then."""
        name = snapshot.name_of(path)
        found = dict(found_at(self._there.top, [name]))
        entry = snapshot.entries.get(name)
        return entry is not None and name in found and looked(found[name]) == entry[:LOOKED]

    def ignored_by(self, snapshot: Snapshot, paths: Sequence[str]) -> frozenset[str]:
        """Those of the paths that the rules of then ignored."""
        names = [name for name in snapshot.entries if name.rpartition(b"/")[2] == b".gitignore"]
        rules = {name: kept for name in names if (kept := snapshot.of(snapshot.path_of(name))) and not kept.link}
        with tempfile.TemporaryDirectory() as folder:
            texts = dict(self.read(tuple(rules.values())))
            for name, kept in rules.items():
                file = Path(folder, os.fsdecode(name))
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(texts[kept.blob])
            then = replace(self.plumbing, repository=replace(self._there, top=Path(folder)))
            feed = b"".join(snapshot.name_of(path) + b"\0" for path in paths)
            words = ("check-ignore", "--no-index", "-z", "--stdin")
            told = then.run(*words, index=Path(folder, "no-index"), feed=feed, fine=(0, 1))
        return frozenset(map(snapshot.path_of, told.split(b"\0")[:-1]))

    def keep(self, turn: str, which: Side, tree: str) -> None:
        """Guards a turn's tree from git's cleaning up."""
        self.plumbing.move_refs([f"update {_PLACE}/{turn}/{which} {tree}\n"])

    def let_go(self, turns: Iterable[str]) -> None:
        if lines := [f"delete {_PLACE}/{turn}/{which}\n" for turn in turns for which in ("before", "after")]:
            self.plumbing.move_refs(lines)

    def kept_before(self, turn: str) -> set[str]:
        """The turns, of any folder in this repository, that are older than the one with this id."""
        return {name for ref in self.plumbing.refs(_PLACE) if (name := ref.split("/")[3]) < turn}

    def recall(self, tree: str, usual: int, odd: Mapping[str, int]) -> Snapshot:
        """A snapshot that was taken before, from what its turn's record holds."""
        return remembered(tree, self.prefix, self.plumbing.run("ls-tree", "-r", "-l", "-z", tree), usual, odd)

    def read(self, wanted: Sequence[Kept]) -> Iterator[tuple[str, bytes]]:
        """Blobs with their bytes. Raises GitRefusedError when one is not there any more."""
        sizes = {kept.blob: kept.size for kept in wanted}
        for batch in _batches(sizes):
            told = self.plumbing.run("cat-file", "--batch", feed="".join(f"{blob}\n" for blob in batch).encode())
            at = 0
            for blob in batch:
                header = told[at : told.index(b"\n", at)]
                if header != f"{blob} blob {sizes[blob]}".encode():
                    raise GitRefusedError("the snapshot is not in the repository any more")
                at += len(header) + 1
                yield blob, told[at : at + sizes[blob]]
                at += sizes[blob] + 1

    # ---------------------------------------------------------------- taking one

    def _taken(self, named: Iterable[str], *, ours: bool) -> Snapshot:
        now = time.time_ns() - _LAG
        data, since = read_index(self._there.index)
        theirs = parse(data, self.id_size) or self._listed_by_git()
        survey = Survey()
        with ThreadPoolExecutor(1) as beside:
            others = beside.submit(self._untracked)
            self._look(survey, theirs.names.union(self.prefix + os.fsencode(path) for path in named))
            new = [name for name in others.result() if name not in survey.modes]
        files = tuple(name for name in new if not name.endswith(b"/"))
        self._look(survey, files)
        modules = (*theirs.modules, *(name[:-1] for name in new if name.endswith(b"/")))
        survey.left |= dict.fromkeys(sorted(modules), "is a repository of its own")
        if not self._converts(survey.modes):
            survey.recall(theirs.entries, since)
        if survey.unread or not theirs.plain or survey.known != theirs.entries:
            data, since = read_index(self.plumbing.own / "index") if ours else (b"", moment(0))
            own = parse(data, self.id_size) or Index({})
            self._hash(survey, own, since)
            data = self._index(survey.known, own, data)
        tree = self._tree(data, now)
        return Snapshot(tree, self.prefix, survey.known, survey.modes, survey.left, files, now)

    def _index(self, known: Mapping[bytes, Entry], own: Index, data: bytes) -> bytes:
        """An index of these files. That of the last snapshot spares git most of its trees."""
        if own.entries == known and data:
            return data
        before = own.entries
        changed = [name for name, entry in known.items() if before.get(name, b"")[_WHAT] != entry[_WHAT]]
        trees = forget_trees(own.trees, (*changed, *(before.keys() - known.keys())), self.id_size)
        return write(known, self.id_size, trees)

    def _look(self, survey: Survey, names: Iterable[bytes]) -> None:
        inside = (name for name in names if name.startswith(self.prefix)) if self.prefix else names
        for name, found in found_at(self._there.top, inside):
            survey.unread[name] = looked(found)
            survey.modes[name] = mode_of(found)

    def _hash(self, survey: Survey, own: Index, since: bytes) -> None:
        survey.recall(own.entries, since)
        for name, now in list(survey.unread.items()):
            if why := self._why_left(name, now):
                survey.left[name] = why
                del survey.unread[name]
        size = sum(map(size_of, survey.unread.values()))
        if size > MOST_BYTES or len(survey.unread) > MOST_FILES:
            many = f"{len(survey.unread):,} files with {size >> 20:,} MB"
            raise GitRefusedError(f"{many} would have to be kept; put what is no source into .gitignore")
        names = list(survey.unread)
        blobs = self._stored(names, survey.unread) if names else []
        survey.known |= {name: survey.unread[name] + blob for name, blob in zip(names, blobs, strict=True)}

    def _why_left(self, name: bytes, now: Looked) -> str:
        path = os.fsencode(self._there.top) + b"/" + name
        if is_link(now):
            return ""
        try:
            size = os.lstat(path).st_size  # the index has only 32 bits of it
        except OSError:
            return ""
        if size > LARGEST:
            return f"has {size >> 20} MB, too many to keep"
        return "" if os.access(path, os.R_OK) else "cannot be read"

    def _stored(self, names: Sequence[bytes], seen: Mapping[bytes, Looked]) -> list[bytes]:
        folder = self.plumbing.own / f"links-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        try:
            feed = b"".join(map(_quoted, self._readable(folder, names, seen)))
            told = self.plumbing.run("hash-object", "-w", "--no-filters", "--stdin-paths", feed=feed).split()
        except OSError as error:
            raise GitRefusedError("a file went away while it was being kept") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return [bytes.fromhex(blob.decode()) for blob in told]

    def _readable(self, folder: Path, names: Sequence[bytes], seen: Mapping[bytes, Looked]) -> Iterator[bytes]:
        """Paths that git can read. It would follow a link, so what a link says is put into a file of ours."""
        with opened(self._there.top) as here:
            for number, name in enumerate(names):
                if is_link(seen[name]):
                    file = folder / str(number)
                    file.write_bytes(os.readlink(name, dir_fd=here))
                    yield os.fsencode(file)
                else:
                    yield os.fsencode(self._there.top) + b"/" + name

    def _tree(self, index: bytes, now: int | None) -> str:
        """Git's tree of an index; `now`: the index is remembered, as of that moment."""
        kept = self.plumbing.own / "index"
        mine = kept.with_name(f"index-{secrets.token_hex(8)}")
        try:
            mine.write_bytes(index)
            tree = self.plumbing.run("write-tree", index=mine).decode().strip()
            if now is not None:
                os.utime(mine, ns=(now, now))
                mine.replace(kept)
        finally:
            mine.unlink(missing_ok=True)
        return tree

    # ---------------------------------------------------------------- what is known already

    def _converts(self, names: Iterable[bytes]) -> bool:
        return self._there.converts or any(name.endswith(b".gitattributes") for name in names)

    def _listed_by_git(self) -> Index:
        """For an index that is not understood here: its names alone, so that every file is read."""
        listed = self.plumbing.run("ls-files", "-s", "-z", index=self._there.index).split(b"\0")
        pairs = [(line[:6], line.partition(b"\t")[2]) for line in listed if line]
        names = frozenset(name for mode, name in pairs if mode.startswith((b"10", b"12")))
        modules = frozenset(name for mode, name in pairs if mode == b"160000")
        return Index({}, names, modules, plain=False)

    def _untracked(self) -> list[bytes]:
        """A folder that is a repository of its own ends with a slash."""
        words = ("ls-files", "-o", "-z", "--exclude-standard")
        inside = ("--", f":(literal){os.fsdecode(self.prefix)}") if self.prefix else ()
        return self.plumbing.run(*words, *inside, index=self._there.index).split(b"\0")[:-1]


def _quoted(path: bytes) -> bytes:
    for raw, told in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\r", b"\\r")):
        path = path.replace(raw, told)
    return b'"' + path + b'"\n'


def _batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    room = _BATCH
    for blob, size in sizes.items():
        if batch and size > room:
            yield batch
            batch, room = [], _BATCH
        batch.append(blob)
        room -= size
    if batch:
        yield batch

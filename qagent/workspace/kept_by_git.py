"""A turn of which git keeps the beginning: what changed in the work tree until its end, whoever did it by command.

What somebody else changed meanwhile is not the turn's: a file that changed while no tool was at work is left out, and
told. Everything here blocks, and may raise GitRefusedError and OSError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from qagent.workspace.git_index import changed_ns
from qagent.workspace.names import shown
from qagent.workspace.secrets import is_secret
from qagent.workspace.snapshot import Snapshot
from qagent.workspace.snapshots import Snapshots
from qagent.workspace.standing import kept_at, opened
from qagent.workspace.turns import Change, Turn

_SLACK = 1_000_000_000
"""Nanoseconds by which the clock of a disk may differ from ours."""

Spans = tuple[tuple[int, int], ...]
"""When tools were at work: beginnings and ends, in nanoseconds."""


@dataclass(slots=True)
class KeptByGit:
    root: Path
    snapshots: Snapshots
    before: Snapshot
    named: set[str] = field(default_factory=set[str])

    @classmethod
    def begin(cls, root: Path, home: Path, turn: Turn) -> KeptByGit:
        snapshots = Snapshots.open(root, home)
        before = snapshots.take()
        snapshots.keep(turn.id, "before", before.tree)
        return cls(root, snapshots, before)

    @classmethod
    def resume(cls, root: Path, home: Path, turn: Turn) -> KeptByGit:
        """A turn whose end was never reached."""
        snapshots = Snapshots.open(root, home)
        return cls(root, snapshots, snapshots.recall(turn.tree, turn.usual, turn.odd), set(turn.named))

    @property
    def notices(self) -> tuple[str, ...]:
        before = self.before
        secret = sorted(path for path in map(before.path_of, before.untracked) if is_secret(path))
        return (
            *(f"not kept for undo: {why}" for why in _left(before)),
            *(f"{shown(path)} is not ignored: undo keeps its text in this repository's own objects" for path in secret),
        )

    def recorded(self, turn: Turn) -> Turn:
        before, usual = self.before, self.before.usual
        named = tuple(sorted(self.named))
        return replace(turn, store="git", tree=before.tree, usual=usual, odd=before.odd(usual), named=named)

    def name(self, turn: Turn, path: str) -> bool:
        """A tool is about to change this file. True when what is kept has grown."""
        if path in self.named:
            return False
        self.named.add(path)
        before = self.before
        if self.snapshots.is_unseen(before, path) or self._was_converted(path):
            self.before = self.snapshots.with_file(before, path)
            self.snapshots.keep(turn.id, "before", self.before.tree)
        return True

    def _was_converted(self, path: str) -> bool:
        """Whether git keeps other bytes of an untouched file than it has: it was converted under rules of the past."""
        kept = self.before.of(path)
        if kept is None or not self.snapshots.is_untouched(self.before, path):
            return False
        with opened(self.root) as here:
            return kept_at(here, path, self.snapshots.id_size) != kept

    def changed(self, path: str) -> None:
        """The end will tell."""

    def end(self, turn: Turn, spans: Spans, old: Iterable[str] = ()) -> Turn:
        """The turn with its changes."""
        after = self.snapshots.take({*self.before.paths, *self.named})
        changes = tuple(self.before.changes(after))
        foreign = [change.path for change in changes if _is_foreign(change, after, spans)]
        others = dict.fromkeys(foreign, "was changed by somebody else meanwhile")
        others |= dict.fromkeys(self._unignored(changes), "was ignored before")
        own = [change for change in changes if change.path not in others]
        if own:
            self.snapshots.keep(turn.id, "after", after.tree)
        self.snapshots.let_go(old if own else (*old, turn.id))
        known = _left(self.before)
        left = (*(why for why in _left(after) if why not in known), *_told(others))
        return self.recorded(turn).ended(own, left)

    def _unignored(self, changes: Iterable[Change]) -> frozenset[str]:
        """New files that are new only because a rule that ignored them has gone."""
        if not any(change.path.rpartition("/")[2] == ".gitignore" for change in changes):
            return frozenset()
        new = [change.path for change in changes if not change.before and change.path not in self.named]
        return self.snapshots.ignored_by(self.before, new) if new else frozenset()


def _is_foreign(change: Change, after: Snapshot, spans: Spans) -> bool:
    """Whether it changed last while no tool was at work. Of what is gone nobody knows when it went."""
    if change.after is None:
        return False
    moment = changed_ns(after.entries[after.name_of(change.path)])
    return not any(begin - _SLACK <= moment <= end + _SLACK for begin, end in spans)


def _left(snapshot: Snapshot) -> tuple[str, ...]:
    return _told({snapshot.path_of(name): why for name, why in snapshot.skipped.items()})


def _told(reasons: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{shown(path)} {why}" for path, why in reasons.items())

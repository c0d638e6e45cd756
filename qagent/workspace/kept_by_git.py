"""A turn of which git keeps the beginning: what changed in the work tree until its end, whoever did it by command.

What somebody else changed meanwhile is not the turn's. A file is left out, and told, that changed last while no tool
was at work on it, and one that somebody else changed between two edits of the turn's. While a command runs nobody
knows who changes what: all of that is taken for the command's.

Everything here blocks, and may raise GitRefusedError and OSError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qagent.workspace.git_index import changed_ns
from qagent.workspace.names import shown
from qagent.workspace.plumbing import GitRefusedError
from qagent.workspace.secrets import is_secret
from qagent.workspace.snapshot import Snapshot
from qagent.workspace.snapshots import Snapshots
from qagent.workspace.spans import FOREIGN, Span, may_be_of, was_in_command
from qagent.workspace.standing import kept_at, opened
from qagent.workspace.turns import Change, Kept, Turn

MOVED = "what commands did with git itself: HEAD or the stashes are not where they were"


@dataclass(slots=True)
class KeptByGit:
    """left: files as the last edit of each left them; heads: where HEAD and the stashes stood before a command."""

    root: Path
    snapshots: Snapshots
    before: Snapshot
    named: set[str] = field(default_factory=set[str])
    left: dict[str, Kept | None] = field(default_factory=dict[str, Kept | None])
    mixed: set[str] = field(default_factory=set[str])
    heads: bytes | None = None

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

    def name(self, turn: Turn, path: str, spans: Sequence[Span] = ()) -> bool:
        """A tool is about to change this file. True when what is kept has grown."""
        if path in self.named:
            if self._is_anothers(path, spans):
                self.mixed.add(path)
            return False
        self.named.add(path)
        before = self.before
        if (
            self.snapshots.is_unseen(before, path) or self._was_converted(path) or self._is_anothers(path, spans)
        ):  # then this is what the edit takes away
            self.before = self.snapshots.with_file(before, path)
            self.snapshots.keep(turn.id, "before", self.before.tree)
        return True

    def _is_anothers(self, path: str, spans: Sequence[Span]) -> bool:
        """Whether somebody else has changed it since the turn began, or since the turn's own last edit of it."""
        known = self.left[path] if path in self.left else self.before.of(path)
        with opened(self.root) as here:
            return kept_at(here, path, self.snapshots.id_size) != known and not was_in_command(here, path, spans)

    def _was_converted(self, path: str) -> bool:
        """Whether git keeps other bytes of an untouched file than it has: it was converted under rules of the past."""
        kept = self.before.of(path)
        if kept is None or not self.snapshots.is_untouched(self.before, path):
            return False
        with opened(self.root) as here:
            return kept_at(here, path, self.snapshots.id_size) != kept

    def before_command(self) -> None:
        """A command is about to run: it may commit, stash, or go to another branch, which no edit does."""
        if self.heads is None:
            self.heads = self._heads()

    def _heads(self) -> bytes:
        try:
            return self.snapshots.plumbing.heads()
        except GitRefusedError:  # a HEAD that leads nowhere; the files can be kept all the same
            return b""

    def changed(self, path: str) -> None:
        """A tool has changed this file, if it could."""
        with opened(self.root) as here:
            self.left[path] = kept_at(here, path, self.snapshots.id_size)

    def end(self, turn: Turn, spans: Sequence[Span], old: Iterable[str] = ()) -> Turn:
        """The turn with its changes."""
        after = self.snapshots.take({*self.before.paths, *self.named})
        changes = tuple(self.before.changes(after))
        foreign = [change.path for change in changes if self._is_foreign(change, after, spans)]
        others = dict.fromkeys(foreign, FOREIGN)
        others |= dict.fromkeys(self._unignored(changes), "was ignored before")
        own = [change for change in changes if change.path not in others]
        if own:
            self.snapshots.keep(turn.id, "after", after.tree)
        self.snapshots.let_go(old if own else (*old, turn.id))
        known = _left(self.before)
        moved = () if self.heads in (None, self._heads()) else (MOVED,)
        left = (*(why for why in _left(after) if why not in known), *_told(others), *moved)
        return self.recorded(turn).ended(own, left)

    def _is_foreign(self, change: Change, after: Snapshot, spans: Sequence[Span]) -> bool:
        path = change.path
        moment = changed_ns(after.entries[after.name_of(path)]) if change.after else None
        if path in self.left and change.after != self.left[path]:  # changed since the last edit of it
            spans = [span for span in spans if span.path is None]
        return path in self.mixed or not may_be_of(spans, path, moment)

    def _unignored(self, changes: Iterable[Change]) -> frozenset[str]:
        """New files that are new only because a rule that ignored them has gone."""
        if not any(change.path.rpartition("/")[2] == ".gitignore" for change in changes):
            return frozenset()
        new = [change.path for change in changes if not change.before and change.path not in self.named]
        return self.snapshots.ignored_by(self.before, new) if new else frozenset()


def _left(snapshot: Snapshot) -> tuple[str, ...]:
    return _told({snapshot.path_of(name): why for name, why in snapshot.left_out.items()})


def _told(reasons: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{shown(path)} {why}" for path, why in reasons.items())

"""A turn in a folder where git keeps nothing: the files that its edits name, before each is first changed and after.

What a command changes is not seen here. Everything here blocks, and may raise OSError.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qagent.workspace.copies import ID_SIZE, Copies
from qagent.workspace.names import shown
from qagent.workspace.spans import FOREIGN, Span, was_in_command
from qagent.workspace.standing import kept_at, opened
from qagent.workspace.turns import Change, Kept, Turn

BY_COMMANDS = "what commands changed, which was not kept"


@dataclass(slots=True)
class KeptByCopies:
    copies: Copies
    before: dict[str, Kept | None] = field(default_factory=dict[str, Kept | None])
    after: dict[str, Kept | None] = field(default_factory=dict[str, Kept | None])
    left: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def begin(cls, root: Path, home: Path) -> KeptByCopies:
        """Nothing is kept before a file is named."""
        return cls(Copies(home / "copies", root))

    @classmethod
    def resume(cls, root: Path, home: Path, turn: Turn) -> KeptByCopies:
        begun = cls.begin(root, home)
        begun.before = {change.path: change.before for change in turn.changes}
        for path in begun.before:
            begun.changed(path)
        return begun

    def recorded(self, turn: Turn) -> Turn:
        changes = tuple(Change(path, kept, None) for path, kept in self.before.items())
        return replace(turn, store="copies", changes=changes, named=tuple(self.before))

    def name(self, turn: Turn, path: str, spans: Sequence[Span] = ()) -> bool:
        """A tool is about to change this file. True when what is kept has grown."""
        del turn
        if path in self.before or path in self.left:
            self._check_since(path, spans)
            return False
        try:
            self.before[path] = self.copies.keep(path)
        except OSError as error:
            self.left[path] = f"{shown(path)} cannot be kept: {error.strerror or error}"
            return False
        return True

    def _check_since(self, path: str, spans: Sequence[Span]) -> None:
        """Leaves the file out when somebody else has changed it since the turn's own last edit of it."""
        if path not in self.after:
            return
        with opened(self.copies.root) as here:
            if kept_at(here, path, ID_SIZE) != self.after[path] and not was_in_command(here, path, spans):
                self.left[path] = f"{shown(path)} {FOREIGN}"

    def before_command(self) -> None:
        """A command is about to run."""

    def changed(self, path: str) -> None:
        """A tool has changed this file: what somebody else makes of it from now on is not the turn's."""
        if path in self.before:
            try:
                self.after[path] = self.copies.keep(path)
            except OSError as error:
                self.left[path] = f"{shown(path)} cannot be kept: {error.strerror or error}"

    def end(self, turn: Turn, spans: Sequence[Span] = (), old: Iterable[str] = ()) -> Turn:
        """The turn with its changes."""
        del old
        ran = [BY_COMMANDS] if any(span.path is None for span in spans) else []
        kept = {path: self.before[path] for path in self.after if path not in self.left}
        changes = (
            Change(path, kept[path], self.after[path]) for path in sorted(kept) if kept[path] != self.after[path]
        )
        return self.recorded(turn).ended(changes, (*self.left.values(), *ran))

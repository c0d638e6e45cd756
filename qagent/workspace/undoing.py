"""Taking back what turns have changed, and doing it again: the newest turn first, each as a whole.

Nothing that the person did is lost: when a file is neither as the turn left it nor as it was before, nothing is done
and the files are named. Everything here blocks. Raises UndoProblem.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from qagent.errors import UndoProblem
from qagent.workspace import restoring
from qagent.workspace.copies import Copies
from qagent.workspace.journal import BusyError, Journal
from qagent.workspace.kept_by_copies import KeptByCopies
from qagent.workspace.kept_by_git import KeptByGit
from qagent.workspace.names import shown
from qagent.workspace.plumbing import GitRefusedError
from qagent.workspace.snapshots import Snapshots
from qagent.workspace.spans import ALL_THE_TIME
from qagent.workspace.turn_news import Beliefs
from qagent.workspace.turns import Change, Kept, Turn

MOST_NAMED = 20
"""Files that a refusal names."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is about to be done: a turn, and the changes that do it, each from what is there to what will be.

    kept_back: files that stay as they are, because somebody has changed them since.
    """

    turn: Turn
    changes: tuple[Change, ...]
    kept_back: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What the person should know beside the changes."""
        notes = [f"{shown(path)} stays as it is: it was changed since" for path in self.kept_back]
        return notes if self.changes or notes else ["nothing has to be changed: the files are so already"]


@dataclass(frozen=True, slots=True)
class Ways:
    """cut_off: also a turn whose end nobody saw, so that all that changed since it began counts as its own.
    skip_changed: leaves the files as they are that were changed since. only_look: does nothing.
    """

    cut_off: bool = False
    skip_changed: bool = False
    only_look: bool = False


PLAINLY = Ways()

Tell = Callable[[Step], None]
"""Is shown each step before it is done."""


def _silent(_: Step) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Past:
    """The turns of the folder `root`; `state`: the folder for what qagent keeps for itself; `talk`: the id of the
    session in whose conversation this happens: its model will be told, also of turns that are not its own."""

    root: Path
    state: Path
    talk: str = ""

    @property
    def _journal(self) -> Journal:
        return Journal.of(self.state, self.root)

    def turns(self) -> list[Turn]:
        """The oldest first."""
        try:
            return self._journal.turns()
        except OSError as error:
            raise _unreadable(error) from error

    def undo(self, ways: Ways = PLAINLY, tell: Tell = _silent) -> Step:
        """Takes back the newest turn that was not taken back yet."""
        with self._alone() as journal:
            turn = next((turn for turn in reversed(journal.turns()) if turn.state != "undone"), None)
            if turn is None:
                raise UndoProblem("there is nothing to undo here", todo=self._where_else())
            if turn.state == "open":
                turn = self._closed(journal, turn, ways)
            turned = tuple(change.turned for change in turn.changes)
            return self._done(journal, replace(turn, changes=turned), "undone", ways, tell)

    def redo(self, ways: Ways = PLAINLY, tell: Tell = _silent) -> Step:
        """Does again the oldest turn of those that were taken back last."""
        with self._alone() as journal:
            turns = journal.turns()
            done = [at for at, turn in enumerate(turns) if turn.state in ("done", "open")]
            again = turns[done[-1] + 1 if done else 0 :]
            if not again:
                raise UndoProblem("there is nothing to redo here", todo="`qagent undo --list` shows the turns")
            return self._done(journal, again[0], "done", ways, tell)

    def contents(self, turn: Turn, changes: Sequence[Change]) -> list[tuple[Change, bytes | None, bytes | None]]:
        """Changes of this turn, with the bytes before and after."""
        sides = [side for change in changes for side in (change.before, change.after) if side]
        with self._readable():
            data = dict(self._read(turn)(sides)) if sides else {}
        return [(change, _of(change.before, data), _of(change.after, data)) for change in changes]

    # ---------------------------------------------------------------- one step

    def _done(self, journal: Journal, turn: Turn, state: Literal["done", "undone"], ways: Ways, tell: Tell) -> Step:
        """`turn.changes` lead from what is there to what shall be."""
        restoring.clear(self.root, turn.strewn)
        found = restoring.check(self.root, turn.changes, turn.id_size)
        if found.changed and not ways.skip_changed:
            raise _refused(state, found.changed)
        step = Step(turn, tuple(change for change in found.todo if change.path not in found.changed), found.changed)
        tell(step)
        if not ways.only_look:
            self._carry_out(journal, step, state)
        return step

    def _carry_out(self, journal: Journal, step: Step, state: Literal["done", "undone"]) -> None:
        record = replace(_as_recorded(step, state), state="halfway")

        def note(strewn: tuple[str, ...]) -> None:
            journal.save(replace(record, strewn=strewn))

        with self._readable():
            if self.talk:
                Beliefs(journal.home, self.talk).met(record.id, "undone" if state == "done" else "done")
            read, mark = self._read(record), f"{state}-{record.id}"
            restoring.put_back(self.root, step.changes, read, id_size=record.id_size, mark=mark, note=note)
            journal.save(replace(record, state=state))

    def _closed(self, journal: Journal, turn: Turn, ways: Ways) -> Turn:
        """A turn that was killed: its end is now."""
        if not ways.cut_off:
            raise UndoProblem(
                f"the last turn ({_title(turn)}) was cut off, so what it changed and what you changed since look alike",
                todo="`qagent undo --cut-off` takes back all that has changed since it began; `redo` brings it back",
            )
        with self._readable():
            kept = KeptByGit if turn.store == "git" else KeptByCopies
            ended = kept.resume(self.root, journal.home, turn).end(turn, (ALL_THE_TIME,))
            journal.save(ended)
        return ended

    def _read(self, turn: Turn) -> restoring.Read:
        home = self._journal.home
        if turn.store == "copies":
            return Copies(home / "copies", self.root).read
        return Snapshots.open(self.root, home).read

    @contextlib.contextmanager
    def _alone(self) -> Generator[Journal, None, None]:
        journal = self._journal
        try:
            with journal.alone():
                yield journal
        except BusyError as error:
            raise UndoProblem("a task is at work in this folder", todo="wait for its end, or end it") from error
        except OSError as error:
            raise _unreadable(error) from error

    @contextlib.contextmanager
    def _readable(self) -> Generator[None, None, None]:
        try:
            yield
        except GitRefusedError as refusal:
            raise UndoProblem(f"what was kept of the turn cannot be read: {refusal.why}", todo=_LOST) from refusal
        except OSError as error:
            raise _unreadable(error) from error

    def _where_else(self) -> str:
        for above in self.root.parents:
            if Journal.of(self.state, above).turns():
                return f"there are turns of the folder above: -C {shown(str(above))}"
        return "what a turn changed is kept for a fortnight, by the folder that qagent worked in (-C)"


_LOST = "`qagent sessions show` tells what was done; it has to be taken back by hand"


def _as_recorded(step: Step, state: Literal["done", "undone"]) -> Turn:
    """With the changes in the direction of the turn again; those that were left alone are no part of it any more."""
    changes = [change for change in step.turn.changes if change.path not in step.kept_back]
    return replace(
        step.turn, changes=tuple(change.turned if state == "undone" else change for change in changes), strewn=()
    )


def _of(side: Kept | None, data: dict[str, bytes]) -> bytes | None:
    return None if side is None else data[side.blob]


def _title(turn: Turn) -> str:
    return shown(turn.task.partition("\n")[0][:60])


def _refused(state: str, changed: Sequence[str]) -> UndoProblem:
    names = ", ".join(map(shown, changed[:MOST_NAMED]))
    more = f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
    have = "has" if len(changed) == 1 else "have"
    if state == "undone":
        what, verb = f"nothing was taken back: {names}{more} {have} been changed since the turn ended", "undo"
    else:
        what, verb = f"nothing was done again: {names}{more} {have} been changed since the undo", "redo"
    rest = f"`qagent {verb} --skip-changed` leaves such files as they are and does the rest"
    return UndoProblem(what, todo=f"`qagent sessions diff` shows what the turn did; {rest}")


def _unreadable(error: OSError) -> UndoProblem:
    return UndoProblem(f"the undo records cannot be used: {error.strerror or error}", todo="check the folder's rights")

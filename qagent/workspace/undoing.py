"""Taking back what turns have changed, and doing it again: the newest turn first, each as a whole.

A turn is what was done for one task of the person's; what people read here says "task".

Nothing that the person did is lost: when a file is neither as the turn left it nor as it was before, nothing is done
and the files are named. Everything here blocks. Raises UndoProblem.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from qagent.errors import UndoProblem
from qagent.workspace import restoring
from qagent.workspace.copies import Copies
from qagent.workspace.journal import MOST_TURNS, BusyError, Journal
from qagent.workspace.kept_by_copies import KeptByCopies
from qagent.workspace.kept_by_git import KeptByGit
from qagent.workspace.names import shown
from qagent.workspace.plumbing import GitRefusedError
from qagent.workspace.snapshots import Snapshots
from qagent.workspace.spans import ALL_THE_TIME
from qagent.workspace.turn_news import Beliefs
from qagent.workspace.turns import Change, Kept, Settled, Turn

MOST_NAMED = 20
"""Files that a refusal names."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is about to be done: a turn, and the changes that do it, each from what is there to what will be.

    state: what the turn is afterwards. skipped: files that stay as they are, because somebody has changed them since.
    """

    turn: Turn
    changes: tuple[Change, ...]
    state: Settled
    skipped: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What the person should know beside the changes."""
        notes = [f"{shown(path)} stays as it is: it was changed since" for path in self.skipped]
        if self.state == "undone":
            notes += [f"not taken back: {why}" for why in self.turn.left]
        return (
            notes if self.changes or self.skipped else ["nothing has to be changed: the files are so already", *notes]
        )


@dataclass(frozen=True, slots=True)
class Ways:
    """cut_off: also a turn whose end nobody saw, so that all that changed since it began counts as its own.
    skip_changed: leaves the files as they are that were changed since. only_look: does nothing; as_if: steps that were
    looked at before, and are taken for done.
    """

    cut_off: bool = False
    skip_changed: bool = False
    only_look: bool = False
    as_if: tuple[Step, ...] = ()

    @property
    def files(self) -> dict[str, Kept | None]:
        return {change.path: change.after for step in self.as_if for change in step.changes}


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
            turns = _as_if(journal.turns(), ways)
            turn = next((turn for turn in reversed(turns) if turn.state != "undone" or self._has_rest(turn)), None)
            if turn is None:
                raise self._nothing_to_undo(turns)
            if turn.state == "open":
                turn = self._closed(journal, turn, ways)
            return self._done(journal, turn, "undone", ways, tell)

    def redo(self, ways: Ways = PLAINLY, tell: Tell = _silent) -> Step:
        """Does again the oldest turn of those that were taken back last."""
        with self._alone() as journal:
            turns = _as_if(journal.turns(), ways)
            done = [at for at, turn in enumerate(turns) if turn.state in ("done", "open")]
            again = turns[done[-1] + 1 if done else 0 :]
            if done and self._has_rest(turns[done[-1]]):
                again = turns[done[-1] :]
            if not again:
                raise UndoProblem("there is nothing left to redo here", todo="`qagent undo --list` shows the tasks")
            return self._done(journal, again[0], "done", ways, tell)

    def is_busy(self) -> bool:
        """Whether a turn, or an undo, is at work here just now."""
        try:
            with self._journal.alone(patience=1):
                return False
        except BusyError:
            return True
        except OSError as error:
            raise _unreadable(error) from error

    def changed_since(self, session: str, since: datetime, undo: str) -> str:
        """`2 files were changed; …` by the turns of a session that began since then, "" when none was; `undo`: what
        takes them back. Raises nothing: it is told beside something worse."""
        begun = since.astimezone(UTC).isoformat()
        turns = list[Turn]()
        with contextlib.suppress(UndoProblem):
            turns = [turn for turn in self.turns() if turn.session == session and turn.begun >= begun]
        count = len({change.path for turn in turns for change in turn.changes})
        if not count:
            return ""
        return (
            f"1 file was changed; `{undo}` takes it back"
            if count == 1
            else f"{count} files were changed; `{undo}` takes them back"
        )

    def contents(self, turn: Turn, changes: Sequence[Change]) -> list[tuple[Change, bytes | None, bytes | None]]:
        """Changes of this turn, with the bytes before and after."""
        sides = [side for change in changes for side in (change.before, change.after) if side]
        with self._readable():
            data = dict(self._read(turn)(sides)) if sides else {}
        return [(change, _of(change.before, data), _of(change.after, data)) for change in changes]

    # ---------------------------------------------------------------- one step

    def _has_rest(self, turn: Turn) -> bool:
        """Whether a file that was left as it was can be brought to where the turn's others are now."""
        rest = [change for change in _towards(turn, _last_meant(turn)) if change.path in turn.skipped]
        return bool(rest and restoring.check(self.root, rest, turn.id_size).todo)

    def _done(self, journal: Journal, turn: Turn, state: Settled, ways: Ways, tell: Tell) -> Step:
        restoring.clear(self.root, turn.strewn)
        changes = _towards(turn, state)
        if turn.state == state:  # all but what was left then is so already, or was the person's to change
            changes = [change for change in changes if change.path in turn.skipped]
        found = restoring.check(self.root, changes, turn.id_size, ways.files)
        news = [path for path in found.changed if path not in turn.skipped]
        todo = tuple(change for change in found.todo if change.path not in found.changed)
        if (news and not ways.skip_changed) or len(found.changed) == len(changes) > 0:
            raise _refused(state, found.changed, ways, self._say("undo" if state == "undone" else "redo"))
        step = Step(turn, todo, state, found.changed)
        tell(step)
        if not ways.only_look:
            self._carry_out(journal, step)
        return step

    def _carry_out(self, journal: Journal, step: Step) -> None:
        state = step.state
        record = replace(step.turn, state="halfway", skipped=step.skipped, strewn=())

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
                f"the last task ({turn.title}) was cut off, so what it changed and what you changed since look alike",
                todo=f"`{self._say('undo')} --cut-off` takes back all that has changed since it began; "
                f"`{self._say('redo')}` brings it back",
            )
        with self._readable():
            kept = KeptByGit if turn.store == "git" else KeptByCopies
            ended = kept.resume(self.root, journal.home, turn).end(turn, (ALL_THE_TIME,))
            if not ways.only_look:
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
            raise UndoProblem(f"what was kept of the task cannot be read: {refusal.why}", todo=_LOST) from refusal
        except OSError as error:
            raise _unreadable(error) from error

    def _say(self, verb: str) -> str:
        """What the person types: in the conversation, or in a shell."""
        return f"/{verb}" if self.talk else f"qagent {verb}"

    def _nothing_to_undo(self, turns: Sequence[Turn]) -> UndoProblem:
        if turns:
            what = "there is nothing left to undo: all tasks are taken back already"
            return UndoProblem(what, todo=f"`{self._say('redo')}` does them again, one by one")
        above = next((above for above in self.root.parents if Journal.of(self.state, above).turns()), None)
        todo = f"the last {MOST_TURNS} tasks are kept, of two weeks at most, by the folder that qagent worked in (-C)"
        if above:
            todo = f"the tasks of the folder above: `qagent undo -C {shown(shlex.quote(str(above)))}`"
        return UndoProblem("there is nothing to undo here", todo=todo)


_LOST = "`qagent sessions show` tells what was done; it has to be taken back by hand"


def _towards(turn: Turn, state: Settled) -> list[Change]:
    return [change.turned if state == "undone" else change for change in turn.changes]


def _last_meant(turn: Turn) -> Settled:
    """Of a turn that is not halfway: how its last undo or redo left it; without one it is done."""
    return "undone" if turn.state == "undone" else "done"


def _as_if(turns: Iterable[Turn], ways: Ways) -> list[Turn]:
    states = {step.turn.id: step.state for step in ways.as_if}
    return [replace(turn, state=states[turn.id], skipped=()) if turn.id in states else turn for turn in turns]


def _of(side: Kept | None, data: dict[str, bytes]) -> bytes | None:
    return None if side is None else data[side.blob]


def _refused(state: Settled, changed: Sequence[str], ways: Ways, command: str) -> UndoProblem:
    names = ", ".join(map(shown, changed[:MOST_NAMED]))
    more = f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
    have = "has" if len(changed) == 1 else "have"
    if state == "undone":
        what = f"the task was not taken back: {names}{more} {have} been changed since the task ended"
    else:
        what = f"the task was not done again: {names}{more} {have} been changed since the undo"
    rest = f"`{command} --skip-changed` leaves such files as they are and does the rest"
    if ways.skip_changed:
        rest = "there is no other file in it; mend such files by hand"
    return UndoProblem(what, todo=f"`qagent sessions diff` shows what the task did; {rest}")


def _unreadable(error: OSError) -> UndoProblem:
    return UndoProblem(f"the undo records cannot be used: {error.strerror or error}", todo="check the folder's rights")

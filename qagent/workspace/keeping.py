"""What an agent does so that its turns can be taken back: it says when it begins to change files, and when it is done.

`Keep` is all that the agent knows. `TurnKeep` keeps the work tree as it was before the first change of a turn: by git
where it can, and otherwise by copies of the files that edits name; then the person is told once what that leaves out.
Nothing here ever stops a run: what cannot be kept is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeAlias

from qagent.workspace.copies import Copies
from qagent.workspace.journal import MOST_DAYS, BusyError, Journal, new_id
from qagent.workspace.kept_by_copies import KeptByCopies
from qagent.workspace.kept_by_git import KeptByGit
from qagent.workspace.names import shown
from qagent.workspace.plumbing import GitRefusedError, NoRepositoryError
from qagent.workspace.snapshots import Snapshots
from qagent.workspace.spans import Span
from qagent.workspace.turn_news import Beliefs, News
from qagent.workspace.turns import Turn, is_inside

Notices: TypeAlias = tuple[str, ...]
TellNews: TypeAlias = Callable[[News], None]

_TITLE = 200
"""Characters of a task that are kept."""
_CUT_OFF = "`qagent undo --cut-off` takes back all that changed since it began"


class Keep(Protocol):
    """What is returned is for the person to know. Nothing is raised."""

    def begin(self, task: str, tell: TellNews | None = None) -> None:
        """A turn begins; nothing has changed yet. `tell` is given what became of earlier turns, if the model has not
        heard it; what it raises is passed on."""
        ...

    async def before_change(self, path: str | None = None) -> Notices:
        """A tool is about to change files: this one (relative to the workspace), or nobody knows which."""
        ...

    async def after_change(self, path: str | None = None) -> None:
        """The tool is done."""
        ...

    async def after_turn(self) -> Notices:
        """The turn has ended, whatever way."""
        ...


@dataclass(frozen=True, slots=True)
class KeepNothing:
    """For a folder that is thrown away anyway."""

    def begin(self, task: str, tell: TellNews | None = None) -> None:
        pass

    async def before_change(self, path: str | None = None) -> Notices:
        return ()

    async def after_change(self, path: str | None = None) -> None:
        pass

    async def after_turn(self) -> Notices:
        return ()


class _Way(Protocol):
    """How one turn is kept: by git, or by copies."""

    def recorded(self, turn: Turn) -> Turn:
        """The open turn, with what would be needed if its end is never reached."""
        ...

    def name(self, turn: Turn, path: str, spans: Sequence[Span]) -> bool:
        """A tool is about to change this file. True when what is kept has grown."""
        ...

    def before_command(self) -> None: ...

    def changed(self, path: str) -> None:
        """A tool has changed this file."""
        ...

    def end(self, turn: Turn, spans: Sequence[Span], old: Iterable[str]) -> Turn:
        """The turn with its changes; old: turns that are forgotten."""
        ...


@dataclass(slots=True)
class _Open:
    """The turn that runs. held: the descriptor of the journal's lock. begun: when the tool that is at work began;
    path: the file that it named."""

    turn: Turn
    kept: _Way
    held: int
    spans: list[Span] = field(default_factory=list[Span])
    begun: int = 0
    path: str | None = None


class TurnKeep:
    """`root`: the workspace's; `state`: the folder for what qagent keeps for itself; `session`: the session's id."""

    def __init__(self, root: Path, state: Path, session: str) -> None:
        self._root, self._session = root, session
        self._journal = Journal.of(state, root)
        self._task = ""
        self._open: _Open | None = None
        self._given_up = False
        self._one_at_a_time = threading.Lock()  # a cancelled call leaves its thread at work

    def begin(self, task: str, tell: TellNews | None = None) -> None:
        self._task = task
        self._given_up = False
        if tell:
            self._pass_on(tell)

    def _pass_on(self, tell: TellNews) -> None:
        """Noted as heard when it has been told, so that it is rather told twice than never."""
        beliefs = Beliefs(self._journal.home, self._session)
        turns, news = list[Turn](), News()
        with contextlib.suppress(OSError):
            turns = self._journal.turns()
            news = beliefs.news(turns)
        if news:
            tell(news)
            with contextlib.suppress(OSError):
                beliefs.heard(turns)

    async def before_change(self, path: str | None = None) -> Notices:
        return await asyncio.to_thread(self._before, path)

    async def after_change(self, path: str | None = None) -> None:
        await asyncio.to_thread(self._after, path)

    async def after_turn(self) -> Notices:
        if self._open is None and not self._one_at_a_time.locked():
            return ()
        return await asyncio.to_thread(self._end)

    # ---------------------------------------------------------------- the first change

    def _before(self, path: str | None) -> Notices:
        with self._one_at_a_time:
            try:
                notices = self._begun() if self._open is None and not self._given_up else ()
                if self._open:
                    self._open.begun, self._open.path = time.time_ns(), path
                    if path is None:
                        self._open.kept.before_command()
                    elif is_inside(path):
                        self._name(self._open, path)
            except (OSError, BusyError, GitRefusedError) as error:
                self._given_up = True
                return self._new(f"this task cannot be undone: {_why(error)}")
            return self._new(*notices)

    def _name(self, now: _Open, path: str) -> None:
        if now.kept.name(now.turn, path, now.spans):
            self._save(now)

    def _begun(self) -> Notices:
        now = datetime.now(UTC)
        held = self._journal.together()
        try:
            turn = Turn(new_id(now), str(self._root), self._task[:_TITLE], self._session, now.isoformat(), "git")
            kept, notices = self._kept(turn)
            self._open = _Open(turn, kept, held)
            self._save(self._open)
        except BaseException:
            self._open = None
            os.close(held)
            raise
        return notices

    def _kept(self, turn: Turn) -> tuple[_Way, Notices]:
        home = self._journal.home
        try:
            kept = KeptByGit.begin(self._root, home, turn)
        except NoRepositoryError:  # which the person has been told at the start
            return KeptByCopies.begin(self._root, home), ()
        except GitRefusedError as refusal:
            told = f"`qagent undo` takes back here what edits change, not what commands change: {refusal.why}"
            return KeptByCopies.begin(self._root, home), (told,)
        return kept, kept.notices

    def _save(self, now: _Open) -> None:
        now.turn = now.kept.recorded(now.turn)
        self._journal.save(now.turn)

    # ---------------------------------------------------------------- the end

    def _after(self, path: str | None) -> None:
        with self._one_at_a_time:
            if self._open:
                self._open.spans.append(Span(self._open.begun, time.time_ns(), path))
                if path is not None and is_inside(path):
                    self._open.kept.changed(path)

    def _end(self) -> Notices:
        with self._one_at_a_time:
            ended, self._open = self._open, None
            if ended is None:
                return ()
            if ended.begun > max((span.begin for span in ended.spans), default=0):  # the tool was cancelled
                ended.spans.append(Span(ended.begun, time.time_ns(), ended.path))
            try:
                return self._new(*self._closed(ended))
            except (OSError, GitRefusedError) as error:
                return self._new(f"the end of this task is not kept ({_why(error)}); {_CUT_OFF}")
            finally:
                os.close(ended.held)
                self._sweep()

    def _closed(self, ended: _Open) -> Notices:
        kept, now = ended.kept, datetime.now(UTC)
        by_git = isinstance(kept, KeptByGit)
        old = [turn for turn in self._journal.too_old(now) if by_git or turn.store == "copies"]
        stray = self._stray(kept.snapshots, now) if isinstance(kept, KeptByGit) else set[str]()
        turn = kept.end(ended.turn, tuple(ended.spans), stray.union(turn.id for turn in old if turn.store == "git"))
        if turn.changes:
            self._journal.save(turn)
        self._journal.forget(old if turn.changes else (*old, turn))
        return tuple(f"undo leaves out: {why}" for why in turn.left)

    def _stray(self, snapshots: Snapshots, now: datetime) -> set[str]:
        """Once a day: what the repository keeps for turns whose records are lost, as when its folder was renamed."""
        stamp = self._journal.home / "swept"
        if stamp.exists() and now.timestamp() - stamp.stat().st_mtime < 86_400:
            return set()
        stamp.touch()
        return snapshots.kept_before(new_id(now - timedelta(days=MOST_DAYS)))

    def _sweep(self) -> None:
        """Removes the copies that no turn needs, and what old sessions were told; not beside another turn, which may
        just have made some."""
        with contextlib.suppress(OSError, BusyError), self._journal.alone(patience=1):
            sides = (side for turn in self._journal.turns() for c in turn.changes for side in (c.before, c.after))
            Copies(self._journal.home / "copies", self._root).forget_all_but(side.blob for side in sides if side)
            for told in self._journal.home.glob("told-*"):
                if time.time() - told.stat().st_mtime > MOST_DAYS * 86_400:
                    told.unlink(missing_ok=True)

    # ---------------------------------------------------------------- what was told

    def _new(self, *notices: str) -> Notices:
        """Those that this session has not been told yet."""
        if not notices:
            return ()
        file = self._journal.home / f"told-{hashlib.sha256(self._session.encode()).hexdigest()[:16]}"
        with contextlib.suppress(OSError):
            known = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
            notices = tuple(notice for notice in dict.fromkeys(map(shown, notices)) if notice not in known)
            with file.open("a", encoding="utf-8", errors="backslashreplace") as out:
                out.writelines(f"{notice}\n" for notice in notices)
        return notices


def _why(error: Exception) -> str:
    if isinstance(error, GitRefusedError):
        return error.why
    if isinstance(error, BusyError):
        return "an undo is at work in this folder"
    return (error.strerror if isinstance(error, OSError) else "") or str(error)

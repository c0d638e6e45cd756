"""`qagent undo`, `redo` and `sessions diff`: what tasks changed on the disk, taken back, done again, or shown.

What is done goes to stdout before it is done, a line a file; words about it go to stderr. With `--json`
one object, of one shape whatever came of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from qagent.cli.ends import Ended, put, say_end, say_json
from qagent.cli.start import notice, painter, say
from qagent.config import folders
from qagent.edits.turn_text import diff, stat, stat_lines
from qagent.errors import UsageProblem, UserFacing
from qagent.narration import Line, diff_lines, harmless
from qagent.session import find, peek
from qagent.workspace.journal import MOST_TURNS
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace
from qagent.workspace.turns import State, Turn
from qagent.workspace.undoing import Past, Step, Ways

Verb = Literal["undo", "redo"]

_REVERSE: dict[Verb, Verb] = {"undo": "redo", "redo": "undo"}
_COMES: dict[Verb, str] = {"undo": "back", "redo": "new"}
"""What is said of a file that was not there before it."""
_PAST: dict[Verb, str] = {"undo": "taken back", "redo": "done again"}
_SHOWN = 20


def take(verb: Verb, folder: Path, ways: Ways, *, times: int = 1, as_json: bool = False, quiet: bool = False) -> None:
    """Takes back (or does again) what that many tasks did, one after the other; ends at the first that cannot be.
    Raises Ended, UserFacing."""
    taken = _Taken(verb, as_json=as_json, quiet=quiet)
    try:
        past = _past(folder)
        for _ in range(times):
            ways = replace(ways, as_if=tuple(taken.steps) if ways.only_look else ())
            (past.undo if verb == "undo" else past.redo)(ways, lambda step: taken.tell(past, step))
            taken.done(ways)
    except UserFacing as problem:
        raise taken.ended(problem, times, ways) from problem
    if as_json:
        say_json(taken.record(0, "done", done=not ways.only_look))


class _Taken:
    """What was done so far; says it, each task before it is done."""

    def __init__(self, verb: Verb, *, as_json: bool, quiet: bool) -> None:
        self._verb: Verb = verb
        self._as_json, self._quiet = as_json, quiet
        self.steps: list[Step] = []
        self._rows: list[dict[str, Any]] = []
        self._told: Step | None = None

    def tell(self, past: Past, step: Step) -> None:
        self._told = step
        contents = past.contents(step.turn, step.changes)
        new = _COMES[self._verb]
        files = [{"path": content[0].path, "change": stat(*content, new)} for content in contents]
        about = {"id": step.turn.id, "task": step.turn.task, "files": files}
        self._rows.append({**about, "skipped": list(step.skipped), "notes": step.notes})
        if self._as_json:
            return
        self._say(f"{self._verb}: {harmless(step.turn.title)}")
        for line in stat_lines(contents, new):
            put(line)
        for note in () if self._quiet else step.notes:
            notice(note)

    def done(self, ways: Ways) -> None:
        if self._told:
            self.steps.append(self._told)
        if not self._as_json and not ways.only_look:
            self._say(f"done; `qagent {_REVERSE[self._verb]}` reverses it")

    def _say(self, text: str) -> None:
        if not self._quiet:
            say(text)

    def ended(self, problem: UserFacing, times: int, ways: Ways) -> Ended:
        """Says why it went no further."""
        what, kept, number = problem.what, problem.kept, len(self.steps)
        if number:
            would, one = (
                ("would be ", "") if ways.only_look else ("", f"; `qagent {_REVERSE[self._verb]}` reverses that")
            )
            kept = f"{number} of {times} tasks {would}{_PAST[self._verb]}{one}"
        if self._as_json:
            done = bool(number) and not ways.only_look
            say_json(self.record(problem.exit_code, problem.reason, what, problem.todo, kept, done=done))
        return Ended(say_end(what, code=problem.exit_code, reason=problem.reason, todo=problem.todo, kept=kept))

    def record(
        self, code: int, reason: str, detail: str = "", todo: str = "", kept: str = "", *, done: bool
    ) -> dict[str, Any]:
        """The same keys however it ended."""
        words = {"kind": self._verb, "exit": code, "reason": reason, "detail": detail, "todo": todo, "kept": kept}
        return {**words, "done": done, "tasks": self._rows[: len(self.steps)]}


def count_of(text: str | None) -> int:
    """How many tasks were asked for. Raises UsageProblem."""
    if text is None:
        return 1
    if text.isascii() and text.isdigit() and int(text[:9]) > 0:
        return int(text[:9])
    raise UsageProblem(f"{shown(text)} is no number of tasks", todo="give one from 1 on: `qagent undo 3`")


def _past(folder: Path) -> Past:
    return Past(Workspace.open(folder).root, folders(os.environ).state)


# ------------------------------------------------------------------ looking


def list_turns(folder: Path, *, as_json: bool) -> None:
    """The newest first."""
    past = _past(folder)
    turns = list(reversed(past.turns()))
    words = _words(past, turns)
    if as_json:
        rows = [_row(turn, words[turn.state]) for turn in turns]
        say_json({"kind": "tasks", "exit": 0, "reason": "done", "tasks": rows})
        return
    if not turns:
        say(_NOTHING)
    for turn in turns[:_SHOWN]:
        put(f"{_when(turn)}  {words[turn.state]:9}  {_count(turn):9}  {harmless(turn.title)}")
    if len(turns) > _SHOWN:
        say(f"and {len(turns) - _SHOWN} older ones")


_MOST = f"the last {MOST_TURNS} are, of two weeks at most"
_NOTHING = f"no task that changed files here is kept: {_MOST}"


def _words(past: Past, turns: Sequence[Turn]) -> Mapping[State, str]:
    """What the states are called. A task without an end is one that was killed, or one that is at work."""
    at_work = any(turn.state == "open" for turn in turns) and past.is_busy()
    return {"open": "at work" if at_work else "cut off", "done": "done", "undone": "undone", "halfway": "half done"}


def _count(turn: Turn) -> str:
    count = len(turn.changes)
    return "not counted yet" if turn.state == "open" else f"{count} file{'' if count == 1 else 's'}"


def _row(turn: Turn, state: str) -> dict[str, Any]:
    about = {"id": turn.id, "begun": turn.begun, "state": state, "task": turn.task, "session": turn.session}
    files = None if turn.state == "open" else [change.path for change in turn.changes]
    return {**about, "files": files, "left": list(turn.left), "skipped": list(turn.skipped)}


def _when(turn: Turn) -> str:
    return f"{datetime.fromisoformat(turn.begun).astimezone():%Y-%m-%d %H:%M}"


def show_diff(session: str | None, folder: Path) -> None:
    """What the tasks of a session changed, as a patch; without an id, of the last one that changed files here."""
    if session is None:
        past = _past(folder)
    else:
        path = find(folders(os.environ).sessions, session)
        session, past = path.stem, _past(Path(peek(path).header.cwd))
    turns = past.turns()
    wanted = session if session is not None or not turns else turns[-1].session
    chosen = [turn for turn in turns if turn.session == wanted]
    if not chosen:
        say(_NOTHING if session is None else f"no task of that session that changed files is kept: {_MOST}")
    words = _words(past, chosen)
    for turn in chosen:
        _show(past, turn, words[turn.state])


def _show(past: Past, turn: Turn, state: str) -> None:
    say(f"{_when(turn)}  {harmless(turn.title)} ({state})")
    if turn.state == "open":
        later = "" if state == "at work" else "; `qagent undo --cut-off` takes back all that changed since it began"
        notice(f"what it changed is not counted yet{later}")
        return
    for content in past.contents(turn, turn.changes):
        _put_diff(diff(*content))
    for why in turn.left:
        notice(f"not in it: {why}")


def _put_diff(patch: str) -> None:
    """Byte for byte for a program that applies it; shown and not obeyed in a terminal."""
    if not sys.stdout.isatty() and not os.environ.get("FORCE_COLOR"):
        put(patch.removesuffix("\n"))
        return
    paint = painter(sys.stdout)
    for line in diff_lines(patch):
        put(paint(Line(line.text.removeprefix("    "), line.tone)))

"""`qagent undo`, `redo` and `sessions diff`: what turns changed on the disk, taken back, done again, or shown.

What is done goes to stdout before it is done, a line a file; words about it go to stderr. With `--json` one object.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from qagent.cli.ends import put, say_json
from qagent.cli.start import notice, painter, say
from qagent.config import folders
from qagent.edits.turn_text import diff, stat, stat_lines
from qagent.errors import UndoProblem
from qagent.narration import Line, diff_lines, harmless
from qagent.session import find, peek
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace
from qagent.workspace.turns import Turn
from qagent.workspace.undoing import Past, Step, Ways

Verb = Literal["undo", "redo"]

_REVERSE: dict[Verb, Verb] = {"undo": "redo", "redo": "undo"}
_SHOWN = 20


def take(verb: Verb, folder: Path, ways: Ways, *, times: int = 1, as_json: bool = False) -> None:
    """Takes back (or does again) that many turns, one after the other; ends at the first that cannot be."""
    past = _past(folder)
    records: list[dict[str, Any]] = []

    def tell(step: Step) -> None:
        records.append(_record(past, step))
        if not as_json:
            _say(past, verb, step)

    for number in range(1 if ways.only_look else times):
        try:
            (past.undo if verb == "undo" else past.redo)(ways, tell)
        except UndoProblem as problem:
            problem.kept = f"{number} of {times} done; `qagent {_REVERSE[verb]}` reverses that" if number else ""
            raise
        if not as_json and not ways.only_look:
            say(f"done; `qagent {_REVERSE[verb]}` reverses it")
    if as_json:
        say_json({"exit": 0, "reason": "done", "done": not ways.only_look, "turns": records})


def _past(folder: Path) -> Past:
    return Past(Workspace.open(folder).root, folders(os.environ).state)


def _say(past: Past, verb: Verb, step: Step) -> None:
    say(f"{verb}: {harmless(_title(step.turn))}")
    for line in stat_lines(past.contents(step.turn, step.changes)):
        put(line)
    for note in step.notes:
        notice(note)


def _record(past: Past, step: Step) -> dict[str, Any]:
    contents = past.contents(step.turn, step.changes)
    files = [{"path": content[0].path, "change": stat(*content)} for content in contents]
    return {"id": step.turn.id, "task": step.turn.task, "files": files, "kept_back": list(step.kept_back)}


# ------------------------------------------------------------------ looking


def list_turns(folder: Path, *, as_json: bool) -> None:
    """The newest first."""
    turns = list(reversed(_past(folder).turns()))
    if as_json:
        say_json({"exit": 0, "reason": "done", "turns": [_row(turn) for turn in turns]})
        return
    if not turns:
        say("no turn has changed files here in the last fortnight")
    for turn in turns[:_SHOWN]:
        count = f"{len(turn.changes)} file{'' if len(turn.changes) == 1 else 's'}"
        put(f"{_when(turn)}  {_STATES[turn.state]:9}  {count:9}  {harmless(_title(turn))}")
    if len(turns) > _SHOWN:
        say(f"and {len(turns) - _SHOWN} older ones")


_STATES = {"open": "cut off", "done": "done", "undone": "undone", "halfway": "half done"}


def _row(turn: Turn) -> dict[str, Any]:
    about = {"id": turn.id, "begun": turn.begun, "state": turn.state, "task": turn.task, "session": turn.session}
    return {**about, "files": [change.path for change in turn.changes], "left": list(turn.left)}


def _when(turn: Turn) -> str:
    return f"{datetime.fromisoformat(turn.begun).astimezone():%Y-%m-%d %H:%M}"


def _title(turn: Turn) -> str:
    return shown(turn.task.partition("\n")[0][:60]) or "(a turn)"


def show_diff(session: str | None, folder: Path) -> None:
    """What the turns of a session changed, as unified diffs; without an id, of the last one that changed files here."""
    if session is None:
        past = _past(folder)
    else:
        path = find(folders(os.environ).sessions, session)
        session, past = path.stem, _past(Path(peek(path).header.cwd))
    turns = past.turns()
    wanted = session if session is not None or not turns else turns[-1].session
    chosen = [turn for turn in turns if turn.session == wanted]
    if not chosen:
        what = "no turn has changed files here" if session is None else "no turn of that session has changed files"
        raise UndoProblem(f"{what} in the last fortnight", todo="`qagent undo --list` shows the turns of this folder")
    for turn in chosen:
        _show(past, turn)


def _show(past: Past, turn: Turn) -> None:
    paint = painter(sys.stdout)
    say(f"{_when(turn)}  {harmless(_title(turn))} ({_STATES[turn.state]})")
    for content in past.contents(turn, turn.changes):
        for line in diff_lines(diff(*content)):
            put(paint(Line(line.text.removeprefix("    "), line.tone)))
    for why in turn.left:
        notice(f"not in it: {why}")

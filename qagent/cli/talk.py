"""Bare `qagent`: a conversation in lines. Reads from the terminal, or from a pipe without waiting for anybody."""

from __future__ import annotations

import contextlib
import errno
import importlib
import signal
import sys

from qagent.cli.ends import outcome_code, silence_stdout
from qagent.cli.start import Options, Resume, moved, notice, painter, say, session_path, start
from qagent.repl import Conversation
from qagent.running import run_to_end
from qagent.session import Session
from qagent.types import UserMessage
from qagent.wiring import connected, new_session


def talk(options: Options, resume: Resume) -> int:
    """The exit code: in a terminal 0, from a pipe that of the last task."""
    present = sys.stdin.isatty() and not options.no_input
    ready = start(options, ask=_yes if present else None)
    path = session_path(ready, resume)
    place = ready.resumed(ready.place, path)
    model, notices = run_to_end(connected(place))
    session, more = (Session.open(path), ()) if path else new_session(ready.folders.sessions, place, model)
    paint = painter(sys.stdout)
    with session:
        if not options.quiet:
            for told in (*notices, *more, *session.notices, *moved(session, place)):
                notice(told)
        read = _silent if options.no_input else _read
        talking = Conversation(place, model, session, read, lambda line: _show(paint(line)), options.verbose, present)
        last = talking.run()
    _leave(session)
    if present or last is None:
        return 0
    return talking.failure.exit_code if talking.failure else outcome_code(last)


def _leave(session: Session) -> None:
    """A conversation in which nothing was said is not kept."""
    if any(isinstance(message, UserMessage) for message in session.messages):
        say(f"the session is saved; go on with `qagent -r {session.id}`")
    elif session.path:
        with contextlib.suppress(OSError):
            session.path.unlink()


def _show(text: str) -> None:
    """A terminal that was closed ends the program by its signal, and not by an error of each line on the way."""
    try:
        print(text, flush=True)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        silence_stdout()


def _read(prompt: str) -> str:
    """A line. Ctrl-C interrupts the reading itself, also while an event loop runs around it."""
    if sys.stdin.isatty():
        importlib.import_module("readline")  # importing it gives `input` editing and history
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(prompt if sys.stdin.isatty() else "")
    finally:
        signal.signal(signal.SIGINT, before)


def _silent(prompt: str) -> str:
    raise EOFError


def _yes(question: str) -> bool:
    try:
        return _read(f"{question} [y/n] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False

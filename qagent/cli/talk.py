"""Bare `qagent`: a conversation in lines. Reads from the terminal, or from a pipe without waiting for anybody."""

from __future__ import annotations

import importlib
import signal
import sys

from qagent.cli.ends import Ended
from qagent.cli.once import Resume, run_to_end, session_path
from qagent.cli.start import Options, painter, say, start
from qagent.repl import Conversation
from qagent.session import Session
from qagent.wiring import connect, new_session


def talk(options: Options, resume: Resume) -> int:
    ready = start(options, ask=None if options.no_input or not sys.stdin.isatty() else _yes)
    place = ready.place
    model, notices = run_to_end(connect(place.settings))
    path = session_path(ready, resume)
    session, more = (Session.open(path), ()) if path else new_session(ready.folders.sessions, place, model)
    with session:
        for notice in (*notices, *more, *session.notices):
            say(f"! {notice}")
        read, paint = _silent if options.no_input else _read, painter(sys.stdout)
        Conversation(place, model, session, read, lambda line: print(paint(line), flush=True)).run()
    say(f"the session is saved; go on with `qagent -r {session.id}`")
    raise Ended(0)


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

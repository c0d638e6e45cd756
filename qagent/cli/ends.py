"""How a command ends: every way out becomes an exit code, words on stderr, and with `--json` one object on stdout.

0 done · 1 a bug · 2 wrong usage · 3 task not finished · 6 no model can answer · 8 a limit was reached ·
9 permission needed and nobody to ask · 10 configuration · 11 code would have left the machine · 130, 143 signals
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from qagent import __version__
from qagent.errors import UsageProblem, UserFacing
from qagent.narration import harmless
from qagent.running import Interrupted
from qagent.types import Outcome

RESULT_KEYS = (
    *("answer", "detail", "todo", "kept", "session", "model", "turns", "refused", "changed", "reply_tokens", "seconds"),
)
OUTCOME_CODES = {"done": 0, "turn_limit": 8, "time_limit": 8, "bad_calls": 3, "no_progress": 3, "cancelled": 130}


class Ended(Exception):
    """A command has said what there was to say; this is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def outcome_code(outcome: Outcome) -> int:
    """A task that is done except for what nobody could allow is not simply done."""
    code = OUTCOME_CODES.get(outcome.reason, 1)
    return 9 if code == 0 and outcome.refused else code


def wants_json(arguments: Sequence[str]) -> bool:
    """Told from the bare arguments, since also a command line that cannot be read must answer in JSON."""
    formats = ("json", "stream-json")
    spelled = ("--json", *(f"--output-format={name}" for name in formats))
    pairs = pairwise([*arguments, ""])
    return any(one in spelled or (one == "--output-format" and two in formats) for one, two in pairs)


def finish(arguments: list[str]) -> int:
    _open_streams()
    try:
        return _run(arguments, as_json=wants_json(arguments))
    except BrokenPipeError:
        return _pipe_closed()


def _run(arguments: list[str], *, as_json: bool) -> int:
    try:
        _dispatch(arguments)
    except Ended as ended:
        return ended.code
    except UserFacing as error:
        return report(error, as_json=as_json)
    except (Interrupted, KeyboardInterrupt) as stop:
        code = stop.code if isinstance(stop, Interrupted) else 130
        return say_end("interrupted", code=code, reason="cancelled", as_json=as_json)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: a traceback on a user's screen is a bug of its own
        return _bug(error, as_json=as_json)
    return 0


def _dispatch(arguments: list[str]) -> None:
    from typer.exceptions import TyperException

    from qagent.cli.app import app

    try:
        app(arguments, prog_name="qagent", standalone_mode=False)
    except SystemExit as left:  # typer's own way out when a pipe is closed
        raise BrokenPipeError from left
    except TyperException as error:
        what = error.format_message().strip().removesuffix(".").replace("Value error, ", "")
        code = say_end(what, todo="`--help` lists what there is", code=2, reason="usage_problem",
                       as_json=wants_json(arguments))  # fmt: skip
        raise Ended(code) from error


def report(error: UserFacing, *, as_json: bool, **known: Any) -> int:
    """Tells an error that is meant for people; returns its exit code."""
    return say_end(error.what, todo=error.todo, kept=error.kept, code=error.exit_code, reason=error.reason,
                   as_json=as_json, **known)  # fmt: skip


def say_end(
    what: str, *, code: int, reason: str, todo: str = "", kept: str = "", as_json: bool = False, **known: Any
) -> int:
    """Says on stderr what happened, what was kept and what to do; with JSON on stdout too. Returns the code."""
    if as_json:
        with contextlib.suppress(UserFacing):  # then stdout itself does not work
            say_result(code, reason, detail=what, todo=todo, kept=kept, **known)
    lines = [f"qagent: {harmless(what)}", *(f"  {harmless(line)}" for line in (kept, todo) if line)]
    with contextlib.suppress(OSError):  # nobody may be there to read it
        print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def say_result(code: int, reason: str, **known: Any) -> None:
    """The one object that `--json` promises, and the last line of `stream-json`; what is not known is null."""
    say_json({"kind": "result", "exit": code, "reason": reason, **dict.fromkeys(RESULT_KEYS), **known})


def say_json(record: dict[str, Any]) -> None:
    put(json.dumps(record, ensure_ascii=True))


def put(text: str) -> None:
    """A line of data on stdout. Raises BrokenPipeError when its reader has gone, UserFacing when it can't be written."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _silence_stdout()
        raise UsageProblem(f"stdout cannot be written: {error.strerror}", todo="the session has the answer") from error


def _silence_stdout() -> None:
    """What is still waiting to be written goes nowhere, so that the interpreter does not fail on it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _pipe_closed() -> int:
    """Whoever read our output has gone: nothing more is said."""
    _silence_stdout()
    return 128 + signal.SIGPIPE


def _open_streams() -> None:
    """Streams that were closed lead nowhere; a file opened later must not get their numbers. Replies may hold what the
    terminal cannot spell."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _bug(error: Exception, *, as_json: bool) -> int:
    what = f"this is a bug in qagent {__version__}: {type(error).__name__}: {error}"
    todo = "please report it with that file"
    return say_end(what, kept=_keep_traceback(error), todo=todo, code=1, reason="bug", as_json=as_json)


def _keep_traceback(error: Exception) -> str:
    import tempfile

    text = "".join(traceback.format_exception(error))
    try:
        descriptor, name = tempfile.mkstemp(prefix="qagent-bug-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return "the details could not be written"
    return f"the details are in {name}"

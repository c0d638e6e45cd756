"""The command from its arguments to its exit code: opens the streams, runs the command, catches what comes out of it.

A traceback on a person's screen is a bug of its own, so the last resort is here: it is kept in a file, and named.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from itertools import pairwise

from typer.exceptions import TyperException

from qagent import __version__
from qagent.cli.app import app
from qagent.cli.ends import Ended, report, say_end, silence_stdout
from qagent.errors import UserFacing
from qagent.running import Interrupted


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
    try:
        app(arguments, prog_name="qagent", standalone_mode=False)
    except SystemExit as left:  # typer's own way out when a pipe is closed
        raise BrokenPipeError from left
    except TyperException as error:
        what = error.format_message().strip().removesuffix(".").replace("Value error, ", "")
        code = say_end(what, todo="`--help` lists what there is", code=2, reason="usage_problem",
                       as_json=wants_json(arguments))  # fmt: skip
        raise Ended(code) from error


def wants_json(arguments: Sequence[str]) -> bool:
    """Told from the bare arguments, since also a command line that cannot be read must answer in JSON."""
    formats = ("json", "stream-json")
    spelled = ("--json", *(f"--output-format={name}" for name in formats))
    pairs = pairwise([*arguments, ""])
    return any(one in spelled or (one == "--output-format" and two in formats) for one, two in pairs)


def _open_streams() -> None:
    """Streams that were closed lead nowhere; a file opened later must not get their numbers. Replies may hold what the
    terminal cannot spell."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _pipe_closed() -> int:
    """Whoever read our output has gone: nothing more is said."""
    silence_stdout()
    return 128 + signal.SIGPIPE


def _bug(error: Exception, *, as_json: bool) -> int:
    what = f"this is a bug in qagent {__version__}: {type(error).__name__}: {error}"
    todo = "please report it with that file"
    return say_end(what, kept=_keep_traceback(error), todo=todo, code=1, reason="bug", as_json=as_json)


def _keep_traceback(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    try:
        descriptor, name = tempfile.mkstemp(prefix="qagent-bug-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return "the details could not be written"
    return f"the details are in {name}"

"""How a command ends: every way out becomes an exit code, words on stderr, and with `--json` one object on stdout.

0 done · 1 a bug · 2 wrong usage · 3 task not finished · 6 no model can answer · 8 a limit was reached ·
9 permission needed and nobody to ask · 10 configuration · 11 code would have left the machine · 130, 143 signals
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from qagent import __version__
from qagent.errors import UserFacing
from qagent.types import Outcome

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
    spelled = [f"--output-format={name}" for name in formats]
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return any(one in ("--json", *spelled) or (one == "--output-format" and two in formats) for one, two in pairs)


def finish(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a reply may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        _run(arguments)
    except Ended as ended:
        return ended.code
    except UserFacing as error:
        return report(
            error.what,
            todo=error.todo,
            kept=error.kept,
            code=error.exit_code,
            reason=error.reason,
            as_json=wants_json(arguments),
        )
    except KeyboardInterrupt:
        return report("interrupted", code=130, reason="cancelled", as_json=wants_json(arguments))
    except BrokenPipeError:
        return _pipe_closed()
    except Exception as error:  # noqa: BLE001 - the last resort: a traceback on a user's screen is a bug of its own
        return _bug(error, as_json=wants_json(arguments))
    return 0


def _run(arguments: list[str]) -> None:
    from typer.exceptions import TyperException

    from qagent.cli.app import app

    try:
        app(arguments, prog_name="qagent", standalone_mode=False)
    except SystemExit as left:  # typer's own way out when a pipe is closed
        raise BrokenPipeError from left
    except TyperException as error:
        what = error.format_message().strip().rstrip(".")
        raise Ended(
            report(
                what,
                todo="`qagent --help` lists everything",
                code=2,
                reason="usage_problem",
                as_json=wants_json(arguments),
            )
        ) from error


def report(what: str, *, code: int, reason: str, todo: str = "", kept: str = "", as_json: bool = False) -> int:
    """Says on stderr what happened, what was kept and what to do; returns the code."""
    if as_json:
        say_json({"exit": code, "reason": reason, "detail": what, "todo": todo, "kept": kept})
    lines = [f"qagent: {what}", *(f"  {line}" for line in (kept, todo) if line)]
    print("\n".join(lines), file=sys.stderr)
    return code


def say_json(record: dict[str, object]) -> None:
    print(json.dumps(record, ensure_ascii=True), flush=True)


def _pipe_closed() -> int:
    """Whoever read our output has gone; say nothing more, also not when the interpreter flushes stdout at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _bug(error: Exception, *, as_json: bool) -> int:
    where = _keep_traceback(error)
    return report(
        f"this is a bug in qagent {__version__}: {type(error).__name__}: {error}",
        kept=where,
        todo="please report it with that file",
        code=1,
        reason="bug",
        as_json=as_json,
    )


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

"""How a command ends: every way out becomes an exit code, words on stderr, and with `--json` one object on stdout.

0 done · 1 a bug · 2 wrong usage · 3 task not finished · 6 no model can answer · 8 a limit was reached ·
9 permission needed and nobody to ask · 10 configuration · 11 code would have left the machine · 129, 130, 143 signals
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

from qagent.errors import UsageProblem, UserFacing
from qagent.narration import harmless
from qagent.types import Outcome

RESULT_KEYS = (
    *("answer", "detail", "todo", "kept", "session", "model", "turns", "refused", "changed", "reply_tokens", "seconds"),
    "reading",
)
OUTCOME_CODES = {"done": 0, "turn_limit": 8, "time_limit": 8, "bad_calls": 3, "no_progress": 3, "cancelled": 130,
                 "failed": 6}  # fmt: skip


class Ended(Exception):
    """A command has said what there was to say; this is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def outcome_code(outcome: Outcome) -> int:
    """A task that is done except for what nobody could allow is not simply done."""
    code = OUTCOME_CODES.get(outcome.reason, 1)
    return 9 if code == 0 and outcome.refused else code


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
    lines = [
        f"qagent: {harmless(what)}",
        *(f"  {harmless(line)}" for text in (kept, todo) for line in text.splitlines()),
    ]
    with contextlib.suppress(OSError):  # nobody may be there to read it
        print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def say_result(code: int, reason: str, **known: Any) -> None:
    """The one object that `--json` promises, and the last line of `stream-json`; what is not known is null."""
    say_json({"kind": "result", "exit": code, "reason": reason, **dict.fromkeys(RESULT_KEYS), **known})


def say_json(record: dict[str, Any]) -> None:
    put(json.dumps(record, ensure_ascii=True))


def put(text: str) -> None:
    """A line of data on stdout. Raises BrokenPipeError when its reader has gone, UserFacing when it fails."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise UsageProblem(f"stdout cannot be written: {error.strerror}", todo="the session has the answer") from error


def silence_stdout() -> None:
    """What is still waiting to be written goes nowhere, so that the interpreter does not fail on it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

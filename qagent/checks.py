"""The person's own check after edits: is it due, how does it run, what does the model hear of it?

In: the command from the settings, the session's messages, how far the task was checked. Out: the check's output, and
how far the task is checked now (`Checked`). The decisions are pure; `run` goes through the toolbox, in the same sandbox
as every command. It needs no permission: the person wrote it into the settings, and a project cannot.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from qagent.errors import ModelFacing
from qagent.events import CallFinished, CallStarted, Emit, Notice
from qagent.tools.toolbox import Toolbox
from qagent.types import Message, ToolCall, ToolOutput, ToolResult

ROUNDS = 3
"""More hardly ever helps: what the model could not mend in three tries it does not mend in ten."""


NAME = "check"
"""What its events are called by, so that nobody takes it for a call of the model's."""

SECONDS = 600
"""The longest that it may take; a whole test suite may need more than a command of the model's."""


@dataclass(frozen=True, slots=True)
class Check:
    """`rounds`: how often what it finds goes back to the model in one task."""

    command: str
    rounds: int = ROUNDS


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a task has been checked.

    edits: the results that had changed a file when it last ran, or when the task began. failed: what it found then is
    not mended. rounds: how often it found something.
    """

    edits: int = 0
    failed: bool = False
    rounds: int = 0

    def is_due(self, messages: Iterable[Message]) -> bool:
        return edits(messages) > self.edits

    def after(self, messages: Iterable[Message], *, good: bool) -> Checked:
        return replace(self, edits=edits(messages), failed=not good, rounds=self.rounds + (not good))

    def is_over(self, check: Check) -> bool:
        """Whether the model has been told often enough."""
        return self.rounds > check.rounds


def edits(messages: Iterable[Message]) -> int:
    return sum(1 for message in messages if isinstance(message, ToolResult) and message.changed)


async def run(check: Check, number: int, toolbox: Toolbox, emit: Emit) -> ToolOutput:
    """Runs it, and tells of it as of every call, by the name `check`. `number` makes its id one of its own. Raises
    nothing ModelFacing.

    A check that cannot be run finds nothing: the person is told, and the model is not blamed for it.
    """
    call = ToolCall(f"check-{number}", "run", {"command": check.command, "timeout": SECONDS})
    emit(CallStarted(replace(call, name=NAME), "command"))
    begun, ok = time.monotonic(), True
    try:
        output = await toolbox.run(call)
    except ModelFacing as refusal:
        output, ok = ToolOutput(refusal.text, refusal.text.partition("\n")[0], good=False), False
    seconds = time.monotonic() - begun
    emit(CallFinished(call.id, NAME, ok, output.summary, output.text, seconds=seconds, good=output.good))
    if why := why_not_run(output, ok=ok):
        emit(Notice(f"the check `{check.command}` cannot be run and is left out (check_command): {why}", "warning"))
        return replace(output, good=True)
    return output


_NOT_THERE = ("exit 126,", "exit 127,")
"""How a shell says that a program cannot be run, or is not there; so does `npm run` of what it starts."""


def why_not_run(output: ToolOutput, *, ok: bool) -> str:
    """Why the check has not looked at anything; "" when it has, or has taken too long for it."""
    if not ok:
        return "" if output.text.startswith("stopped after ") else output.summary
    if not output.summary.startswith(_NOT_THERE):
        return ""
    said = [line for line in output.text.split("\n")[1:] if line.strip() and not line.startswith("[")]
    return said[-1].strip() if said else output.summary

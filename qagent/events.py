"""What happens in a task, as values: the screen, the headless printer, `stream-json` and the tests listen to the same.

Frozen, plain, serialisable, each with a `kind`; nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from qagent.types import Form, Mode, Outcome, Repair, ReplyEnd, Risk, ToolCall, Usage


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """`sandbox`: what keeps commands in bounds, in a word (`none`, and `off` where the person wants none); "" when
    nobody has looked."""

    task: str
    session: str
    model: str
    mode: Mode
    sandbox: str = ""
    kind: Literal["task_started"] = "task_started"


@dataclass(frozen=True, slots=True)
class PromptSent:
    """A request is on its way; until the first `TextStreamed` the server is loading the model or reading.

    tokens and fresh are those of `Prompt`. continued: how often this reply has been gone on with, this time included;
    then `fresh` counts what came since the last request, and `written` the reply's tokens so far (None: untold).
    """

    turn: int
    tokens: int
    fresh: int
    continued: int = 0
    written: int | None = None
    kind: Literal["prompt_sent"] = "prompt_sent"


@dataclass(frozen=True, slots=True)
class TextStreamed:
    text: str
    kind: Literal["text_streamed"] = "text_streamed"


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """How a reply was read.

    forms: how each call was written; repairs: what was mended in each, in the same order. dropped: characters after an
    invented turn or result, thrown away. forced: the server was made to write a call. continued: how often a call that
    the reply limit cut was gone on with. native: the server itself read the calls.
    """

    turn: int
    end: ReplyEnd
    usage: Usage
    forms: tuple[Form, ...] = ()
    bad_calls: int = 0
    dropped: int = 0
    repairs: tuple[tuple[Repair, ...], ...] = ()
    forced: bool = False
    continued: int = 0
    native: bool = False
    kind: Literal["reply_finished"] = "reply_finished"


@dataclass(frozen=True, slots=True)
class BadCallSeen:
    call_id: str
    why: str
    kind: Literal["bad_call_seen"] = "bad_call_seen"


@dataclass(frozen=True, slots=True)
class CallStarted:
    call: ToolCall
    risk: Risk
    kind: Literal["call_started"] = "call_started"


@dataclass(frozen=True, slots=True)
class CallFinished:
    """`summary` is one line for people, `text` what the model reads, `diff` what changed on disk.

    `ok`: the call was carried out. `good`: and what it did came out well; a command may fail.
    """

    call_id: str
    name: str
    ok: bool
    summary: str
    text: str
    diff: str = ""
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    good: bool = True
    kind: Literal["call_finished"] = "call_finished"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know and need not act on."""

    text: str
    level: Literal["info", "warning"] = "info"
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class TaskFinished:
    outcome: Outcome
    kind: Literal["task_finished"] = "task_finished"


Event: TypeAlias = (
    TaskStarted
    | PromptSent
    | TextStreamed
    | ReplyFinished
    | BadCallSeen
    | CallStarted
    | CallFinished
    | Notice
    | TaskFinished
)
Emit: TypeAlias = Callable[[Event], None]

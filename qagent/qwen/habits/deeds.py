"""What was really done: a fold over the messages since the person last told to do something. Pure.

A question does not start anew: it asks about what was done before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from qagent.qwen.habits import tasks
from qagent.types import AssistantMessage, Message, Risk, ToolCall, ToolResult, UserMessage


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the tool log of a task bears out.

    calls: how many were run, well or not. edits: changes that were made. changed: the files, relative to the workspace.
    commands: how many were run. tested: since the last change a command that can prove something has ended well.
    refused: how many calls a rule or the person did not allow.
    """

    calls: int = 0
    edits: int = 0
    changed: frozenset[str] = frozenset()
    commands: int = 0
    tested: bool = False
    refused: int = 0


def deeds(messages: Iterable[Message], risks: Mapping[str, Risk]) -> Deeds:
    """`risks`: the offered tools' by name."""
    calls: dict[str, ToolCall] = {}
    done = Deeds()
    for message in messages:
        match message:
            case UserMessage(text, origin="user") if not tasks.is_question(text):
                done = Deeds()
            case AssistantMessage():
                calls |= {call.id: call for call in message.calls if isinstance(call, ToolCall)}
            case ToolResult(call_id) if call := calls.get(call_id):
                done = _after(done, call, message, risks.get(call.name, "read"))
            case _:
                pass
    return done


def _after(done: Deeds, call: ToolCall, result: ToolResult, risk: Risk) -> Deeds:
    if result.fate != "run":
        return replace(done, refused=done.refused + (result.fate == "refused"))
    done = replace(done, calls=done.calls + 1)
    if risk == "command":
        line = str(call.arguments.get("command", ""))
        well = result.ok and result.good
        if well and _MOVES.search(line):
            words = done.changed.union(re.split(r"[\s'\"]+", line))  # which of them are files, nobody asks
            return replace(done, commands=done.commands + 1, edits=done.edits + 1, changed=words, tested=False)
        return replace(done, commands=done.commands + 1, tested=well and not _ONLY_LOOKS.match(line))
    if result.ok and result.changed:
        return replace(done, edits=done.edits + 1, changed=done.changed.union(result.changed), tested=False)
    return done


_ONLY_LOOKS = re.compile(r"\s*(?:cat|cd|echo|find|git|grep|head|ls|pwd|rg|sed|tail|tree|wc)\b[^;&|]*$")
_MOVES = re.compile(r"(?:^|[;&|(]\s*|\n)\s*(?:rm|mv|git (?:rm|mv|apply|checkout|restore|reset|revert|stash))\b")
"""Commands that take files away or put old ones back: the work tree shows no new file for them."""
_RED = re.compile(r"\bFAIL(?:ED|URES?)?\b|\bfailures?[=:] ?[1-9]|\b[1-9]\d* failed\b|Traceback \(most recent")
"""Of several commands only the last one's exit code is told: `pytest | tail` ends well whatever the tests say."""
_SEVERAL = re.compile(r"[;|&\n]")


def came_out_well(call: ToolCall, risk: Risk, text: str) -> bool:
    """Whether a result whose exit code is good says nothing else in its text."""
    several = risk == "command" and _SEVERAL.search(str(call.arguments.get("command", "")))
    return not several or _RED.search(text) is None

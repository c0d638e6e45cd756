"""Detectors for what this family does wrong in plain words, each with the name of the answer it gets. Pure.

They look at one reply without calls, and at the deeds of the task so far. Sources: the model says that it has edited
or tested when it has not (qwen2.5-coder 7B to 32B, reported for every harness).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from qagent.types import AssistantMessage, Message, ToolCall, ToolResult, UserMessage

Answer = Literal["empty_reply", "cut_reply", "no_edit", "no_test"]
"""The prompt, by name, that the model is sent."""

_CHANGED = (
    r"(?:fixed|updated|changed|edited|modified|added|created|replaced|corrected|implemented|refactored|removed|renamed)"
)
_ADVERBS = r"(?: now| just| also| already| successfully| gone ahead and)*"
_EDIT_CLAIM = re.compile(
    rf"\bI(?:'ve|’ve| have)?{_ADVERBS} {_CHANGED}\b"
    rf"|\b(?:has|have){_ADVERBS} been{_ADVERBS} {_CHANGED}\b|\b(?:is|are) now {_CHANGED}\b",
    re.IGNORECASE,
)
_TEST_CLAIM = re.compile(
    r"\btests?(?: (?:now|all|suite))* (?:pass(?:es|ed)?|succeed(?:s|ed)?|(?:is|are) green)\b", re.IGNORECASE
)
_NO_FACT = re.compile(
    r"\b(?:should|would|could|will|if|when|once|until|unless|after|so that|make sure|ensure|please)\b"
    r"|\b(?:no|not|nothing|never)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the tool log of a task bears out. tested: a command has ended well since the last change."""

    edits: int = 0
    tested: bool = False


def deeds(messages: Iterable[Message], writers: frozenset[str], runners: frozenset[str]) -> Deeds:
    """A fold over the messages since the person last spoke."""
    names: dict[str, str] = {}
    done = Deeds()
    for message in messages:
        match message:
            case UserMessage(origin="user"):
                done = Deeds()
            case AssistantMessage():
                names |= {call.id: call.name for call in message.calls if isinstance(call, ToolCall)}
            case ToolResult(call_id, text, True):
                done = _after(done, names.get(call_id, ""), text, writers, runners)
            case _:
                pass
    return done


def _after(done: Deeds, name: str, text: str, writers: frozenset[str], runners: frozenset[str]) -> Deeds:
    if name in writers:
        return Deeds(done.edits + 1)
    if name in runners:
        return Deeds(done.edits, tested=text.startswith("exit 0"))
    return done


def habit(reply: AssistantMessage, done: Deeds) -> Answer | None:
    """The first habit that a reply without calls shows; None when it is an honest answer."""
    return next((answer for answer, shown in _HABITS if shown(reply, done)), None)


def _claims(pattern: re.Pattern[str], prose: str) -> bool:
    """Whether a sentence states it as a fact. What stands in front can deny or only hope for it; a question asks."""
    for sentence in re.split(r"(?<=[.!?:])\s+|\n", prose):
        claim = pattern.search(sentence)
        if claim and not sentence.rstrip().endswith("?") and not _NO_FACT.search(sentence[: claim.start()]):
            return True
    return False


_HABITS: tuple[tuple[Answer, Callable[[AssistantMessage, Deeds], bool]], ...] = (
    ("cut_reply", lambda reply, _: reply.end == "length"),
    ("empty_reply", lambda reply, _: not reply.prose),
    ("no_edit", lambda reply, done: not done.edits and _claims(_EDIT_CLAIM, reply.prose)),
    ("no_test", lambda reply, done: done.edits > 0 and not done.tested and _claims(_TEST_CLAIM, reply.prose)),
)

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
    r"(?:fixed|updated|changed|edited|modified|added|created|replaced|corrected|implemented|refactored|removed|renamed"
    r"|resolved|rewritten|rewrote|made (?:the|this|these|all|a) (?:\w+ )?(?:changes?|edits?|fix|correction))"
)
_ADVERBS = r"(?: now| just| also| already| successfully| gone ahead and)*"
_EDIT_CLAIM = re.compile(
    rf"\bI(?:'ve|’ve| have)?{_ADVERBS} {_CHANGED}\b"
    rf"|\b(?:has|have){_ADVERBS} been{_ADVERBS} {_CHANGED}\b|\b(?:is|are) now {_CHANGED}\b"
    r"|\b(?:bug|issue|problem|error|test|typo)s? (?:is|are|was|were) (?:fixed|resolved|corrected)\b"
    # German and Chinese: the prompt asks for the person's language, and the family's own is Chinese.
    r"|\bich habe\b.*\b(?:behoben|geändert|korrigiert|angepasst|hinzugefügt|ersetzt|aktualisiert)\b"
    r"|\bwurden?\b.*\b(?:behoben|geändert|korrigiert|angepasst|hinzugefügt|ersetzt|aktualisiert)\b"
    r"|已经?(?:成功)?(?:修复|修改|更新|添加|更正|替换|改正)",
    re.IGNORECASE,
)
_TEST_CLAIM = re.compile(
    r"\btests?(?: (?:now|all|suite))* (?:are |is )?(?:pass(?:es|ed|ing)?|succeed(?:s|ed|ing)?|green)\b"
    r"|\b(?:they|both) (?:now |all )*pass(?:ed)?\b"
    r"|\btests? (?:laufen(?: jetzt| nun| alle)* durch|sind (?:jetzt |nun |alle )*grün|bestehen)\b"
    r"|测试(?:都|全部|均|已|现在)*通过",
    re.IGNORECASE,
)
_NO_FACT = re.compile(
    r"\b(?:should|would|could|will|if|when|once|until|unless|after|so that|make sure|ensure|please)\b"
    r"|\b(?:no|not|nothing|never)\b|n['’]t\b",
    re.IGNORECASE,
)


_ONLY_LOOKS = re.compile(r"\s*(?:cat|cd|echo|find|git|grep|head|ls|pwd|rg|sed|tail|tree|wc)\b[^;&|]*$")
_RED = re.compile(r"\bFAIL(?:ED|URES?)?\b|\bfailures?[=:] ?[1-9]|\b[1-9]\d* failed\b|Traceback \(most recent")
"""Of several commands only the last one's exit code is told: `pytest | tail` ends well whatever the tests say."""
_SEVERAL = re.compile(r"[;|&\n]")

DENIED = "Not allowed:"
"""How the result of a call begins that was not permitted: it says nothing about the tests."""

TOLD: dict[str, str] = {
    "cut_reply": "its replies are cut at the reply limit",
    "empty_reply": "its replies are empty",
    "no_edit": "it says that it has changed files, and has changed none",
    "no_test": "it says that tests pass, and none has passed",
}
"""The habits in words for the person."""


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the tool log of a task bears out. tested: since the last change a command that can prove something has
    ended well."""

    edits: int = 0
    tested: bool = False


def deeds(messages: Iterable[Message], writers: frozenset[str], runners: frozenset[str]) -> Deeds:
    """A fold over the messages since the person last gave a task; a question asks about what was done before it."""
    calls: dict[str, ToolCall] = {}
    done = Deeds()
    for message in messages:
        match message:
            case UserMessage(text, origin="user") if not text.rstrip().endswith("?"):
                done = Deeds()
            case AssistantMessage():
                calls |= {call.id: call for call in message.calls if isinstance(call, ToolCall)}
            case ToolResult(call_id, text, ok) if call := calls.get(call_id):
                if call.name in writers and ok:
                    done = Deeds(done.edits + 1)
                elif call.name in runners and not text.startswith(DENIED):
                    done = Deeds(done.edits, _proves(str(call.arguments.get("command", "")), text))
            case _:
                pass
    return done


def _proves(command: str, text: str) -> bool:
    if not text.startswith("exit 0") or _ONLY_LOOKS.match(command):
        return False
    return not _SEVERAL.search(command) or _RED.search(text) is None


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
    ("no_test", lambda reply, done: not done.tested and _claims(_TEST_CLAIM, reply.prose)),
)

"""Repetition: the calls of a task so far in, whether the last one leads anywhere out. Pure.

Two things count: the same call with the same result, and different calls in a row that come to the same. Source: both
go on for ever, at all sizes (cline/cline#1046, aaif-goose/goose#1037).
A change that is new starts the first count anew: a test that fails in the same way after another edit is honest work.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from qagent.types import Risk, ToolCall, ToolOutput

RepeatAnswer = Literal["same_result", "answer_now", "no_headway", "other_edit"]

TOLD_TWICE, TOLD_TO_ANSWER, MOST_SAME = 2, 3, 4
"""The same call with the same result: the second is pointed back, the third asked for words, the fourth ends it."""
FIRST_ALIKE, MOST_ALIKE = 3, 8
"""Different calls in a row with the same result: three may be bad luck; eight are told six times and in vain."""

FIRST_EDITS = 2
"""Changes that fail alike: copied wrongly twice, the old text is copied wrongly again; another form is asked for."""

_VARIES = re.compile(r"\b\d+(?:\.\d+)? ?m?s\b|\b\d+\.\d+ seconds\b|0x[0-9a-fA-F]+|\b\d+:\d\d:\d\d(?:\.\d+)?")
"""Times and addresses, which differ from run to run and mean nothing."""
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|\d+")
_LOOKS = re.compile(
    r"\s*(?:cat|grep|head|ls|pwd|rg|tail|tree|wc|sed -n|git (?:status|diff|log|show|grep|ls-files|blame))\b[^;&|<>\n]*$"
)
_CLAUSE = 100


@dataclass(frozen=True, slots=True)
class Step:
    """A call that was carried out, or failed. call and result: what is compared; tool: its name.

    moves: it may have changed something. idle: it showed nothing new by itself: it failed, or only looked.
    """

    tool: str
    risk: Risk
    call: str
    result: str
    alike: str
    moves: bool
    idle: bool


@dataclass(frozen=True, slots=True)
class Repetition:
    """`times`: how often by now. stop: it was told often enough."""

    answer: RepeatAnswer
    times: int
    stop: bool = False

    @property
    def is_known(self) -> bool:
        """The result stands above, word for word."""
        return self.answer in ("same_result", "answer_now")

    @property
    def is_new(self) -> bool:
        """It has only begun: the moment to tell the person."""
        return self.times == (TOLD_TWICE if self.is_known else FIRST_ALIKE)


def only_looks(command: str) -> bool:
    """A command line that shows something and does nothing else."""
    return _LOOKS.match(command) is not None


def step(call: ToolCall, risk: Risk, output: ToolOutput, *, ok: bool) -> Step:
    looks = risk == "read" or (risk == "command" and only_looks(str(call.arguments.get("command", ""))))
    well = ok and output.good
    result = _VARIES.sub("#", output.text)
    plain = _without_values(result, call)
    return Step(
        call.name,
        risk,
        same_call(call),
        result,
        plain if well else _failure(plain, 2 if risk == "command" else 1),
        moves=well and not looks and (bool(output.changed) or risk == "command"),
        idle=looks or (not well and not output.seen),
    )


def same_call(call: ToolCall) -> str:
    """Equal for calls that ask for the same."""
    return json.dumps([call.name, call.arguments], sort_keys=True, default=str)


def _without_values(text: str, call: ToolCall) -> str:
    values = {value for value in call.arguments.values() if isinstance(value, str) and value.strip()}
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "#", text)
    return text


def _failure(text: str, most: int) -> str:
    """A failure's first clause: what follows it quotes what is near, and differs each time. Of a command the first line
    is only its exit code."""
    lines = [_QUOTED.sub("#", line) for line in text.splitlines()[:most]]
    return "\n".join(line.partition(";")[0][:_CLAUSE] for line in lines)


def repetition(steps: Sequence[Step]) -> Repetition | None:
    """What the last step repeats."""
    if not steps:
        return None
    times = _same(steps)
    if times >= TOLD_TWICE:
        answer: RepeatAnswer = "answer_now" if times >= TOLD_TO_ANSWER else "same_result"
        return Repetition(answer, times, times >= MOST_SAME)
    times = _alike(steps)
    failed_edit = steps[-1].risk == "write"
    if times >= (FIRST_EDITS if failed_edit else FIRST_ALIKE):
        return Repetition("other_edit" if failed_edit else "no_headway", times, times >= MOST_ALIKE)
    return None


def _same(steps: Sequence[Step]) -> int:
    """How often the last call came to this result since something new was changed."""
    known: set[tuple[str, str]] = set()
    count: Counter[tuple[str, str]] = Counter()
    for each in steps:
        key = (each.call, each.result)
        if each.moves and key not in known:
            count.clear()
        known.add(key)
        count[key] += 1
    return count[steps[-1].call, steps[-1].result]


def _alike(steps: Sequence[Step]) -> int:
    """How many different calls of the last one's tool, in a row up to it, came to what it came to."""
    last = steps[-1]
    run = takewhile(lambda each: each.idle and (each.tool, each.alike) == (last.tool, last.alike), reversed(steps))
    return len({each.call for each in run})

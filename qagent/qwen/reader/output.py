"""What a reader gives out: text that is shown, and calls with their numbers, in; parts out, in the order of the reply.

It remembers the end of what it has shown, for that tells how the next thing is meant: an example is announced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from qagent.types import Part, Prose

_SENTENCES = re.compile(r"(?<=[.!?。！？])\s+|\n")
_EXAMPLE = re.compile(
    r"\b(?:for|an|as an|another|following) examples?\b|\be\.g\.|\bfor instance\b"
    r"|\bwould (?:look|send|call|write|have been)\b|\bnever\b|\b(?:do|does|did|should|must|will|would) ?n[o'’]t\b"
    r"|\bnot (?:send|run|call)\b|\bI (?:made|sent|used|ran)\b"
    r"|\bBeispiel\b|\bwürde\b|\bniemals\b|\bz\. ?B\.|例如|比如|示例|不要",
    re.IGNORECASE,
)
"""What a sentence says that only shows a call. An honest call that is missed costs a question, an example that runs far
more."""
_TAIL = 200
"""Characters that are shown last: the sentence in front of what comes."""


class Output:
    """leads: nothing but blanks has been given out. tail: the end of what was shown behind the last call."""

    def __init__(self, reply: int) -> None:
        self.leads, self.tail = True, ""
        self._reply, self._calls = reply, 0
        self._parts: list[Part] = []
        self._shown: list[str] = []

    @property
    def announces_example(self) -> bool:
        """Whether the last sentence says that what follows is only shown."""
        return _EXAMPLE.search(_SENTENCES.split(self.tail.strip())[-1]) is not None

    def show(self, text: str) -> None:
        self._shown.append(text)
        self.tail = text[-_TAIL:] if len(text) >= _TAIL else (self.tail + text)[-_TAIL:]
        if self.leads and text.strip():
            self.leads = False

    def add(self, parts: Iterable[Part]) -> tuple[str, ...]:
        """Gives the ids of the calls among them, good or bad."""
        self._flush()
        self.leads, self.tail = False, ""
        return tuple([number for part in parts if (number := self._number(part))])

    def _number(self, part: Part) -> str:
        if isinstance(part, Prose):
            self._parts.append(part)
            return ""
        self._calls += 1
        number = f"{self._reply}.{self._calls}"
        self._parts.append(replace(part, id=number))
        return number

    def take(self) -> list[Part]:
        """The parts since the last time."""
        self._flush()
        parts, self._parts = self._parts, []
        return parts

    def _flush(self) -> None:
        if shown := "".join(self._shown):
            self._parts.append(Prose(shown))
        self._shown.clear()


def joined(parts: Iterable[Part]) -> list[Part]:
    """The parts with neighbouring prose in one piece, so that they do not depend on how the reply was streamed."""
    whole: list[Part] = []
    for is_prose, group in groupby(parts, key=lambda part: isinstance(part, Prose)):
        run = list(group)
        whole += [Prose("".join(part.text for part in run if isinstance(part, Prose)))] if is_prose else run
    return whole

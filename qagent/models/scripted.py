"""A model that says what it was told to say, and remembers what it was asked. For tests; no server, no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from qagent.types import Delta, Prompt, ReplyEnded, TextDelta, Usage


@dataclass(frozen=True, slots=True)
class Said:
    """One reply with an end of its own. With `then`, that error is raised in place of the end."""

    text: str
    end: Literal["stop", "length"] = "stop"
    usage: Usage = field(default_factory=Usage)
    then: BaseException | None = None


ScriptLine: TypeAlias = str | Said | BaseException


class ScriptedModel:
    """Plays `replies` in order, in pieces of `width` characters; an exception among them is raised instead."""

    def __init__(self, replies: Iterable[ScriptLine], *, name: str = "scripted", width: int = 7) -> None:
        self._replies = [Said(reply) if isinstance(reply, str) else reply for reply in replies]
        self._name = name
        self._width = width
        self.prompts: list[Prompt] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def left(self) -> int:
        """How many replies were not asked for yet."""
        return max(0, len(self._replies) - len(self.prompts))

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Raises AssertionError when the script is over: then the test, not the code, forgot a reply."""
        self.prompts.append(prompt)
        if len(self.prompts) > len(self._replies):
            raise AssertionError(f"the script has {len(self._replies)} replies; this is request {len(self.prompts)}")
        said = self._replies[len(self.prompts) - 1]
        if isinstance(said, BaseException):
            raise said
        for start in range(0, len(said.text), self._width):
            await asyncio.sleep(0)  # a place where it can be cancelled, as on a wire
            yield TextDelta(said.text[start : start + self._width])
        if said.then:
            raise said.then
        yield ReplyEnded(said.end, said.usage)

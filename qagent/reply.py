"""One reply: ask the model, read what it says as it comes, keep it in the session. In: a turn; out: what was heard.

A call that the reply limit has cut is gone on with from where it stopped, in the same reply, so that the model never
begins a long file anew. It runs nothing and refuses to know why it asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby

from qagent import context
from qagent.errors import WindowExceeded
from qagent.forced import forced_reply
from qagent.models.base import Model
from qagent.models.refusal import SchemaRefused
from qagent.qwen import chatml
from qagent.qwen.reader import Reader
from qagent.session import Session
from qagent.types import (
    AssistantMessage,
    BadCall,
    Emit,
    Part,
    PromptSent,
    Prose,
    ReplyEnd,
    ReplyEnded,
    ReplyFinished,
    TextStreamed,
    ToolCall,
    ToolSpec,
    Usage,
)

MOST_CONTINUED = 3
"""A reply has 4,096 tokens by default: four times that is half of the window, and longer than any file that this
family writes well in one go."""

_RESULT = ("<tool_response", "</tool_response")
_CONTROL_LONGEST = 40
"""Characters; the spelling of a control token may have begun so far in front of the piece that ended it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """invented: the model went on with a result of its own making, which was dropped."""

    message: AssistantMessage
    invented: bool = False
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """How a session's model is asked. `not_run` is what it reads in place of a missing result."""

    session: Session
    model: Model
    tools: Sequence[ToolSpec]
    not_run: str
    emit: Emit

    async def freely(self, turn: int) -> Heard:
        """Raises UserFacing when the model cannot answer; what came until then is kept, as when it is cancelled."""
        reply = self._new()
        try:
            await self._listen(turn, reply)
            while reply.is_cut_in_a_call and reply.continued < MOST_CONTINUED:
                if not await self._go_on(turn, reply):
                    break
        except asyncio.CancelledError:
            reply.end = "cancelled"
            raise
        finally:
            heard = self._keep(turn, reply)
        return heard

    async def by_force(self, turn: int) -> Heard | None:
        """A reply that has to be a call; None when the server cannot be held to that. Raises as `freely` does."""
        prompt = context.build(self.session.messages, self.not_run)
        self.emit(PromptSent(turn, prompt.tokens, prompt.fresh))
        try:
            forced = await forced_reply(self.model, self.session.messages, self.tools, self.not_run)
        except SchemaRefused:
            return None
        reply = self._new(forced=True)
        reply.feed(forced.raw)
        reply.end, reply.usage, reply.continued = forced.end, forced.usage, forced.continued
        return self._keep(turn, reply)

    def _new(self, *, forced: bool = False) -> _UnderWay:
        number = 1 + sum(isinstance(message, AssistantMessage) for message in self.session.messages)
        return _UnderWay(Reader(self.tools, number), self.emit, forced)

    async def _listen(self, turn: int, reply: _UnderWay) -> None:
        prompt = context.build(self.session.messages, self.not_run, reply.reader.raw)
        self.emit(PromptSent(turn, prompt.tokens, prompt.fresh))
        reply.end = "failed"
        async with aclosing(self.model.stream(prompt)) as deltas:
            async for delta in deltas:
                if isinstance(delta, ReplyEnded):
                    reply.ended(delta)
                    continue
                reply.feed(delta.text)
                if reply.reader.over:  # it speaks for somebody else by now: end the request, keep the machine cool
                    reply.end = "stop"
                    break

    async def _go_on(self, turn: int, reply: _UnderWay) -> bool:
        """Whether more of the reply came."""
        before = reply.length
        try:
            await self._listen(turn, reply)
        except WindowExceeded:  # the window is full: that was the limit
            reply.end = "length"
            return False
        reply.continued += 1
        return reply.length > before

    def _keep(self, turn: int, reply: _UnderWay) -> Heard:
        message = reply.close()
        if message.raw or message.end in ("stop", "length"):
            self.session.add(message)
            self.session.add(reply.usage)
        good = [call for call in message.calls if isinstance(call, ToolCall)]
        self.emit(
            ReplyFinished(
                turn,
                message.end,
                reply.usage,
                forms=tuple(call.form for call in good),
                bad_calls=sum(isinstance(call, BadCall) for call in message.calls),
                dropped=reply.reader.dropped,
                repairs=tuple(call.repairs for call in good),
                forced=reply.forced,
                continued=reply.continued,
                native=reply.native,
            )
        )
        return Heard(message, reply.invented, reply.forced)


@dataclass(slots=True)
class _UnderWay:
    """A reply that is being written. length: the characters that came."""

    reader: Reader
    emit: Emit
    forced: bool = False
    parts: list[Part] = field(default_factory=list[Part])
    end: ReplyEnd = "failed"
    usage: Usage = field(default_factory=Usage)
    native: bool = False
    continued: int = 0
    length: int = 0
    invented: bool = False
    _last: str = ""

    @property
    def is_cut_in_a_call(self) -> bool:
        return self.end == "length" and self.reader.inside_call

    def feed(self, text: str) -> None:
        self.length += len(text)
        self._hear(self.reader.feed(text))
        self._last = self._last[-_CONTROL_LONGEST:] + text
        if self.reader.over:
            self.invented = self._last[len(self._last) - self.reader.dropped :].startswith(_RESULT)

    def ended(self, end: ReplyEnded) -> None:
        self.end = end.end
        self.usage = _sum(self.usage, end.usage)
        self.native = self.native or end.native

    def close(self) -> AssistantMessage:
        self._hear(self.reader.close(cut=self.end != "stop"))
        return AssistantMessage(self.reader.raw, _joined(self.parts), self.end)

    def _hear(self, heard: list[Part]) -> None:
        for part in heard:
            self.parts.append(part)
            if isinstance(part, Prose):
                self.emit(TextStreamed(chatml.unmark(part.text)))


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring prose in one piece, so that they do not depend on how the reply was streamed."""
    joined: list[Part] = []
    for is_prose, group in groupby(parts, key=lambda part: isinstance(part, Prose)):
        run = list(group)
        joined += [Prose("".join(part.text for part in run if isinstance(part, Prose)))] if is_prose else run
    return tuple(joined)


def _sum(one: Usage, other: Usage) -> Usage:
    """Of two requests for one reply. The later prompt holds the earlier one, so its size is the prompt's."""
    prompt = one.prompt_tokens if other.prompt_tokens is None else other.prompt_tokens
    fresh, reply = _plus(one.fresh_tokens, other.fresh_tokens), _plus(one.reply_tokens, other.reply_tokens)
    return Usage(prompt, fresh, reply, one.seconds + other.seconds)


def _plus(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other

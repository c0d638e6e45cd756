"""One reply: ask the model, read what it says as it comes, keep it in the session. In: a turn; out: what was heard.

A call or an answer that the reply limit has cut is gone on with from where it stopped, in the same reply, so that the
model never begins a long file anew and nothing that it said is lost. Where the model begins somebody else's turn the
request is ended at once: no stop string of the server's does that for `<tool_response>`. It runs nothing and refuses to
know why it asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count

from qagent import context
from qagent.errors import WindowExceeded
from qagent.events import Emit, PromptSent, ReplyFinished, TextStreamed
from qagent.forced import forced_reply
from qagent.models.base import CallsDelta, Model
from qagent.models.driver import PrefillRefused
from qagent.models.refusal import SchemaRefused
from qagent.qwen import chatml
from qagent.qwen.reader import Reader, joined
from qagent.session import Session
from qagent.types import AssistantMessage, BadCall, Part, Prompt, Prose, ReplyEnd, ReplyEnded, ToolCall, ToolSpec, Usage

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
            while reply.is_unfinished and reply.continued < MOST_CONTINUED:
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
        return _UnderWay(self.tools, number, Reader(self.tools, number), self.emit, forced)

    async def _listen(self, turn: int, reply: _UnderWay) -> None:
        prompt = context.build(self.session.messages, self.not_run, reply.raw)
        self.emit(reply.asked_with(turn, prompt))
        reply.end = "failed"
        async with aclosing(self.model.stream(prompt)) as deltas:
            async for delta in deltas:
                if isinstance(delta, ReplyEnded):
                    reply.ended(delta)
                    continue
                if isinstance(delta, CallsDelta):
                    reply.begin_calls()
                reply.feed(delta.text)
                if reply.reader.over:  # it speaks for somebody else by now: end the request, keep the machine cool
                    reply.end = "stop"
                    break

    async def _go_on(self, turn: int, reply: _UnderWay) -> bool:
        """Whether more of the reply came."""
        before = reply.length
        reply.continued += 1
        try:
            await self._listen(turn, reply)
        except (WindowExceeded, PrefillRefused):  # the window is full, or the server does not go on: that was the limit
            reply.end = "length"
            reply.continued -= 1
            return False
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
                dropped=reply.dropped,
                repairs=tuple(call.repairs for call in good),
                forced=reply.forced,
                continued=reply.continued,
                native=reply.native,
            )
        )
        return Heard(message, reply.invented, reply.forced)


@dataclass(slots=True)
class _UnderWay:
    """A reply that is being written. text: the reader of what stands in front of native calls, once there are some.
    asked: the tokens of the last prompt for it. length: the characters that came."""

    tools: Sequence[ToolSpec]
    number: int
    reader: Reader
    emit: Emit
    forced: bool = False
    parts: list[Part] = field(default_factory=list[Part])
    end: ReplyEnd = "failed"
    usage: Usage = field(default_factory=Usage)
    native: bool = False
    continued: int = 0
    asked: int = 0
    length: int = 0
    invented: bool = False
    text: Reader | None = None
    _last: str = ""

    @property
    def raw(self) -> str:
        return (self.text.raw if self.text else "") + self.reader.raw

    @property
    def dropped(self) -> int:
        return (self.text.dropped if self.text else 0) + self.reader.dropped

    @property
    def is_unfinished(self) -> bool:
        """Whether the limit cut a call, or words that no call stands in front of."""
        if self.end != "length" or not self.raw.strip():
            return False
        return self.reader.inside_call or all(isinstance(part, Prose) for part in self.parts)

    def asked_with(self, turn: int, prompt: Prompt) -> PromptSent:
        """What of a prompt is new to the server: of one that goes on with this reply, what came since the last."""
        fresh = max(0, prompt.tokens - self.asked) if self.continued else prompt.fresh
        self.asked = prompt.tokens
        return PromptSent(
            turn, prompt.tokens, fresh, self.continued, self.usage.reply_tokens if self.continued else None
        )

    def begin_calls(self) -> None:
        """What follows are calls that the server has read, and what may go on with the last of them. The text in front
        of them ends here: nothing unfinished in it is run, and nothing left open in it holds the calls."""
        if self.text is None:
            self._hear(self.reader.close(cut=True))
            self.text, self.reader, self._last = self.reader, Reader(self.tools, self.number), ""

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
        parts = _numbered(tuple(joined(self.parts)), self.number) if self.text else tuple(joined(self.parts))
        return AssistantMessage(self.raw, tuple(map(self._marked, parts)), self.end)

    def _marked(self, part: Part) -> Part:
        """A call whose form the model did not choose says so."""
        if isinstance(part, ToolCall) and self.native and part.form == "tool_call":
            return replace(part, form="native")
        if isinstance(part, ToolCall) and self.forced and part.form == "tools":
            return replace(part, form="forced")
        return part

    def _hear(self, heard: list[Part]) -> None:
        for part in heard:
            self.parts.append(part)
            if isinstance(part, Prose):
                self.emit(TextStreamed(chatml.unmark(part.text)))


def _numbered(parts: tuple[Part, ...], reply: int) -> tuple[Part, ...]:
    """The parts of two readers, with the ids that one would have given."""
    number = count(1)
    return tuple(part if isinstance(part, Prose) else replace(part, id=f"{reply}.{next(number)}") for part in parts)


def _sum(one: Usage, other: Usage) -> Usage:
    """Of two requests for one reply. The later prompt holds the earlier one, so its size is the prompt's."""
    prompt = one.prompt_tokens if other.prompt_tokens is None else other.prompt_tokens
    fresh, reply = _plus(one.fresh_tokens, other.fresh_tokens), _plus(one.reply_tokens, other.reply_tokens)
    return Usage(prompt, fresh, reply, one.seconds + other.seconds)


def _plus(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other

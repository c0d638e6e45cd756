"""A reply that the server is made to write as a call: two requests, the header by a schema, then the code freely.

In: a model, the conversation, the offered tools. Out: one reply's raw text, which is read like any other (so that what
may run is decided where it always is), how it ended and what it cost. It runs nothing and refuses to know what a tool
does, why the call is forced, and what is told to the model about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from qagent import context
from qagent.errors import WindowExceeded
from qagent.models.base import Model
from qagent.qwen import forcing
from qagent.qwen.reader import Reader
from qagent.types import Message, Prose, ReplyEnd, ReplyEnded, ToolCall, ToolSpec, Usage


@dataclass(frozen=True, slots=True)
class Bounds:
    """Tokens of the header and of one request for the block (None: the profile's), and how often a block that ran to
    its limit is gone on with."""

    header_tokens: int = 512
    body_tokens: int | None = None
    continued: int = 2


@dataclass(frozen=True, slots=True)
class Forced:
    """raw: the reply as if the model had written all of it. end: "stop", or why it is not whole ("length" also when a
    value was cut at the schema's bound); `raw` is left open then, and read as what was cut it holds no call. usage: of
    all requests; its prompt_tokens are those of the last, which holds the others. continued: requests that went on with
    a block at its limit.
    """

    raw: str
    end: ReplyEnd
    usage: Usage
    continued: int = 0


async def forced_reply(
    model: Model, messages: Sequence[Message], tools: Sequence[ToolSpec], not_run: str, bounds: Bounds | None = None
) -> Forced:
    """Asks for one call of one of the tools. `not_run` is what the model reads in place of a missing result.

    Raises UserFacing as the model does: SchemaRefused, when the server cannot be held to a schema, is the one after
    which asking without force makes sense. Cancelling ends the request under way; nothing of the reply is kept then.
    """
    bounds = bounds or Bounds()
    asked = _Asked(model, messages, not_run)
    said, end = await asked.go_on(
        forcing.PREFILL, schema=forcing.header_schema(tools), reply_tokens=bounds.header_tokens
    )
    header = forcing.read_header(said, tools)
    if header is None:  # cut; or the server takes no notice of schemas, and this is the model's own reply
        return Forced(_as_said(said, tools, cut=end != "stop"), end, asked.usage)
    if forcing.is_cut(header):  # by the grammar, which then wrote its end
        return Forced(forcing.left_open(header), "length", asked.usage)
    body = forcing.wanted_body(header)  # a whole JSON object is a whole header, also at the limit
    if body is None:
        return Forced(forcing.assembled(header), "stop", asked.usage)
    block = _Block(asked, bounds, forcing.begun(header, body), body)
    await block.write()
    if block.end == "stop":
        raw = forcing.assembled(header, body, block.text, ended=block.ended)
        return Forced(raw, "stop", asked.usage, block.continued)
    # what closed its call and then ran on has no need of its end
    whole = forcing.is_whole(block.written, header)
    return Forced(block.written, "stop" if whole else block.end, asked.usage, block.continued)


@dataclass(slots=True)
class _Asked:
    """The requests of one forced reply, and what they cost together."""

    model: Model
    messages: Sequence[Message]
    not_run: str
    usage: Usage = field(default_factory=Usage)

    async def go_on(
        self,
        prefill: str,
        *,
        stops: tuple[str, ...] = (),
        schema: dict[str, Any] | None = None,
        reply_tokens: int | None = None,
    ) -> tuple[str, ReplyEnd]:
        """What the model writes behind `prefill`, and why it ended; "failed" when the stream broke off wordlessly."""
        built = context.build(self.messages, self.not_run, prefill)
        prompt = replace(built, schema=schema, stops=stops, reply_tokens=reply_tokens)
        said: list[str] = []
        end: ReplyEnd = "failed"
        async with aclosing(self.model.stream(prompt)) as deltas:
            async for delta in deltas:
                if isinstance(delta, ReplyEnded):
                    end, self.usage = delta.end, _sum(self.usage, delta.usage)
                else:
                    said.append(delta.text)
        return "".join(said), end


@dataclass(slots=True)
class _Block:
    """The code behind a header, as far as it is written. ended: its end was seen, and is left out of the text."""

    asked: _Asked
    bounds: Bounds
    begun: str
    body: forcing.Body
    text: str = ""
    end: ReplyEnd = "stop"
    continued: int = 0
    ended: bool = False

    @property
    def written(self) -> str:
        return self.begun + self.text

    async def write(self) -> None:
        await self._to_an_end()
        upto = forcing.up_to_new(self.body, self.text, ended=self.ended) if self.end == "stop" else None
        if upto is not None:  # it ended in front of the new text, which is asked for, not taken to be nothing
            self.text = upto
            await self._to_an_end()

    async def _to_an_end(self) -> None:
        """On from where it stopped, until it ends by itself or the bound is reached."""
        await self._further()
        while self.end == "length" and self.continued < self.bounds.continued:
            before = self.text
            try:
                await self._further()
            except WindowExceeded:  # the window is full: that was the limit
                return
            self.continued += 1
            if self.text == before:
                return

    async def _further(self) -> None:
        said, end = await self.asked.go_on(self.written, stops=self.body.stops, reply_tokens=self.bounds.body_tokens)
        stopped = forcing.up_to_stop(self.body, self.text + said)
        self.ended = stopped is not None
        self.text, self.end = (self.text + said, end) if stopped is None else (stopped, "stop")


def _as_said(text: str, tools: Sequence[ToolSpec], *, cut: bool) -> str:
    """The reply of a server that takes no notice of the schema. What is no call behind the tag that the turn was begun
    with may be one by itself, if it has tags of its own. A reply that begins with a sentence did not go on from the
    tag: JSON in it is an example where it would be one in any other reply."""
    inside = forcing.PREFILL + text
    by_itself, behind_tag = (_leads_with_call(raw, tools, cut=cut) for raw in (text, inside))
    is_sentence = not text.lstrip().startswith(("{", "[", "<", "```"))
    if is_sentence:
        return text if by_itself or behind_tag else inside
    return text if by_itself and not behind_tag else inside


def _leads_with_call(raw: str, tools: Sequence[ToolSpec], *, cut: bool) -> bool:
    reader = Reader(tools)
    calls = [part for part in (*reader.feed(raw), *reader.close(cut=cut)) if not isinstance(part, Prose)]
    return bool(calls) and isinstance(calls[0], ToolCall)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        other.prompt_tokens,
        _total(one.fresh_tokens, other.fresh_tokens),
        _total(one.reply_tokens, other.reply_tokens),
        one.seconds + other.seconds,
    )


def _total(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other

"""One reply from any server: the lines of an answer in, deltas out, the end last.

What is the same for all servers stands here: text is passed on as it comes, time is taken, and an answer that ends
without its end is an error. What a line means, and what the end says, a `Reading` knows.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from qagent.models.base import CallsDelta
from qagent.models.record import Record
from qagent.models.refusal import SchemaRefused
from qagent.models.wire import Explain, Heard, Wire, unfinished
from qagent.types import Delta, Prompt, ReplyEnded, TextDelta


class Reading(Protocol):
    """How one answer is read; made anew for each request, so it may keep what it has heard."""

    def heard(self, line: bytes) -> Heard | None:
        """See `wire.Read`."""
        ...

    def ended(self, last: Record | None, seconds: float) -> ReplyEnded | None:
        """Called once, when no more comes. `last`: the record that ended the reply, if a line had one. None: it has
        not ended. Raises PromptCut."""
        ...


class PrefillRefused(SchemaRefused):
    """The server does not go on with a begun turn: a reply would stand behind it that does not belong there. As with
    its base, asking without force may well work."""


def check_prefill(prompt: Prompt) -> None:
    """For a server that is not known to go on with a begun turn, where the prefill is left out. Raises PrefillRefused
    unless a schema holds the reply, which then fits behind the prefill as well."""
    if prompt.prefill and prompt.schema is None:
        raise PrefillRefused(
            "the server is not known to go on with a reply that was begun for the model",
            todo="serve the model where raw prompts are taken (/v1/completions, Ollama, llama.cpp)",
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: where it goes, what it says, how a refusal is explained. reply_tokens: see `Wire.post`."""

    path: str
    body: dict[str, object]
    explain: Explain
    reply_tokens: int | None = None


async def drive(wire: Wire, asking: Asking, reading: Reading) -> AsyncGenerator[Delta, None]:
    """Text as it comes, then ReplyEnded. Raises what `Wire.post` raises, and PromptCut."""
    began, last = time.monotonic(), None
    limit = asking.reply_tokens
    posted = wire.post(asking.path, asking.body, reading.heard, asking.explain, reply_tokens=limit)
    async with aclosing(posted) as answer:
        async for heard in answer:
            if heard.text:
                yield TextDelta(heard.text)
            if heard.calls:
                yield CallsDelta(heard.calls)
            last = heard.last
    end = reading.ended(last, time.monotonic() - began)
    if end is None:
        raise unfinished(wire.server)
    yield end

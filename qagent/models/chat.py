"""The last resort: OpenAI's /v1/chat/completions, where the server's template frames the conversation.

In: a prompt's messages. Out: the model's text; calls that the server read itself are written back as tagged text, so
that the one reader reads them. A chat goes on with a begun turn only where the server is known to.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from qagent.models.chat_messages import chat_messages, tool_fields
from qagent.models.driver import check_prefill
from qagent.models.keys import Key
from qagent.models.names import InstalledModel
from qagent.models.openai_api import Api, Waits, sampled
from qagent.models.openai_servers import Body, Fields, response_format
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt, ToolSpec


class Chat:
    """A Model. tools: those that the server is told of, whose calls it then reads itself; without any, the prompt alone
    describes them. `key` and times as with `Completions`."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        door: Door,
        sampling: Sampling,
        key: Key | None = None,
        tools: Sequence[ToolSpec] = (),
        stall_seconds: float = 120.0,
        first_seconds: float = 600.0,
    ) -> None:
        waits = Waits(first_seconds, stall_seconds)
        self._name = name
        self._api = Api(name, url, door, key=key, reply_tokens=sampling.reply_tokens, waits=waits)
        self._sampling = sampling
        self._tools = tool_fields(tools)

    @property
    def name(self) -> str:
        return self._name

    async def prefills(self) -> bool:
        """Whether the server is known to go on with a prompt's `prefill`; else `driver.check_prefill` decides."""
        return (await self._api.row()).prefill is not None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Text as it comes, then ReplyEnded. Raises like `Completions.stream`; ToolsUnsupported when the
        server is told of tools and cannot read calls."""
        async with aclosing(self._api.deltas("/v1/chat/completions", prompt, await self._body(prompt))) as reply:
            async for delta in reply:
                yield delta

    async def installed(self) -> list[InstalledModel]:
        """What /v1/models lists. Raises like `stream`."""
        return await self._api.installed()

    async def _body(self, prompt: Prompt) -> Body:
        body = sampled(self._sampling, prompt)
        begun = await self._continuing(prompt)
        prefill = prompt.prefill if begun else ""
        messages = chat_messages(prompt.messages, native=bool(self._tools), prefill=prefill)
        fields: dict[str, object] = {"messages": messages, **body.fields, **begun}
        if self._tools:
            fields["tools"] = self._tools
        if prompt.schema is not None:
            fields |= response_format(prompt.schema) | ({"tool_choice": "none"} if self._tools else {})
        return Body(fields, body.extras)

    async def _continuing(self, prompt: Prompt) -> Fields:
        """The fields that have the server go on with a begun turn. A schema makes do without one: llama.cpp (b11549)
        holds the begun turn to it too, and then fails."""
        row = await self._api.row() if prompt.prefill and prompt.schema is None else None
        if row is None or row.prefill is None:
            check_prefill(prompt)
            return {}
        return row.prefill

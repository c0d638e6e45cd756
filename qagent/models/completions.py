"""Any server with OpenAI's /v1/completions as a token pump: the raw prompt in, server-sent events out.

In: a prompt's exact text. Out: the model's exact text, and what it cost. vLLM, SGLang, LM Studio and llama.cpp take the
prompt as it is; what else differs between them stands in `openai_servers`. vLLM prints a control token only with
`skip_special_tokens: false`, llama.cpp only with `preserved_tokens`, and a stop that spells one matches only then.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from qagent.errors import ConfigProblem
from qagent.models.keys import Key
from qagent.models.names import InstalledModel
from qagent.models.openai_api import Api, Waits, sampled
from qagent.models.openai_servers import Body
from qagent.net import Door
from qagent.qwen import chatml
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt

PORT = 8_000
"""vLLM's. LM Studio listens on 1234, llama.cpp on 8080, SGLang on 30000."""


class Completions:
    """A Model. `key` travels in the header `Authorization` and nowhere else. Times in seconds: see Wire."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        door: Door,
        sampling: Sampling,
        key: Key | None = None,
        stall_seconds: float = 120.0,
        first_seconds: float = 600.0,
    ) -> None:
        waits = Waits(first_seconds, stall_seconds)
        self._name = name
        self._api = Api(name, url, door, key=key, reply_tokens=sampling.reply_tokens, waits=waits)
        self._sampling = sampling

    @property
    def name(self) -> str:
        return self._name

    async def prefills(self) -> bool:
        """A prompt's `prefill` is gone on with: it stands in the text."""
        return True

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Text as it comes, then ReplyEnded. Raises ServerProblem and its kinds, WindowExceeded, PromptCut,
        ConfigProblem (the key is not let in), LeaveRefused. NoSuchRoute: there may be a chat endpoint instead."""
        async with aclosing(self._api.deltas("/v1/completions", prompt, await self._body(prompt))) as reply:
            async for delta in reply:
                yield delta

    async def installed(self) -> list[InstalledModel]:
        """What /v1/models lists. Raises like `stream`; ConfigProblem for Ollama, which is no server for raw prompts
        here."""
        listed = await self._api.installed()
        if not (row := await self._api.row()).raw:
            raise ConfigProblem(
                f"{row.title} answers there, and its /v1/completions takes no raw prompt",
                todo='set `server = "ollama"`: qagent speaks its own protocol',
            )
        return listed

    async def _body(self, prompt: Prompt) -> Body:
        body = sampled(self._sampling, prompt)
        fields: dict[str, object] = {"prompt": prompt.text, **body.fields}
        controls = [stop for stop in prompt.stops if chatml.SPECIAL.fullmatch(stop)]
        extras = {
            **body.extras,
            "skip_special_tokens": False,
            "preserved_tokens": [*self._sampling.stops, *controls],
        }
        if prompt.schema is not None:
            row = await self._api.row()
            fields |= row.schema(prompt.schema)
            extras |= row.more(prompt.schema)
        return Body(fields, extras)

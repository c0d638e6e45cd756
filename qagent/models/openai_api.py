"""One server's /v1: which server it is, which models it has, and requests that get smaller where it refuses them.

In: an address, a key, a body. Out: deltas, or the error for people. What a body says is not known here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import PurePath

from qagent.errors import ModelMissing, NoSuchRoute, UserFacing
from qagent.models.counting import PromptCounts
from qagent.models.driver import Asking, drive
from qagent.models.keys import Key, keyed, without_key
from qagent.models.names import InstalledModel
from qagent.models.openai_refusals import again, explained, no_route
from qagent.models.openai_servers import ROWS, UNKNOWN, Body, Row
from qagent.models.openai_stream import Stream
from qagent.models.record import Record
from qagent.models.refusal import Server, Told, read_refusal
from qagent.models.wire import Wire
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt

MODELS = 1_000
SHOWN_MODELS = 5
WIDEN = (
    "have the server started with a larger window (vLLM: `--max-model-len`; `num_ctx` cannot widen it), lower "
    "`reply_tokens`, or give the model less to read: a shorter task, a new conversation"
)


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: until the first word, and from word to word."""

    first: float
    stall: float


class _Refused(UserFacing):
    """Carries a refusal from the wire to where it is decided what comes of it; nobody else ever sees one."""

    def __init__(self, told: Told) -> None:
        super().__init__(told.text)
        self.told = told


class Api:
    """`url` may end in /v1 or not. Raises ConfigProblem for a key that cannot be one."""

    def __init__(self, name: str, url: str, door: Door, *, key: Key | None, reply_tokens: int, waits: Waits) -> None:
        root = url.rstrip("/").removesuffix("/v1").rstrip("/")
        self._name = name
        key = key or Key()
        self._door = keyed(door, key.text)
        self._server = Server("the server", root, "vllm serve MODEL", "--host", WIDEN, key.todo)
        self._wire = Wire(self._server, self._door, waits.first, waits.stall, reply_tokens)
        self._counts = PromptCounts()
        self._row: Row | None = None
        self._unwanted: frozenset[str] = frozenset()

    async def deltas(self, path: str, prompt: Prompt, body: Body) -> AsyncGenerator[Delta, None]:
        """The reply to one request, asked again where the server refuses a part of it that it can do without; what it
        refused once is left out from then on. Raises like `LlamaCpp.stream`, and NoSuchRoute, ToolsUnsupported."""
        body = body.less(self._unwanted)
        wanted = frozenset(body.extras)
        while True:
            try:
                async with aclosing(self._asked(path, prompt, body)) as reply:
                    async for delta in reply:
                        self._unwanted |= wanted - frozenset(body.extras)
                        yield delta
                return
            except _Refused as refused:  # before a word of the reply, or else `again` sees no use in it
                smaller = again(refused.told, body)
                if smaller is None:
                    raise await self._explained(path, refused.told) from None
                body = smaller

    def _asked(self, path: str, prompt: Prompt, body: Body) -> AsyncGenerator[Delta, None]:
        limit = prompt.reply_tokens or self._wire.reply_tokens
        asking = Asking(path, {"model": self._name, **body.whole}, self._carried, limit)
        return drive(self._wire, asking, Stream(prompt, self._counts, limit))

    async def row(self) -> Row:
        """Which server it is; UNKNOWN when it does not tell, or lists nothing."""
        if self._row is None:
            try:
                await self._models()
            except UserFacing:
                return UNKNOWN
        return self._row or UNKNOWN

    async def installed(self) -> list[InstalledModel]:
        """What /v1/models lists, each as the server wants it spelled. Raises like `deltas`."""
        return [_installed(model) for model in await self._models() if model.label("id")]

    async def _models(self) -> tuple[Record, ...]:
        listed = await self._wire.get("/v1/models", self._plainly)
        if (error := listed.values.get("error")) is not None:  # LM Studio refuses with status 200
            raise await self._plainly(read_refusal(None, error))
        models = listed.each("data")[:MODELS]
        owners = {model.text("owned_by") for model in models}
        self._row = next((row for owner, row in ROWS.items() if owner in owners), UNKNOWN)
        return models

    async def _carried(self, told: Told) -> UserFacing:
        return _Refused(told)

    async def _plainly(self, told: Told) -> UserFacing:
        return self._error("/v1/models", told)

    def _error(self, path: str, told: Told) -> UserFacing:
        error = explained(without_key(told, self._door), self._server)
        return no_route(path, told.status, self._server) if isinstance(error, NoSuchRoute) else error

    async def _explained(self, path: str, told: Told) -> UserFacing:
        error = self._error(path, told)
        if not isinstance(error, ModelMissing):
            return error
        try:
            names = [model.name for model in await self.installed()]
        except UserFacing:
            names = []
        return _missing(self._name, self._server, names)


def _missing(name: str, server: Server, names: list[str]) -> ModelMissing:
    more = ", …" if len(names) > SHOWN_MODELS else ""
    has = f"; it has: {', '.join(names[:SHOWN_MODELS])}{more}" if names else ""
    return ModelMissing(
        f"the server at {server.url} has no model {name!r}{has}",
        todo="choose another with `-m NAME`, or have the server load it",
    )


def sampled(sampling: Sampling, prompt: Prompt) -> Body:
    """What a reply may be like: the fields that completions and chats have in common.

    The penalty is always sent: vLLM else takes 1.1 from the model's own generation_config.json, and LM Studio from its
    preset. vLLM and SGLang spell it `repetition_penalty`, llama.cpp and LM Studio `repeat_penalty`.
    """
    fields: dict[str, object] = {
        "stream": True,
        "max_tokens": prompt.reply_tokens or sampling.reply_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if stops := list(dict.fromkeys([*sampling.stops, *prompt.stops])):  # OpenAI refuses an empty list
        fields["stop"] = stops
    extras: dict[str, object] = {
        "stream_options": {"include_usage": True},
        "top_k": sampling.top_k,
        "repetition_penalty": sampling.repeat_penalty,
        "repeat_penalty": sampling.repeat_penalty,
    }
    return Body(fields, extras)


def _installed(model: Record) -> InstalledModel:
    """llama.cpp calls a model by its path, and takes any name for it. The window: `max_model_len` (vLLM, SGLang) or
    `n_ctx` (llama.cpp)."""
    name = model.label("id")
    if name.endswith(".gguf") and model.text("owned_by") == "llamacpp":
        name = PurePath(name.replace("\\", "/")).stem
    meta = model.inner("meta")
    window = model.count("max_model_len") or meta.count("n_ctx")
    return InstalledModel(name, meta.count("size") or 0, window=window)

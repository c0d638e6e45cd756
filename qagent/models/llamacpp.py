"""llama.cpp's server as a token pump: POST /completion, a raw prompt in, server-sent events out.

In: a prompt's exact text. Out: the model's exact text, and what it cost, also how much of the prompt was read afresh.
The server prints a control token as empty text and goes on, so that a stop string which spells one never matches;
`preserved_tokens` has it printed, and then it stops there (both seen with b11549). A build with LLGuidance answers a
schema that it cannot use with 200 and free text (seen with the same); others refuse it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePath

from qagent.errors import PromptCut, UserFacing
from qagent.models.counting import PromptCounts
from qagent.models.driver import Asking, drive
from qagent.models.names import InstalledModel
from qagent.models.record import Record, not_spoken
from qagent.models.refusal import Server, Told, explain, read_refusal
from qagent.models.sse import DONE, payload
from qagent.models.wire import Heard, Wire
from qagent.net import Door
from qagent.qwen import chatml
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt, ReplyEnded, Usage

TITLE = "llama.cpp"
PORT = 8_080
WIDEN = "start llama-server with a larger window (`-c`), or give it less to read: a shorter task, a new conversation"


class LlamaCpp:
    """A Model. The server runs one model whatever name is asked for; `name` is what people see."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        door: Door,
        sampling: Sampling,
        stall_seconds: float = 120.0,
        first_seconds: float = 600.0,
    ) -> None:
        self._name = name
        self._server = Server(TITLE, url, "llama-server -m MODEL.gguf", "--host", WIDEN)
        self._wire = Wire(self._server, door, first_seconds, stall_seconds, sampling.reply_tokens)
        self._counts = PromptCounts()
        self._limit, self._stops = sampling.reply_tokens, sampling.stops
        self._fixed = _fixed(sampling)

    @property
    def name(self) -> str:
        return self._name

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Text as it comes, then ReplyEnded. Raises ServerProblem and its kinds (SchemaRefused among them),
        WindowExceeded, PromptCut, ConfigProblem (the server refuses who asks), LeaveRefused."""
        asking = Asking("/completion", self._body(prompt), self._explained, prompt.reply_tokens)
        return drive(self._wire, asking, _Reading(prompt, self._counts, prompt.reply_tokens or self._limit))

    async def installed(self) -> list[InstalledModel]:
        """The model that the server runs, from /v1/models; a path is shortened to its file's name."""
        listed = await self._wire.get("/v1/models", self._explained)
        return [_installed(model) for model in listed.each("data") if model.label("id")]

    def _body(self, prompt: Prompt) -> dict[str, object]:
        body: dict[str, object] = {"prompt": prompt.text, **self._fixed}
        if prompt.reply_tokens is not None:
            body["n_predict"] = prompt.reply_tokens
        if prompt.stops:
            controls = (stop for stop in prompt.stops if chatml.SPECIAL.fullmatch(stop))
            body["stop"], body["preserved_tokens"] = [*self._stops, *prompt.stops], [*self._stops, *controls]
        if prompt.schema is not None:
            body["json_schema"] = prompt.schema
        return body

    async def _explained(self, told: Told) -> UserFacing:
        return explain(told, self._server)


@dataclass(frozen=True, slots=True)
class _Reading:
    """limit: the most tokens that the reply may have."""

    prompt: Prompt
    counts: PromptCounts
    limit: int

    def heard(self, line: bytes) -> Heard | None:
        """The event on a line; None for what carries no text, and for `[DONE]`."""
        said = payload(line, TITLE)
        if said is None or said == DONE:
            return None
        record = Record.parse(said, TITLE)
        if "error" in record.values or line.lstrip().startswith(b"error"):  # `error: {…}` is how older servers put it
            return Heard(refusal=read_refusal(None, record.values.get("error", record.values)))
        if "stop" not in record.values:
            raise not_spoken(TITLE)
        text, ends = record.text("content"), record.flag("stop")
        return Heard(text, record if ends else None) if text or ends else None

    def ended(self, last: Record | None, seconds: float) -> ReplyEnded | None:
        if last is None:
            return None
        timings, replied = last.inner("timings"), last.count("tokens_predicted")
        fresh, cached = timings.count("prompt_n"), timings.count("cache_n")
        read = last.count("tokens_evaluated") if fresh is None or cached is None else fresh + cached
        limited = last.text("stop_type") == "limit" or last.flag("stopped_limit")
        if last.flag("truncated") and not (limited and _is_whole(last, self.limit)):
            raise PromptCut("llama.cpp's server cut the prompt to fit its window", todo=WIDEN)
        self.counts.check(self.prompt, read)
        usage = Usage(prompt_tokens=read, fresh_tokens=fresh, reply_tokens=replied, seconds=seconds)
        return ReplyEnded("length" if limited else "stop", usage)


def _is_whole(last: Record, limit: int) -> bool:
    """Whether a reply at a limit has only filled the window, which is called `truncated` too: then everything that was
    read and written is still there, but for the last token. A server that shifts its window has dropped some."""
    read, replied, kept = (last.count(f"tokens_{what}") or 0 for what in ("evaluated", "predicted", "cached"))
    return replied < limit or kept == read + replied - 1


def _fixed(sampling: Sampling) -> dict[str, object]:
    return {
        "stream": True,
        "cache_prompt": True,
        "n_predict": sampling.reply_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repeat_penalty": sampling.repeat_penalty,
        "stop": list(sampling.stops),
        "preserved_tokens": list(sampling.stops),
    }


def _installed(model: Record) -> InstalledModel:
    name = model.label("id")
    if name.endswith(".gguf"):
        name = PurePath(name.replace("\\", "/")).stem
    return InstalledModel(name, model.inner("meta").count("size") or 0)

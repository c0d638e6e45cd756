"""Ollama as a token pump: POST /api/generate with `raw: true`, so that no template and no parser of Ollama takes part.

In: a prompt's exact text. Out: the model's exact text, and what it cost. Every request of one object carries the same
options, byte for byte, except where a prompt asks for its own stops or length: Ollama loads the model anew when a
launch option differs (`num_ctx`, `num_batch`, `num_gpu`, `num_thread`, `shift`; not `stop`, not `num_predict`), and
cuts prompts silently unless told not to.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from qagent.errors import ModelMissing, UserFacing
from qagent.models.counting import PromptCounts
from qagent.models.driver import Asking, drive
from qagent.models.ending import end_of
from qagent.models.names import InstalledModel, missing
from qagent.models.record import Record, not_spoken
from qagent.models.refusal import Server, Told, explain, read_refusal
from qagent.models.remote import remote_host
from qagent.models.wire import Heard, Wire
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt, ReplyEnded, Usage

TITLE = "Ollama"
PORT = 11_434
MODELS = 1_000
"""More are not looked at: the nearest names to a wrong one are found by comparing it with each."""
WIDEN = "raise the setting `num_ctx`, or give the model less to read: a shorter task, a new conversation"


class Ollama:
    """A Model. Times in seconds: see Wire. `keep_alive`: how long Ollama keeps the model loaded, as it spells it."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        door: Door,
        sampling: Sampling,
        keep_alive: str = "30m",
        stall_seconds: float = 120.0,
        first_seconds: float = 600.0,
    ) -> None:
        self._name = name
        self._server = Server(TITLE, url, "ollama serve", "OLLAMA_HOST or --host", WIDEN)
        self._wire = Wire(self._server, door, first_seconds, stall_seconds, sampling.reply_tokens)
        self._counts = PromptCounts()
        self._fixed = {"raw": True, **always(keep_alive)}
        self._sampling = sampling

    @property
    def name(self) -> str:
        return self._name

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Text as it comes, then ReplyEnded. Raises ServerProblem and its kinds (SchemaRefused among them),
        WindowExceeded, PromptCut, ConfigProblem (the server refuses who asks), LeaveRefused."""
        asking = Asking("/api/generate", self._body(prompt), self._explained, prompt.reply_tokens)
        return drive(self._wire, asking, _Reading(prompt, self._counts))

    async def installed(self) -> list[InstalledModel]:
        """What the server has, as /api/tags lists it. Raises like `stream`."""
        return await self._listed()

    def _body(self, prompt: Prompt) -> dict[str, object]:
        asked = options(self._sampling, prompt)
        body = {"model": self._name, "prompt": prompt.text, **self._fixed, "options": asked}
        return body if prompt.schema is None else {**body, "format": prompt.schema}

    async def _listed(self) -> list[InstalledModel]:
        listed = await self._wire.get("/api/tags", self._plainly)
        return [_installed(model) for model in listed.each("models")[:MODELS] if model.label("name")]

    async def _plainly(self, told: Told) -> UserFacing:
        return explain(told, self._server)

    async def _explained(self, told: Told) -> UserFacing:
        error = explain(told, self._server)
        if not isinstance(error, ModelMissing):
            return error
        try:
            names = [model.name for model in await self._listed()]
        except UserFacing:
            names = []
        return missing(self._name, names)


@dataclass(frozen=True, slots=True)
class _Reading:
    prompt: Prompt
    counts: PromptCounts

    def heard(self, line: bytes) -> Heard | None:
        if not line.strip():
            return None
        said = Record.parse(line, TITLE)
        if "error" in said.values:
            return Heard(refusal=read_refusal(None, said.values["error"]))
        if "done" not in said.values:
            raise not_spoken(TITLE)
        text, ends = said.text("response"), said.flag("done")
        return Heard(text, said if ends else None) if text or ends else None

    def ended(self, last: Record | None, seconds: float) -> ReplyEnded | None:
        if last is None:
            return None
        read = last.count("prompt_eval_count")
        self.counts.check(self.prompt, read)
        end = end_of(last.text("done_reason") or "stop")  # older versions tell no reason
        return ReplyEnded(end, Usage(prompt_tokens=read, reply_tokens=last.count("eval_count"), seconds=seconds))


def always(keep_alive: str) -> dict[str, object]:
    """What every request says, whatever its endpoint: Ollama shortens prompts silently unless told not to."""
    return {"stream": True, "keep_alive": keep_alive, "truncate": False, "shift": False}


def options(sampling: Sampling, prompt: Prompt) -> dict[str, object]:
    """Those that load the model anew (`num_ctx`) are the session's; the others may be the request's."""
    stops = list(dict.fromkeys([*sampling.stops, *prompt.stops]))
    return {
        "num_ctx": sampling.window,
        "num_predict": sampling.reply_tokens if prompt.reply_tokens is None else prompt.reply_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repeat_penalty": sampling.repeat_penalty,
        **({"stop": stops} if stops else {}),  # an empty list would take the model's own away
    }


def _installed(model: Record) -> InstalledModel:
    name, details = model.label("name"), model.inner("details")
    return InstalledModel(
        name=name,
        size_bytes=model.count("size") or 0,
        family=details.label("family"),
        parameters=details.label("parameter_size"),
        quantization=details.label("quantization_level"),
        remote=remote_host(name, model.text("remote_host"), model.text("remote_model")),
    )

"""Ollama's /api/chat without `tools`, for models that were not trained on ChatML: their own template frames the talk.

In: a prompt's messages. Out: the model's text, what it thinks aloud left out. The options are those of `ollama.Ollama`,
the same in every request, because Ollama loads the model anew when one differs and cuts prompts silently unless told
not to. Whether a template goes on with a begun turn is not known, so a `prefill` is left out (`driver.check_prefill`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from qagent.errors import ModelMissing, UserFacing
from qagent.models.chat_messages import chat_messages
from qagent.models.counting import PromptCounts
from qagent.models.driver import Asking, check_prefill, drive
from qagent.models.ending import end_of
from qagent.models.names import missing
from qagent.models.record import Record, not_spoken
from qagent.models.refusal import Server, Told, explain, read_refusal
from qagent.models.thinking import Thinking
from qagent.models.wire import Heard, Wire
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt, ReplyEnded, Usage

WIDEN = "raise the setting `num_ctx`, or give the model less to read: a shorter task, a new conversation"


class OllamaChat:
    """A Model. Arguments as with `ollama.Ollama`, which also lists what is installed."""

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
        self._server = Server("Ollama", url, "ollama serve", "OLLAMA_HOST or --host", WIDEN)
        self._wire = Wire(self._server, door, first_seconds, stall_seconds, sampling.reply_tokens)
        self._counts = PromptCounts()
        self._sampling = sampling
        self._fixed: dict[str, object] = {
            "stream": True,
            "keep_alive": keep_alive,
            "truncate": False,
            "shift": False,
        }

    @property
    def name(self) -> str:
        return self._name

    async def prefills(self) -> bool:
        return False

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Text as it comes, then ReplyEnded. Raises like `Ollama.stream`."""
        check_prefill(prompt)
        messages = chat_messages(prompt.messages)
        body = {"model": self._name, "messages": messages, **self._fixed, "options": _options(self._sampling, prompt)}
        if prompt.schema is not None:
            body["format"] = prompt.schema
        asking = Asking("/api/chat", body, self._explained, prompt.reply_tokens)
        return drive(self._wire, asking, _Reading(prompt, self._counts))

    async def _explained(self, told: Told) -> UserFacing:
        error = explain(told, self._server)
        return missing(self._name, ()) if isinstance(error, ModelMissing) else error


class _Reading:
    """One answer: JSON Lines with a `message` each."""

    def __init__(self, prompt: Prompt, counts: PromptCounts) -> None:
        self._prompt, self._counts = prompt, counts
        self._thinking = Thinking()

    def heard(self, line: bytes) -> Heard | None:
        if not line.strip():
            return None
        said = Record.parse(line, "Ollama")
        if "error" in said.values:
            return Heard(refusal=read_refusal(None, said.values["error"]))
        if "done" not in said.values:
            raise not_spoken("Ollama")
        text, ends = self._thinking.feed(said.inner("message").text("content")), said.flag("done")
        if ends:
            return Heard(text + self._thinking.rest(), said)
        return Heard(text) if text else None

    def ended(self, last: Record | None, seconds: float) -> ReplyEnded | None:
        if last is None:
            return None
        read = last.count("prompt_eval_count")
        self._counts.check(self._prompt, read)
        usage = Usage(prompt_tokens=read, reply_tokens=last.count("eval_count"), seconds=seconds)
        return ReplyEnded(end_of(last.text("done_reason") or "stop"), usage)  # older versions tell no reason


def _options(sampling: Sampling, prompt: Prompt) -> dict[str, object]:
    """Those that load the model anew (`num_ctx`) are the session's; the others may be the request's."""
    stops = list(dict.fromkeys([*sampling.stops, *prompt.stops]))
    return {
        "num_ctx": sampling.window,
        "num_predict": prompt.reply_tokens or sampling.reply_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repeat_penalty": sampling.repeat_penalty,
        **({"stop": stops} if stops else {}),  # an empty list would take the model's own away
    }

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
from qagent.models.ollama import TITLE, WIDEN, always, options
from qagent.models.record import Record, not_spoken
from qagent.models.refusal import Server, Told, explain, read_refusal
from qagent.models.thinking import Thinking
from qagent.models.wire import Heard, Wire
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.types import Delta, Prompt, ReplyEnded, Usage


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
        self._server = Server(TITLE, url, "ollama serve", "OLLAMA_HOST or --host", WIDEN)
        self._wire = Wire(self._server, door, first_seconds, stall_seconds, sampling.reply_tokens)
        self._counts = PromptCounts()
        self._sampling = sampling
        self._fixed = always(keep_alive)

    @property
    def name(self) -> str:
        return self._name

    async def prefills(self) -> bool:
        return False

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Text as it comes, then ReplyEnded. Raises like `Ollama.stream`."""
        check_prefill(prompt)
        messages = chat_messages(prompt.messages)
        body = {"model": self._name, "messages": messages, **self._fixed, "options": options(self._sampling, prompt)}
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
        said = Record.parse(line, TITLE)
        if "error" in said.values:
            return Heard(refusal=read_refusal(None, said.values["error"]))
        if "done" not in said.values:
            raise not_spoken(TITLE)
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

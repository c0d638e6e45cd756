"""A server that speaks Ollama's protocol and plays a script: one entry for each /api/generate or /api/chat.

In: replies and faults. Out: what Ollama's clients see (ndjson, its error texts, its stop strings, its counts). It runs
no model. Requests are recorded for tests to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from qagent.qwen.chatml import estimate
from qagent.testing.script import Fault, Reply, Turn, pieces_of, stopped
from qagent.testing.server import JSON, Connection, LoopbackServer, Request

NDJSON = "application/x-ndjson"
WEIGHT_BYTES = 4_683_087_332
CREATED = "2026-01-01T00:00:00Z"
INVALID_FORMAT = 'invalid format: %s; expected "json" or a valid JSON Schema object'
CLOUD = "https://ollama.com:443"


@dataclass(frozen=True, slots=True)
class Generation:
    """One /api/generate, with its exact prompt, or one /api/chat, with its messages. format: the schema that the reply
    should obey; what the script says is said all the same."""

    request: Request
    model: str
    prompt: str
    options: dict[str, Any]
    format: Any = None
    messages: tuple[dict[str, Any], ...] = ()

    @property
    def stops(self) -> tuple[str, ...]:
        return tuple(self.options.get("stop", ()))

    @property
    def is_chat(self) -> bool:
        return bool(self.messages)

    @property
    def size(self) -> int:
        """What it would take in tokens, by qagent's own estimate."""
        return estimate(self.prompt) + sum(estimate(str(message.get("content", ""))) for message in self.messages)


class LoopbackOllama(LoopbackServer):
    """A context manager. `models`: names that are installed, or names with their sizes in bytes. Those that end in
    `cloud` are listed as Ollama lists what runs on its makers' machines. template, window: what /api/show tells of
    each, in Go's language and in tokens."""

    def __init__(
        self,
        script: Iterable[Turn],
        *,
        models: Sequence[str | tuple[str, int]] = ("qwen2.5-coder:7b",),
        template: str = "",
        window: int = 32_768,
    ) -> None:
        super().__init__(self._respond)
        self._script = list(script)
        self._models = dict((model, WEIGHT_BYTES) if isinstance(model, str) else model for model in models)
        self._template, self._window = template, window
        self.generated: list[Generation] = []

    @property
    def left(self) -> int:
        """How many entries of the script were not played."""
        return max(0, len(self._script) - len(self.generated))

    async def _respond(self, request: Request, connection: Connection) -> None:
        path = urlsplit(request.path).path
        if path == "/":
            body = b"Ollama is running"
            await connection.head(200, "text/plain", f"content-length: {len(body)}")
            await connection.send(body if request.method == "GET" else b"")
        elif path in ("/api/generate", "/api/chat"):
            await self._generate(request, connection)
        elif path == "/api/show":
            await self._show(request.said, connection)
        elif path in (plain := self._plain()):
            await connection.answer(200, plain[path])
        else:
            await connection.whole(404, "text/plain", b"404 page not found")

    def _plain(self) -> dict[str, dict[str, Any]]:
        listed = [self._listed(name) for name in self._models]
        running = [{**one, "size_vram": one["size"], "context_length": 32_768} for one in listed[:1]]
        return {"/api/version": {"version": "0.33.0"}, "/api/tags": {"models": listed}, "/api/ps": {"models": running}}

    def _listed(self, name: str) -> dict[str, Any]:
        away = {"remote_model": name.removesuffix("-cloud"), "remote_host": CLOUD} if name.endswith("cloud") else {}
        return {
            "name": name,
            "model": name,
            **away,
            "modified_at": CREATED,
            "size": self._models[name],
            "digest": "0" * 64,
            "details": {"format": "gguf", "family": "qwen2", "parameter_size": "7.6B", "quantization_level": "Q4_K_M"},
        }

    async def _show(self, said: dict[str, Any], connection: Connection) -> None:
        name = said.get("model", "")
        if name not in self._models:
            await connection.answer(404, {"error": f"model '{name}' not found"})
            return
        info = {"general.architecture": "qwen2", "qwen2.context_length": self._window}
        shown = {"details": self._listed(name)["details"], "model_info": info, "capabilities": ["completion", "insert"]}
        shown |= {"template": self._template} if self._template else {}
        await connection.answer(200, shown)

    async def _generate(self, request: Request, connection: Connection) -> None:
        said = request.said
        if (name := said.get("model", "")) not in self._models:
            await connection.answer(404, {"error": f"model '{name}' not found"})
            return
        if not (said.get("format") in (None, "", "json") or isinstance(said["format"], dict)):
            await connection.answer(400, {"error": INVALID_FORMAT % json.dumps(said["format"])})
            return
        asked = (said.get("prompt", ""), said.get("options", {}), said.get("format"))
        generation = Generation(request, name, *asked, tuple(said.get("messages", ())))
        self.generated.append(generation)
        if len(self.generated) > len(self._script):
            await connection.answer(500, {"error": "the script is over"})
            return
        turn = self._script[len(self.generated) - 1]
        if isinstance(turn, Fault):
            await _fail(generation, connection, turn)
        else:
            await _reply(generation, connection, Reply(turn) if isinstance(turn, str) else turn)


async def _reply(generation: Generation, connection: Connection, reply: Reply) -> None:
    pieces = pieces_of(reply, generation.stops)
    await connection.begin_chunks(NDJSON)
    for piece in pieces:
        await connection.pause(reply.delay_seconds)
        await connection.chunk(_line(generation, piece))
    counted = generation.size if reply.prompt_tokens is None else reply.prompt_tokens
    end = {
        "done_reason": "stop" if stopped(reply, generation.stops) else reply.reason,
        "total_duration": 1,
        "prompt_eval_count": counted,
        "eval_count": len(pieces),
    }
    # Ollama leaves out what is zero
    await connection.chunk(_line(generation, "", done=True, **{key: value for key, value in end.items() if value}))
    await connection.chunk(b"")


def _line(generation: Generation, text: str, *, done: bool = False, **more: object) -> bytes:
    words = {"message": {"role": "assistant", "content": text}} if generation.is_chat else {"response": text}
    said = {"model": generation.model, "created_at": CREATED, **words, "done": done, **more}
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


async def _fail(generation: Generation, connection: Connection, fault: Fault) -> None:
    if fault.kind == "status":
        await connection.whole(fault.status, JSON, _error_body(fault.text))
    elif fault.kind == "rubbish":
        await connection.whole(200, "text/html", fault.text.encode("utf-8", "surrogateescape"))
    elif fault.kind == "stall" and not fault.after:
        await connection.pause(None)
    elif fault.kind != "hangup":
        await _fail_in_stream(generation, connection, fault)


def _error_body(text: str) -> bytes:
    """`text` may be a whole body already (JSON, HTML), or the words under `error`."""
    return text.encode() if text.startswith(("{", "<")) else json.dumps({"error": text}).encode()


async def _fail_in_stream(generation: Generation, connection: Connection, fault: Fault) -> None:
    await connection.begin_chunks(NDJSON)
    if fault.after:
        await connection.chunk(_line(generation, fault.after))
    if fault.kind == "stall":
        await connection.pause(None)
    if fault.kind == "error_line":
        await connection.chunk(json.dumps({"error": fault.text}).encode() + b"\n")
    if fault.kind in ("no_done", "error_line"):
        await connection.chunk(b"")

"""A server that speaks OpenAI's protocol and plays a script: one entry of the script for each request for a reply.

In: replies, calls and faults. Out: what the clients of such servers see: /v1/models as vLLM lists them, raw
completions, and chats whose calls come in pieces, all as server-sent events. It runs no model. Requests are recorded
for tests to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from qagent.qwen.chatml import estimate
from qagent.testing.script import Fault, Reply, Turn, pieces_of, stopped
from qagent.testing.server import JSON, Connection, LoopbackServer, Request

EVENTS = "text/event-stream"
CREATED = 1_767_225_600
PIECE_CHARACTERS = 5

Route = Literal["completions", "chat"]
PATHS: dict[str, Route] = {"/v1/completions": "completions", "/v1/chat/completions": "chat"}
STANDARD = frozenset(
    {"model", "prompt", "messages", "stream", "stream_options", "max_tokens", "temperature", "top_p", "stop", "tools"}
)
"""The fields that a strict server takes."""


@dataclass(frozen=True, slots=True)
class Calls:
    """A reply of a chat in which the server has read calls: names with their arguments as JSON text, cut into pieces.
    Without `text` the content is null."""

    calls: tuple[tuple[str, str], ...]
    text: str = ""


Entry: TypeAlias = "Turn | Calls"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a reply. prompt: the exact text of a completion, "" in a chat."""

    request: Request
    route: Route
    said: dict[str, Any]

    @property
    def prompt(self) -> str:
        return self.said.get("prompt", "")

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.said.get("messages", [])

    @property
    def stops(self) -> tuple[str, ...]:
        return tuple(self.said.get("stop", ()))


class LoopbackOpenAI(LoopbackServer):
    """A context manager. models: those that are served. owner: what `owned_by` says ("vllm", "llamacpp", …). window:
    `max_model_len`, 0 for untold. key: what every request must show. routes: those that exist. tools: whether a chat
    may send `tools`. strict: fields outside `STANDARD` are refused."""

    def __init__(
        self,
        script: Iterable[Entry],
        *,
        models: Sequence[str] = ("Qwen/Qwen2.5-Coder-7B-Instruct",),
        owner: str = "vllm",
        window: int = 32_768,
        key: str = "",
        routes: Sequence[Route] = ("completions", "chat"),
        tools: bool = True,
        strict: bool = False,
    ) -> None:
        super().__init__(self._respond)
        self._script = list(script)
        self._models, self._owner, self._window = tuple(models), owner, window
        self._key, self._routes, self._tools, self._strict = key, tuple(routes), tools, strict
        self.asked: list[Asked] = []
        self._played = 0

    @property
    def left(self) -> int:
        """How many entries of the script were not played."""
        return len(self._script) - self._played

    async def _respond(self, request: Request, connection: Connection) -> None:
        path = urlsplit(request.path).path
        route = PATHS.get(path)
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            await _refuse(connection, 401, "Unauthorized")
        elif path == "/v1/models":
            listed = [self._listed(name) for name in self._models]
            await connection.answer(200, {"object": "list", "data": listed})
        elif route in self._routes:
            await self._ask(Asked(request, route, request.said), connection)
        else:
            await connection.answer(404, {"detail": "Not Found"})

    def _listed(self, name: str) -> dict[str, Any]:
        window = {"max_model_len": self._window} if self._window else {}
        return {"id": name, "object": "model", "created": CREATED, "owned_by": self._owner, **window}

    async def _ask(self, asked: Asked, connection: Connection) -> None:
        self.asked.append(asked)
        if refusal := self._refusal(asked):
            await _refuse(connection, *refusal)
        elif not self.left:
            await _refuse(connection, 500, "the script is over")
        else:
            entry = self._script[self._played]
            self._played += 1
            await _play(asked, Reply(entry) if isinstance(entry, str) else entry, connection)

    def _refusal(self, asked: Asked) -> tuple[int, str] | None:
        """A refused request plays nothing."""
        unknown = sorted(set(asked.said) - STANDARD) if self._strict else []
        name = asked.said.get("model", "")
        if name not in self._models:
            return 404, f"The model `{name}` does not exist."
        if unknown:
            return 400, f"Unrecognized request arguments supplied: {', '.join(unknown)}"
        if asked.said.get("tools") and not self._tools:
            return 400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        return None


async def _refuse(connection: Connection, status: int, text: str) -> None:
    await connection.whole(status, JSON, _error_body(status, text))


def _error_body(status: int, text: str) -> bytes:
    """`text` may be a whole body already (JSON, HTML), or the words of an error."""
    if text.startswith(("{", "<")):
        return text.encode()
    return json.dumps({"error": {"message": text, "type": "BadRequestError", "param": None, "code": status}}).encode()


# ------------------------------------------------------------------ replies


async def _play(asked: Asked, entry: Reply | Calls | Fault, connection: Connection) -> None:
    if isinstance(entry, Fault):
        await _fail(asked, connection, entry)
    elif isinstance(entry, Calls):
        await _call(asked, connection, entry)
    else:
        await _reply(asked, connection, entry)


async def _reply(asked: Asked, connection: Connection, reply: Reply) -> None:
    pieces = pieces_of(reply, asked.stops)
    await connection.begin_chunks(EVENTS)
    for piece in pieces:
        await connection.pause(reply.delay_seconds)
        await connection.chunk(_text(asked, piece))
    await _end(asked, connection, "stop" if stopped(reply, asked.stops) else reply.reason, reply, len(pieces))


async def _call(asked: Asked, connection: Connection, said: Calls) -> None:
    await connection.begin_chunks(EVENTS)
    await connection.chunk(_choice(asked, {"delta": {"role": "assistant", "content": None}}))
    if said.text:
        await connection.chunk(_text(asked, said.text))
    for index, (name, arguments) in enumerate(said.calls):
        first = {"index": index, "id": f"chatcmpl-tool-{index}", "type": "function", "function": {"name": name}}
        parts = [arguments[at : at + PIECE_CHARACTERS] for at in range(0, len(arguments), PIECE_CHARACTERS)]
        for piece in [first, *({"index": index, "function": {"arguments": part}} for part in parts)]:
            await connection.chunk(_choice(asked, {"delta": {"tool_calls": [piece]}}))
    await _end(asked, connection, "tool_calls", Reply(), len(said.calls))


async def _end(asked: Asked, connection: Connection, reason: str, reply: Reply, pieces: int) -> None:
    nothing: dict[str, Any] = {"text": ""} if asked.route == "completions" else {"delta": {}}
    await connection.chunk(_choice(asked, {**nothing, "finish_reason": reason}))
    if asked.said.get("stream_options", {}).get("include_usage"):
        await connection.chunk(_event({"choices": [], "usage": _usage(asked, reply, pieces)}))
    await connection.chunk(b"data: [DONE]\n\n")
    await connection.chunk(b"")


def _usage(asked: Asked, reply: Reply, pieces: int) -> dict[str, Any]:
    text = asked.prompt or "".join(str(message.get("content") or "") for message in asked.messages)
    read = estimate(text) if reply.prompt_tokens is None else reply.prompt_tokens
    return {"prompt_tokens": read, "completion_tokens": pieces, "total_tokens": read + pieces}


def _text(asked: Asked, text: str) -> bytes:
    return _choice(asked, {"text": text} if asked.route == "completions" else {"delta": {"content": text}})


def _choice(asked: Asked, choice: dict[str, Any]) -> bytes:
    chunk = "text_completion" if asked.route == "completions" else "chat.completion.chunk"
    choices = [{"index": 0, "finish_reason": None, **choice}]
    return _event({"id": "cmpl-1", "object": chunk, "model": asked.said.get("model"), "choices": choices})


def _event(said: dict[str, Any]) -> bytes:
    """Half surrogates stay spelled as they are in JSON."""
    return b"data: " + json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n\n"


# ------------------------------------------------------------------ faults


async def _fail(asked: Asked, connection: Connection, fault: Fault) -> None:
    if fault.kind == "status":
        await connection.whole(fault.status, JSON, _error_body(fault.status, fault.text))
    elif fault.kind == "rubbish":
        await connection.whole(200, "text/html", fault.text.encode("utf-8", "surrogateescape"))
    elif fault.kind == "stall" and not fault.after:
        await connection.pause(None)
    elif fault.kind != "hangup":
        await _fail_in_stream(asked, connection, fault)


async def _fail_in_stream(asked: Asked, connection: Connection, fault: Fault) -> None:
    await connection.begin_chunks(EVENTS)
    if fault.after:
        await connection.chunk(_text(asked, fault.after))
    if fault.kind == "stall":
        await connection.pause(None)
    if fault.kind == "error_line":
        await connection.chunk(b"data: " + _error_body(500, fault.text) + b"\n\n")
    if fault.kind in ("no_done", "error_line"):
        await connection.chunk(b"")

"""What a server says when it cannot answer, and what the person should read instead.

In: a status (None inside a stream that had begun) and the server's words, in every nesting seen: plain text,
`{"error": "…"}`, `{"error": {…}}`, and JSON inside the string of an error. Out: one UserFacing error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from qagent.errors import (
    ConfigProblem,
    ModelMissing,
    RunnerStopped,
    ServerBusy,
    ServerProblem,
    UserFacing,
    WindowExceeded,
)
from qagent.net import without_secrets

SHOWN_CHARACTERS = 300

NO_MEMORY = re.compile(
    r"out of memory|insufficient memory|not enough memory|requires more system memory|cudamalloc failed"
    r"|(?:unable|failed) to allocate|memory allocation fail"
)
DIED = re.compile(r"unexpectedly stopped|runner process has terminated|runner process no longer running")
NOT_LOADED = re.compile(r"(?:failed|unable|error) (?:to load|loading) (?:the )?model|timed out waiting for .* to start")
TOO_LONG = re.compile(r"exceeds the available context size|longer than the context length|input length exceeds")
NO_SCHEMA = re.compile(r"grammar|json[ _]?schema|invalid format|required for format|structured[ _]outputs?|guided")
"""llama.cpp "failed to parse grammar", "JSON schema conversion failed"; Ollama "invalid format: …; expected "json" or a
valid JSON Schema object", "failed to load model vocabulary required for format"; vLLM's words for the same."""
BUSY = re.compile(r"server busy|loading model|maximum pending requests|no slot available")


@dataclass(frozen=True, slots=True)
class Server:
    """What people are told about one kind of server.

    start: the command that starts it. address: where its address is set. widen: how its window grows. sign_in: what to
    do when it lets nobody in.
    """

    title: str
    url: str
    start: str
    address: str
    widen: str
    sign_in: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A server's refusal. Its numbers only where it names them; asked_tokens are those of prompt and reply together."""

    status: int | None
    text: str
    type: str = ""
    prompt_tokens: int | None = None
    window: int | None = None
    asked_tokens: int | None = None


def read_refusal(status: int | None, body: object) -> Told:
    """`body` is raw text, or what stood under `error`. Never raises: whatever it is, it is shown."""
    said: dict[str, Any] = {}
    for _ in range(4):  # Ollama passes on llama.cpp's JSON as the string of its own error
        if isinstance(body, str):
            body = _parsed(body)
        if not isinstance(body, dict):
            break
        said = cast("dict[str, Any]", body)
        body = said["error"] if "error" in said else said.get("message", said.get("detail", body))
    text = clipped(body if isinstance(body, str) else _spelled(body)) or "no reason given"
    kind = said.get("type")
    return Told(status, text, kind if isinstance(kind, str) else "", *_numbers(said, text))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _spelled(value: object) -> str:
    """JSON that could just be read may be too deep to be written."""
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):
        return ""


def _numbers(said: dict[str, Any], text: str) -> tuple[int | None, int | None]:
    found = re.search(r"\((\d{1,9}) tokens\).*\((\d{1,9}) tokens\)", text)
    spoken = (int(found[1]), int(found[2])) if found else (None, None)
    return _number(said.get("n_prompt_tokens")) or spoken[0], _number(said.get("n_ctx")) or spoken[1]


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < 10**9 else None


def clipped(text: str) -> str:
    """One line for people: no control characters, no runs of blanks, at most SHOWN_CHARACTERS; and in its URLs neither
    passwords nor queries."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[:10_000]).split())
    plain = without_secrets(plain)
    return plain if len(plain) <= SHOWN_CHARACTERS else plain[:SHOWN_CHARACTERS] + "…"


# ------------------------------------------------------------------ what the person reads


class SchemaRefused(ServerProblem):
    """The server does not hold a reply to the schema that was sent; without a schema it may well answer."""


def explain(told: Told, server: Server) -> UserFacing:
    """The error for a refusal. ModelMissing comes without the names that are installed: the caller may know them."""
    for fits, made in CASES:
        if fits(told, told.text.lower()):
            return made(told, server)
    answer = f"answered {told.status}" if told.status else "broke off"
    return ServerProblem(f"{server.title} at {server.url} {answer}: {told.text}", todo="the server's log tells more")


def _window(told: Told, server: Server) -> UserFacing:
    return WindowExceeded(_overfull(told), todo=server.widen)


def _overfull(told: Told) -> str:
    """With all the numbers that the server gave, and none that it did not."""
    prompt, window, asked = told.prompt_tokens, told.window, told.asked_tokens
    if prompt and window and prompt < window:
        return f"the model's window is too small for a reply: the prompt takes {prompt:,} of its {window:,} tokens"
    if prompt and window:
        return f"the prompt is longer than the model's window ({prompt:,} tokens into {window:,})"
    if asked and window:
        return f"prompt and reply are longer than the model's window ({asked:,} tokens into {window:,})"
    return "the prompt is longer than the model's window" + (f" of {window:,} tokens" if window else "")


def _missing(told: Told, server: Server) -> UserFacing:
    return ModelMissing(f"{server.title} does not have the model: {told.text}", todo="`ollama pull NAME`")


def _no_schema(told: Told, server: Server) -> UserFacing:
    return SchemaRefused(
        f"{server.title} at {server.url} cannot hold a reply to a JSON schema: {told.text}",
        todo=f"update {server.title}; until then a call that the model writes wrongly three times ends the task",
    )


def _memory(told: Told, server: Server) -> UserFacing:
    return RunnerStopped(
        f"{server.title} has too little memory for the model: {told.text}",
        todo="take a smaller model (`-m`), or a smaller window (the setting `num_ctx`)",
    )


def _died(told: Told, server: Server) -> UserFacing:
    return RunnerStopped(
        f"the model's process stopped: {told.text}",
        todo="try again; if it happens again, take a smaller model or window (`num_ctx`), and read the server's log",
    )


def _busy(told: Told, server: Server) -> UserFacing:
    return ServerBusy(f"{server.title} at {server.url} is busy: {told.text}", todo="try again in a minute")


def _sign_in(told: Told, server: Server) -> UserFacing:
    return ConfigProblem(
        f"{server.title} at {server.url} refuses this request ({told.status}): {told.text}",
        todo="the server's own sign-in and rules count: sign in where it runs, or choose a model that is stored there",
    )


Case = tuple[Callable[[Told, str], bool], Callable[[Told, Server], UserFacing]]

CASES: tuple[Case, ...] = (
    (lambda told, text: told.type == "exceed_context_size_error" or bool(TOO_LONG.search(text)), _window),
    (lambda told, text: "model" in text and "not found" in text and told.status in (404, None), _missing),
    (lambda told, text: told.status not in (401, 403, 429, 503) and bool(NO_SCHEMA.search(text)), _no_schema),
    (lambda told, text: bool(NO_MEMORY.search(text)), _memory),
    (lambda told, text: bool(DIED.search(text) or NOT_LOADED.search(text)), _died),
    (lambda told, text: told.status in (429, 503) or bool(BUSY.search(text)), _busy),
    (lambda told, text: told.status in (401, 403), _sign_in),
)
"""The first that fits wins: what the words say comes before what the status says."""

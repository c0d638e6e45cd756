"""What a server tells of one model: its chat template, its window, what it can do. For choices, and for people.

In: a name and an address. Out: a Shown, in which everything may be missing. It loads no model and asks for no reply.
Sources: Ollama's /api/show (v0.33.0) has `template`, `capabilities` and `model_info`, whose context length stands under
the architecture's name; llama.cpp's /props (b11549) has `chat_template` and the window of a slot.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from qagent.errors import UserFacing
from qagent.models.record import Record, not_spoken
from qagent.models.refusal import Server, Told, clipped, explain
from qagent.models.wire import Explain, Heard, Wire, unfinished
from qagent.net import Door

MOST_STOPS = 16
SECONDS = 10.0
"""These answers are short and need no model in memory."""


@dataclass(frozen=True, slots=True)
class Shown:
    """context: the longest window, in tokens. template: as the server has it, in Go's or Jinja's language. stops: the
    model's own, which a request that has stops replaces."""

    template: str = ""
    context: int | None = None
    capabilities: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    family: str = ""
    parameters: str = ""
    quantization: str = ""


async def ollama_shows(name: str, *, url: str, door: Door) -> Shown:
    """Raises ServerProblem and its kinds (ModelMissing for a model that it has not), ConfigProblem, LeaveRefused."""
    wire = _wire(Server("Ollama", url, "ollama serve", "OLLAMA_HOST or --host", ""), door)

    def heard(line: bytes) -> Heard | None:
        return Heard(last=Record.parse(line, wire.server.title)) if line.strip() else None

    async with aclosing(wire.post("/api/show", {"model": name}, heard, _explained(wire.server))) as answer:
        async for said in answer:
            if said.last:
                return _of_ollama(said.last)
    raise unfinished(wire.server)


async def llamacpp_shows(*, url: str, door: Door) -> Shown:
    """Of the one model that the server runs. Raises as `ollama_shows`."""
    wire = _wire(Server("llama.cpp", url, "llama-server -m MODEL.gguf", "--host", ""), door)
    props = await wire.get("/props", _explained(wire.server))
    return Shown(props.text("chat_template"), props.inner("default_generation_settings").count("n_ctx"))


def _wire(server: Server, door: Door) -> Wire:
    return Wire(server, door, SECONDS, SECONDS, reply_tokens=1, answer_seconds=SECONDS)


def _explained(server: Server) -> Explain:
    async def plainly(told: Told) -> UserFacing:
        return explain(told, server)

    return plainly


def _of_ollama(said: Record) -> Shown:
    info, details = said.inner("model_info"), said.inner("details")
    return Shown(
        said.text("template"),
        info.count(f"{info.label('general.architecture')}.context_length"),
        _capabilities(said),
        _stops(said.text("parameters")),
        details.label("family"),
        details.label("parameter_size"),
        details.label("quantization_level"),
    )


def _stops(parameters: str) -> tuple[str, ...]:
    """From the Modelfile's lines: `stop    "<|im_end|>"`."""
    found = re.findall(r'^stop\s+(".*"|\S+)\s*$', parameters, re.MULTILINE)
    return tuple(stop.strip('"') for stop in found if stop.strip('"'))[:MOST_STOPS]


def _capabilities(said: Record) -> tuple[str, ...]:
    listed = said.values.get("capabilities")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise not_spoken(said.protocol)
    return tuple(clipped(str(each)) for each in cast("list[object]", listed))

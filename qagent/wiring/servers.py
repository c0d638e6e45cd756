"""From settings to a model on its server: which server, which model, which of its endpoints, and what to know of that.

A model that was trained on ChatML gets our own prompt; others get messages, which the server puts into their own
template (`qagent.wiring.choosing`). A server that lacks the first endpoint is asked by the second. The key of an
OpenAI-compatible server is read here, from the environment, and goes into nothing but the connection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypedDict

from qagent.config import Settings
from qagent.config.per_model import row_for
from qagent.config.settings import KEY_VARIABLE
from qagent.errors import ConfigProblem, ModelMissing, NoSuchRoute, ToolsUnsupported, Unreachable, UserFacing
from qagent.models import completions, llamacpp, names, ollama
from qagent.models.base import Model
from qagent.models.chat import Chat
from qagent.models.chat_only import ChatOnly
from qagent.models.completions import Completions
from qagent.models.falling import Falling
from qagent.models.keys import Key
from qagent.models.llamacpp import LlamaCpp
from qagent.models.names import InstalledModel
from qagent.models.ollama import Ollama
from qagent.models.ollama_chat import OllamaChat
from qagent.models.remote import check_remote
from qagent.models.shown import Shown, llamacpp_shows, ollama_shows
from qagent.net import Door, base_url
from qagent.qwen.profiles import DEFAULT, is_base, is_family
from qagent.tools.toolbox import standard_toolbox
from qagent.types import Prompt, ToolSpec, UserMessage
from qagent.wiring.choosing import Choice, choice_of, is_open
from qagent.words import Words
from qagent.workspace.place import Workspace

MOST_NAMED = 5
BASE_URL = "OPENAI_BASE_URL"
PORTS = MappingProxyType({"ollama": ollama.PORT, "llamacpp": llamacpp.PORT, "openai": completions.PORT})

_UNFILLED = re.compile(r"\$[A-Za-z_]\w*|\$\{[^}]*\}|\{env:[^}]*\}", re.ASCII)

Connected = tuple[Model, tuple[str, ...]]


class Waits(TypedDict):
    stall_seconds: float
    first_seconds: float


async def connect(settings: Settings, *, words: Words | None = None, env: Mapping[str, str] = os.environ) -> Connected:
    """The model to use, found on its server, and what to know of the choice. Raises ServerProblem, LeaveRefused,
    ConfigProblem. `words`: those of the tools, which only `send_tools` sends to a server."""
    door = Door(frozenset(settings.allow_hosts))
    with other_address_told(settings, env):
        match settings.server:
            case "ollama":
                return await _on_ollama(settings, door)
            case "llamacpp":
                return await _on_llamacpp(settings, door, words)
            case "openai":
                return await _on_openai(settings, door, words, key_of(settings, env))


@contextmanager
def other_address_told(settings: Settings, env: Mapping[str, str]) -> Generator[None]:
    """Whoever names an address for another kind of server, and gets no answer here, may have meant that one."""
    try:
        yield
    except Unreachable as error:
        if settings.server != "openai" and env.get(BASE_URL, "").strip():
            error.todo = f"{BASE_URL} is set, and counts with `--server openai` alone; or {error.todo}"
        raise


def address_of(settings: Settings) -> str:
    """The server's URL. Raises ConfigProblem."""
    return base_url(settings.host, port=PORTS[settings.server])


def waits_of(settings: Settings) -> Waits:
    return {"stall_seconds": settings.stall_timeout, "first_seconds": settings.first_token_timeout}


# ------------------------------------------------------------------ Ollama


async def _on_ollama(settings: Settings, door: Door) -> Connected:
    url, waits = address_of(settings), waits_of(settings)
    asking = Ollama("", url=url, door=door, sampling=DEFAULT.sampling, keep_alive=settings.keep_alive, **waits)
    installed = await asking.installed()
    name = _pick(settings, installed)
    check_remote(next(model for model in installed if model.name == name), door)
    row = row_for(settings, {}, name)
    shown = await _shown(ollama_shows(name, url=url, door=door)) if is_open(row, name) else Shown()
    choice = choice_of(name, row, shown)
    kind = OllamaChat if choice.chat else Ollama
    sampling = choice.row.profile.sampling
    made = kind(name, url=url, door=door, sampling=sampling, keep_alive=settings.keep_alive, **waits)
    if not settings.model and sum(is_family(model.name) for model in installed) > 1:
        told = f"{name} was chosen by this machine's main memory, not by its graphics card; `-m` chooses another"
        choice = replace(choice, notices=(told, *choice.notices))
    if choice.chat and row.send_tools:  # its parser loses replies and may run the wrong tool
        choice = replace(choice, notices=(*choice.notices, "`send_tools` is left out: Ollama is never sent tools"))
    return _marked(made, choice)


def _pick(settings: Settings, installed: Sequence[InstalledModel]) -> str:
    if settings.model:
        return names.resolve(settings.model, installed)
    windows = {model.name: row_for(settings, {}, model.name).profile.window for model in installed}
    chosen = names.choose(installed, _memory_bytes(), DEFAULT.window, windows)
    if chosen is None:
        raise ModelMissing(
            "Ollama has no Qwen 2.5 Coder model", todo="get one: `ollama pull qwen2.5-coder:7b` (4.7 GB)"
        )
    return chosen


def _memory_bytes() -> int | None:
    import psutil  # 10 ms that only the automatic choice needs

    try:
        return psutil.virtual_memory().total
    except (OSError, RuntimeError):
        return None


# ------------------------------------------------------------------ llama.cpp


async def _on_llamacpp(settings: Settings, door: Door, words: Words | None) -> Connected:
    url, waits = address_of(settings), waits_of(settings)
    asking = LlamaCpp(settings.model or "", url=url, door=door, sampling=DEFAULT.sampling, **waits)
    served = await asking.installed()
    name = settings.model or (served[0].name if served else "llama.cpp")
    row = row_for(settings, {}, name)
    choice = choice_of(name, row, await _shown(llamacpp_shows(url=url, door=door)))
    if choice.chat:
        return await _chat(settings, door, words, None, choice)
    return _marked(LlamaCpp(name, url=url, door=door, sampling=choice.row.profile.sampling, **waits), choice)


# ------------------------------------------------------------------ OpenAI-compatible


async def _on_openai(settings: Settings, door: Door, words: Words | None, key: Key) -> Connected:
    url, waits = address_of(settings), waits_of(settings)
    kind = Chat if settings.endpoint == "chat" else Completions
    served = await _served(settings, kind("", url=url, door=door, sampling=DEFAULT.sampling, key=key, **waits))
    name = served.name
    choice = choice_of(name, row_for(settings, {}, name), Shown(context=served.window))
    if choice.chat:
        return await _chat(settings, door, words, key, choice)
    raw: Model = Completions(name, url=url, door=door, sampling=choice.row.profile.sampling, key=key, **waits)
    if choice.row.endpoint == "auto":
        raw = Falling(raw, _chat_model(settings, door, key, choice), no_completions(name, url))
    return _marked(raw, choice)


def no_completions(name: str, url: str) -> str:
    return f"the server at {url} has no /v1/completions: {name} is asked through its chat endpoint instead"


async def _served(settings: Settings, asking: Chat | Completions) -> InstalledModel:
    """The model to ask for. A server that does not list its models must be told one."""
    try:
        there = await asking.installed()
    except NoSuchRoute as error:
        if not settings.model:
            error.todo = f"{error.todo}; if it is right, choose a model with `-m NAME`"
            raise
        there = []
    if settings.model:
        return _listed(settings.model, there) if there else InstalledModel(settings.model)
    family = [model for model in there if is_family(model.name) and not is_base(model.name)]
    likely = family or there
    if len(likely) == 1:
        return likely[0]
    has = ", ".join(model.name for model in likely[:MOST_NAMED]) + (", …" if len(likely) > MOST_NAMED else "")
    raise ModelMissing(
        f"the server has several models: {has}" if likely else "the server does not tell which models it has",
        todo="choose one with `-m NAME` (or OPENAI_MODEL)",
    )


def _listed(name: str, there: Sequence[InstalledModel]) -> InstalledModel:
    found = names.resolve(name, there, can_pull=False)
    return next(model for model in there if model.name == found)


def key_of(settings: Settings, env: Mapping[str, str]) -> Key:
    """The key, which may be empty. Raises ConfigProblem, which never quotes it: what looks like the name of a variable
    may be a key all the same."""
    name = settings.api_key_env
    key = env.get(name, "").strip()
    if _UNFILLED.fullmatch(key):
        raise ConfigProblem(
            f"{name} is not set: it holds the name of a variable (`$NAME`), which nothing has filled in",
            todo=f"set {name} to the key itself, in the environment",
        )
    if not key and name != KEY_VARIABLE:
        raise ConfigProblem(
            f"{name} is not set, and `api_key_env` says that the server's key is there", todo=f"export {name}=…"
        )
    return Key(key, name)


# ------------------------------------------------------------------ what all have in common


async def _chat(settings: Settings, door: Door, words: Words | None, key: Key | None, choice: Choice) -> Connected:
    """The chat endpoint that all but Ollama have. When tools are sent on purpose it is asked once whether it takes
    them: a model that does not can only chat."""
    made = _chat_model(settings, door, key, choice)
    if not choice.row.send_tools:
        return _marked(made, choice)
    native = _chat_model(settings, door, key, choice, tools=_specs(words or Words()))
    try:
        await _said(native, Prompt("hi", 1, messages=(UserMessage("hi"),), reply_tokens=1))
    except ToolsUnsupported:
        told = (
            f"{choice.name} takes no native tools: chat only, it can read, change and run nothing; leave `send_tools` "
            "out and qagent describes its tools in the prompt"
        )
        return ChatOnly(made), (*choice.notices, told)
    return _marked(native, choice)


def _chat_model(
    settings: Settings, door: Door, key: Key | None, choice: Choice, tools: Sequence[ToolSpec] = ()
) -> Chat:
    return Chat(
        choice.name,
        url=address_of(settings),
        door=door,
        sampling=choice.row.profile.sampling,
        key=key,
        tools=tools,
        **waits_of(settings),
    )


def _specs(words: Words) -> tuple[ToolSpec, ...]:
    """What the tools are called and take does not depend on where they work."""
    return standard_toolbox(Workspace.open(Path()), words).specs


async def _said(model: Model, prompt: Prompt) -> None:
    async with aclosing(model.stream(prompt)) as deltas:
        async for _ in deltas:
            pass


async def _shown(asked: Awaitable[Shown]) -> Shown:
    """What the server tells; nothing when it does not. It is only a help in choosing."""
    try:
        return await asked
    except UserFacing:
        return Shown()


def _marked(model: Model, choice: Choice) -> Connected:
    return (ChatOnly(model) if choice.row.profile.strip_tools else model), choice.notices

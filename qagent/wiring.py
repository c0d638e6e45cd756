"""Settings in, an agent ready to run out: where the parts are put together. Asks nobody, prints nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qagent import __version__, context
from qagent.agent import Agent, Rules
from qagent.config import Settings
from qagent.errors import ModelFacing, ModelMissing
from qagent.models import llamacpp, names, ollama
from qagent.models.base import Model
from qagent.models.llamacpp import LlamaCpp
from qagent.models.ollama import Ollama
from qagent.models.remote import check_remote
from qagent.net import Door, base_url
from qagent.permissions.git_settings import plainly_set
from qagent.permissions.rules import Policy
from qagent.qwen.profiles import Sampling, is_family
from qagent.session import Session
from qagent.tools.toolbox import Toolbox, standard_toolbox
from qagent.types import Approve, Emit, Limits, SystemMessage
from qagent.words import Words
from qagent.workspace.files import read_text
from qagent.workspace.place import Workspace

NOTES = ("AGENTS.md", "CLAUDE.md", "QWEN.md")
"""The project's own notes: the first of these that stands in the workspace."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and with what an agent works."""

    workspace: Workspace
    settings: Settings
    words: Words

    @property
    def toolbox(self) -> Toolbox:
        return standard_toolbox(self.workspace, self.words)


async def connect(settings: Settings) -> tuple[Model, tuple[str, ...]]:
    """The model to use, found on its server, and what to know of the choice. Raises ServerProblem, LeaveRefused."""
    sampling = Sampling(window=settings.num_ctx, reply_tokens=settings.reply_tokens, temperature=settings.temperature)
    door = Door(frozenset(settings.allow_hosts))
    waits = {"stall_seconds": settings.stall_timeout, "first_seconds": settings.first_token_timeout}
    if settings.server == "llamacpp":
        url = base_url(settings.host, port=llamacpp.PORT)
        llama = LlamaCpp(settings.model or "", url=url, door=door, sampling=sampling, **waits)
        served = await llama.installed()
        name = settings.model or (served[0].name if served else "llama.cpp")
        return LlamaCpp(name, url=url, door=door, sampling=sampling, **waits), ()
    url = base_url(settings.host, port=ollama.PORT)
    asking = Ollama("", url=url, door=door, sampling=sampling, keep_alive=settings.keep_alive, **waits)
    installed = await asking.installed()
    name = _pick(settings, installed)
    check_remote(next(model for model in installed if model.name == name), door)
    model = Ollama(name, url=url, door=door, sampling=sampling, keep_alive=settings.keep_alive, **waits)
    return model, _about(name)


def _pick(settings: Settings, installed: list[names.InstalledModel]) -> str:
    if settings.model:
        return names.resolve(settings.model, installed)
    chosen = names.choose(installed, _memory_bytes(), settings.num_ctx)
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


def _about(name: str) -> tuple[str, ...]:
    if is_family(name):
        return ()
    return (f"{name} is not a Qwen 2.5 Coder model: the prompt and the reader are made for that family",)


def new_session(folder: Path, place: Place, model: Model) -> tuple[Session, tuple[str, ...]]:
    """A session with its fixed prefix, and what the person should know of it."""
    text, notices = prefix(place)
    session = Session.create(
        folder, cwd=place.workspace.root, model=model.name, version=__version__, now=datetime.now(UTC)
    )
    session.add(SystemMessage(text))
    return session, notices


def prefix(place: Place) -> tuple[str, tuple[str, ...]]:
    """The fixed part of the prompt, with the project's notes in it, and notices."""
    notes, notices = _notes(place) if place.settings.agents_md else ("", ())
    return context.system_text(place.words, place.toolbox.specs, notes), notices


def _notes(place: Place) -> tuple[str, tuple[str, ...]]:
    name = next((name for name in NOTES if (place.workspace.root / name).is_file()), None)
    if name is None:
        return "", ()
    if place.workspace.touches(name) != name:  # a link could bring a secret into the prompt
        return "", (f"{name} is left out: it is a link",)
    try:
        text = read_text(place.workspace.resolve(name, "read")).text
    except ModelFacing as error:
        return "", (f"{name} is left out: {error.text}",)
    if not text.strip():
        return "", ()
    limit = place.settings.agents_md_tokens
    quoted, cut = context.quoted_notes(place.words, name, text, limit)
    cut_notice = f"{name} is long: only its first lines, about {limit} tokens, are in the prompt (agents_md_tokens)"
    return quoted, (cut_notice,) if cut else ()


def make_agent(
    place: Place, model: Model, session: Session, *, emit: Emit, approve: Approve, alone: bool = False
) -> Agent:
    """`alone`: no person watches, so only patterns (or auto mode) let commands run."""
    settings = place.settings
    policy = Policy(
        settings.mode,
        settings.allow_commands,
        settings.deny_commands,
        unasked_reads=not alone,
        unasked_git=plainly_set(place.workspace.root),
    )
    limits = Limits(settings.max_turns, settings.timeout, settings.bad_calls)
    return Agent(
        session=session,
        model=model,
        toolbox=place.toolbox,
        words=place.words,
        rules=Rules(policy, limits),
        emit=emit,
        approve=approve,
    )

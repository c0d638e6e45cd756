"""A place, a session with its fixed prefix, an agent: put together in the same way for every front end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from qagent import __version__, context
from qagent.agent import Agent, Rules
from qagent.checks import Check
from qagent.config import Settings
from qagent.config.per_model import profile_for
from qagent.errors import ModelFacing
from qagent.events import Emit, Event, Notice, TaskStarted
from qagent.models.base import Model
from qagent.models.chat_only import ChatOnly
from qagent.models.falling import Falling
from qagent.permissions.git_settings import plainly_set
from qagent.permissions.grants import grants_of
from qagent.permissions.rules import Policy
from qagent.qwen.profiles import Profile
from qagent.sandbox.choice import Confinement
from qagent.session import Session
from qagent.tools.shell import Shell
from qagent.tools.toolbox import Toolbox, standard_toolbox
from qagent.types import Approve, Limits, SystemMessage
from qagent.wiring.servers import Connected, connect
from qagent.words import Words
from qagent.workspace.files import read_text
from qagent.workspace.keeping import KeepNothing, TurnKeep
from qagent.workspace.place import Workspace

NOTES = ("AGENTS.md", "CLAUDE.md", "QWEN.md")
"""The project's own notes: the first of these that stands in the workspace."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and with what an agent works. A place made from another one by `replace` keeps its `confinement`.

    state: the folder in which undo keeps its records; None: nothing is kept.
    """

    workspace: Workspace
    settings: Settings
    words: Words
    given: Confinement | None = field(default=None, compare=False, repr=False)
    state: Path | None = None

    def __post_init__(self) -> None:
        if self.given is None:
            object.__setattr__(self, "given", _confinement(self.settings))

    @property
    def confinement(self) -> Confinement:
        """The sandbox of this place's commands."""
        assert self.given is not None
        return self.given

    @property
    def shell(self) -> Shell:
        settings = self.settings
        return Shell(self.confinement, grants_of, settings.network, frozenset({settings.api_key_env}))

    @property
    def toolbox(self) -> Toolbox:
        return standard_toolbox(self.workspace, self.words, self.shell)


def new_session(folder: Path, place: Place, model: Model) -> tuple[Session, tuple[str, ...]]:
    """A session with its fixed prefix, and what the person should know of it."""
    text, notices = _prefix(place, _profile(place, model))
    session = Session.create(
        folder, cwd=place.workspace.root, model=model.name, version=__version__, now=datetime.now(UTC)
    )
    session.add(SystemMessage(text))
    return session, notices


def prefix(place: Place) -> tuple[str, tuple[str, ...]]:
    """The fixed part of the prompt, with the project's notes in it, and notices; for the model that is set."""
    return _prefix(place, profile_for(place.settings, place.settings.model))


def _prefix(place: Place, profile: Profile) -> tuple[str, tuple[str, ...]]:
    notes, notices = _notes(place) if place.settings.agents_md else ("", ())
    return context.system_text(place.words, place.toolbox.specs, notes, profile), notices


def _profile(place: Place, model: Model) -> Profile:
    profile = profile_for(place.settings, model.name)
    return replace(profile, strip_tools=True) if isinstance(model, ChatOnly) else profile


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
    """`alone`: no person watches, so only patterns (or auto mode) let commands run.

    A model that can only talk gets no tools, and is not asked again for deeds that it has no means to do.
    """
    settings = place.settings
    asked = model.talking if isinstance(model, ChatOnly) else model
    if isinstance(asked, Falling):
        asked.tell = lambda text: emit(Notice(text, "warning"))
    policy = Policy(
        settings.mode,
        settings.allow_commands,
        settings.deny_commands,
        unasked_reads=not alone,
        unasked_git=plainly_set(place.workspace.root),
        asks_network=settings.network == "ask" and settings.sandbox != "off",
    )
    only_talks = _profile(place, model).strip_tools
    limits = Limits(settings.max_turns, settings.timeout, settings.bad_calls)
    return Agent(
        session=session,
        model=model,
        toolbox=Toolbox(place.workspace, ()) if only_talks else place.toolbox,
        words=place.words,
        rules=Rules(
            policy,
            replace(limits, nudges=0) if only_talks else limits,
            alone,
            Check(settings.check_command, settings.check_rounds) if settings.check_command else None,
            _unconfined(place.confinement, emit),
        ),
        emit=_naming(place.confinement, emit),
        approve=approve,
        keep=TurnKeep(place.workspace.root, place.state, session.id) if place.state else KeepNothing(),
    )


async def connected(place: Place) -> Connected:
    """The model, as `connect` finds it; meanwhile it is found out what keeps commands in bounds."""
    looking = asyncio.ensure_future(place.confinement.active())
    try:
        found = await connect(place.settings)
        await looking
    finally:
        if not looking.done():
            looking.cancel()
            await asyncio.wait([looking])
    return found


def _naming(confinement: Confinement, emit: Emit) -> Emit:
    """Names the sandbox when a task begins, if it is known by then."""

    def told(event: Event) -> None:
        if isinstance(event, TaskStarted) and (active := confinement.known):
            event = replace(event, sandbox=active.word)
        emit(event)

    return told


def _confinement(settings: Settings) -> Confinement:
    return Confinement(settings.sandbox, writes=tuple(Path(name).expanduser() for name in settings.sandbox_writes))


def _unconfined(confinement: Confinement, emit: Emit) -> Callable[[], Awaitable[str]]:
    """Why no sandbox keeps commands in bounds; "" where one does, and where the person wants none. Told once."""

    async def why() -> str:
        active = await confinement.active()
        if active.name != "none" or active.chosen:
            return ""
        if confinement.tell_once():
            emit(Notice(active.words, "warning"))
        return active.why

    return why

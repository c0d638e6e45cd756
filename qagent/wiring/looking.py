"""A look at one model: the row that counts for it, how it would be asked, and what its server tells. Changes nothing.

In: settings, where they come from, a name. Out: a Look. A server that cannot be asked is no error here: `trouble` says
why, and the row alone is shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from qagent.config import Settings
from qagent.config.per_model import row_for
from qagent.errors import UserFacing
from qagent.models import names
from qagent.models.chat import Chat
from qagent.models.names import InstalledModel
from qagent.models.ollama import Ollama
from qagent.models.routes import ROUTES, Route
from qagent.models.shown import Shown, llamacpp_shows, ollama_shows
from qagent.net import Door
from qagent.qwen.profiles import DEFAULT
from qagent.wiring.choosing import Choice, choice_of, is_open
from qagent.wiring.servers import address_of, key_of, waits_of

NOTHING = Shown()


@dataclass(frozen=True, slots=True)
class Look:
    """name: as the server spells it, when it has the model. trouble: why the server does not tell, "" when it does."""

    name: str
    choice: Choice
    route: Route
    shown: Shown
    url: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a server says of a model."""

    name: str
    shown: Shown = NOTHING


async def look(settings: Settings, origins: Mapping[str, str], name: str, env: Mapping[str, str] = os.environ) -> Look:
    """Never raises UserFacing."""
    told, url, trouble = _Told(names.canonical(name)), "", ""
    try:
        url = address_of(settings)
        told = await _asked(settings, told.name, url, env)
    except UserFacing as error:
        trouble = error.what
    row = row_for(settings, origins, told.name)
    shown = told.shown if is_open(row, told.name) else Shown()
    choice = choice_of(told.name, row, shown)
    route = ROUTES[settings.server, "chat" if choice.chat else "completions"]
    return Look(told.name, choice, route, told.shown, url, trouble)


async def _asked(settings: Settings, name: str, url: str, env: Mapping[str, str]) -> _Told:
    door, waits = Door(frozenset(settings.allow_hosts)), waits_of(settings)
    match settings.server:
        case "ollama":
            there = await Ollama("", url=url, door=door, sampling=DEFAULT.sampling, **waits).installed()
            name = names.resolve(name, there)
            return _Told(name, await ollama_shows(name, url=url, door=door))
        case "llamacpp":
            return _Told(name, await llamacpp_shows(url=url, door=door))
        case "openai":
            key = key_of(settings, env)
            listing = Chat("", url=url, door=door, sampling=DEFAULT.sampling, key=key, **waits)
            name = _resolved(name, await listing.installed())
            asking = Chat(name, url=url, door=door, sampling=DEFAULT.sampling, key=key, **waits)
            return _Told(name, Shown(context=await asking.window()))


def _resolved(name: str, there: list[InstalledModel]) -> str:
    with suppress(UserFacing):
        return names.resolve(name, there, can_pull=False)
    return name

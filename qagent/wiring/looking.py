"""A look at one model: the row that counts for it, how it would be asked, and what its server tells. Changes nothing.

In: settings, where they come from, a name. Out: a Look. A server that cannot be asked is no error here: `trouble` says
why, and the row alone is shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
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
from qagent.wiring.servers import address_of, key_of, other_address_told, waits_of

NOTHING = Shown()


@dataclass(frozen=True, slots=True)
class Look:
    """name: as the server spells it, when it has the model. trouble: why the server does not tell, "" when it does.
    todo: what helps then. weight_bytes: as the server tells, 0 when it does not."""

    name: str
    choice: Choice
    route: Route
    shown: Shown
    url: str = ""
    trouble: str = ""
    todo: str = ""
    weight_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What a server says of a model."""

    name: str
    shown: Shown = NOTHING
    weight_bytes: int = 0


async def look(settings: Settings, origins: Mapping[str, str], name: str, env: Mapping[str, str] = os.environ) -> Look:
    """Never raises UserFacing."""
    told, url, trouble, todo = _Told(names.canonical(name)), "", "", ""
    try:
        url = address_of(settings)
        with other_address_told(settings, env):
            told = await _asked(settings, told.name, url, env)
    except UserFacing as error:
        trouble, todo = error.what, error.todo
    row = row_for(settings, origins, told.name)
    asked = settings.server != "ollama" or is_open(row, told.name)  # as `connect` does
    choice = choice_of(told.name, row, told.shown if asked else NOTHING)
    route = ROUTES[settings.server, "chat" if choice.chat else "completions"]
    return Look(told.name, choice, route, told.shown, url, trouble, todo, told.weight_bytes)


async def _asked(settings: Settings, name: str, url: str, env: Mapping[str, str]) -> _Told:
    door, waits = Door(frozenset(settings.allow_hosts)), waits_of(settings)
    match settings.server:
        case "ollama":
            there = await Ollama("", url=url, door=door, sampling=DEFAULT.sampling, **waits).installed()
            name = names.resolve(name, there)
            size = next(model.size_bytes for model in there if model.name == name)
            return _Told(name, await ollama_shows(name, url=url, door=door), size)
        case "llamacpp":
            return _Told(name, await llamacpp_shows(url=url, door=door))
        case "openai":
            key = key_of(settings, env)
            listing = Chat("", url=url, door=door, sampling=DEFAULT.sampling, key=key, **waits)
            found = _meant(name, await listing.installed())
            return _Told(found.name, Shown(context=found.window), found.size_bytes)


def _meant(name: str, there: list[InstalledModel]) -> InstalledModel:
    """The model that is listed under the name. Raises ModelMissing when others are."""
    if not there:
        return InstalledModel(name)
    found = names.resolve(name, there, can_pull=False)
    return next(model for model in there if model.name == found)

"""From all places to one Settings: defaults, the user's file, a trusted project's file, QAGENT_*, --set, flags.

The later place wins; in the user's file, a model's own table wins over what stands outside it. Only a project's file
is held to a rule: it may choose the model and make things stricter. What it may not touch at all is an error; what it
asks for and does not get is a notice, since users differ and it cannot know what they chose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from qagent.config.layers import Layer, checked, from_env, from_file, from_flags, from_sets
from qagent.config.settings import KEYS, NETWORKS, ModelSettings, Network, Settings
from qagent.errors import ConfigProblem
from qagent.qwen.profiles import DEFAULT
from qagent.types import MODES, Mode

OLLAMA_HOME = "http://127.0.0.1:11434"
LLAMACPP_HOME = "http://127.0.0.1:8080"
OPENAI_HOME = "http://127.0.0.1:8000"
"""The usual port of vLLM."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """`origins` has every key: "default", a file and its line, a variable or a flag; and a model's own ones, as
    `models.NAME.KEY`. `notices` are for the person."""

    settings: Settings
    origins: dict[str, str]
    notices: tuple[str, ...] = ()


def load(
    *,
    flags: Mapping[str, object],
    sets: Sequence[str],
    env: Mapping[str, str],
    user_file: Path,
    project_file: Path | None,
    project_data: bytes | None = None,
) -> Loaded:
    """`project_file` only when its folder is trusted; files that are not there are no error. Raises ConfigProblem.

    `project_data`: what stands in `project_file`, when somebody has read it already; then nobody reads it again.
    """
    values: dict[str, object] = Settings().model_dump()
    origins = dict.fromkeys(KEYS, "default")
    notices: list[str] = []

    def take(layer: Layer, found: dict[str, object]) -> None:
        values.update(found)
        origins.update({key: place for key, place in layer.places.items() if key in found or key not in KEYS})

    user = from_file(user_file)
    take(user, checked(user))
    if project_file:
        project = from_file(project_file, project_data)
        found, notices = tightened(values, checked(project), project.places)
        _for_every_model(values, origins, found, only_if=_lower)
        take(project, found)
    for layer in (from_env(env), from_sets(sets), from_flags(flags)):
        found = checked(layer)
        _for_every_model(values, origins, found)
        take(layer, found)
    _fill_from(values, origins, env)
    _refuse_full(values, origins)
    return Loaded(Settings.model_validate(values), origins, tuple(notices))


def _always(mine: object, theirs: object) -> bool:
    return True


def _for_every_model(
    values: dict[str, object],
    origins: dict[str, str],
    found: Mapping[str, object],
    only_if: Callable[[object, object], bool] = _always,
) -> None:
    """What a later place sets, it sets for every model: the tables of the models lose it."""
    kept: list[tuple[str, ModelSettings]] = []
    for name, table in cast("tuple[tuple[str, ModelSettings], ...]", values["models"]):
        own = table.model_dump(exclude_unset=True)
        lost = [key for key, mine in own.items() if key in found and only_if(mine, found[key])]
        for key in lost:
            del own[key]
            origins.pop(f"models.{name}.{key}", None)
        kept.append((name, ModelSettings.model_validate(own)))
    values["models"] = tuple(kept)


# ------------------------------------------------------------------ what a project may do


def _lower(mine: object, theirs: object) -> bool:
    return _number(theirs) <= _number(mine)


def _number(value: object) -> float:
    """No limit is the highest one."""
    return math.inf if value is None else float(cast("float", value))


def _stricter(mine: object, theirs: object) -> bool:
    return MODES.index(cast("Mode", theirs)) <= MODES.index(cast("Mode", mine))


def _less_network(mine: object, theirs: object) -> bool:
    return NETWORKS.index(cast("Network", theirs)) <= NETWORKS.index(cast("Network", mine))


_TIGHTER: dict[str, Callable[[object, object], bool]] = {
    "mode": _stricter,
    "network": _less_network,
    **dict.fromkeys(
        ("num_ctx", "reply_tokens", "max_turns", "timeout", "bad_calls", "agents_md", "agents_md_tokens"), _lower
    ),
}
_USUAL = {"num_ctx": DEFAULT.window, "reply_tokens": DEFAULT.reply_tokens}
"""What a project is measured by when the person has set nothing: which model it will be is not known yet."""
_ONLY_SHORTER = ("stall_timeout", "first_token_timeout")


def tightened(
    mine: Mapping[str, object], theirs: Mapping[str, object], places: Mapping[str, str]
) -> tuple[dict[str, object], list[str]]:
    """What of a project's settings is taken, and what is told about the rest. Raises ConfigProblem."""
    taken: dict[str, object] = {}
    notices: list[str] = []
    mine = {**mine, **{key: value for key, value in _USUAL.items() if mine[key] is None}}
    for key, value in theirs.items():
        if key == "model":
            taken[key] = value
        elif key == "deny_commands":
            taken[key] = _joined(mine[key], value)
        elif key in _ONLY_SHORTER and _lower(mine[key], value):
            taken[key] = value
        elif key not in _TIGHTER:
            raise _not_theirs(key, places[key])
        elif _TIGHTER[key](mine[key], value):
            taken[key] = value
        else:
            notices.append(
                f"{places[key]}: `{key} = {_toml(value)}` is ignored, a project may only be stricter than "
                f"your {_toml(mine[key])}"
            )
    return taken, notices


def _joined(mine: object, theirs: object) -> tuple[str, ...]:
    both = (*cast("tuple[str, ...]", mine), *cast("tuple[str, ...]", theirs))
    return tuple(dict.fromkeys(both))


def _not_theirs(key: str, place: str) -> ConfigProblem:
    what = f"raise `{key}`" if key in _ONLY_SHORTER else f"set `{key}`"
    return ConfigProblem(
        f"{place}: a project may not {what}", todo="remove it there, or set it in your own config.toml"
    )


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


# ------------------------------------------------------------------ what depends on other values


def _fill_from(values: dict[str, object], origins: dict[str, str], env: Mapping[str, str]) -> None:
    """Fills in the address, and for an OpenAI-compatible server the model, from the variables that others use too."""
    server = cast("str", values["server"])
    home, variables = _HOMES[server]
    for key, name in variables.items():
        if values[key] is None and (text := env.get(name, "").strip()):
            layer = Layer({key: text}, {key: name})
            values.update(checked(layer))
            origins[key] = name
    values["host"] = values["host"] or home


_HOMES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "ollama": (OLLAMA_HOME, {"host": "OLLAMA_HOST"}),
        "llamacpp": (LLAMACPP_HOME, {}),
        "openai": (OPENAI_HOME, {"host": "OPENAI_BASE_URL", "model": "OPENAI_MODEL"}),
    }
)
"""By kind of server: its usual address, and the variables that tell another. They count for that kind alone: nothing
in the environment moves the work to another kind of server."""


def _refuse_full(values: dict[str, object], origins: dict[str, str]) -> None:
    """A reply needs room in the window beside its prompt. A row's own length makes way, a chosen one is an error."""
    window, reply = values["num_ctx"] or DEFAULT.window, values["reply_tokens"]
    if reply is None or cast("int", reply) * 2 <= cast("int", window):
        return
    raise ConfigProblem(
        f"`reply_tokens` {reply} ({origins['reply_tokens']}) leaves no room for a prompt in "
        f"`num_ctx` {window} ({origins['num_ctx']})",
        todo="at most half of num_ctx can be the reply",
    )

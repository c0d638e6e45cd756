"""From all places to one Settings: defaults, the user's file, a trusted project's file, QAGENT_*, --set, flags.

The later place wins. Only a project's file is held to a rule: it may choose the model and make things stricter. What
it may not touch at all is an error; what it asks for and does not get is a notice, since users differ and it cannot
know what they chose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from qagent.config.layers import Layer, checked, from_env, from_file, from_flags, from_sets
from qagent.config.settings import KEYS, Settings
from qagent.errors import ConfigProblem
from qagent.types import MODES, Mode

OLLAMA_HOME = "http://127.0.0.1:11434"
LLAMACPP_HOME = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Loaded:
    """`origins` has every key: "default", a file and its line, a variable or a flag. `notices` are for the person."""

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
        origins.update({key: layer.places[key] for key in found})

    user = from_file(user_file)
    take(user, checked(user))
    if project_file:
        project = from_file(project_file, project_data)
        found, notices = tightened(values, checked(project), project.places)
        take(project, found)
    for layer in (from_env(env), from_sets(sets), from_flags(flags)):
        take(layer, checked(layer))
    _fill_host(values, origins, env)
    _fit_reply(values, origins)
    return Loaded(Settings.model_validate(values), origins, tuple(notices))


# ------------------------------------------------------------------ what a project may do


def _lower(mine: object, theirs: object) -> bool:
    return _number(theirs) <= _number(mine)


def _number(value: object) -> float:
    """No limit is the highest one."""
    return math.inf if value is None else float(cast("float", value))


def _stricter(mine: object, theirs: object) -> bool:
    return MODES.index(cast("Mode", theirs)) <= MODES.index(cast("Mode", mine))


_TIGHTER: dict[str, Callable[[object, object], bool]] = {
    "mode": _stricter,
    **dict.fromkeys(
        ("num_ctx", "reply_tokens", "max_turns", "timeout", "bad_calls", "agents_md", "agents_md_tokens"), _lower
    ),
}
_ONLY_SHORTER = ("stall_timeout", "first_token_timeout")


def tightened(
    mine: Mapping[str, object], theirs: Mapping[str, object], places: Mapping[str, str]
) -> tuple[dict[str, object], list[str]]:
    """What of a project's settings is taken, and what is told about the rest. Raises ConfigProblem."""
    taken: dict[str, object] = {}
    notices: list[str] = []
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


def _fill_host(values: dict[str, object], origins: dict[str, str], env: Mapping[str, str]) -> None:
    if values["host"] is not None:
        return
    if values["server"] == "llamacpp":
        values["host"] = LLAMACPP_HOME
    elif env.get("OLLAMA_HOST", "").strip():
        layer = Layer({"host": env["OLLAMA_HOST"].strip()}, {"host": "OLLAMA_HOST"})
        values.update(checked(layer))
        origins["host"] = "OLLAMA_HOST"
    else:
        values["host"] = OLLAMA_HOME


def _fit_reply(values: dict[str, object], origins: dict[str, str]) -> None:
    """A reply needs room in the window beside its prompt: our default makes way, a chosen length is an error."""
    window, reply = cast("int", values["num_ctx"]), cast("int", values["reply_tokens"])
    if reply * 2 <= window:
        return
    if origins["reply_tokens"] == "default":
        values["reply_tokens"] = window // 4
        origins["reply_tokens"] = "default, a quarter of num_ctx"
        return
    raise ConfigProblem(
        f"`reply_tokens` {reply} ({origins['reply_tokens']}) leaves no room for a prompt in "
        f"`num_ctx` {window} ({origins['num_ctx']})",
        todo="at most half of num_ctx can be the reply",
    )

"""One place that settings come from: a file, the environment, `--set`, flags. In: its raw values. Out: checked ones.

Every error is a ConfigProblem that names the place (file and line, variable, flag), the key, and what is expected; an
unknown key also the nearest known one. It refuses to know which place wins.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from qagent.config.settings import (
    ADDRESSES,
    KEYS,
    LISTS,
    MODEL_KEYS,
    OPTIONAL,
    SECRET,
    ModelSettings,
    Settings,
    must_be,
)
from qagent.config.slips import MEANT, PREFIX, SERVERS, about, check_table_name, shown, unknown
from qagent.errors import ConfigProblem
from qagent.net import shown_address

NOT_KEYS = ("QAGENT_HOME",)

_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)|\$\{([^}]*)\}|\{env:([^}]*)\}", re.ASCII)
PLAIN_KEYS = tuple(key for key in KEYS if key != "models")
"""Those that are no tables, and so can stand in a variable or behind `--set`."""

_COMMANDS = ("allow_commands", "deny_commands")
"""Patterns of commands may have a `$NAME` in them; they are only wrong when they are nothing else."""


@dataclass(frozen=True, slots=True)
class Layer:
    """`places`: where each key stands. `typed`: the values have types of their own, not the text of a variable."""

    values: dict[str, object]
    places: dict[str, str]
    typed: bool = False


# ------------------------------------------------------------------ the four kinds of places


def from_file(path: Path, data: bytes | None = None) -> Layer:
    """`data`: what stands in it, or None to read it. No file means no settings."""
    data = _read(path) if data is None else data
    if data is None:
        return Layer({}, {}, typed=True)
    text = _decoded(path, data)
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigProblem(
            _syntax(path, text, error), todo="correct it there; `key = value`, text in quotes"
        ) from error
    places = {key: _line(path, text, (key,)) for key in values}
    if isinstance(tables := values.get("models"), dict):
        for names in _model_keys(cast("dict[str, object]", tables)):
            places[".".join(names)] = _line(path, text, names)
    return Layer(dict(values), places, typed=True)


def _model_keys(tables: dict[str, object]) -> Iterator[tuple[str, ...]]:
    for name, table in tables.items():
        yield ("models", name)
        if isinstance(table, dict):
            yield from (("models", name, key) for key in cast("dict[str, object]", table))


def from_env(env: Mapping[str, str]) -> Layer:
    """`QAGENT_NUM_CTX` is `num_ctx`. An empty variable counts as none."""
    names = {name: value for name, value in env.items() if name.startswith(PREFIX) and name not in NOT_KEYS and value}
    for name in names:
        if name != name.upper() or name.removeprefix(PREFIX).lower() not in KEYS:
            key = name.upper().removeprefix(PREFIX).lower()
            known = [f"{PREFIX}{key.upper()}" for key in PLAIN_KEYS] + list(NOT_KEYS)
            meant = f"{PREFIX}{MEANT.get(key, key).upper()}"
            raise unknown(name, "the environment", meant, known)
    keys = {name.removeprefix(PREFIX).lower(): name for name in names}
    return Layer({key: _split(key, env[name]) for key, name in keys.items()}, keys)


def from_sets(sets: Sequence[str]) -> Layer:
    """`key=value`, the last one wins. An empty value empties the setting."""
    values: dict[str, object] = {}
    for item in sets:
        key, equals, text = item.partition("=")
        if not equals:
            named = item if item.strip() in KEYS else "…"  # a server's key may stand there
            raise ConfigProblem(f"--set {shown(named)}: there is no `=`", todo="write --set key=value")
        key = key.strip()
        if key.startswith("models."):
            raise ConfigProblem(
                f"--set {shown(key)}: a model's own table stands in config.toml alone",
                todo=f"--set {key.rpartition('.')[2]}=… counts for every model of this run",
            )
        values[key] = None if not text and key in OPTIONAL else _split(key, text)
    return Layer(values, dict.fromkeys(values, "--set"))


def from_flags(flags: Mapping[str, object]) -> Layer:
    """None means that the flag was not given."""
    values = {key: value for key, value in flags.items() if value is not None}
    return Layer(values, {key: f"--{key.replace('_', '-')}" for key in values})


def _split(key: str, text: str) -> object:
    """Lists stand one a line, or, on one line, between commas, or are written as in the settings file."""
    if key not in LISTS:
        return text
    if text.lstrip().startswith("["):
        try:
            return tuple(tomllib.loads(f"list = {text}")["list"])
        except (ValueError, RecursionError):
            return text
    return tuple(item.strip() for item in text.split("\n" if "\n" in text else ",") if item.strip())


# ------------------------------------------------------------------ checking


def checked(layer: Layer) -> dict[str, object]:
    """The layer's values as Settings has them. Raises ConfigProblem."""
    if isinstance(layer.values.get("model"), dict):
        raise ConfigProblem(
            f"{layer.places['model']}: a model's own table is called `models`", todo='write [models."qwen2.5-coder:7b"]'
        )
    plain = {key: value for key, value in layer.values.items() if key != "models"}
    found = _fitting(Layer(plain, layer.places, layer.typed), Settings, PLAIN_KEYS)
    return found | ({"models": _tables(layer)} if "models" in layer.values else {})


def _fitting(layer: Layer, kind: type[ModelSettings], keys: Sequence[str]) -> dict[str, object]:
    for key, value in layer.values.items():
        if key not in keys:
            raise unknown(key, layer.places[key], key, keys)
        for text in _texts(value):
            _refuse_variable(key, text, layer.places[key])
    try:
        settings = kind.model_validate(layer.values, strict=layer.typed)
    except ValidationError as error:
        raise _wrong(error, layer, kind) from error
    return {key: getattr(settings, key) for key in layer.values}


def _tables(layer: Layer) -> tuple[tuple[str, ModelSettings], ...]:
    """One table a model, in the order of the file. They stand in files alone: a table is no text of a variable."""
    tables = layer.values["models"]
    if not isinstance(tables, dict):
        raise _no_table("models", layer.places["models"], tables)
    return tuple((name, _table(layer, name, table)) for name, table in cast("dict[str, object]", tables).items())


def _table(layer: Layer, name: str, table: object) -> ModelSettings:
    place = f"models.{name}"
    if not isinstance(table, dict):
        raise _no_table(place, layer.places[place], table)
    values = cast("dict[str, object]", table)
    check_table_name(name, values, layer.places[place])
    places = {key: f"{layer.places[f'{place}.{key}']}, in the table {shown(name)}" for key in values}
    return ModelSettings.model_validate(_fitting(Layer(values, places, layer.typed), ModelSettings, MODEL_KEYS))


def _no_table(key: str, place: str, value: object) -> ConfigProblem:
    return ConfigProblem(
        f"{place}: {shown(key)} must be a table in config.toml, not {shown(_written(value))}",
        todo='write [models."qwen2.5-coder:7b"] on a line, and below it keys such as `temperature = 0`',
    )


def _texts(value: object) -> Iterator[str]:
    items = cast("Sequence[object]", value) if isinstance(value, list | tuple) else (value,)
    return (item for item in items if isinstance(item, str))


def _may_be_shown(key: str, value: object) -> bool:
    """A key must not be, nor an address with a password or a key in it."""
    return key not in SECRET and (key not in ADDRESSES or all(shown_address(text) == text for text in _texts(value)))


def _refuse_variable(key: str, text: str, place: str) -> None:
    found = _VARIABLE.fullmatch(text.strip()) if key in _COMMANDS else _VARIABLE.search(text)
    if found:
        name = next((group for group in found.groups() if group), "")
        told = f"the text {shown(found[0])}; the variable {shown(name)} is not filled in there"
        hidden = "what looks like a variable, which is not filled in there"
        raise ConfigProblem(
            f"{place}: `{key}` holds {told if _may_be_shown(key, text) else hidden}",
            todo=f"write the value itself, or set {PREFIX}{key.upper()}",
        )


def _wrong(error: ValidationError, layer: Layer, kind: type[ModelSettings]) -> ConfigProblem:
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    item = next((f"[{part}]" for part in first["loc"][1:] if isinstance(part, int)), "")
    must = must_be(first["type"], first["msg"], first.get("ctx", {}))
    told = f", not {shown(_written(first['input']))}" if _may_be_shown(key, layer.values[key]) else ""
    likely = SERVERS.get(str(first["input"]).lower()) if key == "server" else None
    ask = f"; did you mean `{likely}`?" if likely else ""
    return ConfigProblem(f"{layer.places[key]}: `{key}{item}` {must}{told}{ask}", todo=about(key))


def _written(value: object) -> str:
    """As it would stand in the settings file, or nearly so."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return f"[{', '.join(repr(item) if isinstance(item, str) else _written(item) for item in items)}]"
    return "{…}" if isinstance(value, dict) else str(value)


# ------------------------------------------------------------------ files


def _read(path: Path) -> bytes | None:
    """None when there is no file. Raises ConfigProblem when there is one that cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigProblem(f"{path} is not a file", todo="put a text file there, or nothing")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigProblem(f"cannot read {path}: {error.strerror}", todo="check its rights") from error


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigProblem(f"{path}, line {line}: this is not UTF-8 text", todo="save the file as UTF-8") from error


def _syntax(path: Path, text: str, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"{path}: nested too deeply"
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
    if not found:
        return f"{path}: {error}"
    line, column = found[2] or text.count("\n") + 1, found[3] or len(text) - text.rfind("\n")
    return f"{path}, line {line}, column {column}: {found[1]}"


def _line(path: Path, text: str, names: tuple[str, ...]) -> str:
    """File and line of a key, given with the tables that it stands in. tomllib tells no lines, so they are looked for:
    the first line that names the key and is no part of a longer value, which it is not when everything before it can
    be read."""
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        before, here = "\n".join([*lines[: number - 1], ""]), "\n".join(lines[:number])
        if not _names(line, names[-1], deep=len(names) > 1):
            continue
        if _is_whole(before) and (len(names) == 1 or _holds(here, names)):
            return f"{path}, line {number}"
    return str(path)


def _names(line: str, key: str, *, deep: bool) -> bool:
    """A key of the file's own begins its line; one inside a table may stand behind the table's name."""
    spelled = "|".join(re.escape(form) for form in (key, f'"{key}"', f"'{key}'"))
    if deep:
        return re.search(rf"(?:{spelled})\s*[=.\]]", line) is not None
    return re.match(rf"\s*\[*\s*(?:{spelled})\s*[=.\]]", line) is not None


def _holds(text: str, names: tuple[str, ...]) -> bool:
    try:
        value: object = tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return False
        value = cast("dict[str, object]", value)[name]
    return True


def _is_whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

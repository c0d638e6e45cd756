"""What stands in the place of a call's arguments in; an object out, or the reason why it is none. Pure.

An object; one in a list; null; an object as JSON in a string; `path='a.py' start=1`; the one text that the tool needs.
"""

from __future__ import annotations

import re
from typing import Any, cast

from qagent.qwen import repair
from qagent.qwen.calls import aliases, spoken
from qagent.qwen.json_text import Unfit, decode
from qagent.types import Arguments, Repair, ToolSpec

Written = tuple[Arguments, tuple[Repair, ...]]
"""Arguments by name, and "encoded" or "type" when they were written in another way."""

_PAIR = re.compile(r"([A-Za-z_]\w*)\s*[=:]")
_NO_OBJECT = "its arguments must be one JSON object."


def as_object(value: Any, spec: ToolSpec | None) -> Written:
    """`spec`: the tool, when it is known. Raises Unfit."""
    match value:
        case dict():
            return cast(Arguments, value), ()
        case None:
            return {}, ("type",)
        case [dict()]:
            return cast(list[Arguments], value)[0], ("type",)
        case str():
            return _from_text(value, value.strip(), spec)
        case _:
            raise Unfit(_NO_OBJECT)


def only_text(spec: ToolSpec | None) -> str | None:
    """The one required parameter of a tool, when it is a string."""
    required = [parameter for parameter in (spec.parameters if spec else None) or () if parameter.required]
    return required[0].name if len(required) == 1 and required[0].type == "string" else None


def _from_text(text: str, stripped: str, spec: ToolSpec | None) -> Written:
    if stripped[:1] in ("{", '"'):
        return _encoded(stripped)
    if not stripped or stripped == "null":
        return {}, ("type",)
    only = only_text(spec)
    if only is None or spec is None or stripped[0] == "[":
        raise Unfit(_NO_OBJECT)
    if _begins_with_a_name(stripped, spec):
        return _from_pairs(stripped)
    return {only: text}, ("type",)


def _begins_with_a_name(text: str, spec: ToolSpec) -> bool:
    key = _PAIR.match(text)
    meant = aliases.renamed(spec, {key[1]: ""}) if key else {}
    return any(parameter.name in meant for parameter in spec.parameters or ())


def _from_pairs(text: str) -> Written:
    """Raises Unfit for `path: a.py`, which is neither this nor a path."""
    found = spoken.parse(f"call {text}")
    if found is None or len(found) != 1:
        raise Unfit(_NO_OBJECT)
    return {key: spoken.plain(value, typed=True) for key, value in found[0].keywords.items()}, ("encoded",)


def _encoded(text: str) -> Written:
    """An object that was written as JSON in a string, once or twice."""
    value: object = text
    repairs: list[Repair] = ["encoded"]
    for _ in range(2):
        if isinstance(value, str):
            value, more = _only_reading(value)
            repairs += more
    if not isinstance(value, dict):
        raise Unfit(_NO_OBJECT)
    return cast(Arguments, value), tuple(repairs)


def _only_reading(text: str) -> tuple[object, tuple[Repair, ...]]:
    """The value of a text that can be read in one way."""
    try:
        return decode(text), ()
    except Unfit:
        found = list(repair.readings(text, frozenset()))
    if len(found) != 1:
        raise Unfit("its arguments are a text with broken JSON. Write them as one JSON object.")
    return found[0].value, found[0].repairs

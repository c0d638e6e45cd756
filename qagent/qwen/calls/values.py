"""One argument's value and its parameter in; the value in the parameter's type out. Pure.

Typing follows the tool and changes no meaning: "12" becomes 12 for an integer, a string parameter is never parsed.
Nothing is invented: what fits in no such way is refused with a reason.
"""

from __future__ import annotations

import json
import math
from typing import Any, cast

from qagent.qwen.calls.aliases import kind
from qagent.qwen.json_text import Digits, Unfit, decode
from qagent.types import Parameter, ToolSpec

_TYPES = {"integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
_SCHEMA_KEYS = frozenset(
    (
        "type",
        "description",
        "enum",
        "items",
        "default",
        "properties",
        "required",
        "title",
        "format",
        "minimum",
        "maximum",
    )
)
_SCHEMA_TYPES = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))


def typed(spec: ToolSpec, parameter: Parameter, value: Any) -> Any:
    """The value as the tool takes it; the same object when it was right. Raises Unfit with the reason."""
    match parameter.type, value:
        case ("any", _) | ("string", str()) | ("boolean", bool()) | ("array", list()) | ("object", dict()):
            return cast(Any, value)
        case ("integer", int()) | ("number", int() | float()) if not isinstance(value, bool) and math.isfinite(value):
            return value
        case ("integer", float()) if value.is_integer():
            return int(value)
        case ("string", _) if value is not None:
            return _written(spec, parameter, value)
        case (_, str()):
            return _parsed(spec, parameter, value)
        case ("array", _) if _is_item(spec, parameter, value):
            return [value]
        case _:
            raise _wrong_type(spec, parameter)


def _is_item(spec: ToolSpec, parameter: Parameter, value: object) -> bool:
    """One number, or one replacement, without the brackets of the list."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number or (isinstance(value, dict) and parameter.name in spec.body)


def describes_a_type(value: object) -> bool:
    """Whether the value is a piece of JSON schema: what a tool's definition has in the place of an argument."""
    if not isinstance(value, dict):
        return False
    record = cast(dict[str, object], value)
    what = record.get("type")
    return isinstance(what, str) and what in _SCHEMA_TYPES and record.keys() <= _SCHEMA_KEYS


def _written(spec: ToolSpec, parameter: Parameter, value: Any) -> str:
    """JSON in the place of a text: a file's whole text can be an object, a path or a command cannot."""
    if isinstance(value, Digits):
        return value.text
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    what = kind(parameter.name)
    items = cast(list[object], value) if isinstance(value, list) else None
    if items is not None and all(isinstance(item, str) for item in items):
        if len(items) == 1 and what in ("path", "command", "pattern"):
            return str(items[0])
        raise _wrong_type(spec, parameter)  # words of a command, lines of a text: joined how?
    is_body = parameter.name in spec.body or what in ("text", "new")
    if what in ("path", "command", "pattern") or (not is_body and describes_a_type(cast(object, value))):
        raise _wrong_type(spec, parameter)
    if _loses_digits(cast(object, value)):
        raise _wrong_type(spec, parameter)
    return json.dumps(value, ensure_ascii=False, indent=2)


def _loses_digits(value: object) -> bool:
    """Whether a number in it would be written otherwise than the model has written it."""
    match value:
        case Digits():
            return json.dumps(value) != value.text
        case list():
            return any(map(_loses_digits, cast(list[object], value)))
        case dict():
            return any(map(_loses_digits, cast(dict[str, object], value).values()))
        case _:
            return False


def _parsed(spec: ToolSpec, parameter: Parameter, text: str) -> Any:
    """A value that was written as a string though the parameter is none."""
    try:
        value = decode(text.strip().lower() if parameter.type == "boolean" else text)
    except Unfit:
        value = None
    if parameter.type == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, _TYPES[parameter.type]) and isinstance(value, bool) == (parameter.type == "boolean"):
        return typed(spec, parameter, value)
    if parameter.type == "array" and text.strip() and text.lstrip()[0] not in "[{" and parameter.name not in spec.body:
        return [text]
    raise _wrong_type(spec, parameter)


def _wrong_type(spec: ToolSpec, parameter: Parameter) -> Unfit:
    what = "one string" if parameter.type == "string" else f"of type {parameter.type}"
    return Unfit(f"{spec.name}: {parameter.name!r} must be {what}.")

"""A tool, the arguments that were written and the block behind them in; arguments that fit the tool out. Pure.

They fit when all required ones are there, none is unknown, and each is of its type. Typing follows the tool and changes
no meaning: "12" becomes 12 for an integer, a string parameter is never parsed. Nothing is invented or left out.
"""

from __future__ import annotations

import json
from typing import Any, cast

from qagent.qwen import blocks
from qagent.qwen.json_text import Unfit, clean, decode
from qagent.types import Arguments, Parameter, ToolSpec

_UNCLEAR = (
    "its SEARCH/REPLACE blocks are not whole, or the code holds such markers itself. "
    "Each has SEARCH, ======= and REPLACE lines, and nothing stands between two; else give old and new in the JSON."
)
_TYPES = {"integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def fitted(spec: ToolSpec, arguments: Arguments, block: str | None) -> Arguments:
    """Raises Unfit with the reason."""
    if block is not None:
        arguments = _with_block(spec, arguments, block)
    if spec.parameters is not None:
        arguments = _typed(spec, spec.parameters, arguments)
    return cast(Arguments, clean(arguments))


def _with_block(spec: ToolSpec, arguments: Arguments, block: str) -> Arguments:
    lists = {p.name for p in spec.parameters or () if p.name in spec.body and p.type == "array"}
    pairs = blocks.read_pairs(block) if lists else None
    if lists and pairs is None and blocks.SEARCH.match(block.lstrip()):
        raise Unfit(_UNCLEAR)
    free = [name for name in spec.body if not arguments.get(name) and (name in lists) == (pairs is not None)]
    if not free:
        raise Unfit(f"the block after the call is not one that {spec.name} takes.")
    beside = {name for form in spec.forms if free[0] in form for name in form}
    if extra := [name for form in spec.forms for name in form if name not in beside and arguments.get(name)]:
        raise Unfit(f"{spec.name} takes no {extra[0]!r} beside {'SEARCH/REPLACE blocks' if pairs else 'this block'}.")
    return {**arguments, free[0]: pairs or block}


def _typed(spec: ToolSpec, parameters: tuple[Parameter, ...], arguments: Arguments) -> Arguments:
    known = {p.name: p for p in parameters}
    if unknown := [name for name in arguments if name not in known]:
        taught = [name for name in known if name not in (*spec.body, "old")]
        block = ", and a block after the JSON" if spec.body else ""
        raise Unfit(f"{spec.name} takes no {unknown[0]!r}. It takes: {', '.join(taught)}{block}.")
    given = {name: value for name, value in arguments.items() if value is not None or known[name].required}
    if missing := [p.name for p in parameters if p.required and p.name not in given]:
        raise Unfit(f"{spec.name} needs {' and '.join(map(repr, missing))}.")
    if spec.forms and not any(all(name in given for name in form) for form in spec.forms):
        raise Unfit(f"{spec.name} needs {_missing(spec, given)}.")
    typed = {name: _value(spec, known[name], value) for name, value in given.items()}
    for name in spec.body:
        _check_pairs(spec, typed.get(name))
    return typed


def _missing(spec: ToolSpec, given: Arguments) -> str:
    """What would complete a form: beside the text that is there, if there is one."""
    begun = [form for form in spec.forms if len(form) > 1 and form[-1] in given]
    if begun:
        return f"{' or '.join(repr(form[0]) for form in begun)} beside {begun[0][-1]!r}"
    return f"a block after the JSON, or {' or '.join(' with '.join(form) for form in spec.forms)}"


def _check_pairs(spec: ToolSpec, value: object) -> None:
    """A list that a block can fill holds replacements, however it was written."""
    for pair in cast(list[object], value) if isinstance(value, list) else []:
        record = cast(dict[str, object], pair) if isinstance(pair, dict) else {}
        if not all(isinstance(record.get(key), str) for key in ("old", "new")):
            raise Unfit(f"each of the replacements that {spec.name} takes needs old and new, both texts.")


def _value(spec: ToolSpec, parameter: Parameter, value: Any) -> Any:
    match parameter.type, value:
        case ("any", _) | ("string", str()) | ("boolean", bool()) | ("array", list()) | ("object", dict()):
            return cast(Any, value)
        case ("integer", int()) | ("number", int() | float()) if not isinstance(value, bool):
            return value
        case ("integer", float()) if value.is_integer():
            return int(value)
        case ("string", dict() | list()):  # a .json file, written as JSON
            return json.dumps(value, ensure_ascii=False, indent=2)
        case ("string", bool() | int() | float()):
            return json.dumps(value)
        case (_, str()):
            return _parsed(spec, parameter, value)
        case _:
            raise _wrong_type(spec, parameter)


def _parsed(spec: ToolSpec, parameter: Parameter, text: str) -> Any:
    """A value that was written as a string though the parameter is none."""
    try:
        value = decode(text.strip().lower() if parameter.type == "boolean" else text)
    except Unfit:
        raise _wrong_type(spec, parameter) from None
    if isinstance(value, _TYPES[parameter.type]) and isinstance(value, bool) == (parameter.type == "boolean"):
        return cast(Any, value)
    raise _wrong_type(spec, parameter)


def _wrong_type(spec: ToolSpec, parameter: Parameter) -> Unfit:
    return Unfit(f"{spec.name}: {parameter.name!r} must be of type {parameter.type}.")

"""One JSON value, with the block behind it, in; calls that fit the offered tools, or reasons, out. Pure.

A value is *meant* as a call when it names a tool and carries arguments. It is a call when the name is offered and the
arguments fit. What a call looks like when it is right is also said here: as it is taught, and as a correction.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from qagent.qwen import arguments, blocks
from qagent.qwen.chatml import unmark
from qagent.qwen.json_text import Unfit, clean, decode
from qagent.types import Arguments, BadCall, Form, ToolCall, ToolSpec

NAME_KEYS = ("name", "tool", "tool_name", "function")
ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input")
"""The taught key first; the others are what the model has been seen to write in its place."""

_NAME = re.compile(r'"(?:name|tool|function)"\s*:\s*"([^"\n]{1,100})"')


@dataclass(frozen=True, slots=True)
class Meant:
    """What the model meant, as far as it can be told: a name, and arguments that may not fit."""

    name: str
    arguments: Arguments


def write(spec: ToolSpec, given: Mapping[str, Any]) -> str:
    """A call as it is taught: JSON header, then the long text as a plain block, all in `<tools>` tags."""
    header = {key: value for key, value in given.items() if key not in spec.body}
    block = ""
    for name in spec.body:
        value = given.get(name)
        if isinstance(value, list):
            block = blocks.write_pairs(cast(list[blocks.Pair], value))
        elif isinstance(value, str):
            block = blocks.write_fenced(value)
    body = json.dumps({"name": spec.name, "arguments": header}, ensure_ascii=False)
    return f"<tools>\n{body}\n{block}</tools>"


def corrected(call: BadCall, tools: Sequence[ToolSpec]) -> str:
    """A call as it is when it is right: its tool's example, about the files and names that the model wrote."""
    if not tools:
        return ""
    spec = _intended(call, tools)
    written = {p.name for p in spec.parameters or () if f'"{p.name}"' in call.raw}
    if not spec.examples:
        return write(spec, {})
    example = max(spec.examples, key=lambda text: sum(f'"{name}"' in text for name in written))
    if spec.body and "SEARCH" not in example:
        return example  # somebody else's code must not stand under the name of a file that is there
    for name in written - set(spec.body):
        key = re.escape(name)
        if found := re.search(rf'"{key}"\s*:\s*"((?:[^"\\\n]|\\.){{1,200}})"', call.raw):
            value = json.dumps(_text(found[1]), ensure_ascii=False)
            example = re.sub(rf'(?<="{key}": )"[^"]*"', lambda _, value=value: value, example, count=1)
    return example


def _text(written: str) -> str:
    """What stood between the quotes of a JSON string; its backslashes are plain where they escape nothing."""
    try:
        return str(clean(decode(f'"{written}"')))
    except Unfit:
        return unmark(written)


def _intended(call: BadCall, tools: Sequence[ToolSpec]) -> ToolSpec:
    """By the name that was written, or the nearest; else by the first offered name in the call's text."""
    found = _NAME.search(call.raw)
    name = call.name or (found[1] if found else "")
    near = difflib.get_close_matches(name, [tool.name for tool in tools], 1)
    if near:
        return next(tool for tool in tools if tool.name == near[0])
    return min(tools, key=lambda tool: at if (at := call.raw.find(f'"{tool.name}"')) >= 0 else len(call.raw))


def read(text: str, block: str | None, form: Form, tools: Sequence[ToolSpec]) -> list[ToolCall | BadCall]:
    """The calls of one JSON value, an object or an array of objects; `block` is what followed it. Ids are empty."""
    try:
        value = decode(text)
    except Unfit as unfit:
        return [BadCall("", text, str(unfit))]
    if not isinstance(value, list):
        return [_part(value, text, block, form, tools)]
    several = cast(list[object], value)
    parts = [_part(each, json.dumps(each, ensure_ascii=False), None, form, tools) for each in several]
    return parts or [BadCall("", text, "the list of calls is empty.")]


def _part(value: object, raw: str, block: str | None, form: Form, tools: Sequence[ToolSpec]) -> ToolCall | BadCall:
    call = meant(value)
    if call is None:
        return BadCall("", raw, "it has no name and arguments.")
    try:
        return ToolCall("", call.name, fit(call, block, tools), form)
    except Unfit as unfit:
        return BadCall("", raw, str(unfit), call.name)


def meant_by(text: str) -> Meant | None:
    """The call that a JSON text describes; None when it describes none, or several, or is broken."""
    try:
        return meant(decode(text))
    except Unfit:
        return None


def meant(value: object) -> Meant | None:
    """The call that a decoded value describes; None when it describes none (an answer, a schema, data)."""
    if not isinstance(value, dict):
        return None
    record = cast(dict[str, Any], value)
    inner: Any = record.get("function")
    if isinstance(inner, dict):
        return meant(cast(object, inner))
    name = next((record[key] for key in NAME_KEYS if isinstance(record.get(key), str)), None)
    key = next((key for key in ARGUMENT_KEYS if key in record), None)
    if name is None or (key is None and len(record) > 1):
        return None
    given = _arguments(record.get(key) if key else None)
    return None if given is None or _is_schema(record, given) else Meant(name.strip(), given)


def _arguments(value: Any) -> Arguments | None:
    if isinstance(value, str):  # encoded a second time
        try:
            value = decode(value)
        except Unfit:
            return None
    if value is None:
        return {}
    return cast(Arguments, value) if isinstance(value, dict) else None


def _is_schema(record: Mapping[str, Any], given: Arguments) -> bool:
    """The tool list, repeated: a definition has a description beside its name, and its arguments describe types."""
    return "properties" in given or ("description" in record and "arguments" not in record)


def looks_like_one(text: str, tools: Sequence[ToolSpec]) -> bool:
    """Whether a text that is no call is no answer either: it names an offered tool, and has arguments."""
    named = _NAME.search(text)
    return named is not None and '"arguments"' in text and offered(named[1], tools) is not None


def fit(call: Meant, block: str | None, tools: Sequence[ToolSpec]) -> Arguments:
    """The arguments with the block put in its place and every value typed. Raises Unfit with the reason."""
    spec = offered(call.name, tools)
    if spec is None:
        names = [tool.name for tool in tools]
        near = difflib.get_close_matches(call.name, names, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
        raise Unfit(f"there is no tool {call.name[:100]!r}. {hint}")
    return arguments.fitted(spec, call.arguments, block)


def offered(name: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    return next((tool for tool in tools if tool.name == name), None)


def wants_block(call: Meant, tools: Sequence[ToolSpec], *, or_has_empty: bool = True) -> bool:
    """Whether the call is still short of a text that a block would bring, or has only an empty one."""
    spec = offered(call.name, tools)
    if spec is None or not spec.body or any(call.arguments.get(name) for name in spec.body):
        return False
    return or_has_empty or not any(name in call.arguments for name in spec.body)

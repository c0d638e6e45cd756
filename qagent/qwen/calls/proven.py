"""Outside of tags: a decoded JSON value in; the call that it proves to be out, or the reason why it is none. Pure.

There the same JSON can be a setting, an example or data, so that only shapes which nothing else has are calls:

    {"name": …, "arguments": {…}}            also `tool`, `tool_name` or `function`, and other keys for the arguments
    {"action": …, "action_input": {…}}       LangChain's
    {"type": "function", "function": {"name": …, "arguments": {…}}}     OpenAI's; also under `function_call`, `tool`
    {"thought": …, "action": {"name": …, "arguments": {…}}}
    {"tool_calls": […]}  […]                 several
    {"name": …}                              alone, of a tool that is known to need no arguments

The arguments are an object, one as JSON in a string, or null where none are needed. Beside them stand an id, a type
and thoughts, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from qagent.qwen.calls import aliases, envelopes
from qagent.qwen.calls.beside import ARGUMENT_KEYS, BESIDE, THOUGHT_KEYS, thought
from qagent.qwen.calls.envelopes import Items, Meant
from qagent.qwen.json_text import Unfit
from qagent.types import ToolSpec

_NAMES = frozenset(("name", "tool", "tool_name", "function"))
_INNER = frozenset(("function", "function_call", "tool_call", "tool"))
_TYPES = frozenset(("function", "function_call", "tool_call", "tool_use", "tool"))
_NO_CALL = "it is no call: outside of tags a call has name and arguments, and nothing beside them."


def items(value: object) -> Items | None:
    """As `envelopes.items`: a list, or one under `tool_calls` alone."""
    if isinstance(value, list):
        return envelopes.items(cast(list[object], value))
    own = _own(value)
    return envelopes.items(value) if own is not None and own.keys() == {"tool_calls"} else None


def meant(value: object, tools: Sequence[ToolSpec]) -> Meant:
    """The call that one value proves to be. Raises Unfit when it is none."""
    own = _own(value)
    if own is None:
        raise _refusal(value, tools)
    record = cast(Mapping[str, Any], value)
    inner = _inner(own, record)
    call = _plain(own if inner is None else inner, tools)
    if call is None:
        raise _refusal(value, tools)
    if inner is not None and "envelope" not in call.repairs:
        call = replace(call, repairs=("envelope", *call.repairs))
    return replace(call, thought=said) if (said := thought(record)) else call


def _refusal(value: object, tools: Sequence[ToolSpec]) -> Unfit:
    """The reason why it would be none in tags either is more telling."""
    try:
        envelopes.meant(value, tools)
    except Unfit as reason:
        return reason
    return Unfit(_NO_CALL)


def detached(name: str, value: object, tools: Sequence[ToolSpec]) -> Meant:
    """As `envelopes.detached`. Raises Unfit."""
    own = _own(value)
    if own is not None and not own.keys().isdisjoint(_NAMES) and not own.keys().isdisjoint(ARGUMENT_KEYS):
        inner = [text for key in _NAMES if isinstance(text := own.get(key), str)]
        if any(aliases.spelled(each, tools) for each in inner):
            return meant(value, tools)
    return envelopes.detached(name, value, tools)


def _own(value: object) -> dict[str, Any] | None:
    """What an object has beside an id, a type of calls and thoughts."""
    if not isinstance(value, dict):
        return None
    record = cast(dict[str, Any], value)
    if record.get("type", "function") not in tuple(_TYPES):
        return None
    return {key: each for key, each in record.items() if key not in BESIDE}


def _inner(own: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The object in which name and arguments stand, when it is not the outer one."""
    key = next(iter(own)) if len(own) == 1 else ""
    is_known = key in _INNER or (key == "action" and not record.keys().isdisjoint(THOUGHT_KEYS))
    return _own(own[key]) if is_known and isinstance(own[key], dict) else None


def _plain(own: Mapping[str, Any], tools: Sequence[ToolSpec]) -> Meant | None:
    """Exactly one name and its arguments. Raises Unfit when these are none."""
    name = next((key for key in own if key in _NAMES or set(own) == {"action", "action_input"}), "")
    given = next((key for key in own if key in ARGUMENT_KEYS), "")
    if not isinstance(own.get(name), str) or own.keys() - {name, given}:
        return None
    spec = aliases.spelled(own[name], tools)
    if given and _is_object(own[given], spec):
        return envelopes.checked(envelopes.named(own, name, given, spec), spec)
    return Meant(own[name].strip(), {}) if not given and name == "name" and _is_enough(spec) else None


def _is_object(value: object, spec: ToolSpec | None) -> bool:
    if value is None:
        return _is_enough(spec) or (spec is not None and spec.parameters is None)
    return isinstance(value, dict) or (isinstance(value, str) and value.lstrip()[:1] in ("{", '"'))


def _is_enough(spec: ToolSpec | None) -> bool:
    """Whether a name alone is the tool's whole call, or plainly lacks what no block brings."""
    if spec is None or spec.parameters is None or spec.forms:
        return False
    return not any(parameter.required and parameter.name in spec.body for parameter in spec.parameters)

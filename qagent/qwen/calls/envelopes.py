"""A decoded JSON value in; the call that it means out, whatever it is wrapped in. Pure.

A value is *meant* as a call when it names a tool and carries arguments. Whether the arguments fit is not decided here.

    {"name": …, "arguments": {…}}                      as taught, other keys for both; arguments as JSON in a string
    {"function": {…}}  {"thought": …, "action": {…}}   the call one level down
    {"tool_calls": […]}  […]                           several
    {"read_file": {…}}                                 the name as the key
    {"name": "run", "command": "ls"}                   the arguments beside the name

Sources: qwen-2.5-coder 7B to 32B under prompts of other agents; OpenAI's, Anthropic's and LangChain's own shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from qagent.qwen.calls import aliases
from qagent.qwen.calls.as_object import as_object
from qagent.qwen.calls.values import describes_a_type
from qagent.qwen.json_text import Unfit, clean
from qagent.types import Arguments, Repair, ToolSpec

NAME_KEYS = ("name", "tool", "tool_name", "function", "function_name", "action", "op")
ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input", "tool_input", "action_input", "kwargs")
"""The taught key first; the others are what models of the family write in its place."""

_TAUGHT = frozenset(("name", "arguments"))

INNER_KEYS = ("function", "function_call", "tool_call", "action", "tool", "call")
LIST_KEYS = ("tool_calls", "calls", "actions", "function_calls", "tools")
THOUGHT_KEYS = ("thought", "thoughts", "reasoning", "explanation")
_RESULT_KEYS = frozenset(("result", "output", "observation", "response", "tool_response"))
_BESIDE = frozenset((*THOUGHT_KEYS, "id", "type"))

_DEEPEST = 3
_NO_CALL = "it has no name and arguments."
_ECHO = "it is the definition of a tool, not a call. Write the real values of its arguments."
_RESULT = "it holds a result; only the tool gives one. Write the call alone."


@dataclass(frozen=True, slots=True)
class Meant:
    """What the model meant, as far as it can be told: a name, and arguments that may not fit.

    thought: what it wrote for the person beside the call. repairs: "envelope", "encoded", "type", as far as they apply.
    """

    name: str
    arguments: Arguments
    repairs: tuple[Repair, ...] = ()
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """The values of which each is to be one call."""

    values: tuple[object, ...]
    repairs: tuple[Repair, ...] = ()
    thought: str = ""


def items(value: object) -> Items | None:
    """A value taken apart into those that can be one call each; None when it is itself one, if any."""
    if isinstance(value, list):
        return Items(tuple(cast(list[object], value)))
    record = cast(dict[str, Any], value if isinstance(value, dict) else {})
    if record.keys().isdisjoint(LIST_KEYS):
        return None
    several = [record[key] for key in LIST_KEYS if isinstance(record.get(key), list)]
    if len(several) == 1 and not any(isinstance(record.get(key), str) for key in NAME_KEYS):
        return Items(tuple(several[0]), ("envelope",), _thought(record))
    return None


def meant(value: object, tools: Sequence[ToolSpec], *, certain: bool = True) -> Meant:
    """The call that one value means. `certain`: it stands where only calls stand, so that less has to be proven.

    Raises Unfit when it means none: an answer, a tool's definition, data.
    """
    return _meant(value, tools, certain, 0)


def detached(name: str, value: object, tools: Sequence[ToolSpec]) -> Meant:
    """The call of a name that stood outside, and what it was given: arguments, an envelope of them, or the whole call.

    Raises Unfit.
    """
    spec = aliases.spelled(name, tools)
    if isinstance(value, dict):
        record = cast(dict[str, Any], value)
        if (inner := _named(record, tools)) and aliases.spelled(inner, tools) and _argument_key(record):
            return meant(record, tools)
        key = _argument_key(record)
        if key and len(record) == 1 and isinstance(record[key], dict) and not _takes(spec, key):
            return _checked(Meant(name, record[key], ("envelope",)), spec)
    return _checked(_given(name, value, spec), spec)


def _meant(value: object, tools: Sequence[ToolSpec], certain: bool, depth: int) -> Meant:
    if not isinstance(value, dict) or depth > _DEEPEST:
        raise Unfit(_NO_CALL)
    record = cast(dict[str, Any], value)
    if record.keys() == _TAUGHT and isinstance(name := record["name"], str):  # nearly all
        spec = aliases.spelled(name, tools)
        return _checked(_given(name.strip(), record["arguments"], spec), spec)
    name = _named(record, tools)
    if name is not None and (call := _direct(record, name, tools, certain)):
        return replace(call, thought=thought) if (thought := _thought(record)) else call
    call = _wrapped(record, tools, certain, depth)
    repairs: tuple[Repair, ...] = call.repairs if "envelope" in call.repairs else ("envelope", *call.repairs)
    return replace(call, repairs=repairs, thought=_thought(record) or call.thought)


def _named(record: Mapping[str, Any], tools: Sequence[ToolSpec]) -> str | None:
    """The name in the first key that holds an offered one, else in the first that holds any."""
    names = [record[key].strip() for key in NAME_KEYS if key in record and isinstance(record[key], str)]
    if len(names) < 2:
        return names[0] if names else None
    return next((name for name in names if aliases.spelled(name, tools)), names[0])


def _argument_key(record: Mapping[str, Any]) -> str | None:
    for key in ARGUMENT_KEYS:
        if key in record:
            return key
    return None


def _takes(spec: ToolSpec | None, name: str) -> bool:
    return spec is not None and any(parameter.name == name for parameter in spec.parameters or ())


def _direct(record: Mapping[str, Any], name: str, tools: Sequence[ToolSpec], certain: bool) -> Meant | None:
    """A name with its arguments under a key of their own, or beside it, or none at all."""
    spec = aliases.spelled(name, tools)
    key = _argument_key(record)
    if key is None or (not isinstance(record[key], dict) and _takes(spec, key)):
        return _beside(record, name, spec, certain)
    if len(record) > 2 and not record.keys().isdisjoint(_RESULT_KEYS):
        raise Unfit(_RESULT)
    if "description" in record and key != "arguments":
        raise Unfit(_ECHO)
    call = _checked(_given(name, record[key], spec), spec)
    taught = key == "arguments" and str(record.get("name")).strip() == name
    return call if taught else replace(call, repairs=("envelope", *call.repairs))


def _beside(record: Mapping[str, Any], name: str, spec: ToolSpec | None, certain: bool) -> Meant | None:
    """`{"name": "run", "command": "ls"}`: only when each can be an argument of this tool and nothing else."""
    used = next(key for key in NAME_KEYS if isinstance(record.get(key), str) and record[key].strip() == name)
    rest = {key: value for key, value in record.items() if key != used and key not in _BESIDE}
    if not rest:
        if used == "name":
            return Meant(name, {})
        return Meant(name, {}, ("envelope",)) if certain else None
    if spec is None:
        return None
    if spec.parameters is None:
        return Meant(name, rest, ("envelope",)) if certain and aliases.familiar(rest) else None
    known = {parameter.name for parameter in spec.parameters}
    real = aliases.renamed(spec, rest)
    fits = bool(real) and real.keys() <= known
    return _checked(Meant(name, real, ("envelope",)), spec) if fits else None


def _wrapped(record: Mapping[str, Any], tools: Sequence[ToolSpec], certain: bool, depth: int) -> Meant:
    """The call somewhere inside; else the reason why there is none."""
    for key in INNER_KEYS:
        if isinstance(record.get(key), dict):
            return _meant(record[key], tools, certain, depth + 1)
    own = [key for key in record if key not in _BESIDE]
    if len(own) == 1 and (spec := aliases.spelled(own[0], tools)) and isinstance(record[own[0]], dict):
        arguments = cast(Arguments, record[own[0]])
        if certain or spec.parameters is not None or (arguments and aliases.familiar(arguments)):
            return _checked(Meant(own[0], arguments), spec)
    inner = [call for value in record.values() if (call := _one_level_down(value, tools))]
    if len(inner) == 1:
        return inner[0]
    if (call := _name_among_arguments(record, tools)) is not None:
        return call
    raise Unfit(_NO_CALL)


def _one_level_down(value: object, tools: Sequence[ToolSpec]) -> Meant | None:
    """Under a key that nobody foresaw: a name that is offered, with an object beside it."""
    if not isinstance(value, dict):
        return None
    record = cast(dict[str, Any], value)
    name, key = _named(record, tools), _argument_key(record)
    if name is None or key is None or aliases.spelled(name, tools) is None or not isinstance(record[key], dict):
        return None
    return _direct(record, name, tools, certain=False)


def _name_among_arguments(record: Mapping[str, Any], tools: Sequence[ToolSpec]) -> Meant | None:
    """`{"arguments": {"command": "ls", "name": "run"}}`: a brace came too late."""
    inner: Any = record.get("arguments")
    if len(record) != 1 or not isinstance(inner, dict):
        return None
    given = cast(Arguments, inner)
    name = given.get("name")
    spec = aliases.spelled(name, tools) if isinstance(name, str) else None
    if spec is None or _takes(spec, "name"):
        return None
    return _checked(Meant(str(name), {key: value for key, value in given.items() if key != "name"}), spec)


def _given(name: str, value: Any, spec: ToolSpec | None) -> Meant:
    arguments, repairs = as_object(value, spec)
    return Meant(name, arguments, repairs)


def _checked(call: Meant, spec: ToolSpec | None) -> Meant:
    """Raises Unfit for the tool list, repeated: the arguments describe types instead of holding values."""
    given = call.arguments
    is_schema = "properties" in given and not _takes(spec, "properties")
    if is_schema or (given and all(map(describes_a_type, given.values()))):
        raise Unfit(_ECHO)
    return call


def _thought(record: Mapping[str, Any]) -> str:
    """What the model says beside the call, for the person."""
    if len(record) < 2 or record.keys().isdisjoint(THOUGHT_KEYS):
        return ""
    texts = [text for key in THOUGHT_KEYS if isinstance(text := record.get(key), str) and text.strip()]
    try:
        return str(clean(texts[0].strip())) if texts else ""
    except Unfit:
        return ""

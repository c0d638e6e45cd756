"""In tags: a decoded JSON value in; the call that it means out, whatever it is wrapped in. Pure.

A value is *meant* as a call when it names a tool and carries arguments. Whether the arguments fit is not decided here.
Only calls stand in tags, so that any shape will do; what is taken back there (`"denied": true`) is none all the same.
Elsewhere `proven` asks for more.

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

from qagent.qwen.calls import aliases, beside
from qagent.qwen.calls.as_object import as_object
from qagent.qwen.calls.beside import ARGUMENT_KEYS, BESIDE, NAME_KEYS, takes
from qagent.qwen.calls.beside import THOUGHT_KEYS as THOUGHT_KEYS
from qagent.qwen.calls.values import describes_a_type
from qagent.qwen.json_text import Unfit
from qagent.types import Arguments, Repair, ToolSpec

INNER_KEYS = ("function", "function_call", "tool_call", "action", "tool", "call")
LIST_KEYS = ("tool_calls", "calls", "actions", "function_calls", "tools")
_TAUGHT = frozenset(("name", "arguments"))

_DEEPEST = 3
_TWO_TOOLS = "it names two tools. Write one call for each."
_NO_CALL = "it has no name and arguments."
_ECHO = "it is the definition of a tool, not a call. Write the real values of its arguments."


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
    try:
        beside.check_not_taken_back(record, None)
    except Unfit:  # the reason is given by `meant`
        return None
    several = [record[key] for key in LIST_KEYS if isinstance(record.get(key), list)]
    if len(several) == 1 and not any(isinstance(record.get(key), str) for key in NAME_KEYS):
        return Items(tuple(several[0]), ("envelope",), beside.thought(record))
    return None


def meant(value: object, tools: Sequence[ToolSpec]) -> Meant:
    """The call that one value means. Raises Unfit when it means none: an answer, a tool's definition, data."""
    return _meant(value, tools, 0)


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
        if key and len(record) == 1 and isinstance(record[key], dict) and not takes(spec, key):
            return checked(Meant(name, record[key], ("envelope",)), spec)
    return checked(_given(name, value, spec), spec)


def _meant(value: object, tools: Sequence[ToolSpec], depth: int) -> Meant:
    if not isinstance(value, dict) or depth > _DEEPEST:
        raise Unfit(_NO_CALL)
    record = cast(dict[str, Any], value)
    if record.keys() == _TAUGHT and isinstance(name := record["name"], str):  # nearly all
        spec = aliases.spelled(name, tools)
        return checked(_given(name.strip(), record["arguments"], spec), spec)
    name = _named(record, tools)
    beside.check_not_taken_back(record, aliases.spelled(name, tools) if name else None)
    if name is not None and (call := _direct(record, name, tools)):
        return replace(call, thought=thought) if (thought := beside.thought(record)) else call
    call = _wrapped(record, tools, depth)
    repairs: tuple[Repair, ...] = call.repairs if "envelope" in call.repairs else ("envelope", *call.repairs)
    return replace(call, repairs=repairs, thought=beside.thought(record) or call.thought)


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


def _direct(record: Mapping[str, Any], name: str, tools: Sequence[ToolSpec]) -> Meant | None:
    """A name with its arguments under a key of their own, or beside it, or none at all."""
    spec = aliases.spelled(name, tools)
    key = _argument_key(record)
    used = next(key for key in NAME_KEYS if isinstance(record.get(key), str) and record[key].strip() == name)
    if key is None or (not isinstance(record[key], dict) and takes(spec, key)):
        return _beside(record, used, spec)
    if "description" in record and key != "arguments":
        raise Unfit(_ECHO)
    if spec is not None and _names_another(record, spec, tools):
        raise Unfit(_TWO_TOOLS)
    return checked(named(record, used, key, spec), spec)


def _names_another(record: Mapping[str, Any], spec: ToolSpec, tools: Sequence[ToolSpec]) -> bool:
    free = [key for key in NAME_KEYS if isinstance(record.get(key), str) and not beside.may_be_argument(spec, key)]
    return any((other := aliases.spelled(record[key], tools)) and other is not spec for key in free)


def named(record: Mapping[str, Any], used: str, key: str, spec: ToolSpec | None) -> Meant:
    """The call of an object with the name under `used` and the arguments under `key`. Raises Unfit."""
    call = _given(record[used].strip(), record[key], spec)
    arguments = beside.merged(call.arguments, record, (used, key), spec)
    if arguments is call.arguments and (used, key) == ("name", "arguments"):
        return call
    return replace(call, arguments=arguments, repairs=("envelope", *call.repairs))


def _beside(record: Mapping[str, Any], used: str, spec: ToolSpec | None) -> Meant | None:
    """`{"name": "run", "command": "ls"}`: only when each can be an argument of this tool and nothing else."""
    name = record[used].strip()
    rest = {key: value for key, value in record.items() if key != used and key not in BESIDE}
    if not rest:
        return Meant(name, {}) if used == "name" else Meant(name, {}, ("envelope",))
    if spec is None:
        return None
    if spec.parameters is None:
        return Meant(name, rest, ("envelope",)) if aliases.familiar(rest) else None
    known = {parameter.name for parameter in spec.parameters}
    real = aliases.renamed(spec, rest)
    fits = bool(real) and real.keys() <= known
    return checked(Meant(name, real, ("envelope",)), spec) if fits else None


def _wrapped(record: Mapping[str, Any], tools: Sequence[ToolSpec], depth: int) -> Meant:
    """The call somewhere inside; else the reason why there is none."""
    for key in INNER_KEYS:
        if isinstance(record.get(key), dict):
            return _meant(record[key], tools, depth + 1)
    own = [key for key in record if key not in BESIDE]
    if len(own) == 1 and (spec := aliases.spelled(own[0], tools)) and isinstance(record[own[0]], dict):
        return checked(Meant(own[0], cast(Arguments, record[own[0]])), spec)
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
    beside.check_not_taken_back(record, aliases.spelled(name, tools))
    return _direct(record, name, tools)


def _name_among_arguments(record: Mapping[str, Any], tools: Sequence[ToolSpec]) -> Meant | None:
    """`{"arguments": {"command": "ls", "name": "run"}}`: a brace came too late."""
    inner: Any = record.get("arguments")
    if len(record) != 1 or not isinstance(inner, dict):
        return None
    given = cast(Arguments, inner)
    name = given.get("name")
    spec = aliases.spelled(name, tools) if isinstance(name, str) else None
    if spec is None or takes(spec, "name"):
        return None
    return checked(Meant(str(name), {key: value for key, value in given.items() if key != "name"}), spec)


def _given(name: str, value: Any, spec: ToolSpec | None) -> Meant:
    arguments, repairs = as_object(value, spec)
    return Meant(name, arguments, repairs)


def checked(call: Meant, spec: ToolSpec | None) -> Meant:
    """Raises Unfit for the tool list, repeated: the arguments describe types instead of holding values."""
    given = call.arguments
    is_schema = "properties" in given and not takes(spec, "properties")
    if is_schema or (given and all(map(describes_a_type, given.values()))):
        raise Unfit(_ECHO)
    return call

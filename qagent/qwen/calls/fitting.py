"""A call that was meant in; the call as an offered tool takes it out, or the reason why none does. Pure.

Outside of tags a name is offered, but for case, separators and a name space. Inside of tags the intent is clear, so
that the names which other agents give to the same tool are understood too: when one offered tool is meant and takes it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from qagent.qwen.calls import aliases, arguments, spoken
from qagent.qwen.calls.as_object import only_text
from qagent.qwen.calls.envelopes import Meant
from qagent.qwen.json_text import Unfit
from qagent.types import Form, Repair, ToolCall, ToolSpec

CERTAIN: frozenset[Form] = frozenset(("tools", "tool_call", "tag", "xml"))
"""Forms in which nothing but a call is written."""


def fit(call: Meant, block: str | None, tools: Sequence[ToolSpec], form: Form = "tools") -> ToolCall:
    """The call as the tool takes it, the block put in its place. Raises Unfit with the reason."""
    spec = aliases.spelled(call.name, tools)
    if spec is None:
        return _misnamed(call, block, tools, form)
    made = arguments.fitted(spec, call.arguments, block)
    named: tuple[Repair, ...] = () if spec.name == call.name else ("tool_name",)
    return ToolCall("", spec.name, made.arguments, form, (*call.repairs, *named, *made.repairs))


def _misnamed(call: Meant, block: str | None, tools: Sequence[ToolSpec], form: Form) -> ToolCall:
    """A call whose name is not offered: the arguments stand in the name, or another agent's tool is meant."""
    if not call.arguments and (inner := _swallowed(call.name, tools)):
        return fit(replace(inner, repairs=(*call.repairs, "envelope")), block, tools, form)
    same = [spec for spec in aliases.namesakes(call.name, tools) if spec.parameters is not None]
    fits = [made for spec in same if form in CERTAIN and (made := _try(call, spec, block, form))]
    if len(fits) == 1:
        return fits[0]
    names = [tool.name for tool in tools]
    near = [spec.name for spec in same] or difflib.get_close_matches(call.name[:100], names, 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
    raise Unfit(f"there is no tool {call.name[:100]!r}. {hint}")


def _try(call: Meant, spec: ToolSpec, block: str | None, form: Form) -> ToolCall | None:
    try:
        made = arguments.fitted(spec, call.arguments, block)
    except Unfit:
        return None
    return ToolCall("", spec.name, made.arguments, form, (*call.repairs, "tool_name", *made.repairs))


def _swallowed(name: str, tools: Sequence[ToolSpec]) -> Meant | None:
    """`"name": "run command='ls'"`: measured at 3B."""
    found = spoken.parse(name) if " " in name or "(" in name else None
    return meant_aloud(found[0], tools) if found and len(found) == 1 else None


def meant_aloud(each: spoken.Spoken, tools: Sequence[ToolSpec]) -> Meant | None:
    """None when its arguments have no names and it cannot be told what they are."""
    spec = aliases.spelled(each.name, tools)
    given = {name: spoken.plain(value, typed=bool(spec and spec.parameters)) for name, value in each.keywords.items()}
    match each.positional:
        case ():
            return Meant(each.name, given)
        case (str() as only,) if not given and (name := only_text(spec)):
            return Meant(each.name, {name: only})
        case _:
            return None


def wants_block(call: Meant, tools: Sequence[ToolSpec], *, certain: bool = False, or_has_empty: bool = True) -> bool:
    """Whether the call is still short of a text that a block would bring, or has only an empty one.

    certain: it stands in tags. There one of a tool that nobody knows is short of it too: what follows it, before the
    tag is closed, is its text and not a call of its own.
    """
    spec = aliases.spelled(call.name, tools)
    if spec is None and certain:
        same = [each.name for each in aliases.namesakes(call.name, tools) if each.parameters is not None]
        return not same or any(wants_block(replace(call, name=name), tools, or_has_empty=or_has_empty) for name in same)
    if spec is None or not spec.body:
        return False
    given = aliases.renamed(spec, call.arguments)
    if any(given.get(name) for name in spec.body):
        return False
    return or_has_empty or not any(name in given for name in spec.body)

"""A tool, the arguments that were written and the block behind them in; arguments that fit the tool out. Pure.

They fit when all required ones are there, none is unknown, each is of its type and none is a placeholder. Names are
mended by `aliases`, types by `values`. Nothing is invented, and nothing that has a meaning is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from qagent.qwen import blocks
from qagent.qwen.calls import placeholders
from qagent.qwen.calls.aliases import renamed
from qagent.qwen.calls.values import typed
from qagent.qwen.json_text import Unfit, clean
from qagent.types import Arguments, Parameter, Repair, ToolSpec

_UNCLEAR = (
    "its SEARCH/REPLACE blocks are not whole, or the code holds such markers itself. "
    "Each has SEARCH, ======= and REPLACE lines, and nothing stands between two; else give old and new in the JSON."
)
_PAIR = ToolSpec("", parameters=(Parameter("old", "string", required=True), Parameter("new", "string", required=True)))
"""What one of several replacements has, as if it were a call of its own."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Arguments as the tool takes them; `repairs`: "argument_name" and "type", when names or values were mended."""

    arguments: Arguments
    repairs: tuple[Repair, ...] = ()


def fitted(spec: ToolSpec, arguments: Arguments, block: str | None) -> Fitted:
    """Raises Unfit with the reason."""
    repairs: list[Repair] = []
    given = renamed(spec, arguments)
    if given is not arguments and given.keys() != arguments.keys():
        repairs.append("argument_name")
    if block is not None:
        given = _with_block(spec, given, block)
    if spec.parameters is not None:
        right = _typed(spec, spec.parameters, given)
        if right is not given:
            given = right
            repairs.append("type")
    result = cast(Arguments, clean(given))
    if why := placeholders.refused(spec, result):
        raise Unfit(why)
    return Fitted(result, tuple(repairs))


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


def _typed(spec: ToolSpec, parameters: tuple[Parameter, ...], given: Arguments) -> Arguments:
    """The same object when nothing had to be changed."""
    known = {p.name: p for p in parameters}
    if not given.keys() <= known.keys():
        raise Unfit(_unknown(spec, next(name for name in given if name not in known)))
    values = {name: value for name, value in given.items() if not _is_left_out(known[name], value)}
    if missing := [p.name for p in parameters if p.required and p.name not in values]:
        raise Unfit(f"{spec.name} needs {' and '.join(map(repr, missing))}.")
    if spec.forms and not any(all(name in values for name in form) for form in spec.forms):
        raise Unfit(f"{spec.name} needs {_missing(spec, values)}.")
    same = len(values) == len(given)
    for name, value in values.items():
        right = typed(spec, known[name], value)
        if isinstance(right, list) and name in spec.body:
            right = _pairs(spec, cast(list[Any], right))
        same = same and right is value
        values[name] = right
    return given if same else values


def _is_left_out(parameter: Parameter, value: object) -> bool:
    """Null for what is not required, also in quotes, where they cannot be a text."""
    if parameter.required or not (value is None or isinstance(value, str)):
        return False
    return value is None or (parameter.type not in ("string", "any") and value.strip() in ("", "null", "None"))


def _unknown(spec: ToolSpec, name: str) -> str:
    taught = [p.name for p in spec.parameters or () if p.name not in (*spec.body, "old")]
    block = ", and a block after the JSON" if spec.body else ""
    return f"{spec.name} takes no {name[:60]!r}. It takes: {', '.join(taught)}{block}."


def _missing(spec: ToolSpec, given: Arguments) -> str:
    """What would complete a form: beside the text that is there, if there is one."""
    begun = [form for form in spec.forms if len(form) > 1 and form[-1] in given]
    if begun:
        return f"{' or '.join(repr(form[0]) for form in begun)} beside {begun[0][-1]!r}"
    return f"a block after the JSON, or {' or '.join(' with '.join(form) for form in spec.forms)}"


def _pairs(spec: ToolSpec, value: list[Any]) -> list[Any]:
    """A list that a block can fill holds replacements, however it was written; the same list when they are right."""
    right = [renamed(_PAIR, cast(Arguments, pair)) if isinstance(pair, dict) else {} for pair in value]
    if not all(isinstance(pair.get(key), str) for pair in right for key in ("old", "new")):
        raise Unfit(f"each of the replacements that {spec.name} takes needs old and new, both texts.")
    return value if all(pair is given for pair, given in zip(right, value, strict=True)) else right

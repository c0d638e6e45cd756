"""What a model wrote as a call in; calls that fit the offered tools, or reasons, out. Pure, and never raises.

`envelopes` tells what a value means in tags, `proven` elsewhere, `repair` what a broken one could say, `fitting`
whether it fits. Here they meet: the first rung of repair on which a reading is meant as a call and fits wins; two that
differ on one rung are none.

Outside of tags a call must prove itself (see `fitting`), and what does not fit is the caller's to show as text. Inside
of tags the intent is clear: what does not fit is a bad call with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from qagent.qwen import repair
from qagent.qwen.calls import aliases, beside, envelopes, functions, proven, spoken
from qagent.qwen.calls.envelopes import Meant
from qagent.qwen.calls.fitting import CERTAIN, fit, meant_aloud
from qagent.qwen.json_text import Unfit, decode, decode_strictly
from qagent.types import BadCall, Form, Part, Prose, Repair, ToolCall, ToolSpec

MOST = 100
TOO_MANY = f"it holds more than {MOST} calls."
_NAMED = re.compile(r"""\b(?:name|tool|tool_name|function|function_name)["'”]?\s*:\s*["'“]?([\w.:/-]{1,100})""")
_GIVEN = re.compile(r"""\barguments["'”]?\s*:""")
TWO_WAYS = (
    "its quotes can be read in two ways. Escape those inside a text, or give code in a plain block after the JSON."
)
_CUT = "its end is missing. Send it again whole; a long text goes in several smaller calls."
_INNER_CALL = (
    "a text in it holds the tags of a call. Write name and arguments as one JSON object, the text as its block."
)
_NO_NAME = "it has no name and arguments."


class _Written(NamedTuple):
    """One call as it stood in the reply."""

    text: str
    block: str | None
    form: Form
    tools: Sequence[ToolSpec]
    name: str = ""

    @property
    def certain(self) -> bool:
        return self.form in CERTAIN


def read(
    text: str,
    block: str | None,
    form: Form,
    tools: Sequence[ToolSpec],
    *,
    name: str = "",
    whole: bool = True,
) -> list[Part]:
    """The calls of one JSON value, and what is said beside them. Ids are empty.

    text: an object or an array as it was written, perhaps broken. block: what followed it. name: the tool's, when it
    stood outside; then `text` holds its arguments. whole: False when its end was not seen.
    """
    written = _Written(text, block, form, tools, name)
    try:
        value = decode_strictly(text)
    except Unfit:
        return _mended(written, whole)
    return _parts(value, (), written)  # nearly all: what is right JSON says one thing


def _mended(written: _Written, whole: bool) -> list[Part]:
    failed: list[list[Part]] = []
    partly: list[list[Part]] = []
    found = repair.readings(written.text, known_keys(written.tools), whole=whole)
    for _, rivals in groupby(found, key=lambda reading: reading.rung):
        tried = [_parts(reading.value, reading.repairs, written) for reading in rivals]
        sound = _different([parts for parts in tried if not _bad(parts)])
        if len(sound) == 1:
            return sound[0]
        if sound:
            return [BadCall("", written.text, TWO_WAYS, written.name)]
        partly = partly or _different([parts for parts in tried if any(part.kind == "call" for part in parts)])
        failed += tried
    return partly[0] if len(partly) == 1 else _most_telling(failed, written, whole)


def _different(read: Sequence[list[Part]]) -> list[list[Part]]:
    """Each outcome once; how it was mended makes no difference."""
    seen: list[list[tuple[str, Any]]] = []
    different: list[list[Part]] = []
    for parts in read:
        calls = [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]
        if calls not in seen:
            seen.append(calls)
            different.append(parts)
    return different


def _bad(parts: Sequence[Part]) -> list[BadCall]:
    return [part for part in parts if isinstance(part, BadCall)]


def _most_telling(failed: Sequence[list[Part]], written: _Written, whole: bool) -> list[Part]:
    """Of the readings that do not fit the first that names a tool, else the first; else why there is none."""
    named = [parts for parts in failed if any(bad.name for bad in _bad(parts))]
    if named or failed:
        return (named or list(failed))[0]
    why = _NO_NAME
    for decoder in (decode_strictly, decode):
        try:
            decoder(written.text)
        except Unfit as unfit:
            why = str(unfit)
    return [BadCall("", written.text, why if whole else _CUT, written.name)]


def _parts(value: object, repairs: tuple[Repair, ...], written: _Written) -> list[Part]:
    """What one reading gives: a call or a reason for each of its values, and before it what is said beside it."""
    if written.name:
        return _part(value, written, repairs)
    found = (envelopes if written.certain else proven).items(value)
    if found is None:
        return _part(value, written, repairs)
    if len(found.values) > MOST:
        return [BadCall("", written.text, TOO_MANY)]
    if not found.values:
        return [BadCall("", written.text, "the list of calls is empty.")]
    parts: list[Part] = [Prose(f"{found.thought}\n")] if found.thought else []
    for each in found.values:
        own = json.dumps(each, ensure_ascii=False)
        block = written.block if len(found.values) == 1 else None
        parts += _part(each, written._replace(text=own, block=block), (*repairs, *found.repairs))
    return parts


def _part(value: object, written: _Written, repairs: tuple[Repair, ...]) -> list[Part]:
    name = written.name
    try:
        shapes = envelopes if written.certain else proven
        call = shapes.detached(name, value, written.tools) if name else shapes.meant(value, written.tools)
        name = call.name
        made = fit(call, written.block, written.tools, written.form)
    except Unfit as unfit:
        return [BadCall("", written.text, str(unfit), name)]
    if repairs or made.repairs:
        made = replace(made, repairs=tuple(dict.fromkeys((*repairs, *made.repairs))))
    return [Prose(f"{call.thought}\n"), made] if call.thought else [made]


# ------------------------------------------------------------------ calls that are not JSON


def read_xml(text: str, form: Form, tools: Sequence[ToolSpec], *, whole: bool = True) -> list[Part]:
    """The calls of `<function=NAME>…</function>`, of its variants, and of the template's placeholders as tags."""
    parts: list[Part] = []
    found = functions.parse(text, tools)
    if any(function.doubtful for function in found):
        return [BadCall("", text, _INNER_CALL, found[0].name)]
    for function in found:
        if function.body and function.body[0] not in '{["':
            parts.append(
                BadCall(
                    "", function.raw, "it has no arguments. Write name and arguments as one JSON object.", function.name
                )
            )
        elif function.body:
            parts += read(function.body, None, form, tools, name=function.name, whole=whole)
        else:
            parts.append(_from_function(function, form, tools, whole=whole))
    return parts or [BadCall("", text, "it is no whole call. Write name and arguments as one JSON object.")]


def _from_function(
    function: functions.Function, form: Form, tools: Sequence[ToolSpec], *, whole: bool
) -> ToolCall | BadCall:
    given = dict(function.parameters)
    try:
        if len(given) < len(function.parameters):
            raise Unfit("it gives a parameter twice.")
        spec = aliases.spelled(function.name, tools)
        may_be_open = whole and (spec is None or spec.risk == "read")
        if not function.ended or not (function.closed or may_be_open):
            raise Unfit("its end is missing. Send it again whole, with </parameter> and </function>.")
        call = fit(Meant(function.name, given), None, tools, form)
    except Unfit as unfit:
        return BadCall("", function.raw, str(unfit), function.name)
    return replace(call, repairs=tuple(each for each in call.repairs if each != "type"))  # all is text in XML


def read_spoken(text: str, form: Form, tools: Sequence[ToolSpec], *, whole: bool = True) -> list[Part] | None:
    """The calls of `run command="ls"`, `run(command="ls")` or a list of the second kind; None when it is neither.

    whole: False when the reply was cut off: a last word without quotes may be half of one.
    """
    head = spoken.HEAD.match(text)
    if head is None or aliases.spelled(head["name"], tools) is None:
        return None
    found = spoken.parse(text)
    if not whole and (found is None or spoken.may_go_on(found)):
        return [BadCall("", text, _CUT, head["name"])]
    if found is None:
        broken = BadCall("", text, "it cannot be read. Write name and arguments as one JSON object.", head["name"])
        return [broken] if form in CERTAIN else None
    return [_from_spoken(each, text, form, tools) for each in found] if _is_call(found, form, tools) else None


def _is_call(found: Sequence[spoken.Spoken], form: Form, tools: Sequence[ToolSpec]) -> bool:
    """In plain text `run()` of a tool known by its name alone is a word, not a call."""
    if form in CERTAIN:
        return True
    known = [aliases.spelled(each.name, tools) for each in found]
    return all(spec and (spec.parameters is not None or each.keywords) for spec, each in zip(known, found, strict=True))


def _from_spoken(each: spoken.Spoken, text: str, form: Form, tools: Sequence[ToolSpec]) -> ToolCall | BadCall:
    try:
        call = meant_aloud(each, tools)
        if call is None:
            raise Unfit("its arguments need names. Write name and arguments as one JSON object.")
        return fit(call, None, tools, form)
    except Unfit as unfit:
        return BadCall("", text, str(unfit), each.name)


# ------------------------------------------------------------------ what the reader asks on the way


def known_keys(tools: Sequence[ToolSpec]) -> frozenset[str]:
    """Keys that may follow a text in a call of these tools: where a quote can end it."""
    names = {parameter.name for tool in tools for parameter in tool.parameters or ()}
    if any(tool.parameters is None for tool in tools):
        names |= {"path", "folder", "command", "content", "old", "new", "pattern", "start", "end", "symbol", "edits"}
    kept = (*beside.NAME_KEYS, *beside.ARGUMENT_KEYS, *beside.THOUGHT_KEYS, "old", "new")
    return frozenset((*kept, *names, *aliases.written_for(names)))


def meant_by(text: str, tools: Sequence[ToolSpec] = (), *, name: str = "", whole: bool = True) -> Meant | None:
    """The call that a JSON text describes; None when it describes none, or several, or is broken beyond repair."""
    try:
        values = [decode_strictly(text)]
    except Unfit:
        values = [reading.value for reading in repair.readings(text, known_keys(tools), whole=whole)]
    for value in values:
        with suppress(Unfit):
            return envelopes.detached(name, value, tools) if name else envelopes.meant(value, tools)
    return None


def looks_like_one(text: str, tools: Sequence[ToolSpec]) -> bool:
    """Whether a text that is no call is no answer either: it names a tool that is meant, and has arguments."""
    named = _NAMED.search(text)
    if named is None or not _GIVEN.search(text):
        return False
    return aliases.spelled(named[1], tools) is not None or bool(aliases.namesakes(named[1], tools))

"""What a call looks like when it is right: as it is taught, and as the answer to one that cannot be run. Pure.

A correction is copied by the model word for word. So it is a whole call that the reader takes; it carries the model's
own arguments as far as they are sound; and nobody else's code stands in it under the name of a file that is there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from qagent.qwen import blocks, repair
from qagent.qwen.calls import aliases, beside, envelopes, functions, placeholders
from qagent.qwen.calls.values import typed
from qagent.qwen.chatml import unmark
from qagent.qwen.json_text import Unfit, clean, decode
from qagent.types import Arguments, BadCall, ToolSpec

_NAME = re.compile(r'"(?:name|tool|function)"\s*:\s*"([^"\n]{1,100})"')
_PAIR = re.compile(r"(<{7} SEARCH\n).*?(\n={7}\n).*?(\n>{7} REPLACE)", re.DOTALL)
_BLANK_PAIR = r"\1(the old lines, exactly as they stand in the file)\2(the new lines)\3"
_LONGEST = 200
_LONGEST_TEXT = 2_000
"""Characters of a header's value and of a block that are worth giving back."""


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
    """The call as it is when it is right: the model's own where that is complete, else its tool's example."""
    if not tools:
        return ""
    spec = _intended(call, tools)
    sound = _sound(spec, _given(call, spec, tools))
    if sound and _is_complete(spec, sound):
        return write(spec, sound)
    return _example(spec, sound) if spec.examples else write(spec, {})


def _intended(call: BadCall, tools: Sequence[ToolSpec]) -> ToolSpec:
    """By the name that was written, or the nearest; else by the first offered name in the call's text."""
    found = _NAME.search(call.raw)
    name = call.name or (found[1] if found else "")
    if spec := aliases.spelled(name, tools):
        return spec
    alike = aliases.namesakes(name, tools)
    near = [spec.name for spec in alike] or difflib.get_close_matches(name[:100], [tool.name for tool in tools], 1)
    if near:
        return next(tool for tool in tools if tool.name == near[0])
    return min(tools, key=lambda tool: at if (at := call.raw.find(f'"{tool.name}"')) >= 0 else len(call.raw))


def _given(call: BadCall, spec: ToolSpec, tools: Sequence[ToolSpec]) -> Arguments:
    """What the model gave, as far as it can be read in one way; else the short texts that stand behind known keys."""
    if "<function" in call.raw:
        tagged = functions.parse(call.raw, tools)
        return dict(tagged[0].parameters) if len(tagged) == 1 and tagged[0].ended else {}
    names = [parameter.name for parameter in spec.parameters or ()]
    found = list(repair.readings(call.raw, frozenset((*beside.NAME_KEYS, *beside.ARGUMENT_KEYS, *names))))
    if len(found) == 1 and (given := _meant(found[0].value, call.name, tools)) is not None:
        return given
    safe = [name for name in names if name not in spec.body and aliases.kind(name) != "command"]
    return {name: value for name in safe if (value := _behind(name, call.raw)) is not None}


def _meant(value: object, name: str, tools: Sequence[ToolSpec]) -> Arguments | None:
    """The arguments of a call that may not fit; None when it is none."""
    try:
        several = envelopes.items(value)
        one = value if several is None else several.values[0] if len(several.values) == 1 else None
        return envelopes.meant(one, tools).arguments
    except Unfit:
        return cast(Arguments, value) if name and isinstance(value, dict) else None


def _behind(name: str, raw: str) -> str | None:
    """Half of a command or of a code is another one, but a path or a name may be given back."""
    found = re.findall(rf'"{re.escape(name)}"\s*:\s*"((?:[^"\\\n]|\\.){{1,{_LONGEST}}})"\s*[,}}\n]', raw)
    return _text(found[0]) if len(found) == 1 else None


def _text(written: str) -> str:
    """What stood between the quotes of a JSON string; its backslashes are plain where they escape nothing."""
    try:
        return str(clean(decode(f'"{written}"')))
    except Unfit:
        return unmark(written)


def _sound(spec: ToolSpec, given: Arguments) -> Arguments:
    """The arguments that the tool takes as they are, or typed, and that are no placeholders."""
    known = {parameter.name: parameter for parameter in spec.parameters or ()}
    sound: Arguments = {}
    for name, value in aliases.renamed(spec, given).items():
        try:
            value = clean(typed(spec, known[name], value)) if name in known and value is not None else None
        except Unfit:
            continue
        longest = _LONGEST_TEXT if name in spec.body else _LONGEST
        is_short = value is not None and len(json.dumps(value, ensure_ascii=False)) <= longest
        if is_short and not (isinstance(value, str) and placeholders.is_placeholder(spec, name, value)):
            sound[name] = value
    return sound


def _is_complete(spec: ToolSpec, sound: Arguments) -> bool:
    """Whether nothing is missing, so that no other's text has to stand in."""
    if not all(sound.get(parameter.name) for parameter in spec.parameters or () if parameter.required):
        return False
    pairs = [cast(list[Any], sound[name]) for name in spec.body if isinstance(sound.get(name), list)]
    if not all(isinstance(pair, dict) and pair.keys() >= {"old", "new"} for several in pairs for pair in several):
        return False
    if spec.forms:
        return sum(all(name in sound for name in form) for form in spec.forms) == 1
    return all(name in sound for name in spec.body)


def _example(spec: ToolSpec, sound: Arguments) -> str:
    """The tool's own example that has most in common with what was written, about the same file or name."""
    example = max(spec.examples, key=lambda text: sum(f'"{name}"' in text for name in sound))
    if spec.body and "SEARCH" not in example:
        return example  # its code must not come under the model's path
    example = _PAIR.sub(_BLANK_PAIR, example)
    for name, value in sound.items():
        if isinstance(value, str) and name not in spec.body:
            written = json.dumps(value, ensure_ascii=False)
            example = re.sub(
                rf'(?<="{re.escape(name)}": )"[^"]*"', lambda _, written=written: written, example, count=1
            )
    return example

"""A call that cannot fail in form, in two halves: the header as a schema for the server, the code as a plain block.

In: the offered tools, then what the server wrote. Out: the schema, how the block is begun and where it stops, and the
whole as if the model had written it in the taught form. That text goes through the ordinary reader, which alone decides
whether it is a call; what the reader does not take for one is not made one here. It knows no server.

    <tools>                                          the turn is begun so
    {"name": "edit_file", "arguments": {"path": …}}  held to the schema
    ```python                                        the turn is begun so, up to here
    …                                                written freely
    ```                                              the reply stops here
    </tools>

The fence has three backticks as in the examples, because that is what the model closes it with. It stops at the closing
fence *with the closing tag behind it*: a bare fence may stand in the code. So nothing has to be guessed beforehand, and
which fences belong to the code the reader tells, as ever; where it is in doubt, the call is not run.

The tag is `<tools>`, also where the system prompt shows `<tool_call>`: it is written for the model, which has none to
choose, and the reader lets either tag close the call. So there is one form whose ends have to be known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, cast

from qagent.qwen import blocks
from qagent.qwen.reader import Reader
from qagent.types import Arguments, BadCall, Parameter, Prose, ToolCall, ToolSpec

PREFILL = "<tools>\n"
_CLOSER = "</tools>"

TEXT_CHARACTERS = 400
"""A path, a symbol, a pattern, a command line. Without a bound a string can take the whole reply, and llama.cpp refuses
grammars that repeat something 2,000 times."""
ITEM_CHARACTERS, ITEMS = 100, 8
"""Of a list, and of an object's texts. Their product counts against the same 2,000."""
HIGHEST = 999_999_999
"""Line numbers and seconds. Grammars bound whole numbers alone, so a number is asked for as a whole one."""
_TOKEN, _DIGITS = 32, 3
"""The longest token in characters, runs of one character left out, and in digits (Qwen: one; others up to three). Where
the next one would cross the bound, the grammar forbids it, and the model may end the value there instead."""

_CODE = frozenset({"old"})
"""Code that no block carries: it is read inside JSON, but neither taught nor forced there."""

_SPELLED = MappingProxyType({"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "})
"""LLGuidance (xllamacpp, vLLM) lets any white space stand between JSON's tokens unless it is told so, and random
weights fill the reply with it (seen with b11549). The grammars of llama.cpp and Ollama bound it, and ignore the key."""

_LANGUAGES = MappingProxyType(
    {"js": "javascript", "md": "markdown", "py": "python", "rb": "ruby", "rs": "rust", "sh": "bash", "ts": "typescript"}
)
"""Where a fence is named otherwise than the file's ending."""


# ------------------------------------------------------------------ the header


@dataclass(frozen=True, slots=True)
class Header:
    """A call without its block. `text` is the model's own: so the prompt of the next request continues this one's."""

    text: str
    spec: ToolSpec
    arguments: Arguments


def header_schema(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """A JSON schema for the header of a call of one of the tools. Every value is bounded; code has no place in it."""
    return {"anyOf": [_call(spec, needed) for spec in tools for needed in _forms(spec)], "x-guidance": {**_SPELLED}}


def _forms(spec: ToolSpec) -> Iterator[frozenset[str]]:
    """What each way to call the tool needs in its header, beside what all of them need."""
    headers = [frozenset(form) - frozenset(spec.body) for form in spec.forms or ((),)]
    taught = [header for header in headers if not header & _CODE]
    yield from dict.fromkeys(taught or headers)


def _call(spec: ToolSpec, needed: frozenset[str]) -> dict[str, Any]:
    return _object({"name": {"const": spec.name}, "arguments": _arguments(spec, needed)}, ["name", "arguments"])


def _arguments(spec: ToolSpec, needed: frozenset[str]) -> dict[str, Any]:
    if spec.parameters is None:
        return {"type": "object", "additionalProperties": _text(ITEM_CHARACTERS)}
    elsewhere = {name for form in spec.forms for name in form} | set(spec.body)
    taken = [p for p in spec.parameters if p.name in needed or p.name not in elsewhere]
    required = [p.name for p in taken if p.required or p.name in needed]
    return _object({p.name: _value(p) for p in taken}, required)


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _value(parameter: Parameter) -> dict[str, Any]:
    match parameter.type:
        case "string":
            return _text(TEXT_CHARACTERS)
        case "integer" | "number":
            return {"type": "integer", "minimum": 0, "maximum": HIGHEST}
        case "boolean":
            return {"type": "boolean"}
        case "array":
            return {"type": "array", "items": _text(ITEM_CHARACTERS), "maxItems": ITEMS}
        case "object":
            return {"type": "object", "additionalProperties": _text(ITEM_CHARACTERS)}
        case "any":
            return {"anyOf": [_text(TEXT_CHARACTERS), {"type": "boolean"}]}


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def is_cut(header: Header) -> bool:
    """Whether a value of the header may have more to it: the grammar ends it at its bound, wherever the model was,
    or keeps the model from crossing that."""
    return _is_full(header_schema([header.spec]), {"name": header.spec.name, "arguments": header.arguments})


def _is_full(schema: dict[str, Any], value: object) -> bool:
    """Whether one more token may be too much for the room that the schema leaves a value. What is larger than that was
    not held to it. For a grammar a character is one of its own, or two where JSON spells it as two escapes."""
    if "anyOf" in schema:
        return any(_is_full(one, value) for one in schema["anyOf"])
    match value:
        case str() if longest := schema.get("maxLength"):
            return len(value) <= longest < len(value.encode("utf-16-le", "surrogatepass")) // 2 + _TOKEN
        case int() if highest := schema.get("maximum"):
            return highest >= value > highest // 10**_DIGITS and not isinstance(value, bool)
        case list() if most := schema.get("maxItems"):
            items = cast(list[object], value)
            return len(items) == most or any(_is_full(schema["items"], item) for item in items)
        case dict():
            own: dict[str, Any] = schema.get("properties", {})
            other: dict[str, Any] = schema.get("additionalProperties") or {}
            return any(_is_full(own.get(key, other), item) for key, item in cast(Arguments, value).items())
        case _:
            return False


def left_open(header: Header) -> str:
    """The reply with a header that was cut: it lacks its end, and its values too should they look like a call."""
    raw = PREFILL + header.text.removesuffix("}")
    return raw if _is_bad(raw, header, cut=True) else f"{PREFILL}{{"


def read_header(text: str, tools: Sequence[ToolSpec]) -> Header | None:
    """The header that a server wrote; None when it did not keep to the schema's outline, as one that ignores it."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    record = cast(dict[str, object], value) if isinstance(value, dict) else {}
    spec = next((tool for tool in tools if tool.name == record.get("name")), None)
    given = record.get("arguments")
    if spec is None or len(record) != 2 or not isinstance(given, dict):
        return None
    return Header(text.strip(), spec, cast(Arguments, given))


# ------------------------------------------------------------------ the block


@dataclass(frozen=True, slots=True)
class Body:
    """How the block is begun, which strings end it (left out of the reply), and its last line.

    ending: how the model may end it in other words. divider: the line in its middle without which it means nothing.
    """

    opening: str
    stops: tuple[str, ...]
    closing: str
    ending: re.Pattern[str]
    divider: str = ""


_PAIRS = Body(
    "<<<<<<< SEARCH\n",
    ("\n>>>>>>> REPLACE",),
    ">>>>>>> REPLACE\n",
    re.compile(rf"\n(?:{blocks.REPLACE.pattern})"),
    "=======\n",
)
_FENCE_END = re.compile(rf"(?:\n|\A)```\s*{_CLOSER}")


def wanted_body(header: Header) -> Body | None:
    """The block that the call is still short of; None when its header is all of it."""
    spec, given = header.spec, {name for name, value in header.arguments.items() if value}
    if given & set(spec.body):
        return None
    forms = [form for form in spec.forms or (spec.body[:1],) if set(form) - set(spec.body) <= given]
    form = max(forms, key=len, default=())
    filled = next((p for p in spec.parameters or () if p.name in form and p.name in spec.body), None)
    if filled is None:
        return None
    return _PAIRS if filled.type == "array" else _fenced(header.arguments.get("path"))


def _fenced(path: object) -> Body:
    ending = PurePosixPath(path).suffix[1:].lower() if isinstance(path, str) else ""
    plain = ending if ending.isascii() and ending.isalnum() and len(ending) <= 10 else ""
    return Body(f"```{_LANGUAGES.get(plain, plain)}\n", (f"\n```\n{_CLOSER}", f"\n```{_CLOSER}"), "```\n", _FENCE_END)


def begun(header: Header, body: Body) -> str:
    """How the model's turn is begun for the block."""
    return f"{PREFILL}{header.text}\n{body.opening}"


def up_to_stop(body: Body, text: str) -> str | None:
    """The text of the block up to where it ended, though the server did not stop there: it has no such stop, or it lies
    where two requests meet. None when the text does not come to that. An empty block keeps its end: it was meant."""
    found = body.ending.search(text)
    return None if found is None else text[: found.start() or found.end()]


def up_to_new(body: Body, text: str, *, ended: bool) -> str | None:
    """The block up to where its new text begins, when it stopped short of that: it can be asked for then. None when it
    is there, and when it is said to be empty: the block `ended` right behind the divider."""
    lines = text.rstrip().split("\n")
    if not body.divider or not text.strip() or (ended and _divides(lines[-1])):
        return None
    if _divides(lines[-1]):
        return "\n".join(lines) + "\n"
    if any(map(_divides, lines)):
        return None
    return f"{text}{_to_line_start(text)}{body.divider}"


def _divides(line: str) -> bool:
    return blocks.DIVIDER.fullmatch(line.rstrip()) is not None


def _to_line_start(text: str) -> str:
    return "" if text.endswith("\n") else "\n"


# ------------------------------------------------------------------ the whole


def assembled(header: Header, body: Body | None = None, text: str = "", *, ended: bool = False) -> str:
    """The whole reply in the taught form. The model may have closed the block itself, or stopped in front of that: the
    shortest ending with which it reads as this call is the one, and no other reading is left. A block that holds
    nothing, or in which calls stand, is left open, which reads as a call that was cut: nobody asked for an empty file.
    So is one whose new text was never said, and one that begins with its opening again.

    ended: its end was seen, and the newline in front of that taken with it. Else the server kept the stop, or the model
    said no more, and nobody can tell: the last line of a fenced text gets no blank line behind it then. A replacement
    does, because it often takes a blank line from the old text over.
    """
    if body is None:
        return f"{PREFILL}{header.text}\n{_CLOSER}"
    if _says_nothing(body, text, ended=ended):
        return _left_open(header, body, text)
    written, line = begun(header, body) + text, _to_line_start(text)
    taken = "\n" if ended or body.divider else line
    closed = f"{written}{taken}{body.closing}{_CLOSER}"
    endings = (written, f"{written}{line}{_CLOSER}", closed)
    doubtful = closed if _is_bad(closed, header) else begun(header, body)
    return next((raw for raw in endings if is_whole(raw, header)), doubtful)


def _says_nothing(body: Body, text: str, *, ended: bool) -> bool:
    again = text.startswith(body.opening) and text.removeprefix(body.opening).strip() not in ("", _CLOSER)
    return not text.strip() or again or up_to_new(body, text, ended=ended) is not None


def _left_open(header: Header, body: Body, text: str) -> str:
    raw = begun(header, body) + text
    return raw if _is_bad(raw, header) else begun(header, body)


def is_whole(raw: str, header: Header) -> bool:
    """Whether the reply reads as the one call that its header began, its end included: nothing is left to guess."""
    calls = _calls(raw, header, cut=True)
    return len(calls) == 1 and isinstance(calls[0], ToolCall) and calls[0].name == header.spec.name


def _is_bad(raw: str, header: Header, *, cut: bool = False) -> bool:
    return [call.kind for call in _calls(raw, header, cut=cut)] == ["bad_call"]


def _calls(raw: str, header: Header, *, cut: bool = False) -> list[ToolCall | BadCall]:
    reader = Reader((header.spec,))
    parts = [*reader.feed(raw), *reader.close(cut=cut)]
    return [part for part in parts if not isinstance(part, Prose)]

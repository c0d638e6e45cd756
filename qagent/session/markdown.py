"""A conversation as Markdown for people: messages in, one document out. Pure.

Foreign text cannot leave its place: prose stands in quotes (an open fence or tag ends with the quote), code between
fences longer than any inside, and control characters are spelled out, so the file is safe to `cat`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, cast

from qagent.reading import how
from qagent.types import AssistantMessage, BadCall, Message, Prose, ReplyEnd, ToolCall, ToolResult, UserMessage

_SPEAKERS = {"user": "User", "harness": "qagent"}
_ENDS: dict[ReplyEnd, str] = {
    "stop": "",
    "length": "cut at the reply limit",
    "cancelled": "cancelled",
    "failed": "broken off by the server",
}
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
"""Characters that turn the direction of a line, or break it, and so can make it read as something else."""

_DEEPEST = 60


def export_markdown(messages: Iterable[Message], *, title: str = "") -> str:
    """User, replies, calls and results in order; the system prompt is left out. Ends with a newline."""
    told = list(messages)
    run = {each.call_id for each in told if isinstance(each, ToolResult) and each.fate != "not_run"}
    blocks = [f"# {inline(title)}"] if title else []
    for message in told:
        blocks.extend(_message(message, run))
    return "\n\n".join(blocks) + "\n"


def _message(message: Message, run: set[str]) -> Iterator[str]:
    if isinstance(message, UserMessage):
        yield f"## {_SPEAKERS[message.origin]}"
        yield quoted(message.text)
    elif isinstance(message, AssistantMessage):
        yield from _reply(message, run)
    elif isinstance(message, ToolResult):
        yield f"**Result** of {code(message.call_id)}{_came_out(message)}:"
        yield fenced(message.text)


def _came_out(result: ToolResult) -> str:
    if result.fate != "run":
        return ", refused" if result.fate == "refused" else ", not run"
    return "" if result.ok else ", failed"


def _reply(message: AssistantMessage, run: set[str]) -> Iterator[str]:
    yield "## Assistant"
    if not message.parts and message.raw.strip():
        yield quoted(message.raw.strip("\n"))
    for part in message.parts:
        if isinstance(part, Prose):
            if part.text.strip():
                yield quoted(part.text.strip("\n"))
        elif isinstance(part, BadCall):
            yield f"**A call that cannot be run** {code(part.id)}: {inline(part.why)}"
            yield fenced(part.raw)
        else:
            yield from _call(part, part.id in run)
    if _ENDS[message.end]:
        yield f"*({_ENDS[message.end]})*"


def _call(call: ToolCall, was_run: bool) -> Iterator[str]:
    """Short arguments as one JSON object, each text of several lines in a fence of its own.

    Only a call that was not in tools tags, or was mended, has a line about its reading.
    """
    yield f"**Call** {code(call.id)}: {code(call.name)}{'' if was_run else ' (not run)'}"
    if read := how((call.form,), call.repairs):
        yield f"*({read})*"
    texts = {name: value for name, value in call.arguments.items() if isinstance(value, str) and "\n" in value}
    short = {name: value for name, value in call.arguments.items() if name not in texts}
    if short or not texts:
        yield fenced(json.dumps(_shallow(short, _DEEPEST), ensure_ascii=False, indent=2, default=str), "json")
    for name, text in texts.items():
        yield f"{code(name)}:"
        yield fenced(text)


def _shallow(value: Any, levels: int) -> Any:
    """With `…` for what is nested deeper: far more than a call of ours has, and far less than Python's stack."""
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return "…"
    if isinstance(value, dict):
        return {key: _shallow(inner, levels - 1) for key, inner in cast("dict[str, Any]", value).items()}
    return [_shallow(inner, levels - 1) for inner in cast("list[Any]", value)]


def visible(text: str) -> str:
    """What could command a terminal or deceive a reader is spelled out, as `\\x1b`; newlines and tabs stay."""
    return "".join(map(_visible, text.replace("\r\n", "\n")))


def _visible(char: str) -> str:
    if char in "\n\t":
        return char
    if unicodedata.category(char) in ("Cc", "Cs") or char in _TURNING:
        return char.encode("unicode_escape").decode("ascii")
    return char


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in visible(text).split("\n"))


def fenced(text: str, language: str = "") -> str:
    body = visible(text)
    fence = "`" * max(3, _longest_run(body) + 1)
    end = "" if body.endswith("\n") else "\n"
    return f"{fence}{language}\n{body}{end}{fence}"


def code(text: str) -> str:
    body = inline(text) or " "
    ticks = "`" * (_longest_run(body) + 1)
    space = " " if body.startswith("`") or body.endswith("`") else ""
    return f"{ticks}{space}{body}{space}{ticks}"


def inline(text: str) -> str:
    return " ".join(visible(text).split())


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)

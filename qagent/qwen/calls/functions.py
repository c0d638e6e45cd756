"""Calls with their name in a tag: the text of a stretch in, names with parameters or a JSON body out. Pure.

    <function=NAME><parameter=KEY>value</parameter></function>      Qwen3-Coder's own form; closers are often missing
    <function name="NAME">{…}</function>                            JSON as the body
    <function-name>NAME</function-name><arguments>{…}</arguments>   the template's placeholders as tags, seen at 32B
    <tool-name>NAME</tool-name><args-json-object>{…}</args-json-object>

A value is the text between its tags as it stands, but for one line break at either end. What looks like a tag inside
is content: the value ends at a `</parameter>` behind which the call goes on or ends; where there is none, at the next
tag that can follow. A whole call inside a value is in doubt, since its closers are those of the value too. The text is
taken apart once, from left to right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qagent.qwen.calls import aliases
from qagent.types import ToolSpec

_TAG = re.compile(
    r"<(?:function(?:=|\s+name\s*=)\s*[\"']?(?P<name>[^\s<>\"'=]{1,100})[\"']?\s*"
    r"|parameter(?:=|\s+name\s*=)\s*[\"']?(?P<key>[^\s<>\"'=]{1,100})[\"']?\s*"
    r"|/(?P<closer>function|parameter|tool_call))>"
)
_PAIR = re.compile(
    r"<(?P<tag>function[-_]name|tool[-_]name)>(?P<name>[^<>]{1,200})</(?P=tag)>\s*+<(?P<body>arguments|args-json-object)>"
)
_DECODER = json.JSONDecoder(strict=False)

_Kind = Literal["function", "parameter", "end_function", "end_parameter"]


@dataclass(frozen=True, slots=True)
class Function:
    """One call. `body`: its JSON, when it has one; else `parameters`, each with its text.

    closed: its own closing tag is there. ended: so is the end of each of its parameters, whatever tag it is. doubtful:
    a function is opened inside a value, or closers follow that nothing opened: a call that is shown in a text may have
    cut it short.
    """

    name: str
    raw: str
    body: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    closed: bool = True
    ended: bool = True
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _Tag:
    kind: _Kind
    name: str
    start: int
    end: int


def parse(text: str, tools: Sequence[ToolSpec]) -> list[Function]:
    """The calls of a text, in order. `tools` says which parameters there are: another tag inside a value is content."""
    pairs = _pairs(text)
    return pairs or _Scan(text, tools).functions()


def _pairs(text: str) -> list[Function]:
    found: list[Function] = []
    pos = 0
    while match := _PAIR.search(text, pos):
        body, pos = _json_at(text, match.end(), f"</{match['body']}>")
        found.append(Function(match["name"].strip(), text[match.start() : pos], body or "{}"))
    return found


def _json_at(text: str, start: int, closer: str) -> tuple[str, int]:
    """The JSON that begins here, and its end; broken JSON goes up to the closer."""
    start += len(text[start:]) - len(text[start:].lstrip())
    try:
        end = _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        end = text.find(closer, start)
        end = len(text) if end < 0 else end
    return text[start:end].strip(), end


def _tag(found: re.Match[str]) -> _Tag:
    if found["name"]:
        return _Tag("function", found["name"], *found.span())
    if found["key"]:
        return _Tag("parameter", found["key"], *found.span())
    return _Tag("end_parameter" if found["closer"] == "parameter" else "end_function", "", *found.span())


class _Scan:
    """One walk over the tags of a text."""

    def __init__(self, text: str, tools: Sequence[ToolSpec]) -> None:
        self._text = text
        self._tools = tools
        self._tags = [_tag(found) for found in _TAG.finditer(text)]
        self._goes_on = self._proper_ends()
        self._at = 0
        self._doubtful = False
        """Whether a value of the function that is being read has another's opening tag in it, or one ends that did not
        begin."""

    def _proper_ends(self) -> list[bool]:
        """For each tag, whether a `</parameter>` that surely ends a value comes later in the same function."""
        later: list[bool] = []
        seen = False
        for number in range(len(self._tags) - 1, -1, -1):
            later.append(seen)
            tag = self._tags[number]
            seen = tag.kind != "function" and (seen or (tag.kind == "end_parameter" and self._is_proper(number)))
        return later[::-1]

    def _is_proper(self, number: int) -> bool:
        """Whether the call goes on or ends behind this `</parameter>`: otherwise it is content."""
        after = self._tags[number + 1].start if number + 1 < len(self._tags) else len(self._text)
        is_next = number + 1 == len(self._tags) or self._tags[number + 1].kind != "end_parameter"
        return is_next and self._text[self._tags[number].end : after].isspace() | (self._tags[number].end == after)

    def functions(self) -> list[Function]:
        found: list[Function] = []
        while self._at < len(self._tags):
            tag = self._tags[self._at]
            self._at += 1
            if tag.kind == "function":
                self._doubtful = False
                found.append(self._function(tag))
            elif "parameter" in tag.kind and found and found[-1].parameters:  # the rest of a text that ended too early
                found[-1] = replace(found[-1], doubtful=True)
        return found

    def _function(self, opening: _Tag) -> Function:
        if self._text[opening.end : opening.end + 200].lstrip()[:1] in ("{", "["):
            return self._with_json(opening)
        parameters: list[tuple[str, str]] = []
        given: set[str] = set()
        ended = True
        while self._at < len(self._tags) and (tag := self._tags[self._at]).kind != "function":
            self._at += 1
            self._doubtful = self._doubtful or tag.kind == "end_parameter"
            if tag.kind == "end_function":
                return self._made(opening, tag.end, parameters, closed=True, ended=ended)
            if tag.kind == "parameter":
                given.add(tag.name)
                value, whole = self._value(tag, opening.name, given)
                parameters.append((tag.name, value))
                ended = ended and whole
        end = self._tags[self._at].start if self._at < len(self._tags) else len(self._text)
        return self._made(opening, end, parameters, closed=False, ended=ended)

    def _made(
        self, opening: _Tag, end: int, parameters: Sequence[tuple[str, str]], *, closed: bool, ended: bool
    ) -> Function:
        raw = self._text[opening.start : end]
        rest = "" if parameters else self._text[opening.end : end].strip()
        body = "" if parameters or rest in ("", "</function>", "</tool_call>") else rest
        return Function(opening.name, raw, body, tuple(parameters), closed, ended, self._doubtful)

    def _with_json(self, opening: _Tag) -> Function:
        body, end = _json_at(self._text, opening.end, "</function>")
        while self._at < len(self._tags) and self._tags[self._at].start < end:
            self._at += 1
        return Function(opening.name, self._text[opening.start : end], body)

    def _value(self, opening: _Tag, function: str, given: set[str]) -> tuple[str, bool]:
        """The text of a parameter, and whether a tag ended it."""
        while self._at < len(self._tags):
            tag = self._tags[self._at]
            if tag.kind == "end_parameter" and self._is_proper(self._at):
                self._at += 1
                return _trimmed(self._text[opening.end : tag.start]), True
            self._doubtful = self._doubtful or tag.kind == "function"
            if self._ends_unclosed(tag, function, given):
                return _trimmed(self._text[opening.end : tag.start]), True
            self._at += 1
        return _trimmed(self._text[opening.end :]), False

    def _ends_unclosed(self, tag: _Tag, function: str, given: set[str]) -> bool:
        """Whether a tag inside a value shows that the value's own closing tag was left out."""
        match tag.kind:
            case "parameter":
                return tag.name not in given and _takes(function, tag.name, self._tools)
            case "end_function":
                return not self._goes_on[self._at]
            case "function":
                return not self._goes_on[self._at] and aliases.spelled(tag.name, self._tools) is not None
            case _:
                return False


def _takes(function: str, name: str, tools: Sequence[ToolSpec]) -> bool:
    spec = aliases.spelled(function, tools)
    if spec is None or spec.parameters is None:
        return True
    return any(p.name in aliases.renamed(spec, {name: ""}) for p in spec.parameters)


def _trimmed(text: str) -> str:
    """Without the one line break that each tag has on its inner side."""
    for line_break in ("\r\n", "\n"):
        if text.startswith(line_break):
            text = text.removeprefix(line_break)
            break
    for line_break in ("\r\n", "\n"):
        if text.endswith(line_break):
            return text.removesuffix(line_break)
    return text

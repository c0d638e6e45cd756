"""Calls written as a shell or Python would: text in, names with literal values out; None for any other text. Pure.

    run command="ls -l" timeout=5                     shell-like: measured at 3B
    run(command="ls -l", timeout=5)                   Python-like
    [read_file(path="a.py"), list_files()]            several of the second kind, as the BFCL benchmark asks for them

Nothing is evaluated. Values are literals: strings, numbers, booleans, None, and lists and objects of them. The text is
a call from its first character to its last. Which tools there are is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from qagent.qwen.json_text import Digits

HEAD = re.compile(r"\s*\[?\s*(?P<name>[A-Za-z_][\w.:/-]*)(?:\s*\(|[ \t]+(?:--)?[A-Za-z_][\w-]*=)")
"""How a text begins that may be such a call."""

_NAME = re.compile(r"\s*([A-Za-z_][\w.:/-]*)\s*")
_KEY = re.compile(r"\s*([A-Za-z_]\w*)\s*[=:](?!=)\s*")
_FLAG = re.compile(r"(?:[ \t]*,)?\s+(?:--)?([A-Za-z_][\w-]*)=")
_BARE = re.compile(r"[^\s\"'`,]+(?=\s|,|$)")
_BLANK = re.compile(r"\s*")
_BETWEEN = re.compile(r"[\s;,]*")
_STRING = re.compile(
    r'(?P<raw>[rR]?)(?:"""(?P<a>(?:[^"\\]++|\\.|"(?!""))*+)"""|\'\'\'(?P<b>(?:[^\'\\]++|\\.|\'(?!\'\'))*+)\'\'\''
    r"|\"(?P<c>(?:[^\"\\]++|\\.)*+)\"|'(?P<d>(?:[^'\\]++|\\.)*+)')",
    re.DOTALL,
)
_NUMBER = re.compile(r"[-+]?\d{1,18}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?(?![\w.])")
_WORD = re.compile(r"(?:True|true|False|false|None|null)(?!\w)")
_WORDS = {"true": True, "false": False, "none": None, "null": None}
_ESCAPE = re.compile(r"\\(?:(\r?\n)|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "\\": "\\", '"': '"', "'": "'", "/": "/"}
_DEEPEST = 20
_MOST = 100


class _Other(Exception):
    """The text is something else."""


@dataclass(frozen=True, slots=True)
class Word:
    """A value of a shell-like call that stood without quotes: a text or a number, as the tool will have it."""

    text: str


@dataclass(frozen=True, slots=True)
class Spoken:
    name: str
    keywords: dict[str, Any] = field(default_factory=dict[str, Any])
    positional: tuple[Any, ...] = ()


def parse(text: str) -> list[Spoken] | None:
    """The calls that make up all of the text."""
    try:
        return _listed(text) if text.lstrip()[:1] == "[" else _in_sequence(text, 0, len(text.rstrip()))
    except _Other:
        return None


def may_go_on(calls: Sequence[Spoken]) -> bool:
    """Whether more text could make the last value another one: it stands without quotes, `command=rm`."""
    return bool(calls) and isinstance(next(reversed(calls[-1].keywords.values()), None), Word)


def plain(value: object, *, typed: bool) -> Any:
    """A value without the difference between words and texts; `typed`: the tool's parameters will say what it is."""
    if not isinstance(value, Word):
        return value
    try:
        found, end = _literal(value.text, 0, 0)
    except _Other:
        return value.text
    return value.text if typed or end < len(value.text) else found


def _listed(text: str) -> list[Spoken]:
    start, end = len(text) - len(text.lstrip()) + 1, len(text.rstrip()) - 1
    if text[end] != "]":
        raise _Other
    return _in_sequence(text, start, end)


def _in_sequence(text: str, pos: int, end: int) -> list[Spoken]:
    calls: list[Spoken] = []
    while pos < end and len(calls) < _MOST:
        call, pos = _one(text, pos)
        calls.append(call)
        pos = _past(_BETWEEN, text, pos)
    if pos < end or not calls:
        raise _Other
    return calls


def _one(text: str, pos: int) -> tuple[Spoken, int]:
    name = _NAME.match(text, pos)
    if name is None:
        raise _Other
    if text[name.end() : name.end() + 1] == "(":
        return _with_parentheses(text, name[1], name.end() + 1)
    return _with_flags(text, name[1], name.end(1))


def _with_flags(text: str, name: str, pos: int) -> tuple[Spoken, int]:
    keywords: dict[str, Any] = {}
    while found := _FLAG.match(text, pos):
        if found[1] in keywords:
            raise _Other
        bare = _BARE.match(text, found.end())
        if bare:
            keywords[found[1]], pos = Word(bare[0]), bare.end()
        else:
            keywords[found[1]], pos = _literal(text, found.end(), 0)
    if not keywords:
        raise _Other
    return Spoken(name, keywords), pos


def _with_parentheses(text: str, name: str, pos: int) -> tuple[Spoken, int]:
    keywords: dict[str, Any] = {}
    positional: list[Any] = []

    def argument(pos: int) -> int:
        key = _KEY.match(text, pos)
        value, pos = _literal(text, key.end() if key else pos, 0)
        if key is None:
            positional.append(value)
        elif key[1] in keywords:
            raise _Other
        else:
            keywords[key[1]] = value
        return pos

    pos = _separated(text, pos, ")", argument)
    match positional:
        case [dict()] if not keywords:  # run({"command": "ls"})
            return Spoken(name, cast(dict[str, Any], positional[0])), pos
        case _:
            return Spoken(name, keywords, tuple(positional)), pos


def _separated(text: str, pos: int, closer: str, item: Callable[[int], int]) -> int:
    """Items with commas between them up to the closer; gives the place behind it."""
    pos = _past(_BLANK, text, pos)
    while text[pos : pos + 1] != closer:
        pos = _past(_BLANK, text, item(pos))
        if text[pos : pos + 1] == ",":
            pos = _past(_BLANK, text, pos + 1)
        elif text[pos : pos + 1] != closer:
            raise _Other
    return pos + 1


def _literal(text: str, pos: int, depth: int) -> tuple[Any, int]:
    pos = _past(_BLANK, text, pos)
    if depth > _DEEPEST:
        raise _Other
    if found := _STRING.match(text, pos):
        written = next(group for group in found.group("a", "b", "c", "d") if group is not None)
        return (written if found["raw"] else _unescaped(written)), found.end()
    if found := _NUMBER.match(text, pos):
        return (Digits(found[0]) if set(found[0]) & set(".eE") else int(found[0])), found.end()
    if found := _WORD.match(text, pos):
        return _WORDS[found[0].lower()], found.end()
    match text[pos : pos + 1]:
        case "[":
            return _list(text, pos + 1, "]", depth)
        case "(":
            return _list(text, pos + 1, ")", depth)
        case "{":
            return _object(text, pos + 1, depth)
        case _:
            raise _Other


def _list(text: str, pos: int, closer: str, depth: int) -> tuple[list[Any], int]:
    values: list[Any] = []

    def item(pos: int) -> int:
        value, pos = _literal(text, pos, depth + 1)
        values.append(value)
        return pos

    return values, _separated(text, pos, closer, item)


def _object(text: str, pos: int, depth: int) -> tuple[dict[str, Any], int]:
    values: dict[str, Any] = {}

    def pair(pos: int) -> int:
        key, pos = _literal(text, pos, depth + 1)
        pos = _past(_BLANK, text, pos)
        if not isinstance(key, str) or text[pos : pos + 1] != ":" or key in values:
            raise _Other
        values[key], pos = _literal(text, pos + 1, depth + 1)
        return pos

    return values, _separated(text, pos, "}", pair)


def _past(pattern: re.Pattern[str], text: str, pos: int) -> int:
    found = pattern.match(text, pos)
    return found.end() if found else pos


def _unescaped(written: str) -> str:
    """As Python reads it; a backslash before any other letter stays, since it belongs to a pattern or a path."""
    if "\\" not in written:
        return written
    text = _ESCAPE.sub(_character, written)
    try:  # two escapes may be the halves of one character
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text


def _character(found: re.Match[str]) -> str:
    line, *codes, letter = found.groups()
    code = next((each for each in codes if each), None)
    if line is not None:
        return ""
    if code is not None:
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else found[0]
    return _ESCAPED.get(letter, found[0])

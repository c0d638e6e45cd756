"""What stands in broken JSON beside quoted texts and brackets: keys, numbers, literals, words without quotes. Pure.

Each function looks at one position and gives what stands there with the position behind it, or None.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from qagent.qwen.json_text import Digits
from qagent.qwen.repair.escapes import Broken, said
from qagent.qwen.repair.inner_quotes import goes_on
from qagent.qwen.repair.quoted import QUOTES, WORD, Quoted, plain
from qagent.types import Repair

NAME_KEYS = frozenset({"name", "tool", "tool_name", "function"})
"""Keys of which the value is a tool's name: the one text that is taken without any quotes."""

_DELIMITED = r"(?=[ \t\r\n,}\]/#]|\Z)"
_NUMBER = re.compile(rf"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?{_DELIMITED}")
_LITERAL = re.compile(rf"(?:true|false|null|True|False|None){_DELIMITED}")
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_NAME = re.compile(r"(?P<name>[A-Za-z_][\w.-]*+)[ \t\r\n]*+(?=[,}])")
_COLON = re.compile(r"[ \t\r\n]*+:")
_KEY = re.compile(rf"(?P<open>[{QUOTES}]?)(?P<key>{WORD})(?P<close>[{QUOTES}]?)[ \t\r\n]*+:")
_UNOPENED = re.compile(r'(?P<text>(?!-?\d|(?:true|false|null|True|False|None)\b)[^\s"{}\[\],:][^"\n]*+)"')
"""A number is one without quotes: a quote behind it belongs to the text in front, `"echo ", "timeout": 5"`."""
_PAIR_INSIDE = re.compile(rf",\s*+{WORD}\s*+:")


def key(text: str, pos: int, keys: frozenset[str]) -> Quoted | None:
    """A key with its colon; when its quotes do not fit each other, it must be a known one.

    `"path: "a", "mode": 1` has no key named `path: `: what seems to be one begins with a known word and a colon.
    """
    exact, found = _exact_key(text, pos), _KEY.match(text, pos)
    if found is None or (exact is not None and exact.end == found.end()):
        return exact
    is_known, has_quotes = found["key"] in keys, bool(found["open"] or found["close"])
    if exact is not None and not is_known:
        return exact if keys else None
    if exact is None and keys and not is_known and has_quotes:
        return None
    return Quoted(found["key"], found.end(), ("quotes",))


def _exact_key(text: str, pos: int) -> Quoted | None:
    try:
        found = plain(text, pos)
    except Broken:
        return None
    colon = _COLON.match(text, found.end)
    return Quoted(found.value, colon.end(), found.repairs) if colon else None


def word_before_colon(text: str, pos: int) -> str | None:
    """The word that stands before a colon here, with or without quotes."""
    found = _KEY.match(text, pos)
    return found and found["key"]


def number(text: str, pos: int) -> tuple[int | float, int] | None:
    """Broken when more digits could have followed, or when it is too big for JSON's readers."""
    found = _NUMBER.match(text, pos)
    if found is None:
        return None
    if found.end() == len(text):
        raise Broken
    try:
        value: int | float = json.loads(found[0], parse_float=Digits)
    except ValueError:
        raise Broken from None
    if not math.isfinite(value):
        raise Broken
    return value, found.end()


def literal(text: str, pos: int) -> tuple[Any, int, tuple[Repair, ...]] | None:
    """JSON's literals, and Python's."""
    found = _LITERAL.match(text, pos)
    if found is None:
        return None
    return _LITERALS[found[0]], found.end(), ("literals",) if found[0][0].isupper() else ()


def tool_name(text: str, pos: int) -> Quoted | None:
    """`{"function": fs_write, …}`"""
    found = _NAME.match(text, pos)
    return Quoted(found["name"], found.end("name"), ("quotes",)) if found else None


def unopened(text: str, pos: int, keys: frozenset[str]) -> Quoted | None:
    """`"path": src/a.py", …`: only the opening quote is missing."""
    found = _UNOPENED.match(text, pos)
    if found is None or _PAIR_INSIDE.search(found[0]) or not goes_on(text, found.end(), keys):
        return None
    value, repairs = said(found["text"], '"')
    return Quoted(value, found.end(), ("quotes", *repairs))

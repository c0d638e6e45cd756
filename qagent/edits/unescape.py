"""One level of escaping that a model put on top: `\\n` for a line's end, `\\"` for a quote, `&lt;` for `<`.

In: the old and the new text. Out: both without it. Line ends are only unescaped in a text that has none of its own: one
that has real ones means `\\n` as it stands. Where the old text shows escaped quotes alone, a `\\n` in a string of the
new one stays what it is. Where it shows more, but no string over several lines, nothing is
unescaped when that would break a string of the new text. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from qagent.edits.unwrap import Reading

_ALL = re.compile(r"\\([\\nrt\"'`/$])")
_MEANING = {"n": "\n", "r": "", "t": "\t"}
_STRING = "\"'`"
_TOKEN = re.compile(rf"{_ALL.pattern}|[^\\]|\\")
_OTHERS = re.compile(r"\\[^\"'`]")
_QUOTES = re.compile(r"\\([\"'`])")
_LINE_END = re.compile(r"(?<!\\)\\n")
_TRIPLE = re.compile(r"(?:\\?\"){3}|(?:\\?'){3}")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#x27;": "'", "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))


def unescaped(reading: Reading) -> Iterator[Reading]:
    """The ways in which the old text may have been escaped once too often; none when it shows no escape."""
    ways = (
        (_quotes(reading.old), _outside_strings(reading)),
        (reading.old if _breaks_string(reading) else _everything(reading.old), _new(reading)),
        (_entities(reading.old), _entities(reading.new)),
    )
    for old, new in ways:
        if old != reading.old and old.strip():
            yield Reading(old, new, reading.line)


def _breaks_string(reading: Reading) -> bool:
    return _has_string_over_lines(reading.new) and not _has_string_over_lines(reading.old)


def _has_string_over_lines(text: str) -> bool:
    """Whether an escaped line end stands between the quotes of a string that cannot go over lines."""
    pieces = _LINE_END.split(_TRIPLE.sub("", text))
    return any(a.count(sign) % 2 and b.count(sign) % 2 for a, b in pairwise(pieces) for sign in "\"'")


def _outside_strings(reading: Reading) -> str:
    """The new text with its quotes unescaped; all else only outside of strings, where the old text is no witness."""
    if "\n" in reading.old + reading.new or _OTHERS.search(reading.old):
        return _quotes(reading.new)
    parts: list[str] = []
    quote = ""
    for found in _TOKEN.finditer(reading.new):
        sign = found[1] or found[0]
        if sign in _STRING and (not quote or sign == quote):
            quote = "" if quote else sign
        inside = quote and found[1] and sign not in _STRING and sign != "\\"
        parts.append(found[0] if inside or not found[1] else _MEANING.get(sign, sign))
    return "".join(parts)


def _new(reading: Reading) -> str:
    new = _everything(reading.new)
    return _quotes(new) if _has_lines(reading.new) and _QUOTES.search(reading.old) else new


def _everything(text: str) -> str:
    return text if _has_lines(text) else _ALL.sub(lambda found: _MEANING.get(found[1], found[1]), text)


def _has_lines(text: str) -> bool:
    return "\n" in text.strip("\n")


def _quotes(text: str) -> str:
    return _QUOTES.sub(r"\1", text)


def _entities(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)

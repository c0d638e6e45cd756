"""One level of escaping that a model put on top: `\\n` for a line's end, `\\"` for a quote, `&lt;` for `<`.

In: the old and the new text. Out: both without it. Line ends are only unescaped in a text that has none of its own: one
that has real ones means `\\n` as it stands. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qagent.edits.unwrap import Reading

_ALL = re.compile(r"\\([\\nrt\"'`/$])")
_MEANING = {"n": "\n", "r": "", "t": "\t"}
_QUOTES = re.compile(r"\\([\"'`])")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#x27;": "'", "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))


def unescaped(reading: Reading) -> Iterator[Reading]:
    """The ways in which the old text may have been escaped once too often; none when it shows no escape."""
    old = _everything(reading.old)
    if old != reading.old and old.strip():
        yield Reading(old, _new(reading), reading.line)
    for way in (_quotes, _entities):
        old = way(reading.old)
        if old != reading.old and old.strip():
            yield Reading(old, way(reading.new), reading.line)


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

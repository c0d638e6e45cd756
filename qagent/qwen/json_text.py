"""JSON as models write it in, values that are safe to walk, compare and write out; or a reason for the model."""

from __future__ import annotations

import json
import re
from typing import Any, Self, cast

from qagent.qwen.chatml import unmark

_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 60
_TOO_DEEP = "its JSON is nested too deeply."


class Unfit(Exception):
    """The value cannot be run; the text says why, in one sentence for the model."""


class Digits(float):
    """A number with a fraction or an exponent that knows how it was written: as a text 1.10 is not 1.1."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise Unfit("a key is there twice in its JSON.")
    return record


def _no_number(name: str) -> Any:
    raise Unfit(f"{name} is no number in JSON.")


_LENIENT = json.JSONDecoder(strict=False, parse_float=Digits)
_STRICT = json.JSONDecoder(object_pairs_hook=_record, parse_float=Digits, parse_constant=_no_number)


def decode_strictly(text: str) -> Any:
    """The JSON value of a text that is right in every respect and says each thing once. Raises Unfit."""
    return _decoded(text, _STRICT)


def decode(text: str) -> Any:
    """The JSON value of a text. Control characters inside strings are let through: models write real newlines there."""
    return _decoded(text, _LENIENT)


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        value = decoder.decode(text)
    except RecursionError:
        raise Unfit(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        place = text[max(0, error.pos - 20) : error.pos + 10]
        raise Unfit(f"its JSON is broken near {place!r} ({error.msg}). Code goes in a block after the JSON.") from None
    except ValueError:
        raise Unfit("a number in it is too long.") from None
    if text.count("{") + text.count("[") > _DEEPEST:
        check_depth(value)
    return value


def check_depth(value: object) -> None:
    """Raises Unfit for what cannot be walked, compared or written out."""
    level = _inside(value)
    for _ in range(_DEEPEST):
        if not level:
            return
        level = [inner for outer in level for inner in _inside(outer)]
    raise Unfit(_TOO_DEEP)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast(dict[str, object], value).values())
    return cast(list[object], value) if isinstance(value, list) else []


def clean(value: Any) -> Any:
    """With every mark taken out of its texts, and plain numbers.

    Raises Unfit for half of a surrogate pair, which no file can hold.
    """
    match value:
        case str():
            if not value.isascii() and _SURROGATE.search(value):
                raise Unfit("a text in it has half of a surrogate pair; write the character itself.")
            return unmark(value)
        case list():
            return [clean(item) for item in cast(list[Any], value)]
        case dict():
            return {clean(key): clean(item) for key, item in cast(dict[str, Any], value).items()}
        case Digits():
            return float(value)
        case _:
            return value

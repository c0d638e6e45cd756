"""JSON as models write it in, values that are safe to walk, compare and write out; or a reason for the model."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from qagent.qwen.chatml import unmark

_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 60
_TOO_DEEP = "its JSON is nested too deeply."


class Unfit(Exception):
    """The value cannot be run; the text says why, in one sentence for the model."""


def decode(text: str) -> Any:
    """The JSON value of a text. Control characters inside strings are let through: models write real newlines there."""
    try:
        value = json.loads(text, strict=False)
    except RecursionError:
        raise Unfit(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        place = text[max(0, error.pos - 20) : error.pos + 10]
        raise Unfit(f"its JSON is broken near {place!r} ({error.msg}). Code goes in a block after the JSON.") from None
    except ValueError:
        raise Unfit("a number in it is too long.") from None
    _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise Unfit(_TOO_DEEP)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast(dict[str, object], value).values())
    return cast(list[object], value) if isinstance(value, list) else []


def clean(value: Any) -> Any:
    """With every mark taken out of its texts. Raises Unfit for half of a surrogate pair, which no file can hold."""
    match value:
        case str():
            if _SURROGATE.search(value):
                raise Unfit("a text in it has half of a surrogate pair; write the character itself.")
            return unmark(value)
        case list():
            return [clean(item) for item in cast(list[Any], value)]
        case dict():
            return {clean(key): clean(item) for key, item in cast(dict[str, Any], value).items()}
        case _:
            return value

"""What stands beside a call in its object: more arguments, words about it, or a no. An object in, meaning out. Pure.

The keys of all known shapes stand here. What follows from them is `envelopes`' to say for tags, `proven`'s elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from qagent.qwen.calls import aliases
from qagent.qwen.json_text import Unfit, clean
from qagent.types import Arguments, ToolSpec

NAME_KEYS = ("name", "tool", "tool_name", "function", "function_name", "action", "op")
ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input", "tool_input", "action_input", "kwargs")
"""The taught key first; the others are what models of the family write in its place."""

THOUGHT_KEYS = ("thought", "thoughts", "reasoning", "explanation")
BESIDE = frozenset((*THOUGHT_KEYS, "id", "type"))
"""Say nothing against a call, and nothing of what it does."""

_IDS = frozenset(("callid", "toolcallid", "index", "step"))
_RESULTS = frozenset(("result", "results", "output", "observation", "response", "toolresponse"))
_NO_WHEN_TRUE = frozenset(
    (
        *("error", "errors", "denied", "refused", "rejected", "forbidden", "blocked", "invalid", "failed", "badcall"),
        *("cancelled", "canceled", "aborted", "skipped", "skip", "previous", "example", "dryrun", "donot", "dont"),
    )
)
_NO_WHEN_FALSE = frozenset(("confirmed", "approved", "allowed", "permitted", "execute", "enabled", "ok", "success"))
_NO_BEGINS = ("donot", "dont", "not", "never")
_STATUS = "status"
_FINE = frozenset(("ok", "success", "completed", "pending", "ready", "inprogress", "calling", "call"))
"""Of a call that OpenAI's interfaces write, and what else says that nothing is against it."""

_RESULT = "it holds a result; only the tool gives one. Write the call alone."
_TWICE = "is there twice in it with different values. Write each argument once, under arguments."


def takes(spec: ToolSpec | None, name: str) -> bool:
    return spec is not None and any(parameter.name == name for parameter in spec.parameters or ())


def may_be_argument(spec: ToolSpec | None, key: str) -> bool:
    """Whether the tool is known to take it, under this name or another."""
    known = {parameter.name for parameter in (spec.parameters if spec else None) or ()}
    return spec is not None and not known.isdisjoint(aliases.renamed(spec, {key: ""}))


def check_not_taken_back(record: Mapping[str, Any], spec: ToolSpec | None) -> None:
    """Raises Unfit when a key beside the call says that it is not to be run, or was run already."""
    for key, value in record.items():
        word = aliases.plain(key[:60])
        if takes(spec, key):
            continue
        if word in _RESULTS:
            raise Unfit(_RESULT)
        if _says_no(word, value):
            raise Unfit(f"{key[:60]!r} beside it says that it is not to be run. Write the call alone.")


def _says_no(word: str, value: object) -> bool:
    if word == _STATUS:
        return isinstance(value, str) and aliases.plain(value[:60]) not in _FINE
    if word in _NO_WHEN_FALSE:
        return value is False
    return bool(value) and (word in _NO_WHEN_TRUE or word.startswith(_NO_BEGINS))


def merged(given: Arguments, record: Mapping[str, Any], used: tuple[str, str], spec: ToolSpec | None) -> Arguments:
    """The arguments with those that stand beside them; the same object when there are none. used: the keys of name and
    arguments. Raises Unfit when one has two values."""
    if len(record) == 2:
        return given
    found = dict(given)
    for key, value in _more(record, used, spec):
        if key in found and found[key] != value:
            raise Unfit(f"{key[:60]!r} {_TWICE}")
        found[key] = value
    return given if len(found) == len(given) else found


def _more(record: Mapping[str, Any], used: tuple[str, str], spec: ToolSpec | None) -> Iterator[tuple[str, Any]]:
    name = str(record[used[0]]).strip()
    for key, value in record.items():
        is_name = (
            key in NAME_KEYS and isinstance(value, str) and (value.strip() == name or not may_be_argument(spec, key))
        )
        if key in used or is_name or (not takes(spec, key) and _says_nothing(key, value)):
            continue
        if key in ARGUMENT_KEYS and isinstance(value, dict) and not takes(spec, key):
            yield from cast(Arguments, value).items()
        else:
            yield key, value


def _says_nothing(key: str, value: object) -> bool:
    word = aliases.plain(key[:60])
    is_flag = word in _NO_WHEN_TRUE or word in _NO_WHEN_FALSE or word == _STATUS or word.startswith(_NO_BEGINS)
    return value is None or key in BESIDE or word in aliases.CHATTER or word in _IDS or is_flag


def thought(record: Mapping[str, Any]) -> str:
    """What the model says beside the call, for the person."""
    if len(record) < 2 or record.keys().isdisjoint(THOUGHT_KEYS):
        return ""
    texts = [text for key in THOUGHT_KEYS if isinstance(text := record.get(key), str) and text.strip()]
    try:
        return str(clean(texts[0].strip())) if texts else ""
    except Unfit:
        return ""

"""JSON as a model wrote it in, the values that it can have meant out: as it stands, or mended where it must be. Pure.

The rungs, in this order. A rung is tried when those before it found nothing that reads from end to end:

    0 strict          what JSON says
    1 control         real newlines and tabs inside strings: code, at every size; nothing else is touched
    2 slips           everything whose place is beyond doubt, together: comments; brackets too many, too few or in the
                      wrong order; commas; quotes of other kinds, or missing ones; escapes; Python's literals
    3 escaped twice   the whole value, one level too deep: `{\\"name\\": …}`
    4 quotes twice    the quotes inside a text, one level too deep: `"print(\\\\"hi\\\\")"`
    5 paired quotes   bare quotes inside a text, where they pair up: `"echo "hi" > out"`
    6 any quotes      the same without pairs, `24" wide`: all ways to read them are rivals

It knows the names of keys, not the tools: whether a value is a call, and one that fits, its caller says. What was cut
is never closed: a string, a number, a key or a comma that is the last thing of the text makes it unreadable. A key that
is there twice with different values makes it unreadable too: nobody can tell which one was meant.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias

from qagent.qwen.json_text import Digits, Unfit, check_depth
from qagent.qwen.repair import quoted
from qagent.qwen.repair.escapes import FORGOTTEN, Broken
from qagent.qwen.repair.inner_quotes import Ways, paired
from qagent.qwen.repair.loose_json import Contradiction, Rules, Scan, same
from qagent.types import Repair

_TRIES = 32
"""Ways to read bare quotes that are tried. A text with more is not read: one that was not tried might fit too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """value: what `json.loads` would give. repairs: in the order in which they were first needed; () as it stands.

    Readings of the same rung are rivals: when two different ones fit, nobody can tell which was meant.
    """

    value: Any
    repairs: tuple[Repair, ...]
    rung: int


_Found: TypeAlias = Iterator[tuple[Any, tuple[Repair, ...]]]
_Rung: TypeAlias = Callable[[str, frozenset[str], bool], _Found]


def readings(text: str, keys: frozenset[str], *, whole: bool = True) -> Iterator[Reading]:
    """The values that one JSON value's text can mean, the likeliest first, found as they are asked for. Never raises.

    text: from the first bracket on. keys: the names that keys can have, at any level; empty when they are unknown, and
    then any word can be one. whole: the model ended the text itself; else nothing is added at its end.
    """
    yield from _climb(text, keys, whole, _RUNGS)


def _climb(text: str, keys: frozenset[str], whole: bool, rungs: Sequence[_Rung]) -> Iterator[Reading]:
    for rung, find in enumerate(rungs):
        given: list[Any] = []
        try:
            for value, repairs in find(text, keys, whole):
                if not any(same(value, other) for other in given):
                    given.append(value)
                    yield Reading(value, repairs, rung)
        except Contradiction:
            return
        except Broken:
            pass
        if given:
            return


def _strict(text: str, keys: frozenset[str], whole: bool) -> _Found:
    yield _loads(text, keys, strict=True), ()


def _control(text: str, keys: frozenset[str], whole: bool) -> _Found:
    if FORGOTTEN.search(text):
        raise Broken
    yield _loads(text, keys, strict=False), ("control",)


def _slips(text: str, keys: frozenset[str], whole: bool) -> _Found:
    yield from _structures(text, Rules(keys, lambda text, pos, in_list: quoted.plain(text, pos), may_close=whole))


def _escaped_twice(text: str, keys: frozenset[str], whole: bool) -> _Found:
    if '\\"' not in text:
        return
    has_end = text.endswith('"') and not text.endswith('\\"')
    try:
        once = json.loads(f'"{text}' if has_end else f'"{text}"', strict=False)
    except ValueError:
        return
    for reading in _climb(once, keys, whole, _RUNGS[:3]):
        yield reading.value, ("double_escaped", *reading.repairs)


def _quotes_twice(text: str, keys: frozenset[str], whole: bool) -> _Found:
    if '\\\\"' in text:
        yield from _structures(text, Rules(keys, lambda text, pos, in_list: quoted.overescaped(text, pos)))


def _paired_quotes(text: str, keys: frozenset[str], whole: bool) -> _Found:
    if whole:  # a text that was cut may go on behind what looks like its end
        yield from _structures(text, Rules(keys, lambda text, pos, in_list: paired(text, pos, keys, in_list)))


def _any_quotes(text: str, keys: frozenset[str], whole: bool) -> _Found:
    """All ways with every bracket in its place in which no quotation that is begun would end where its text does; none
    when there are too many, or when all are doubtful."""
    if not whole:
        return
    found: list[tuple[Any, tuple[Repair, ...]]] = []
    is_certain = False
    picks: list[int] | None = []
    for _ in range(_TRIES):
        ways = Ways(keys, picks)
        scan = Scan(text, Rules(keys, ways.read))
        with suppress(Broken):
            value = scan.read()
            if not ways.unpaired and "closers" not in scan.repairs:
                found.append((value, scan.repairs))
                is_certain = is_certain or not ways.doubtful
        picks = ways.next()
        if picks is None:
            break
    else:
        return
    if is_certain:
        yield from found


_RUNGS: tuple[_Rung, ...] = (
    *(_strict, _control, _slips),
    *(_escaped_twice, _quotes_twice, _paired_quotes, _any_quotes),
)


def _structures(text: str, rules: Rules) -> _Found:
    """The value, and what else it can be when a closer did not fit or is missing."""
    scan = Scan(text, rules)
    try:
        yield scan.read(), scan.repairs
    except Contradiction:
        raise
    except Broken:
        pass
    others = [replace(rules, closing="swap"), replace(rules, closing="drop")] if scan.mismatched else []
    if scan.missing:
        others.append(replace(rules, early=True))
    for each in others:
        other = Scan(text, each)
        with suppress(Broken):
            value = other.read()
            if not (each.early and other.missing):
                yield value, other.repairs


def _loads(text: str, keys: frozenset[str], *, strict: bool) -> Any:
    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            _check_twice(pairs, value, keys)
        return value

    try:
        value = json.loads(
            text, strict=strict, object_pairs_hook=record, parse_float=_finite, parse_constant=_no_number
        )
        check_depth(value)
    except (ValueError, RecursionError, Unfit):
        raise Broken from None
    return value


def _check_twice(pairs: list[tuple[str, Any]], value: dict[str, Any], keys: frozenset[str]) -> None:
    for key, each in pairs:
        if (not keys or key in keys) and not same(each, value[key]):
            raise Contradiction


def _finite(digits: str) -> float:
    number = Digits(digits)
    if not math.isfinite(number):
        raise Broken
    return number


def _no_number(name: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    raise Broken

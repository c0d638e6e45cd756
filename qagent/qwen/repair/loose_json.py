"""JSON as models break it, read in one pass: a value and what was mended come out, or `Broken`. Pure.

It looks at every character once and keeps its own stack, so nesting cannot exhaust Python's. Where a quoted text ends,
it is told; what else can be read in several ways is a rule that it is given, and a flag that says that it mattered.
No value is invented and no key is dropped: a key without a value, a bracket or a comma that is the last thing of the
text, a comment that swallows the rest, or half of a quotation, are all Broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from qagent.qwen.repair import loose_words as words
from qagent.qwen.repair.escapes import Broken
from qagent.qwen.repair.quoted import QUOTES, Quoted
from qagent.types import Repair

Closing = Literal["insert", "swap", "drop"]
"""What a closer that does not fit means: others before it are missing, it is of the wrong kind, or one too many."""

ReadText: TypeAlias = Callable[[str, int, bool], Quoted]
"""Reads the text that is quoted at a position; the flag says whether it stands in a list."""

_DEEPEST = 59
"""Open brackets: one less than `json_text` lets through, so that nothing that it refused for its depth is read here."""
_MOST = 20_000
"""Keys, values and brackets in one broken value. A call has a few dozen."""

_ARGUMENT_KEYS = frozenset({"arguments", "parameters", "args", "params", "input"})
_BESIDE_ARGUMENTS = words.NAME_KEYS | {"id", "type", "thought"}

_SPACE = r"[ \t\r\n]"
_BETWEEN = re.compile(rf"(?:{_SPACE}++|(?://|\#[ \#])[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/)*+")
_LAST_COMMENT = re.compile(r"(?://|\#[ \#])[^\n]*+\Z")


class Contradiction(Broken):
    """A key is there twice and says different things."""


@dataclass(frozen=True, slots=True)
class Rules:
    """keys: see `repair.readings`. may_close: missing closers may be added. early: and before a key that belongs
    beside the arguments, not among them."""

    keys: frozenset[str]
    read_text: ReadText
    closing: Closing = "insert"
    may_close: bool = False
    early: bool = False

    def knows(self, key: str) -> bool:
        return not self.keys or key in self.keys


@dataclass(slots=True)
class _Open:
    value: dict[str, Any] | list[Any]
    key: str = ""


_State: TypeAlias = Callable[[], Any]


class Scan:
    def __init__(self, text: str, rules: Rules) -> None:
        self.mismatched = False
        self.missing = False
        self._text = text
        self._rules = rules
        self._pos = 0
        self._gap = ""
        self._comma = False
        self._swallowed = False  # whether a comment holds a closer, which may have been meant as one
        self._stack: list[_Open] = []
        self._root: Any = None
        self._repairs: dict[Repair, None] = {}
        self._state: _State = self._value

    @property
    def repairs(self) -> tuple[Repair, ...]:
        return tuple(self._repairs)

    def read(self) -> Any:
        for _ in range(_MOST):
            self._skip()
            if self._pos == len(self._text):
                return self._finish()
            self._state = self._state()
        raise Broken

    # ---------------------------------------------------------------- states

    def _value(self) -> _State:
        char = self._text[self._pos]
        if char in "{[":
            return self._open(char)
        if self._in_list and char in "}]":
            return self._close(char)
        if self._in_list and char == ",":
            return self._drop_comma()
        self._put(self._scalar(char))
        return self._next

    def _key(self) -> _State:
        char = self._text[self._pos]
        if char in "}]":
            return self._close(char)
        if char == ",":
            return self._drop_comma()
        if char == "{":
            return self._leave_objects()
        key = self._take(words.key(self._text, self._pos, self._rules.keys))
        if self._rules.early and self._belongs_beside(key):
            self._mend("closers")
            self._pop()
        self._stack[-1].key = key
        self._comma = False
        return self._value

    def _next(self) -> _State:
        char = self._text[self._pos]
        if char in "}]":
            return self._close(char)
        if char == ",":
            self._pos += 1
            self._comma = True
        elif not self._lacks_comma(char):
            raise Broken
        else:
            self._mend("commas")
        return self._inside

    def _behind(self) -> _State:
        """The value is complete: what else is there is brackets and commas too many, or a comment."""
        char = self._text[self._pos]
        if comment := _LAST_COMMENT.match(self._text, self._pos):
            self._pos = comment.end()
            self._mend("comments")
        elif char in "}],;":
            self._pos += 1
            self._mend("closers" if char in "}]" else "commas")
        else:
            raise Broken
        return self._behind

    # ---------------------------------------------------------------- steps

    @property
    def _inside(self) -> _State:
        return self._value if self._in_list else self._key

    @property
    def _in_list(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, list)

    def _mend(self, *repairs: Repair) -> None:
        self._repairs |= dict.fromkeys(repairs)

    def _skip(self) -> None:
        found = _BETWEEN.match(self._text, self._pos)
        self._gap = found[0] if found else ""
        self._pos += len(self._gap)
        if self._gap.strip():
            self._check_comment()
            self._mend("comments")

    def _check_comment(self) -> None:
        """A text that holds `# ` or `//` can seem to end in front of it, and its rest to be a comment."""
        start = self._pos - len(self._gap)
        if self._text[start - 1] in QUOTES and self._gap[0] in "#/":
            raise Broken
        has_closer = "}" in self._gap or "]" in self._gap
        is_half = self._gap.count('"') % 2 or (has_closer and self._gap.count("'") % 2)
        if is_half and self._state != self._behind:
            raise Broken
        self._swallowed = self._swallowed or has_closer

    def _drop_comma(self) -> _State:
        self._mend("commas")
        self._pos += 1
        return self._inside

    def _open(self, char: str) -> _State:
        if len(self._stack) == _DEEPEST:
            raise Broken
        self._stack.append(_Open({} if char == "{" else []))
        self._pos += 1
        self._comma = False
        return self._inside

    def _close(self, char: str) -> _State:
        if self._comma:
            self._mend("commas")
        self._pos += 1
        kind: type[Any] = dict if char == "}" else list
        if not isinstance(self._stack[-1].value, kind):
            self.mismatched = True
            self._mend("closers")
            if self._rules.closing == "drop":
                return self._state
            if self._rules.closing == "insert":
                self._pop_to(kind)
        self._pop()
        return self._next if self._stack else self._behind

    def _leave_objects(self) -> _State:
        """An object where a key should be: those before it were not closed, and it is the next one of a list."""
        if not self._comma:
            raise Broken
        self._mend("closers")
        self._pop_to(list)
        return self._value

    def _pop_to(self, kind: type[Any]) -> None:
        if not self._rules.may_close or self._swallowed:
            raise Broken
        while self._stack and not isinstance(self._stack[-1].value, kind):
            self._pop()
        if not self._stack:
            raise Broken

    def _pop(self) -> None:
        self._put(self._stack.pop().value)

    def _put(self, value: Any) -> None:
        self._comma = False
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if top.key in top.value and self._rules.knows(top.key) and not same(top.value[top.key], value):
            raise Contradiction
        top.value[top.key] = value

    def _scalar(self, char: str) -> Any:
        if not self._stack:
            raise Broken
        if char in QUOTES:
            return self._take(self._rules.read_text(self._text, self._pos, self._in_list))
        if found := words.number(self._text, self._pos):
            value, self._pos = found
            return value
        if found := words.literal(self._text, self._pos):
            value, self._pos, repairs = found
            self._mend(*repairs)
            return value
        is_named = not self._in_list and self._stack[-1].key in words.NAME_KEYS
        name = words.tool_name(self._text, self._pos) if is_named else None
        return self._take(name or words.unopened(self._text, self._pos, self._rules.keys))

    def _take(self, found: Quoted | None) -> str:
        if found is None:
            raise Broken
        self._pos = found.end
        self._mend(*found.repairs)
        return found.value

    def _lacks_comma(self, char: str) -> bool:
        """Whether only a comma is missing here: on a new line, behind a bracket, or before a known key."""
        is_apart = "\n" in self._gap or self._text[self._pos - len(self._gap) - 1] in "}]"
        if self._in_list:
            return is_apart or char in "{["
        return is_apart or (bool(self._gap) and words.word_before_colon(self._text, self._pos) in self._rules.keys)

    def _belongs_beside(self, key: str) -> bool:
        if len(self._stack) < 2 or key not in _BESIDE_ARGUMENTS:
            return False
        outer = self._stack[-2]
        return isinstance(outer.value, dict) and outer.key in _ARGUMENT_KEYS and key not in outer.value

    def _finish(self) -> Any:
        if self._state != self._behind:
            if not self._rules.may_close or self._state != self._next or self._swallowed:
                raise Broken
            self.missing = True
            self._mend("closers")
            while self._stack:
                self._pop()
        return self._root


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; unlike Python, 1, 1.0 and true are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        several = cast(list[Any], one)
        return len(several) == len(other) and all(map(same, several, other))
    if isinstance(one, dict):
        record = cast(dict[str, Any], one)
        return record.keys() == other.keys() and all(same(record[key], other[key]) for key in record)
    return bool(one == other)

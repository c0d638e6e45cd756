r"""A quoted text with bare quotes of its own kind inside, `"echo "hi" > out"`: where can it end? Pure.

Only at a quote behind which the call plainly goes on: a comma and a known key with its colon, or closers to the very
end. Two ways to choose among these places:
    paired     the first before which the quotes inside pair up: `f("a", "path": 1)` does not end behind its `a`
    ways       any of them; whoever reads takes all ways to choose, and refuses when two of them fit
A text that is put together in code (`"a" + b`, `"a" "b"`) is neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from qagent.qwen.repair.escapes import Broken
from qagent.qwen.repair.quoted import KINDS, QUOTES, WORD, Kind, Quoted, quoted

_MOST = 5_000
"""Bare quotes that are looked at: a source file has a few hundred."""

_KEY = rf"[{QUOTES}]?(?P<key>{WORD})[{QUOTES}]?\s*+:"
_BEHIND = re.compile(rf"[\s}}\]]*+(?:,\s*+(?:[{{\[]\s*+)*+{_KEY}|[\s}}\],]*+(?P<end>\Z))")
_NEXT_LINE = re.compile(rf"[ \t\r]*+\n\s*+{_KEY}")
_NEXT_ITEM = re.compile(r"\s*+[,\]]")
_JOINED = re.compile(rf"\s*+[+%]|\s++[{QUOTES}]")
_TWO_ITEMS = re.compile(rf"[{QUOTES}]\s*+,\s*+[{QUOTES}]")
_KEY_INSIDE = re.compile(rf"[{QUOTES}]{WORD}[{QUOTES}]\s*+:")


@dataclass(frozen=True, slots=True)
class _Place:
    """A quote of the text's own kind. ends: the text can end here. inner: quotes before it; paired: they pair up.

    open: one of them may begin a quotation that this one would end: `git commit -m "fix: a, b"`. In `24" wide"` none.
    """

    at: int
    inner: int
    paired: bool
    open: bool
    ends: bool


@dataclass(slots=True)
class Ways:
    """One way through the places where texts can end: `picks` says which is taken, text by text; then the first."""

    keys: frozenset[str]
    picks: Sequence[int] = ()
    _taken: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    _mended: list[str] = field(default_factory=list[str])
    _looked_at: int = 0
    unpaired: bool = False
    """Whether the quote that was taken for a text's end may be its own, so that the real one is missing."""

    def read(self, text: str, pos: int, in_list: bool) -> Quoted:
        kind = _kind(text, pos)
        places = list(islice(_places(text, pos, kind, self.keys, in_list), _MOST - self._looked_at))
        self._looked_at += len(places)
        ends = [place for place in places if place.ends]
        if not ends or self._looked_at == _MOST:
            raise Broken
        turn = len(self._taken)
        pick = self.picks[turn] if turn < len(self.picks) else 0
        self._taken.append((pick, len(ends)))
        self.unpaired = self.unpaired or ends[pick].open
        if ends[pick].inner:
            self._mended.append(text[pos : ends[pick].at])
        return _read(text, pos, kind, ends[pick], in_list)

    @property
    def doubtful(self) -> bool:
        """Whether a text with bare quotes seems to hold more of the call, or to end in the middle of its own JSON."""
        return any(_KEY_INSIDE.search(raw) or raw.count("{") > raw.count("}") for raw in self._mended)

    def next(self) -> list[int] | None:
        """The picks of the next way; None when this was the last."""
        picks = [pick for pick, _ in self._taken]
        while picks and picks[-1] + 1 == self._taken[len(picks) - 1][1]:
            picks.pop()
        return [*picks[:-1], picks[-1] + 1] if picks else None


def paired(text: str, pos: int, keys: frozenset[str], in_list: bool) -> Quoted:
    kind = _kind(text, pos)
    places = islice(_places(text, pos, kind, keys, in_list), _MOST)
    end = next((place for place in places if place.ends and place.paired), None)
    if end is None:
        raise Broken
    return _read(text, pos, kind, end, in_list)


def _read(text: str, pos: int, kind: Kind, end: _Place, in_list: bool) -> Quoted:
    raw = text[pos + len(kind.opening) : end.at]
    found = quoted(kind, raw, end.at)
    if not end.inner:
        return found
    if in_list and _TWO_ITEMS.search(raw):
        raise Broken
    return replace(found, repairs=("inner_quotes", *found.repairs))


def _kind(text: str, pos: int) -> Kind:
    """Three quotes are three; a fourth shows that a text in three quotes stands at the beginning of one."""
    for kind in KINDS:
        is_four = len(kind.opening) == 3 and text.startswith(kind.opening[0] * 4, pos)
        if text.startswith(kind.opening, pos) and not is_four:
            return kind
    raise Broken


def _places(text: str, pos: int, kind: Kind, keys: frozenset[str], in_list: bool) -> Iterator[_Place]:
    """All quotes of the kind behind the opening one at `pos`, as far as it can be one text."""
    inner, is_paired, is_open = 0, True, False
    behind = pos + len(kind.opening)
    while body := kind.body.match(text, behind):
        at, behind = body.end(), body.end() + len(kind.opening)
        if _is_apostrophe(text, at):
            continue
        ends = _ends_here(text, behind, keys, is_first=not inner, in_list=in_list)
        if not ends and not inner and _JOINED.match(text, behind):
            return
        yield _Place(at, inner, is_paired and inner % 2 == 0, is_open, ends)
        if text[at - 1] == "\\":  # a quote that was escaped twice
            return
        around = text[at - 1], text[behind : behind + 1]
        is_paired = is_paired and (_may_close if inner % 2 else _may_open)(*around)
        is_open = not _may_close(*around) if is_open else _may_open(*around)
        inner += 1


def _is_apostrophe(text: str, at: int) -> bool:
    return text[at] in "'’" and text[at - 1].isalnum() and text[at + 1 : at + 2].isalnum()


def _ends_here(text: str, behind: int, keys: frozenset[str], *, is_first: bool, in_list: bool) -> bool:
    """Whether the call goes on behind this quote. A text without any inside may also be followed by an unknown key."""
    if is_first and in_list and _NEXT_ITEM.match(text, behind):
        return True
    if is_first and (line := _NEXT_LINE.match(text, behind)):
        return _knows(keys, line["key"])
    return goes_on(text, behind, frozenset() if is_first else keys)


def goes_on(text: str, behind: int, keys: frozenset[str]) -> bool:
    """Whether a known key follows, or the closers of the whole value: at least one, or the text may have been cut."""
    found = _BEHIND.match(text, behind)
    if found is None:
        return False
    if found["key"] is None:
        return "}" in found[0] or "]" in found[0]
    return _knows(keys, found["key"])


def _knows(keys: frozenset[str], key: str) -> bool:
    """Of a tool whose parameters are unknown any word can be a key."""
    return not keys or key in keys


def _may_open(before: str, behind: str) -> bool:
    return not before.isalnum() or behind.isalnum()


def _may_close(before: str, behind: str) -> bool:
    return not (before.isspace() or before in "([{,:=") or not behind.isalnum()

"""Where a text stands in another, character by character, and which of these hits only look like one.

In: two texts with LF. Out: positions. What stands there afterwards is decided in `rungs`. Takes no longer where most
lines are the same. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

MOST = 20
"""Places that are looked for: two are too many already."""


_LONGEST_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Sought:
    """`begins`, `ends`: only at a line's begin or end. `every`: all places that do not overlap the one before, as
    `str.replace` counts; else the first MOST."""

    old: str
    begins: bool = False
    ends: bool = False
    every: bool = False


def stands(text: str, sought: Sought, *, half_words: bool = True) -> Sequence[int]:
    """Where it stands. Of several places of an indented text the whole lines, if there are any: `  x` also stands in
    `    x`. `half_words`: hits that begin or end inside a word count too."""
    found = list(_wanted(text, sought, half_words=half_words))
    if len(found) < 2 or sought.old[0] not in " \t":
        return found
    whole = replace(sought, begins=True, ends=True)
    return list(_wanted(text, whole, half_words=half_words)) or found


def _wanted(text: str, sought: Sought, *, half_words: bool) -> Iterator[int]:
    size = len(sought.old)
    found = (at for at in _all(text, sought) if half_words or not (cuts_word(text, at) or cuts_word(text, at + size)))
    return found if sought.every else islice(found, MOST)


def _all(text: str, sought: Sought) -> Iterator[int]:
    """Line feeds around text and old make a line's ends a matter of finding."""
    old = sought.old
    if not old:
        return
    needle = "\n" * sought.begins + old + "\n" * (sought.ends and not old.endswith("\n"))
    padded = f"\n{text}\n"
    step = len(old) if sought.every else 1
    at = padded.find(needle)
    while at >= 0:
        start = at - 1 + sought.begins
        if 0 <= start <= len(text) - len(old):
            yield start
        at = padded.find(needle, at + step)


# ------------------------------------------------------------------ a line's begin and end


def begins_in_indentation(text: str, at: int) -> bool:
    """Whether this is behind some of a line's leading blanks, and nothing else."""
    before = text[text.rfind("\n", 0, at) + 1 : at]
    return bool(before) and not before.strip(" \t") and not text.startswith("\n", at)


def begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def ends_line(text: str, at: int) -> bool:
    return at == len(text) or text[at] == "\n" or text[at - 1 : at] == "\n"


# ------------------------------------------------------------------ half words


def cuts(text: str, start: int, end: int) -> bool:
    """Whether a hit is half of something: it begins or ends inside a number, as lines it does so inside a word, or as
    one whole line it begins inside its first word. `limit = 3` is no part of `limit = 30`, `total = 1` none of
    `subtotal = 1`."""
    inside = cuts_word if "\n" in text[start:end] else cuts_number
    at_end = text[end - 1] != "." and inside(text, end)  # who ends with a point has seen that more follows
    return at_end or inside(text, start) or _cuts_first_word(text, start, end)


def cuts_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and (_is_word(text[at - 1 : at + 1]) or cuts_number(text, at))


def cuts_number(text: str, at: int) -> bool:
    """`3|0`, `3|_000`, `3|e5`, `10|ms`, `30|.5`; and in front alike: `1|.5`, `1.|5`. A word with digits in it, as
    `v2` and `addr_1`, is no number."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if _is_word(before + after):
        return (before.isdigit() or after.isdigit()) and _word_before(text, at)[:1].isdigit()
    if after == ".":
        return _word_before(text, at)[:1].isdigit() and text[at + 1 : at + 2].isdigit()
    return before == "." and after.isdigit() and _word_before(text, at - 1)[:1].isdigit()


def _word_before(text: str, at: int) -> str:
    """The letters and digits up to here, or the last of very many."""
    start = at
    while start > max(0, at - _LONGEST_NUMBER) and _is_word(text[start - 1]):
        start -= 1
    return text[start:at]


def _cuts_first_word(text: str, start: int, end: int) -> bool:
    if not ends_line(text, end) or not cuts_word(text, start):
        return False
    return _is_word(text[text.rfind("\n", 0, start) + 1 : start].strip(" \t"))


def _is_word(text: str) -> bool:
    return all(char.isalnum() or char == "_" for char in text)

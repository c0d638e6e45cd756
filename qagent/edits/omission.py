"""What a new text leaves out: notes such as `# ... rest of the code` in the place of code, and the lines that would be
lost.

A model that shortens would delete what it left out. Only lines that are lost make that dangerous: a note, however it
is worded, counts only beside them, and one that may be a remark or a heading only where they are missing. What the old
text says too is no omission: it was there before. What a note is worth is told by `notes`, for dots by `stubs`. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from qagent.edits.notes import Weight, is_fresh, is_whole, only_dots, weight
from qagent.edits.notes import is_gap as is_gap
from qagent.edits.notes import is_note as is_note
from qagent.edits.notes import is_placeholder as is_placeholder
from qagent.edits.stubs import weight_of_dots

_NOTHING = re.compile(
    r"\s*(?:pass|\.\.\.|…|[\])}>;,]*|raise NotImplementedError.*|(?:#|//|/\*|\*|--|<!--).*|\"{3}.*|'''.*)\s*"
)
"""Lines whose loss is none: brackets, comments, and what itself stands for code."""

_CLOSES = re.compile(r"\s*(?:[\])}>].*|</.*|end\b.*|fi|done|esac|EOF)\s*", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MANY = 3
"""So many lines that are gone just there are more than a change of some, whatever came instead."""
_COMPARED = 40_000
"""Pairs of lines, gone and come, that are compared."""
_LOOKED_AT = 50
"""Notes of one text; those beyond doubt come first."""


@dataclass(frozen=True, slots=True)
class Omission:
    """`note`: the line of the new text; `lost`: the lines of the old one that the new one has not, without blanks."""

    note: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Texts:
    """Both texts by their lines without blanks. `lost` and `come`: the lines of code that the other has not."""

    before: Sequence[str]
    after: Sequence[str]
    shape: Sequence[str]
    """The lines of the new text with their blanks."""
    lost: Sequence[str]
    come: Counter[str]
    shared: dict[str, int] = field(default_factory=dict[str, int])
    """Lines of code that both have once, and which line of the old text each is."""


def omission(new: str, before: str, path: str = "") -> str | None:
    """The first line of a new file that only says that code was left out, unless `before` has it too. A line that is
    all of the file need not say so beyond doubt."""
    known = {line.strip() for line in before.splitlines()}
    lines = [line.strip() for line in new.splitlines() if line.strip()]
    if len(lines) == 1 and not known and is_note(lines[0]) and weight(lines[0], path):
        return lines[0]
    return next((line for line in lines if is_fresh(line, path) and line not in known), None)


def elided(old: str, new: str, path: str = "") -> Omission | None:
    """What `new`, put in the place of `old`, leaves out."""
    texts = _texts(old.splitlines(), new.splitlines())
    if not texts.lost:
        return None
    notes = sorted(_notes(texts, path), key=lambda note: note[1] != "sure")
    at = next((at for at, how in notes[:_LOOKED_AT] if _counts(texts, at, how)), None)
    return None if at is None else Omission(texts.after[at], tuple(texts.lost))


def _texts(old: Sequence[str], new: Sequence[str]) -> _Texts:
    before, after = [line.strip() for line in old], [line.strip() for line in new]
    had, has = Counter(before), Counter(after)
    shared = {line: at for at, line in enumerate(before) if had[line] == has[line] == 1 and _is_code(line)}
    come = Counter(filter(_is_code, (has - had).elements()))
    return _Texts(before, after, new, list(_rest(before, has)), come, shared)


def _rest(lines: Iterable[str], kept: Counter[str]) -> Iterator[str]:
    """The lines of code beyond those that are kept."""
    kept = kept.copy()
    for line in lines:
        if kept[line] > 0:
            kept[line] -= 1
        elif _is_code(line):
            yield line


def _is_code(line: str) -> bool:
    return bool(line) and not _NOTHING.fullmatch(line)


# ------------------------------------------------------------------ which lines are notes


def _notes(texts: _Texts, path: str) -> list[tuple[int, Weight]]:
    """The notes that the old text has not, by their lines. One that takes the place of another is none."""
    left = Counter(texts.after) - Counter(texts.before)
    notes: list[tuple[int, Weight]] = []
    for at, line in enumerate(texts.after):
        if left[line] and (how := _weight(texts, at, path)):
            notes.append((at, how))
    dropped = sum(map(is_gap, (Counter(texts.before) - Counter(texts.after)).elements())) if notes else 0
    replaced = sum(is_gap(texts.after[at]) for at, _ in notes) <= dropped
    return [note for note in notes if not replaced or not is_gap(texts.after[note[0]])]


def _weight(texts: _Texts, at: int, path: str) -> Weight | None:
    line = texts.after[at]
    return weight_of_dots(texts.before, texts.shape, at, path) if only_dots(line) else weight(line, path)


# ------------------------------------------------------------------ whether lines are missing there


def _counts(texts: _Texts, at: int, how: Weight) -> bool:
    if how == "sure":
        return True
    gone, come = _unpaired(*_around(texts, at))
    if how == "shrinks":
        return gone > come
    if gone and _is_last(texts, at):
        return True
    return how == "loose" and (gone > come or gone >= _MANY)


def _around(texts: _Texts, at: int) -> tuple[list[str], list[str]]:
    """The lines that went and that came between the nearest lines above and below the note that both texts have."""
    top = next((n for n in range(at - 1, -1, -1) if texts.after[n] in texts.shared), -1)
    bottom = next((n for n in range(at + 1, len(texts.after)) if texts.after[n] in texts.shared), len(texts.after))
    first = texts.shared[texts.after[top]] + 1 if top >= 0 else 0
    last = texts.shared[texts.after[bottom]] if bottom < len(texts.after) else len(texts.before)
    lost = Counter(texts.lost)
    gone = [line for line in (texts.before[first:last] if first <= last else texts.before) if lost[line]]
    here = {texts.after[at]} if is_whole(texts.after[at]) else set[str]()
    come = [line for line in texts.after[top + 1 : bottom] if texts.come[line] and line not in here]
    return gone, come


def _unpaired(gone: Sequence[str], come: Sequence[str]) -> tuple[int, int]:
    """How many lines went and came beside those that were only changed."""
    if len(gone) * len(come) > _COMPARED:
        return max(0, len(gone) - len(come)), max(0, len(come) - len(gone))
    left = [set(_WORD.findall(line)) for line in come]
    missing = 0
    for words in (set(_WORD.findall(line)) for line in gone):
        like = next((other for other in left if 2 * len(words & other) >= max(1, min(len(words), len(other)))), None)
        if like is None:
            missing += 1
        else:
            left.remove(like)
    return missing, len(left)


def _is_last(texts: _Texts, at: int) -> bool:
    """Whether nothing follows at the note's depth, so that it is no heading."""
    follower = next((line for line in texts.shape[at + 1 :] if line.strip()), "")
    return not follower or _depth(follower) < _depth(texts.shape[at]) or _CLOSES.fullmatch(follower) is not None


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())

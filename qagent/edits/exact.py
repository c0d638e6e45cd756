"""Replaces text that occurs exactly once: text and edits in, the new text out, or a refusal that says what to do.

Exact means every character, with one exception: line endings. The model writes LF, so a match is looked for with all
endings as LF. What is put in gets the ending of the lines that it replaces; where these have none or both, that of most
lines of the file. All other bytes stay as they were. No likeness ever decides; where the text is not found, it only
helps to show the nearest place. Knows no files.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qagent.edits.nearest import not_found
from qagent.errors import ModelFacing

Code = Literal["not_found", "ambiguous", "no_change", "empty_old"]


@dataclass(frozen=True, slots=True)
class Edit:
    old: str
    new: str
    replace_all: bool = False


class EditRefused(ModelFacing):
    """Nothing was changed. `message` is what the model reads."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message


def apply(before: str, edits: Sequence[Edit]) -> str:
    """The text after all edits, each made on the result of the one before. Raises EditRefused: all or nothing."""
    text = before
    for number, edit in enumerate(edits, start=1):
        try:
            text = _apply_one(text, edit)
        except EditRefused as refused:
            if len(edits) == 1:
                raise
            which = f"replacement {number} of {len(edits)} failed, so none was made: "
            raise EditRefused(refused.code, which + refused.message) from refused
    return text


def places(before: str, old: str) -> list[int]:
    """The lines, counted from 1, on which the occurrences of `old` begin; overlapping ones count."""
    flat = _lf(before)
    return [_line(flat, start) for start in _starts(flat, _lf(old))]


def _apply_one(before: str, edit: Edit) -> str:
    flat = _lf(before)
    edit = replace(edit, old=_lf(edit.old), new=_lf(edit.new))
    if not edit.old:
        raise EditRefused("empty_old", "the text to replace is empty; give the lines to replace, or use write_file.")
    starts = list(_starts(flat, edit.old))
    if not starts and _lacks_only_the_last_newline(flat, edit.old):
        edit = replace(edit, old=edit.old[:-1], new=edit.new.removesuffix("\n"))
        starts = [len(flat) - len(edit.old)]
    if edit.old == edit.new:
        raise EditRefused("no_change", "old and new text are the same, so nothing would change; write the new text.")
    if not starts:
        raise EditRefused("not_found", not_found(flat, edit.old, edit.new))
    if len(starts) > 1 and not edit.replace_all:
        raise EditRefused("ambiguous", _ambiguous([_line(flat, start) for start in starts]))
    return _spliced(before, edit, _apart(starts, len(edit.old)))


def _ambiguous(lines: list[int]) -> str:
    named = ", ".join(map(str, lines[:20])) + (f" and {len(lines) - 20} more" if len(lines) > 20 else "")
    return (
        f"the text to replace occurs {len(lines)} times, on lines {named}; "
        "give it again with more of the lines around the place you mean, so that it occurs once."
    )


# ------------------------------------------------------------------ finding, with all endings as LF


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n")


def _line(flat: str, at: int) -> int:
    return flat.count("\n", 0, at) + 1


def _starts(flat: str, old: str) -> Iterator[int]:
    at = flat.find(old) if old else -1
    while at >= 0:
        yield at
        at = flat.find(old, at + 1)


def _lacks_only_the_last_newline(flat: str, old: str) -> bool:
    """Blocks come as whole lines; the last line of a file may end without the newline that the block has."""
    return len(old) > 1 and old.endswith("\n") and flat.endswith(old[:-1])


def _apart(starts: list[int], length: int) -> list[int]:
    """Without those that overlap the one before, as `str.replace` counts."""
    kept = starts[:1]
    for start in starts[1:]:
        if start >= kept[-1] + length:
            kept.append(start)
    return kept


# ------------------------------------------------------------------ putting in, with the endings of the file


def _spliced(before: str, edit: Edit, starts: list[int]) -> str:
    """`starts` count in the text with LF; each CRLF before a place moves it by one in the text as it is."""
    pairs = [found.start() - number for number, found in enumerate(re.finditer("\r\n", before))]
    mostly = 2 * len(pairs) > before.count("\n")
    parts: list[str] = []
    done = 0
    for start in starts:
        end = start + len(edit.old)
        first, last = start + bisect_left(pairs, start), end + bisect_left(pairs, end)
        parts += before[done:first], _ended_as(before[first:last], edit.new, mostly)
        done = last
    return "".join(parts) + before[done:]


def _ended_as(replaced: str, new: str, mostly: bool) -> str:
    """`new` with the endings of the lines that it replaces; where these have none or both, with those of the file."""
    lines, crlf = replaced.count("\n"), replaced.count("\r\n")
    wanted = crlf > 0 if lines and crlf in (0, lines) else mostly
    return new.replace("\n", "\r\n") if wanted else new

"""Takes off what a model puts around code: line numbers, fences, SEARCH/REPLACE markers, the signs of a diff.

All lines or none: a number on some lines only may be code. In: the old and the new text, as written. Out: both without
it, or None where there is nothing to take off or the two do not fit together. Whether the rest is found in a file is
somebody else's question, and so is whether the text was meant as it stood: that is tried first. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from qagent.qwen.blocks import DIVIDER, FENCE, REPLACE, SEARCH

_NUMBERED = (
    re.compile(r"[ \t]*(\d{1,9}) \|(?: |$)|[ \t]*(\d{1,9}) ?\|"),  # `12 | code`, `12|code`
    re.compile(r" *(\d{1,9})(?:\t|→|$)"),  # as `cat -n` and readers' gutters show it
    re.compile(r" *[Ll]?(\d{1,9}):(?: |$)"),  # `12: code`, `L12: code`
    re.compile(r" *[Ll]?(\d{1,9}):"),  # as `grep -n` shows it
)
_QUOTING = frozenset({"md", "mdx", "markdown", "rst", "txt", "adoc"})
"""Files in which a fence is content."""

_TEMPLATES = frozenset({"j2", "jinja", "jinja2", "tmpl", "tpl", "mustache", "hbs", "liquid", "prompt"})
"""And in which it may be."""

_COUNTING = _QUOTING | {"csv", "tsv", "tab", "psv", "dat", "log", ""}
"""And in which a number in front of a line may be."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what the model wrote. `line`: the number that it gave to the first line, None without."""

    old: str
    new: str
    line: int | None = None


def readings(old: str, new: str) -> Iterator[Reading]:
    """Those that are not the text as it stands, each with one layer less than the one before."""
    reading = Reading(old, new)
    for _ in range(4):
        found = next((less for layer in _LAYERS if (less := layer(reading))), None)
        if found is None or not found.old.strip():
            return
        yield found
        reading = found


def unwrapped(text: str, path: str) -> str:
    """A whole file's or symbol's text without one fence around all of it, and without numbers that count from 1 on."""
    fenced = _unfenced(text)
    if fenced is not None and (not _quotes(path) or _language(text) in ("markdown", "md")):
        text = fenced
    lines = text.removesuffix("\n").split("\n")
    plain = None if _suffix(path) in _COUNTING else _unnumbered(lines, _NUMBERED[:2])
    if plain is None or plain[1] != 1 or len(lines) < 2:
        return text
    return "\n".join(plain[0]) + "\n" * text.endswith("\n")


def cleaned(new: str, old: str, path: str) -> str:
    """The new text of an edit whose old text was written plainly, without a marker or a fence that only it has."""
    lines = new.rstrip("\n").split("\n")
    example = any(SEARCH.fullmatch(line.rstrip()) for line in lines)
    if REPLACE.fullmatch(lines[-1].rstrip()) and not example and not REPLACE.search(old):
        new = "\n".join(lines[:-1]) + "\n" * (old.endswith("\n") and len(lines) > 1)
    content = _quotes(path) or _suffix(path) in _TEMPLATES
    wanted = content or _unfenced(old) is not None or new.lstrip("\n")[:1] in (" ", "\t")
    fenced = None if wanted else _unfenced(new)  # what is indented belongs to a comment
    if fenced is None:
        return new
    return fenced if old.endswith("\n") else fenced.removesuffix("\n")


def unnumbered(new: str, old: str, first: int, path: str) -> str:
    """The new text without numbers, when it alone has them and they begin with the line that it is put at."""
    if _suffix(path) in _COUNTING:
        return new
    lines = new.removesuffix("\n").split("\n")
    plain = _unnumbered(lines, _NUMBERED[: min(len(lines), 2)])  # one line with a tab is a table's
    if plain is None or plain[1] != first or _unnumbered(old.removesuffix("\n").split("\n")) is not None:
        return new
    return "\n".join(plain[0]) + "\n" * new.endswith("\n")


def _quotes(path: str) -> bool:
    return _suffix(path) in _QUOTING


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix[1:].lower()


# ------------------------------------------------------------------ line numbers


def _numbers(reading: Reading) -> Reading | None:
    """In one style; else each in its own. Also lines that were put in between have numbers, or no line has."""
    old, new = _trimmed(reading.old), _trimmed(reading.new)
    for style in [_NUMBERED[at : at + 1] for at in range(len(_NUMBERED))]:
        mine, its = _unnumbered(old, style), _unnumbered(new, style, ascending=False)
        if mine and its:
            return Reading(_ended(mine[0], reading.old), _ended(its[0], reading.new), mine[1])
    mine, its = _unnumbered(old), _unnumbered(new, ascending=False)
    some = any(style.match(line) for style in _NUMBERED[:2] for line in new if line.strip())
    if mine is None or (its is None and some):
        return None
    return Reading(_ended(mine[0], reading.old), _ended(its[0], reading.new) if its else reading.new, mine[1])


def _ended(lines: Sequence[str], text: str) -> str:
    return "\n".join(lines) + "\n" * text.endswith("\n")


def _trimmed(text: str) -> list[str]:
    return text.strip("\n").split("\n")


def _unnumbered(
    lines: Sequence[str], styles: Sequence[re.Pattern[str]] = _NUMBERED, *, ascending: bool = True
) -> tuple[list[str], int] | None:
    """The lines without their numbers, which are all there and count up by one, and the first number."""
    for style in styles:
        found = [style.match(line) for line in lines]
        marks = [mark for mark in found if mark]
        if len(marks) < len(lines) or all(line.strip().isdigit() for line in lines):  # numbers and nothing behind them
            continue
        numbers = [int(mark[1] or mark[mark.lastindex or 1]) for mark in marks]
        steps = {b - a for a, b in pairwise(numbers)}
        if steps <= {1} or (not ascending and all(step >= 0 for step in steps)):
            return [line[mark.end() :] for line, mark in zip(lines, marks, strict=True)], numbers[0]
    return None


# ------------------------------------------------------------------ fences and markers


def _fences(reading: Reading) -> Reading | None:
    old = _unfenced(reading.old)
    if old is None:
        return None
    new = _unfenced(reading.new)
    if new is None and any(FENCE.fullmatch(line) for line in _trimmed(reading.new)):
        return None
    return Reading(old, reading.new if new is None else new, reading.line)


def _unfenced(text: str) -> str | None:
    """What stands in one fence around all of the text, a file's name in front of it or not."""
    lines = _trimmed(text)
    if (
        len(lines) > 2
        and not FENCE.fullmatch(lines[0].rstrip())
        and re.fullmatch(r"[\w./\\-]+\.\w+:?", lines[0].strip())
    ):
        lines = lines[1:]
    opening = FENCE.fullmatch(lines[0].strip())
    if len(lines) < 2 or not opening or lines[-1].strip() != opening["fence"]:
        return None
    if any(line.strip() == opening["fence"] for line in lines[1:-1]):  # several fences: no wrapper
        return None
    return "".join(f"{line}\n" for line in lines[1:-1])


def _language(text: str) -> str:
    opening = FENCE.fullmatch(_trimmed(text)[0].strip())
    return opening["language"].strip() if opening else ""


def _markers(reading: Reading) -> Reading | None:
    old, new = _trimmed(reading.old), _trimmed(reading.new)
    mine = (bool(SEARCH.fullmatch(old[0].rstrip())), bool(DIVIDER.fullmatch(old[-1].rstrip())))
    its = (bool(DIVIDER.fullmatch(new[0].rstrip())), bool(REPLACE.fullmatch(new[-1].rstrip())))
    alone = its[0] and not (mine[0] or its[1])  # dividers and nothing else: headings of some document
    both = [sign for sign, had in ((SEARCH, mine[0]), (DIVIDER, mine[1] and (alone or not its[0]))) if had]
    if not any(mine) or any(sign.fullmatch(line.rstrip()) for sign in both for line in new):
        return None  # a line that both have is content
    return Reading(_between(old, mine), _between(new, its) if any(its) else reading.new, reading.line)


def _between(lines: Sequence[str], marked: tuple[bool, bool]) -> str:
    return "".join(f"{line}\n" for line in lines[marked[0] : len(lines) - marked[1]])


# ------------------------------------------------------------------ the signs of a diff


def _signs(reading: Reading) -> Reading | None:
    """Old with `-` and blanks in front, new with `+`; or both with `+`, as a refusal shows the file's lines."""
    old, new = _trimmed(reading.old), _trimmed(reading.new) if reading.new.strip() else []
    if _all_signed(old, "-") and (not new or _all_signed(new, "+")):
        return Reading(_unsigned(reading.old), _unsigned(reading.new) if new else "", reading.line)
    if _all_signed(old, "+") and _all_signed(new, "+"):
        return Reading(_unsigned(reading.old), _unsigned(reading.new), reading.line)
    return None


def _all_signed(lines: Sequence[str], sign: str) -> bool:
    return any(line.startswith(sign) for line in lines) and all(line[:1] in ("", " ", sign) for line in lines)


def _unsigned(text: str) -> str:
    return "\n".join(line[1:] for line in text.split("\n"))


_LAYERS: tuple[Callable[[Reading], Reading | None], ...] = (_markers, _fences, _numbers, _signs)

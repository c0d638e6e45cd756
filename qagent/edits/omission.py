"""Finds notes such as `# ... rest of the code` that stand in the place of code, and the lines that would be lost.

A model that shortens would delete what it left out. What the old text says too is no omission: it was there before.
`...` is code in Python, so there it only counts where it takes the place of statements. Pure.

Sources: the notes of gemini-cli's omission detector, of aider's and cline's reports, and of Qwen in Chinese.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_OPENER = r"(?:\{/\*|/\*+|<!--|<%\#|\{\#|\{-|\(\*|//+|\#+|--+|;+|%+|'\s|(?:rem|REM)\s)"
_CLOSER = r"(?:\*+/\}?|-->|%>|\#\}|-\}|\*\))"
"""Of comments: C, JSX, markup, templates, Haskell, OCaml, shell, SQL, Lisp, TeX, Visual Basic, batch files."""

_HEAD = re.compile(rf"\s*(?:{_OPENER}|\"{{3}}|\'\'\'|[*])?\s*[(\[<]?\s*")
_TAIL = re.compile(rf"\s*[)\]>]?\s*(?:{_CLOSER}|\"{{3}}|\'\'\')?[\s:;,]*$")
_STOPS = re.compile(r"[\s.…)\]]*$")
_DOTS = r"(?:\.{3,}|…)"
_THINGS = (
    r"(?:code|methods?|functions?|class(?:es)?|imports?|tests?|routes?|logic|implementations?|body|file|content|module"
    r"|script|program|fields?|props|properties|cases?|styles?|rules|markup|lines?|handlers?|definitions?|part)"
)
_KEPT = (
    r"(?:here|unchanged|same|as\sbefore|stays?|remains?|omitted|above|below|goes\shere|as\s(?:is|original)|untouched"
    r"|not\schanged|for\sbrevity)"
)
_ABOUT = (
    r"(?:rest|remaining|remainder|existing|unchanged|previous|other|omitted|same|as\sbefore|original"
    r"|brevity|continues?)"
)
_KEEP = r"(?:keep|keeping|leave|leaving|retain|preserve|include|add|insert|copy|paste)"
_END = rf"(?:.*(?:\b{_KEPT}\b(?:\s\w+){{0,2}}|{_DOTS}\W*))"
_NOTES = re.compile(
    rf"""(?:the\s)?(?:
        {_DOTS}.*\b{_ABOUT}\b.* |
        {_DOTS}?\s*(?:rest|remainder)\sof\s(?:(?:the|this|your|my)\s)?(?:\w+\s){{0,2}}{_THINGS}\b{_END}? |
        (?:rest|remainder)\sof\s{_END} |
        (?:existing|previous|remaining|other|rest|original|unchanged)\s(?:\w+\s){{0,2}}{_THINGS}\b{_END} |
        (?:existing|unchanged)\s(?:code|implementation|logic|body) |
        (?:{_THINGS}\s)?(?:unchanged|omitted(?:\sfor\sbrevity)?) |
        (?:{_THINGS}\s)?(?:is|are|stays?|remains?)\s(?:the\s)?(?:unchanged|same) |
        same\sas\s(?:before|above|original|existing)(?:\s\w+)? |
        {_KEEP}\s(?:(?:the|your|all|all\sthe|all\sof\sthe)\s)?(?:rest|remainder)
            (?:\sof\s(?:(?:the|this|your|my)\s)?(?:\w+\s){{0,2}}{_THINGS})?(?:\s(?:exactly\s)?{_KEPT})? |
        {_KEEP}\s(?:(?:the|your|all|any|all\sthe)\s)?(?:existing|other|remaining|previous|original)\s{_THINGS}
            (?:\s{_KEPT})? |
        (?:[\w.]+\(\)(?:,\s|\sand\s)?)+\s(?:(?:is|are|stays?|remains?)\s)?(?:the\s)?{_KEPT} |
        (?:code\s)?continues?\s(?:{_KEPT}|unchanged) |
        no\schanges?(?:\s(?:here|needed|below|above))? |
        .*(?:其余|其他|剩余|余下|原有|现有|省略|保持不变|不变).*(?:代码|部分|方法|函数|内容|逻辑|不变|省略|\.{{3}}|…).*
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_COMMENTED = re.compile(rf"\s*(?:{_OPENER}|[(\[<*\"']|\.{{3}}|…)")
_ONLY_DOTS = re.compile(rf"\s*(?:{_OPENER}\s*{_DOTS}\s*{_CLOSER}?|{_DOTS})\s*")
_COMMENT = re.compile(rf"\s*{_OPENER}")
_SPREAD = re.compile(r"\s*\.{3}[^\s.]*[\s,;)\]}]*")
"""`...existing,`: code in JavaScript and its like."""

_TRAILS_OFF = re.compile(rf"\s*{_OPENER}\s*[(\[<]?\s*{_DOTS}")
"""A comment that begins with dots, in whatever language it goes on."""

_STANDS_FOR = re.compile(
    r"(?:add |put |insert |write |place )?(?:your |the |rest of the |actual )*(?:code|implementation|logic|body)"
    r"(?: goes| should be)? here|(?:implementation|code|logic) (?:here|goes here)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\.\.\.|…|<[\w ]+>|(?:#|//)\s*(?:\.\.\.|…)")
_LONGEST = 300
"""Characters; what is longer is no note."""

_NOTHING = re.compile(
    r"\s*(?:pass|\.\.\.|…|[\])}>;,]*|raise NotImplementedError.*|(?:#|//|/\*|\*|--|<!--).*|\"{3}.*|'''.*)\s*"
)
"""Lines whose loss is none: brackets, comments, and what itself stands for code."""


@dataclass(frozen=True, slots=True)
class Omission:
    """`note`: the line of the new text; `lost`: the lines of the old one that the new one has not, without blanks."""

    note: str
    lost: tuple[str, ...] = ()


def is_note(line: str) -> bool:
    """Whether a line only says that code was left out."""
    if len(line) > _LONGEST or not _COMMENTED.match(line) or _SPREAD.fullmatch(line):
        return False
    text = _said(line)
    return any(_NOTES.fullmatch(each) for each in (text, _STOPS.sub("", text)))


def is_gap(line: str) -> bool:
    """Whether a line stands for lines that were left out, by words or by dots alone."""
    return len(line) <= _LONGEST and (_ONLY_DOTS.fullmatch(line) is not None or is_note(line))


def omission(new: str, before: str) -> str | None:
    """The first line of `new` that only says that code was left out, unless `before` has it too."""
    known = {line.strip() for line in before.splitlines()}
    lines = (line.strip() for line in new.splitlines())
    return next((line for line in lines if is_note(line) and line not in known), None)


def elided(old: str, new: str, path: str = "") -> Omission | None:
    """What `new`, put in the place of `old`, leaves out."""
    before, after = old.splitlines(), new.splitlines()
    had = [line.strip() for line in before if is_gap(line)]
    has = [line.strip() for line in after if is_gap(line)]
    added = list((Counter(has) - Counter(had)).elements())
    notes = [line for line in added if is_note(line)]
    if len(has) > len(had) and notes:
        return Omission(notes[0], _lost(before, after))
    lost = _lost(before, after)
    if not lost:
        return None
    if added and len(has) > len(had) and not _is_text(path):
        python = path.endswith((".py", ".pyi"))
        dots = next((line for line in added if not python or _replaces(line, before, after)), None)
        if dots is not None:
            return Omission(dots, lost)
    stands = (line.strip() for line in after if line not in before and _stands_for_code(line, path))
    note = next(stands, None)
    return Omission(note, lost) if note else None


def is_placeholder(text: str) -> bool:
    """Whether all of the text only stands for another: `...`, `<fileContent>`."""
    return _PLACEHOLDER.fullmatch(text.strip()) is not None


def _stands_for_code(line: str, path: str) -> bool:
    if len(line) <= _LONGEST and _TRAILS_OFF.match(line) and not _is_text(path):
        return True
    return _COMMENT.match(line) is not None and _STANDS_FOR.fullmatch(_said(line)) is not None


def _said(line: str) -> str:
    """Without the signs of a comment around it."""
    head = _HEAD.match(line)
    return _TAIL.sub("", line[head.end() if head else 0 :])


def _is_text(path: str) -> bool:
    """In prose and data a line of dots may be meant."""
    return path.rpartition(".")[2].lower() in ("md", "mdx", "rst", "txt", "yaml", "yml", "tex", "adoc", "csv", "")


def _lost(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    kept = Counter(line.strip() for line in after)
    lost: list[str] = []
    for line in map(str.strip, before):
        if kept[line]:
            kept[line] -= 1
        elif line and not _NOTHING.fullmatch(line):
            lost.append(line)
    return tuple(lost)


def _replaces(dots: str, before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether Python's `...` stands for statements: among others, or under a heading whose body was longer."""
    if dots.strip("…. ") or "…" in dots:
        return True
    for number, line in enumerate(after):
        if line.strip() != dots:
            continue
        heading = next((above for above in reversed(after[:number]) if above.strip()), "")
        if _PROMPT.match(heading):
            continue
        follower = next((below for below in after[number + 1 :] if below.strip()), "")
        alone = heading.rstrip().endswith(":") and _depth(follower) < _depth(line)
        if not alone or any(_head(heading) == _head(each) for each in before):
            return True
    return False


_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.) ")
"""Of an example in a docstring, where dots begin the lines that go on."""


def _head(line: str) -> str:
    """What a heading defines, or the heading itself."""
    found = re.match(r"\s*(?:async\s+)?(?:def|class)\s+\w+", line)
    return found[0].strip().removeprefix("async ") if found else line.strip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else -1

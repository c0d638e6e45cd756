"""Lines that say that code was left out: a line of the new text in, out how sure it is that it stands for others.

Knows the words alone, never what was lost; what a note is worth beside that is `omission`'s. Pure.

Sources: the notes of gemini-cli's omission detector, of aider's and cline's reports, and of Qwen in Chinese.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Weight = Literal["sure", "loose", "shrinks", "ends"]
"""When it counts. `sure`: as soon as any line is lost. `loose`: it may be a remark or a heading, so lines must be
missing just there. `shrinks`: only where more lines go than come. `ends`: only where nothing follows it."""

_OPENER = r"(?:\{/\*|/\*+|<!--|<%\#|\{\#|\{-|\(\*|//+|\#+|--+|;+|%+|'\s|(?:rem|REM)\s)"
_CLOSER = r"(?:\*+/\}?|-->|%>|\#\}|-\}|\*\))"
"""Of comments: C, JSX, markup, templates, Haskell, OCaml, shell, SQL, Lisp, TeX, Visual Basic, batch files."""

_HEAD = re.compile(
    rf"\s*(?:{_OPENER}|\"{{3}}|\'\'\'|[*])?\s*[-=*~_]*\s*[(\[<]?\s*(?:(?:TODO|NOTE|FIXME|XXX|N\.?B\.?)\b[:\s]*)?",
    re.IGNORECASE,
)
_TAIL = re.compile(rf"\s*[)\]>]?\s*[-=*~_]*\s*(?:{_CLOSER}|\"{{3}}|\'\'\')?[\s:;,]*$")
_STOPS = re.compile(r"[\s.…)\]]*$")
_DOTS = r"(?:\.{3,}|…)"
_THINGS = (
    r"(?:code|methods?|functions?|class(?:es)?|imports?|tests?|routes?|logic|implementations?|body|file|contents?|module"
    r"|script|program|fields?|props|properties|cases?|styles?|rules|markup|lines?|handlers?|definitions?|part|sections?"
    r"|items?|entries|keys?|values?|columns?|components?|statements?|assignments?|attributes?|document|page|template"
    r"|config(?:uration)?|settings?|elements?|constants?|variables?|types?|steps?|endpoints?)"
)
_KEPT = (
    r"(?:here|unchanged|same|as\sbefore|stays?|remains?|omitted|above|below|goes\shere|as\s(?:is|original|(?:it\s)?was)|untouched"
    r"|not\schanged|not\sshown|identical|unmodified|for\sbrevity)"
)
_ABOUT = (
    r"(?:rest|remaining|remainder|existing|unchanged|previous|other|omitted|same|as\sbefore|original"
    r"|brevity|continues?)"
)
_KEEP = r"(?:continue(?:\swith)?|keep|keeping|leave|leaving|retain|preserve|include|add|insert|copy|paste)"
_OF = r"of\s(?:(?:the|this|your|my)\s)?(?:\w+\s){0,2}"
_TRAIL = rf".*{_DOTS}\W*"
_END = rf"(?:.*\b{_KEPT}\b(?:\s\w+){{0,2}}|\s(?:is|are|stays?|remains?)\s(?:the\s)?same\s.*)"
_WHOSE = r"(?:existing|previous|remaining|other|rest|original|unchanged)"


@dataclass(frozen=True, slots=True)
class _Row:
    """`fresh`: it counts in a file that is new, too, of which nothing can be lost."""

    why: str
    weight: Weight
    fresh: bool
    words: str


_ROWS = (
    _Row(
        "dots, and what they stand for",
        "sure",
        True,
        rf"{_DOTS}\W*(?:\w+\s+){{0,4}}?{_ABOUT}\b(?:\W*|{_END}|{_TRAIL}|.*\b{_THINGS}\b.*)",
    ),
    _Row("dots, and the rest of something", "sure", True, rf"{_DOTS}\s*(?:rest|remainder)\s{_OF}.*"),
    _Row("what it stands for, and dots", "sure", True, rf"(?:rest|remainder)\sof\s{_TRAIL}"),
    _Row("what it stands for, and dots", "sure", True, rf"{_WHOSE}\s(?:\w+\s){{0,2}}{_THINGS}\b{_TRAIL}"),
    _Row("for brevity", "sure", True, rf"(?:(?:{_WHOSE}\s)?(?:\w+\s){{0,2}}(?:is\s|are\s)?)omitted\sfor\sbrevity"),
    _Row(
        "Qwen, in Chinese: the other code stays",
        "sure",
        True,
        r".*(?:其余|其他|剩余|余下|原有|现有|省略|保持不变|不变).*(?:代码|部分|方法|函数|内容|逻辑|不变|省略|\.{3}|…).*",
    ),
    _Row("the rest of it is kept", "loose", True, rf"(?:rest|remainder)\s{_OF}{_THINGS}\b{_END}"),
    _Row("a heading, or what stands for all below", "loose", False, rf"(?:rest|remainder)\s{_OF}{_THINGS}"),
    _Row("the rest of something of the project's", "loose", True, rf"(?:rest|remainder)\sof\s{_END}"),
    _Row("the rest is kept", "loose", False, rf"(?:rest|remainder|everything\selse|others)\b{_END}?"),
    _Row("cut, in the words of mail", "loose", False, r"(?:snip(?:ped)?|skipped|truncated|elided)(?:\s\w+)?"),
    _Row("where to find the rest", "loose", False, r"see\s(?:the\s)?original\b.*"),
    _Row("others are kept", "loose", True, rf"{_WHOSE}\s(?:\w+\s){{0,2}}{_THINGS}\b{_END}"),
    _Row(
        "others, of whatever kind, stay",
        "loose",
        False,
        rf"{_WHOSE}\s(?:\w+\s){{1,3}}(?:goes|go|is|are|stays?|belongs?|remains?)\s(?:(?:all|exactly|the)\s)*{_KEPT}",
    ),
    _Row("a heading, or what stands for all below", "loose", False, rf"{_WHOSE}\s(?:\w+\s)?{_THINGS}"),
    _Row("left out", "loose", False, rf"(?:{_THINGS}\s)?(?:unchanged|omitted)"),
    _Row("kept", "loose", False, rf"(?:{_THINGS}\s)?(?:is|are|stays?|remains?)\s(?:the\s)?(?:unchanged|same)"),
    _Row(
        "the same", "loose", False, r"(?:exactly\s)?same\s(?:code\s)?as\s(?:before|above|original|existing)(?:\s\w+)?"
    ),
    _Row(
        "an order to keep the rest",
        "loose",
        True,
        rf"{_KEEP}\s(?:(?:the|your|all|all\sthe|all\sof\sthe)\s)?(?:rest|remainder)"
        rf"(?:\s{_OF}{_THINGS})?(?:\s(?:exactly\s)?{_KEPT})?",
    ),
    _Row(
        "an order to keep what is there",
        "loose",
        True,
        rf"{_KEEP}\s(?:(?:the|your|all|any|all\sthe)\s)?(?:existing|other|remaining|previous|original)\s{_THINGS}"
        rf"(?:\s{_KEPT})?",
    ),
    _Row(
        "functions by name",
        "loose",
        False,
        rf"(?:[\w.]+\(\)(?:,\s|\sand\s)?)+\s(?:(?:is|are|stays?|remains?)\s)?(?:the\s)?{_KEPT}",
    ),
    _Row("it goes on", "loose", False, rf"(?:code\s)?continues?\s(?:{_KEPT}|unchanged)"),
    _Row("no changes", "loose", False, r"no\schanges?(?:\s(?:here|needed|below|above))?(?:\sthis\sline)?"),
    _Row(
        "a form to fill in",
        "loose",
        False,
        r"(?:(?:add|put|insert|write|place)\s)?(?:(?:your|the|rest\sof\sthe|actual)\s)*"
        r"(?:code|implementation|logic|body)(?:\sgoes|\sshould\sbe)?\s(?:goes\s)?here",
    ),
    _Row("and so on", "loose", False, r"(?:etc|and\sso\s(?:on|forth))\b\W*"),
    _Row(
        "the whole of a file, by its name",
        "ends",
        False,
        r"(?:your\s)?(?:full|entire|whole|complete|updated|new|modified|revised)\s(?:\w+\s){0,2}"
        r"(?:file|code|contents?|script|program|implementation|module|source|class|function)"
        r"(?:\s(?:contents?|code))?(?:\s(?:goes|should\sgo|comes))?(?:\s(?:here|below|above))?",
    ),
    _Row(
        "some are kept, which a remark says too",
        "shrinks",
        False,
        r"(?:[\w,().]+\s){1,6}(?:is|are|stays?|remains?)\s(?:the\s)?(?:same|unchanged|identical)",
    ),
)
_PATTERNS = tuple(
    (re.compile(rf"(?:and\s)?(?:(?:the|all|your|any|following)\s)*(?:{row.words})", re.IGNORECASE), row)
    for row in _ROWS
)

_HINT = re.compile(
    r"\.{3}|…|rest|remain|exist|previous|other|original|chang|omit|same|brevity|else|continue|here|as\s(?:is|was)|before"
    r"|above|below|stay|touch|modified|identical|not\sshown|snip|skip|truncat|elided|see|etc|so\s(?:on|forth)|full|entire|whole|complete|updated|new|revised|[一-鿿]",
    re.IGNORECASE,
)
"""Without one of these no row fits; most lines have none."""

_COMMENTED = re.compile(rf"\s*(?:{_OPENER}|[(\[<*\"']|\.{{3}}|…)")
_IN_PROSE = re.compile(rf"\s*(?:\{{/\*|<!--|[(\[]|{_DOTS}|(?:\#+|//|--|%)\s*[(\[]?{_DOTS})")
"""There `#` begins a heading and `*` an item; only with dots behind it is it a note."""

_ONLY_DOTS = re.compile(rf"\s*(?:{_OPENER}\s*{_DOTS}\s*{_CLOSER}?|{_DOTS})\s*")
_SPREAD = re.compile(r"\s*\.{3}[^\s.]*[\s,;)\]}]*")
"""`...existing,`: code in JavaScript and its like."""

_TRAILS_OFF = re.compile(rf"\s*{_OPENER}\s*[(\[<]?\s*{_DOTS}")
"""A comment that begins with dots, in whatever language it goes on."""

_BEHIND = re.compile(r"(?<=[\s;,{}()\[\]])(?:\#|//|/\*|--|<!--|;;)\s*(?=\S)")
_STANDS_IN = re.compile(r"\s*(?:pass|\.\.\.|…|return(?:\s+None)?)?[\s;]*")
"""Code that is there only because a body needs some."""

_ENDS_IN_DOTS = re.compile(rf"[\[({{,]\s*{_DOTS}")
_QUOTED_DOTS = re.compile(rf"\s*([\"']){_DOTS}\1\s*:.*")
_QUOTED = re.compile(r"\s*(?:([\"'])(?:_?comments?|_?note|//|#)\1\s*:\s*)?([\"'])([^\"']*)\2\s*,?\s*")
"""What a format without comments has for one: a member, an element."""

_PLACEHOLDER = re.compile(r"\.\.\.|…|<[\w ]+>|(?:#|//)\s*(?:\.\.\.|…)")
_PROSE = ("md", "mdx", "markdown", "rst", "adoc")
_LONGEST = 300
"""Characters; what is longer is no note."""


def weight(line: str, path: str = "") -> Weight | None:
    """How sure it is that a line of the new text stands for others, by its words; None: it is no note. Dots alone are
    told by `only_dots`."""
    if len(line) > _LONGEST or not _HINT.search(line):
        return None
    if _ending(path) in _PROSE:
        return _weight_of(line) if _IN_PROSE.match(line) else None
    return _weight_of(line) or _weight_quoted(line, path) or _weight_behind(line)


def is_note(line: str) -> bool:
    """Whether all of a line only says that code was left out, which may be a remark as well."""
    return _row(line) is not None


def is_fresh(line: str, path: str = "") -> bool:
    """Whether a line says so beyond doubt, even in a file of which nothing can be lost."""
    row = _row(line)
    return row is not None and row.fresh and (_ending(path) not in _PROSE or _IN_PROSE.match(line) is not None)


def is_gap(line: str) -> bool:
    """Whether a line stands for lines that were left out, by words or by dots alone."""
    return len(line) <= _LONGEST and (only_dots(line) or is_note(line))


def is_whole(line: str) -> bool:
    """Whether nothing but a note is on a line that is one."""
    return is_gap(line) or _QUOTED.fullmatch(line) is not None or _QUOTED_DOTS.fullmatch(line) is not None


def only_dots(line: str) -> bool:
    return len(line) <= _LONGEST and _ONLY_DOTS.fullmatch(line) is not None


def is_placeholder(text: str) -> bool:
    """Whether all of the text only stands for another: `...`, `<fileContent>`."""
    return _PLACEHOLDER.fullmatch(text.strip()) is not None


def is_text(path: str) -> bool:
    """In prose and data a line of dots may be meant."""
    return _ending(path) in (*_PROSE, "txt", "yaml", "yml", "tex", "csv", "")


def _ending(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _row(line: str) -> _Row | None:
    if len(line) > _LONGEST or not _COMMENTED.match(line) or not _HINT.search(line) or _SPREAD.fullmatch(line):
        return None
    return _said(_bare(line))


def _said(text: str) -> _Row | None:
    texts = dict.fromkeys((text, _STOPS.sub("", text)))
    return next((row for words, row in _PATTERNS if any(map(words.fullmatch, texts))), None)


def _bare(line: str) -> str:
    """Without the signs of a comment around it."""
    head = _HEAD.match(line)
    return _TAIL.sub("", line[head.end() if head else 0 :])


def _weight_of(line: str) -> Weight | None:
    if row := _row(line):
        return row.weight
    return "loose" if _TRAILS_OFF.match(line) and not only_dots(line) else None


def _weight_quoted(line: str, path: str) -> Weight | None:
    if _QUOTED_DOTS.fullmatch(line):
        return "sure" if _ending(path).startswith("json") else "shrinks"
    found = _QUOTED.fullmatch(line)
    if not found:
        return None
    return "shrinks" if re.fullmatch(_DOTS, found[3]) or _said(_bare(found[3])) else None


def _weight_behind(line: str) -> Weight | None:
    """Of a comment behind code: what it says of the code beside it is mostly a remark."""
    for found in _BEHIND.finditer(line):
        code, comment = line[: found.start()], line[found.start() :]
        if not code.strip() or code.count('"') % 2 or code.count("'") % 2:
            continue
        said = "loose" if only_dots(comment) else _weight_of(comment)
        if said and _ENDS_IN_DOTS.search(code):
            return "sure"
        if said:
            return said if _STANDS_IN.fullmatch(code) else "shrinks"
    return None

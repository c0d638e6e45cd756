"""One quoted text of broken JSON: where does it end? Pure.

Quotes of every kind that models write are known: `"`, `'`, curly ones, backticks, tripled ones. Here a text ends at the
first quote of its kind that is not escaped, as in JSON; `inner_quotes` reads those that have bare quotes inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from qagent.qwen.repair.escapes import Broken, exact, said, substituted
from qagent.types import Repair

QUOTES = "\"'`“”„‘’"
WORD = r"[A-Za-z_$][\w$.-]*+"
_SPACE = r"[ \t\r\n]"
_MIXED = re.compile(
    rf"(?P<open>[{QUOTES}])(?P<word>[\w./-]+)[{QUOTES}]{_SPACE}*+,{_SPACE}*+(?P=open){WORD}[{QUOTES}]{_SPACE}*+:"
)
"""Only before another key: as the last text, `"b'}` may have been cut."""
_FOLLOWED = re.compile(rf"{_SPACE}*+(?:[,:}}\]]|\Z)|{_SPACE}++[/#]|[ \t\r]*+\n")
"""What shows that the text is over. A comment stands apart: `"rm -rf "# build"` goes on behind its second quote."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """end: the position behind the closing quote. repairs: what was mended in it."""

    value: str
    end: int
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """body: from behind an opening quote to before the next one of this kind."""

    opening: str
    body: re.Pattern[str]


def _kind(opening: str, closers: str) -> Kind:
    one = f"[{closers}]"
    if len(opening) == 1:
        closer, inside = one, ""
    else:  # of four quotes the last three close it: the first belongs to the text
        closer = rf"{opening}(?!{one})"
        inside = f"|(?!{closer}){one}"
    body = rf"(?:[^{closers}\\]++|\\.{inside})*+(?={closer})"
    return Kind(opening, re.compile(body, re.DOTALL))


KINDS = (
    _kind('"""', '"'),
    _kind("'''", "'"),
    *(_kind(quote, quote) for quote in "\"'`"),
    *(_kind(quote, "“”„") for quote in "“”„"),
    *(_kind(quote, "‘’") for quote in "‘’"),
)
_OVERESCAPED = re.compile(r'"(?:[^"\\]++|\\\\"|\\.)*+"', re.DOTALL)
_TWICE = re.compile(r'(?<!\\)(?P<pairs>(?:\\\\)*)\\\\"')
_BACKSLASHES = re.compile(r"\\+")


def plain(text: str, pos: int) -> Quoted:
    """The text that is quoted at `pos`. A single word may be closed by another kind of quote: `'rye", 'path": …`."""
    kind, body = next(_bodies(text, pos), (None, None))
    if body is None or kind is None or not _FOLLOWED.match(text, body.end() + len(kind.opening)):
        mixed = _MIXED.match(text, pos)
        if mixed is not None:
            return Quoted(mixed["word"], mixed.end("word") + 1, ("quotes",))
        if body is None or kind is None:
            raise Broken
    if kind.opening == '"' and (found := exact(text, pos, body.end() + 1)):
        return Quoted(found[0], body.end() + 1, found[1])
    return quoted(kind, body[0], body.end())


def _bodies(text: str, pos: int) -> Iterator[tuple[Kind, re.Match[str]]]:
    for kind in KINDS:
        if text.startswith(kind.opening, pos) and (body := kind.body.match(text, pos + len(kind.opening))):
            yield kind, body


def overescaped(text: str, pos: int) -> Quoted:
    r"""Like `plain`, but `\\"` does not end a text: the quotes inside it were escaped twice.

    When every backslash of the text is doubled, the whole of it was escaped twice. Such quotes come in pairs; a single
    one is a backslash that ends its text.
    """
    found = _OVERESCAPED.match(text, pos)
    number = sum(1 for _ in _TWICE.finditer(text, *found.span())) if found else 0
    if found is None or number % 2 or not number:
        return plain(text, pos)
    value, repairs = said(_once(text[pos + 1 : found.end() - 1]), '"')
    return Quoted(value, found.end(), ("double_escaped", *repairs))


def _once(raw: str) -> str:
    if all(len(run[0]) % 2 == 0 for run in _BACKSLASHES.finditer(raw)):
        return raw.replace("\\\\", "\\")
    return substituted(_TWICE, lambda found: found["pairs"] + '\\"', raw)


def quoted(kind: Kind, raw: str, end: int) -> Quoted:
    """What stands between quotes of this kind, of which the closing one begins at `end`."""
    value, repairs = said(raw, kind.opening)
    quotes: tuple[Repair, ...] = () if kind.opening == '"' else ("quotes",)
    return Quoted(value, end + len(kind.opening), (*quotes, *repairs))

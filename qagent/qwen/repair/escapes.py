r"""What stands between the quotes of a JSON text in, what it says out, also where its backslashes are wrong. Pure.

A backslash before a letter that JSON does not escape is a plain one (`\d` of a regular expression, `C:\Users`): the
model forgot to double it. Before a quote it is gone. Escapes that JSON knows say what JSON says, with two exceptions in
a text that has a forgotten one, or a quote or a line break that should have been escaped, for there the model plainly
did not escape its backslashes:
    \b \f       no source file holds a backspace or a form feed; they are a regular expression's
    a path      `C:\Users\new\x.py`, `src\data\new.py` as the whole text: no part of it is an escape
A path inside a longer text (`type C:\dev\new.txt`) can be read in two ways, and is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from qagent.types import Repair

_MOST = 20_000
"""Escapes in one broken text: a source file has a few thousand. More is rubbish, and is not looked through."""

_MOST_PIECES = 1_000

_ONE = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PAIR = r"u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
_ESCAPE = re.compile(rf"\\(?:{_PAIR}|u(?P<code>[0-9a-fA-F]{{4}})|(?P<one>.))", re.DOTALL)
_SHELL_QUOTE = "'\\''"
"""So a shell ends a quotation, says a quote and begins it again: that backslash is the shell's, and stays."""

_PATH = re.compile(r'(?:[A-Za-z]:(?:\\[^\\/:*?"<>|\x00-\x1f]+)+|[\w.~-]+(?:\\[\w.~-]+)+)\\?')
_INNER_PATH = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\[^\s\"'<>|*?]*?(?<!\\)\\[bfnrtu]")
_CONTROL = re.compile(r"[\x00-\x1f]")
FORGOTTEN = re.compile(r"(?<!\\)(?:\\\\)*+\\[bf]")
"""A backspace or a form feed as JSON writes it: beside a real line break it is not meant as one."""


_DECODER = json.JSONDecoder(strict=False)


class Broken(Exception):
    """It cannot be read in this way."""


def exact(text: str, start: int, end: int) -> tuple[str, tuple[Repair, ...]] | None:
    """What a text between `"`, which begins and ends there, says by JSON's rules; None when it must be mended.

    It is read where it stands: a broken call can be long, and would be copied several times.
    """
    control: tuple[Repair, ...] = ("control",) if _CONTROL.search(text, start, end) else ()
    if control and FORGOTTEN.search(text, start, end):
        return None
    try:
        value, found = _DECODER.raw_decode(text, start)
    except ValueError:
        return None
    return (str(value), control) if found == end else None


def said(raw: str, quote: str) -> tuple[str, tuple[Repair, ...]]:
    """What a quoted text says, and what was mended. Raises Broken when it can be read in two ways."""
    spans_lines = len(quote) > 1 or quote == "`"
    control: tuple[Repair, ...] = () if spans_lines or not _CONTROL.search(raw) else ("control",)
    if "\\" not in raw:
        return raw, control
    plainly = _json(raw) if quote == '"' and not (control and FORGOTTEN.search(raw)) else None
    if plainly is not None:
        return plainly, control
    if raw.count("\\") > _MOST:
        raise Broken
    value, is_mended = _mended(raw, quote)
    return value, (*control, "escapes") if is_mended else control


def _json(raw: str) -> str | None:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return None


def _mended(raw: str, quote: str) -> tuple[str, bool]:
    """The text, and whether an escape in it was not JSON's."""
    plain = "" if quote != "`" else "`$"
    ones = {found["one"] for found in _ESCAPE.finditer(raw)} - {None}
    has_forgotten = not ones <= {*_ONE, *plain}
    is_unescaped = has_forgotten or quote == '"' or (not ones.isdisjoint("bf") and quote in _ESCAPE.sub("", raw))
    if has_forgotten and _PATH.fullmatch(raw):
        return raw, True
    if is_unescaped and _INNER_PATH.search(raw):
        raise Broken
    says = {**_ONE, **dict(zip(plain, plain, strict=True))}
    if is_unescaped:
        says |= {"b": "\\b", "f": "\\f"}
    is_mended = has_forgotten or (is_unescaped and not ones.isdisjoint("bf")) or (quote == '"' and "'" in ones)
    return substituted(_ESCAPE, lambda found: _one(found, says), raw), is_mended


def substituted(pattern: re.Pattern[str], piece: Callable[[re.Match[str]], str], text: str) -> str:
    """As `pattern.sub` gives it, which would keep a list of all pieces: many times the text's size."""
    runs, pieces, pos = list[str](), list[str](), 0
    for found in pattern.finditer(text):
        pieces += text[pos : found.start()], piece(found)
        pos = found.end()
        if len(pieces) > _MOST_PIECES:
            runs.append("".join(pieces))
            pieces.clear()
    return "".join((*runs, *pieces, text[pos:]))


def _one(found: re.Match[str], says: Mapping[str, str]) -> str:
    if found["high"]:
        return (bytes.fromhex(found["high"]) + bytes.fromhex(found["low"])).decode("utf-16-be")
    if found["code"]:
        return chr(int(found["code"], 16))
    start = found.start()
    if found["one"] == "'" and found.string[max(0, start - 1) : start + 3] == _SHELL_QUOTE:
        return found[0]
    return says.get(found["one"], found[0])

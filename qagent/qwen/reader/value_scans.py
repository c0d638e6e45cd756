"""Where does a value end? Scanners for JSON, for calls spoken aloud and for tagged ones, fed in pieces.

They look at each character once. JSON is taken as models write it: its strings may stand in single, curly or triple
quotes or in backticks. Each has `scan`, which gives the position up to which a text is the value's (the same one when
it takes more text to go on), `ended`, and `whole`: whether its end is one that was written for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

from qagent.qwen.reader.lexemes import PAIRED, lexeme

_STRUCTURE = re.compile(r"(?:[^\"'`“{}\[\]<]++|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"(?=[^\"]))++", re.DOTALL)
"""What stands between brackets: blanks, words, signs, and whole strings, but for the beginning of a triple quote."""
_DECODER = json.JSONDecoder(strict=False)
_AT_ONCE = 1 << 14
"""Characters: what is decoded takes many times its size in memory."""
_BODY = {
    '"': re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL),
    "'": re.compile(r"[^'\\]*+(?:\\.[^'\\]*+)*+", re.DOTALL),
    "`": re.compile(r"[^`\\]*+(?:\\.[^`\\]*+)*+", re.DOTALL),
    "”": re.compile(r"[^”\\]*+(?:\\.[^”\\]*+)*+", re.DOTALL),
}
_SPOKEN = re.compile(r"[^\"'()\[\]{}\n]+")
_PARAMETER = re.compile(r"<parameter(?:=|\s+name\s*=)", re.IGNORECASE)
_BEFORE_STRING = frozenset("{[:,")
_BEHIND_STRING = frozenset(",:}]")
_ENDS = frozenset({"open", "weak", "xml", "close"})
_LAST_OF_PAIR = frozenset(PAIRED.values())


def _string_end(text: str, pos: int, quote: str, *, final: bool) -> tuple[int, bool]:
    """From inside of a string: the position behind it and True, or how far it reaches in this text."""
    if len(quote) == 3:
        end = text.find(quote, pos)
        held = 0 if final else len(text) - len(text.rstrip(quote[0]))
        return (end + 3, True) if end >= 0 else (max(pos, len(text) - held), False)
    run = _BODY[quote].match(text, pos)
    end = run.end() if run else pos
    if end == len(text) or text[end] == "\\":  # or an escape that the text's end cuts
        return (len(text) if final else end), False
    return end + 1, True


def json_end(text: str, start: int) -> int | None:
    """Where a JSON value that is right ends; None when it is not, or not all of it is there, or it is long.

    Most values are right, and come whole: then this takes a tenth of the time of a scan.
    """
    try:
        return start + _DECODER.raw_decode(text[start : start + _AT_ONCE])[1]
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True)
class JsonScan:
    """Finds the end of one JSON value from behind its first bracket. Brackets and tags inside its strings are content.

    done: its last bracket is there. broken: a tag or a fence stands where none can: the value was not closed; but right
    behind a quote it is part of a text, `"grep "<tools>" README"`. opened: how many brackets it has opened.
    """

    depth: int = 1
    done: bool = False
    broken: bool = False
    opened: int = 1
    whole = True
    _quote: str = ""
    _maybe_closed: bool = False
    _behind_quote: bool = False
    _last: str = ":"

    @property
    def ended(self) -> bool:
        return self.done or self.broken

    @property
    def in_string(self) -> bool:
        return bool(self._quote) and not self._maybe_closed

    def scan(self, text: str, pos: int, *, final: bool = False) -> int:
        """The position up to which the text is the value's; the same one when it takes more text to go on."""
        while pos < len(text) and not self.done and not self.broken:
            before, was = pos, self._maybe_closed
            pos = self._in_string(text, pos, final) if self._quote else self._outside(text, pos, final)
            if pos == before and self._maybe_closed == was:
                break
        return pos

    def _outside(self, text: str, pos: int, final: bool) -> int:
        if run := _STRUCTURE.match(text, pos):
            if plain := run[0].rstrip():
                self._last = plain[-1]
            self._behind_quote = run[0][-1] == '"'
            return run.end()
        char = text[pos]
        match char:
            case "{" | "[":
                self.depth += 1
                self.opened += 1
            case "}" | "]":
                self.depth -= 1
                self.done = self.depth <= 0
            case "<":
                self.broken = not self._behind_quote and self._is_tag(text, pos)
                self._behind_quote = False
                return pos + (not self.broken)
            case _:
                return self._quote_mark(text, pos, final)
        self._last, self._behind_quote = char, False
        return pos + 1

    @staticmethod
    def _is_tag(text: str, pos: int) -> bool:
        found = lexeme(text, pos)
        return found is not None and found.kind in _ENDS

    def _quote_mark(self, text: str, pos: int, final: bool) -> int:
        char = text[pos]
        three = text[pos : pos + 3]
        if char != "“" and not final and len(three) < 3 and three == char * len(three):
            return pos
        if three == "```" and not self._behind_quote:
            self.broken = True
            return pos
        opens = char == '"' or self._last in _BEFORE_STRING
        if three in ('"""', "'''") and opens:
            self._quote = three
            return pos + 3
        if opens:
            self._quote = "”" if char == "“" else char
        self._last = '"'
        return pos + 1

    def _in_string(self, text: str, pos: int, final: bool) -> int:
        if self._maybe_closed:
            return self._behind_apostrophe(text, pos)
        pos, closed = _string_end(text, pos, self._quote, final=final)
        if closed:
            self._maybe_closed = self._quote == "'"
            self._quote = self._quote if self._maybe_closed else ""
            self._last, self._behind_quote = '"', True
        return pos

    def _behind_apostrophe(self, text: str, pos: int) -> int:
        """`'it's'` has one that does not close: the character behind it tells."""
        while pos < len(text) and text[pos].isspace():
            pos += 1
        if pos < len(text):
            self._maybe_closed = False
            if text[pos] in _BEHIND_STRING:
                self._quote = ""
        return pos


@dataclass(slots=True)
class SpokenScan:
    """Finds the end of `NAME(key="value")` or `NAME key=value`: the last bracket, or the line's end outside of any.

    Strings are Python's: in single, double or triple quotes.
    """

    ended: bool = False
    whole = True
    _depth: int = 0
    _quote: str = ""

    def scan(self, text: str, pos: int, *, final: bool) -> int:
        while pos < len(text) and not self.ended:
            before = pos
            pos = self._in_string(text, pos, final) if self._quote else self._outside(text, pos, final)
            if pos == before:
                break
        return pos

    def _outside(self, text: str, pos: int, final: bool) -> int:
        if run := _SPOKEN.match(text, pos):
            return run.end()
        char = text[pos]
        if char == "\n":
            self.ended = self._depth <= 0
            return pos if self.ended else pos + 1
        if char in "([{":
            self._depth += 1
        elif char in ")]}":
            self._depth -= 1
            self.ended = self._depth <= 0
        else:
            three = text[pos : pos + 3]
            if not final and len(three) < 3 and three == char * len(three):
                return pos
            self._quote = three if three == char * 3 else char
        return pos + len(self._quote or char)

    def _in_string(self, text: str, pos: int, final: bool) -> int:
        pos, closed = _string_end(text, pos, self._quote, final=final)
        self._quote = "" if closed else self._quote
        return pos


@dataclass(slots=True)
class XmlScan:
    """Finds the end of `<function=NAME>…`: the closer that no parameter's text needs. `whole`: it was there.

    A `</parameter>` ends a text when another parameter, the function's end, a tag or nothing follows it.
    """

    ended: bool = False
    whole: bool = False
    _inside: bool = False
    _behind: bool = False

    def scan(self, text: str, pos: int, *, final: bool) -> int:
        while pos < len(text) and not self.ended:
            at = text.find("<", pos)
            if self._behind and text[pos : at if at >= 0 else len(text)].strip():
                self._inside, self._behind = True, False  # more text: that closer was content
            if at < 0:
                return len(text)
            pos = self._at_angle(text, at)
        return pos

    def _at_angle(self, text: str, at: int) -> int:
        if not self._inside and _PARAMETER.match(text, at):
            self._inside, self._behind = True, False
            return at + 1
        found = lexeme(text, at)
        tag = found.text.lower() if found and found.kind in _ENDS else ""
        if tag == "</parameter>":
            self._inside, self._behind = False, True
        elif self._behind and not tag:
            self._inside, self._behind = True, False
        elif tag and not self._inside:
            self.ended, self.whole = True, tag == "</function>"
            return at + len(tag) if self.whole else at
        return at + max(1, len(tag))


@dataclass(slots=True)
class PairedTagsScan:
    """Finds the end of `<function-name>…</function-name> <arguments>…</arguments>`: the last of these."""

    ended: bool = False
    whole: bool = False

    def scan(self, text: str, pos: int, *, final: bool) -> int:
        while not self.ended and (at := text.find("<", pos)) >= 0:
            found = lexeme(text, at)
            is_last = found is not None and found.kind == "close" and found.text.lower().strip("</>") in _LAST_OF_PAIR
            self.ended = self.whole = is_last
            pos = found.end if found and is_last else at + 1
        return pos if self.ended else len(text)


ValueScan: TypeAlias = JsonScan | SpokenScan | XmlScan | PairedTagsScan

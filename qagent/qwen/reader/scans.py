"""Where does it end? Scanners for one JSON value, for XML parameters, and for the three kinds of block, fed in pieces.

They look at each character once. A JSON value is taken as models write it: its strings may stand in single, curly or
triple quotes or in backticks. A block is fed line by line; `complete` says whether it may end where it stands, and its
`text` is what the block means. Whether the call's end stands behind it, its reader sees.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from qagent.qwen import blocks
from qagent.qwen.reader.lexemes import TAGS, lexeme

_STRUCTURE = re.compile(r"(?:[^\"'`“{}\[\]<]++|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"(?=[^\"]))++", re.DOTALL)
"""What stands between brackets: blanks, words, signs, and whole strings, but for the beginning of a triple quote."""
_DECODER = json.JSONDecoder(strict=False)
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
_OPENERS = tuple(f"<{name}>" for name in TAGS)


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
    """Where a JSON value that is right ends; None when it is not, or not all of it is there."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True)
class JsonScan:
    """Finds the end of one JSON value. Brackets, fences and tags inside its strings are content.

    done: its last bracket is there. broken: a tag or a fence stands where none can: the value was not closed.
    """

    depth: int = 0
    done: bool = False
    broken: bool = False
    _quote: str = ""
    _maybe_closed: bool = False
    _last: str = ":"

    @property
    def in_string(self) -> bool:
        return bool(self._quote) and not self._maybe_closed

    def open(self, bracket: str) -> None:
        """Takes the bracket that begins the value."""
        self.depth, self._last = 1, bracket

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
            return run.end()
        char = text[pos]
        match char:
            case "{" | "[":
                self.depth += 1
            case "}" | "]":
                self.depth -= 1
                self.done = self.depth <= 0
            case "<":
                self.broken = self._is_tag(text, pos)
                return pos + (not self.broken)
            case _:
                return self._quote_mark(text, pos, final)
        self._last = char
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
        if three == "```":
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
            self._last = '"'
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

    done: bool = False
    _depth: int = 0
    _quote: str = ""

    def scan(self, text: str, pos: int, *, final: bool) -> int:
        while pos < len(text) and not self.done:
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
            self.done = self._depth <= 0
            return pos if self.done else pos + 1
        if char in "([{":
            self._depth += 1
        elif char in ")]}":
            self._depth -= 1
            self.done = self._depth <= 0
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
    """Finds the end of `<function=NAME>…`: the closer that no parameter's text needs. `closed`: it was there.

    A `</parameter>` ends a text when another parameter, the function's end, a tag or nothing follows it.
    """

    done: bool = False
    closed: bool = False
    _inside: bool = False
    _behind: bool = False

    def scan(self, text: str, pos: int) -> int:
        while pos < len(text) and not self.done:
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
            self.done, self.closed = True, tag == "</function>"
            return at + len(tag) if self.closed else at
        return at + max(1, len(tag))


@dataclass(slots=True)
class FencedScan:
    """Ends at a closing line that no fence inside needs.

    A closing line with more content behind it has opened a fence without a language inside. If that content looks like
    the next call, a tag or a fence with a language, nobody can tell the two apart, and the block never ends.
    """

    complete: bool = False
    _fence: str = ""
    _indent: str = ""
    _depth: int = 0
    _fences: int = 0
    _in_doubt: bool = False
    _length: int = 0
    _ends: list[int] = field(default_factory=list[int])

    def add(self, line: str) -> None:
        self._length += len(line)
        bare = line.removeprefix(self._indent).rstrip()
        if not self._fence:
            self._open(line)
        elif bare:
            behind = bare.lstrip(self._fence[0]).strip() if bare.startswith(self._fence) else None
            if self.complete:
                self.complete, self._depth = False, 1
                self._in_doubt = self._in_doubt or bool(behind) or bare.startswith(_OPENERS)
            if behind is not None:
                self._count(behind)
            if line.strip() == self._fence and len(self._ends) < 2:
                self._ends.append(self._length)

    def _open(self, line: str) -> None:
        self._indent = line[: len(line) - len(line.lstrip())]
        opening = blocks.FENCE.match(line.strip())
        self._fence = opening["fence"] if opening else "```"

    def _count(self, behind: str) -> None:
        """A line of the block that begins with its fence: `behind` is what stands behind the ticks."""
        self._fences += 1
        if re.match(r"[\w{.]", behind):
            self._depth += 1
        elif self._depth:
            self._depth -= 1
        else:
            self.complete = not behind and not self._in_doubt

    @property
    def only_end(self) -> int | None:
        """The reply is over: where the block ends if just one line can close it, in characters from its start."""
        return None if self._in_doubt or self._fences != 1 or len(self._ends) != 1 else self._ends[0]

    @staticmethod
    def text(written: str) -> str:
        return blocks.read_fenced(written)


@dataclass(slots=True)
class PairsScan:
    """Ends behind a REPLACE line."""

    complete: bool = False

    def add(self, line: str) -> None:
        if line.strip():
            self.complete = blocks.REPLACE.match(line.strip()) is not None

    @staticmethod
    def text(written: str) -> str:
        return written


@dataclass(slots=True)
class RawScan:
    """May end anywhere, unless a call's tag stands in it: that is the next call, or a text about calls."""

    complete: bool = True

    def add(self, line: str) -> None:
        self.complete = self.complete and not line.lstrip().startswith(_OPENERS)

    @staticmethod
    def text(written: str) -> str:
        return blocks.read_raw(written)


BlockScan: TypeAlias = FencedScan | PairsScan | RawScan

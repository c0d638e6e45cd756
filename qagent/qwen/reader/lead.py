"""In tags, the text in front of the JSON: a name, a sentence, or a whole call without JSON. Text in, what ends it out.

Fed text as a `Region` is. `stop` says what ended it: "json" (with the `name` in front of it, if one is there), "mark"
(a tag or a fence that belongs to the call) or "tag" (the call is over, or the next one begins).
"""

from __future__ import annotations

import re
from typing import Literal

from qagent.qwen.reader.lexemes import lexeme
from qagent.qwen.reader.tape import Tape

_PLAIN = re.compile(r"[^{\[<`~\n]+")
_NAME = re.compile(r"[`*#\s]*([\w.:-]{1,64})[`*:\s]*")
_LONGEST = 200
"""Characters: a name with what Markdown puts around it is shorter."""


class Lead:
    """start, end: offsets. may_open_fence: whether a fence can stand in front of the JSON."""

    def __init__(self, start: int, tape: Tape, *, may_open_fence: bool) -> None:
        self.start = self.end = start
        self.stop: Literal["", "json", "mark", "tag"] = ""
        self.name = ""
        self._tape, self._may_open_fence = tape, may_open_fence
        self._line_start = True

    @property
    def text(self) -> str:
        return self._tape.slice(self.start, self.end)

    def feed(self, text: str, pos: int, base: int, *, final: bool) -> int:
        while pos < len(text) and not self.stop:
            before = pos
            if run := _PLAIN.match(text, pos):
                self._line_start = self._line_start and not run[0].strip()
                pos = run.end()
            elif text[pos] in "{[\n":
                self.end = base + pos
                pos = self._bracket_or_newline(text[pos], pos)
            else:
                self.end = base + pos
                pos = self._mark(text, pos, final=final)
            if pos == before:
                break
        return pos

    def _bracket_or_newline(self, char: str, pos: int) -> int:
        if char == "\n":
            self._line_start = True
            return pos + 1
        self.name = self._name()
        if self.name or self._line_start:
            self.stop = "json"
            return pos
        self._line_start = False
        return pos + 1

    def _name(self) -> str:
        found = _NAME.fullmatch(self.text) if self.end - self.start <= _LONGEST else None
        return found[1] if found else ""

    def _mark(self, text: str, pos: int, *, final: bool) -> int:
        found = lexeme(text, pos, final=final)
        if found is None:
            return pos
        if found.kind in ("open", "close"):
            self.stop = "tag"
            return found.end if found.kind == "close" else pos
        is_fence = found.kind == "ticks" and self._line_start and len(found.text) >= 3
        if found.kind in ("xml", "weak") or (is_fence and self._may_open_fence):
            self.stop = "mark"
            return pos
        return pos + 1 if found.kind == "text" else found.end

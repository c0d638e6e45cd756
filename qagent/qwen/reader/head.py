"""What stands in front of a value: tags, fences, a tool's name. Text in, what stands behind it out.

Fed text as a `Region` is; what it finds around the value it notes in a `Wrapping`, which the region keeps. `stop` says
what ended it: "json" and "function" (a value begins here), "spoken" (it began behind the name), "lead" (text in tags),
"ticks" (the fence closes, and held nothing), "text" and "code" (there are no calls).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qagent.qwen.reader.lexemes import Lexeme, function_name, lexeme
from qagent.qwen.reader.openings import Opening, behind_name
from qagent.qwen.reader.tape import Tape
from qagent.types import Form


@dataclass(slots=True)
class Wrapping:
    """What stands around values, as far as it has come. certain: tags say that they are calls. closer: of these tags.
    fence: the ticks of an open fence around everything. inner_fence: whether one inside the tags is open. labelled:
    whether the arguments had a label, as in `Action Input:`."""

    form: Form
    closer: str
    certain: bool
    fence: str
    inner_fence: bool = False
    labelled: bool = False

    @property
    def may_open_fence(self) -> bool:
        return bool(self.fence) or not self.inner_fence

    def adopt(self, tag: Lexeme) -> None:
        """A fence stood around the tags, or the tag is there twice."""
        self.certain = self.certain or tag.kind == "open"
        self.form, self.closer = tag.form, tag.closer


class Head:
    """start: the offset of what ended it. name: the tool's, when it stands outside of the JSON."""

    def __init__(self, opening: Opening, around: Wrapping, tape: Tape) -> None:
        self.stop: Literal["", "json", "function", "spoken", "lead", "ticks", "text", "code"] = ""
        self.start, self.name = opening.end, opening.name
        self._opening, self._around, self._tape = opening, around, tape
        self._base, self._final = opening.end, False
        self._state: Callable[[str, int], int] = self._first

    def feed(self, text: str, pos: int, base: int, *, final: bool) -> int:
        self._base, self._final = base, final
        while pos < len(text) and not self.stop:
            state, before = self._state, pos
            pos = state(text, pos)
            if pos == before and self._state == state:
                break
        return pos

    def _first(self, text: str, pos: int) -> int:
        found = lexeme(text, pos, final=self._final)
        if found is None:
            return pos
        self.start = self._base + pos
        match found.kind:
            case "blank" | "newline":
                pass
            case "open" | "weak":
                self._around.adopt(found)
            case "xml":
                self._around.certain, self._around.form = True, "xml"
                self.name, self.stop = function_name(found.text), "function"
            case "ticks" if len(found.text) >= 3 and self._around.may_open_fence:
                self._fence()
            case _:
                return self._text(text, pos, is_bracket=found.kind == "bracket")
        return found.end

    def _fence(self) -> None:
        if self._around.fence and not self._around.certain:
            self.stop = "ticks"
        else:
            self._around.inner_fence, self._state = True, self._language

    def _language(self, text: str, pos: int) -> int:
        """Behind the ticks of a fence inside the tags."""
        while pos < len(text) and text[pos] not in "\n{[":
            pos += 1
        if pos < len(text):
            self._state = self._first
        return pos

    def _text(self, text: str, pos: int, *, is_bracket: bool) -> int:
        if is_bracket:
            self.stop = "json"
        elif self.name and not self._around.certain:
            return self._behind_name(text, pos)
        elif self._around.certain:
            self.stop = "lead"
        else:
            self.stop = "code" if self._around.fence else "text"
        return pos

    def _behind_name(self, text: str, pos: int) -> int:
        """A tool's name stands outside of tags: its arguments follow, or it was only a word."""
        same_line = "\n" not in self._tape.slice(self._opening.end, self._base + pos)
        what, end = behind_name(text, pos, same_line=same_line)
        if what == "label":
            self._around.labelled = True
        elif what == "spoken":
            self.start, self.stop = self._opening.end, "spoken"
        elif what != "begun" or self._final:
            self.stop = "text"
        return end

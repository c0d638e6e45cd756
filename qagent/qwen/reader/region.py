"""A stretch of a reply that may hold calls, from its opening to its end: what it takes in, and what it turns out to be.

    opening (a tag, a fence, a name, or nothing) · [ name ] · JSON value · [ block ] · more values · closer

It is fed text as the reader's states are, and tells how much of it is its own. When `verdict` is set it is over:
"calls" (see `parts`), "text" (show it), or "code" (show it, and go on inside the fence). What stands behind `end` is
not its own. Where a block ends must be beyond doubt: in tags a closing tag stands behind it, or the reply ended by
itself. What is in doubt is not run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from qagent.qwen import calls
from qagent.qwen.reader import scans
from qagent.qwen.reader.code_block import Around, CodeBlock
from qagent.qwen.reader.lexemes import PAIRED, Lexeme, function_name, lexeme
from qagent.qwen.reader.scans import JsonScan, SpokenScan, XmlScan
from qagent.qwen.reader.tape import Tape
from qagent.qwen.reader.written import Kind, Value, Written, is_sound
from qagent.types import BadCall, Form, Part, ToolSpec

_MAY_FOLLOW = {"{": "\"'“}", "[": "{"}
"""What stands first in JSON that can be a call: `[link]` and `{ return x }` are not even looked into."""
_KEY = re.compile(r"(?:name|tool|tool_name|function|function_name|action|arguments|thought|type|id)\s*:")
_KEY_BEGUN = re.compile(r"[a-z_]{1,14}\s{0,2}")

_CUT = (
    "its end is missing. Send it again whole and end it with </tools>. "
    "A long text goes in several smaller calls, a text that holds ``` in a longer fence (````)."
)
_QUOTE = "a quote inside its JSON is not escaped. Code goes in a plain block after the JSON, where nothing is escaped."
_EMPTY = "there is no call in the tags. They hold one JSON object with name and arguments."
_TWICE = "a text of its arguments is empty, and more text follows the JSON. Leave the empty one out."

_NAME = re.compile(r"[`*#\s]*([\w.:-]{1,64})[`*:\s]*")
_LABELS = ("action input:", "arguments:", "parameters:", "input:", "args:")
_OBSERVATION = "observation:"
_SPOKEN = re.compile(r"\(|[\w-]{1,40}\s{0,2}=")
_SPOKEN_BEGUN = re.compile(r"[\w-]{1,40}\s{0,2}")
_LONGEST = 64
_PLAIN = re.compile(r"[^{\[<`~\n]+")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a region begins with. start, end: where it stands on the tape. certain: tags say that this is a call. leads:
    nothing but blanks stands in front of it in the reply. name: the tool's, when it stands outside of the JSON."""

    form: Form
    start: int
    end: int
    closer: str = ""
    certain: bool = False
    leads: bool = False
    fence: str = ""
    name: str = ""


class Region:
    def __init__(self, opening: Opening, tape: Tape, tools: Sequence[ToolSpec]) -> None:
        self.verdict: Literal["", "calls", "text", "code"] = ""
        self.parts: list[Part] = []
        self.invented = False
        self.start, self.end = opening.start, opening.end
        self.fence, self.certain = opening.fence, opening.certain
        self._form: Form = opening.form
        self._opening, self._tape, self._written = opening, tape, Written(tape, tools)
        self._closer, self._name = opening.closer, opening.name
        self._inner_fence = False
        self._values: list[Value] = []
        self._mark = opening.end
        """Where the value, the line or the block that is being read begins."""
        self._line_start = True
        self._scan, self._xml, self._said = JsonScan(), XmlScan(), SpokenScan()
        self._labelled = False
        self._block = CodeBlock(0, tape, Around(certain=False, closer="", fenced=False, has_empty=False))
        self._base: int = 0
        self._final = False
        self._end_at: int | None = None
        self._state: Callable[[str, int], int] = self._head
        if opening.form == "named" and not opening.name:
            self._state = self._spoken
        if opening.form == "xml":
            self._state = self._xml_head if opening.name else self._in_pairs
            self._mark = opening.start

    @property
    def under_way(self) -> bool:
        """Whether a call has begun whose end has not come."""
        return self._state not in (self._after, self._behind_ticks) or self._lacks_text()

    def feed(self, text: str, pos: int, base: int, *, final: bool) -> int:
        """Takes its own from `pos` on and gives the position behind it. `base`: where on the tape the text begins."""
        self._base, self._final = base, final
        self.end = base + pos
        while pos < len(text) and not self.verdict:
            state, before = self._state, pos
            pos = self._state(text, pos)
            self.end = base + pos if self._end_at is None else self._end_at
            if pos == before and self._state == state:
                break
        return self.end - base

    # ---------------------------------------------------------------- in front of a value

    def _head(self, text: str, pos: int) -> int:
        found = lexeme(text, pos, final=self._final)
        if found is None:
            return pos
        match found.kind:
            case "blank" | "newline":
                pass
            case "open" | "weak":  # a fence around the tags, or the tag twice
                self._adopt(found)
            case "xml":
                self._adopt_xml(found)
            case "ticks" if len(found.text) >= 3 and self._may_open_fence:
                self._mark = self._base + pos
                self._fence_in_head()
            case _:
                return self._head_text(text, pos, is_bracket=found.kind == "bracket")
        return found.end

    def _head_text(self, text: str, pos: int, *, is_bracket: bool) -> int:
        if is_bracket:
            self._state = self._bracket
        elif self._name and not self.certain:
            return self._behind_name(text, pos)
        elif self.certain:
            self._mark, self._state = self._base + pos, self._lead
        else:
            self.verdict = "code" if self.fence else "text"
        return pos

    def _behind_name(self, text: str, pos: int) -> int:
        """A tool's name stands outside of tags: its arguments follow, or it was only a word."""
        rest = text[pos : pos + _LONGEST].lower()
        if label := next((label for label in _LABELS if rest.startswith(label)), ""):
            self._labelled = True
            return pos + len(label)
        same_line = "\n" not in self._tape.slice(self._opening.end, self._base + pos)
        is_begun = any(label.startswith(rest) for label in _LABELS) or (same_line and _SPOKEN_BEGUN.fullmatch(rest))
        if same_line and _SPOKEN.match(rest):
            self._mark, self._state = self._opening.end, self._spoken
        elif self._final or not is_begun:
            self.verdict = "text"
        return pos

    def _spoken(self, text: str, pos: int) -> int:
        pos = self._said.scan(text, pos, final=self._final)
        if self._said.done:
            self._add_value(self._base + pos, "spoken")
        return pos

    def _adopt(self, found: Lexeme) -> None:
        self.certain = self.certain or found.kind == "open"
        self._form, self._closer = found.form, found.closer

    def _adopt_xml(self, found: Lexeme) -> None:
        self.certain, self._form = True, "xml"
        self._mark = self._base + found.end - len(found.text)
        self._name = function_name(found.text)
        self._state = self._xml_head if self._name else self._in_pairs

    @property
    def _may_open_fence(self) -> bool:
        return bool(self.fence) or not self._inner_fence

    def _fence_in_head(self) -> None:
        if self.fence and not self.certain:  # the fence closes, and held nothing
            self._state = self._behind_ticks
        else:
            self._inner_fence, self._state = True, self._language

    def _language(self, text: str, pos: int) -> int:
        """Behind the ticks of a fence inside the tags."""
        while pos < len(text) and text[pos] not in "\n{[":
            pos += 1
        if pos < len(text):
            self._state = self._head
        return pos

    def _lead(self, text: str, pos: int) -> int:
        """In tags, text in front of the JSON: a name, a sentence, or a call without JSON."""
        if run := _PLAIN.match(text, pos):
            self._line_start = self._line_start and not run[0].strip()
            return run.end()
        char = text[pos]
        if char in "{[" and (self._line_start or self._named_before(pos)):
            self._name = self._named_before(pos)
            self._state = self._bracket
            return pos
        if char not in "{[\n":
            return self._lead_mark(text, pos)
        self._line_start = char == "\n"
        return pos + 1

    def _lead_mark(self, text: str, pos: int) -> int:
        found = lexeme(text, pos, final=self._final)
        if found is None:
            return pos
        if found.kind in ("open", "close"):
            self._end_lead(self._base + pos)
            return found.end if found.kind == "close" else pos
        is_fence = found.kind == "ticks" and self._line_start and len(found.text) >= 3
        if found.kind in ("xml", "weak") or (is_fence and self._may_open_fence):
            self._state = self._head
            return pos
        return pos + 1 if found.kind == "text" else found.end

    def _named_before(self, pos: int) -> str:
        lead = self._tape.slice(max(self._mark, self._base + pos - 200), self._base + pos)
        found = _NAME.fullmatch(lead) if self._base + pos - self._mark <= 200 else None
        return found[1] if found else ""

    def _end_lead(self, end: int) -> None:
        lead = self._tape.slice(self._mark, end)
        said = calls.read_spoken(lead.strip(), self._form, self._written.tools)
        self.parts = [*self._written.parts(self._values, self._form), *(said or [BadCall("", lead, _EMPTY)])]
        self.verdict = "calls"

    # ---------------------------------------------------------------- a value

    def _bracket(self, text: str, pos: int) -> int:
        self._mark = self._base + pos
        self._scan = JsonScan()
        self._scan.open(text[pos])
        self._state = self._second
        return pos + 1

    def _second(self, text: str, pos: int) -> int:
        """The first thing behind the opening bracket tells code and links from JSON."""
        while pos < len(text) and text[pos].isspace():
            pos += 1
        if pos == len(text):
            return pos
        if not self.certain and text[pos] not in _MAY_FOLLOW[self._tape.slice(self._mark, self._mark + 1)]:
            if not self._final and _KEY_BEGUN.fullmatch(text, pos):
                return pos
            if not _KEY.match(text, pos):
                self._end()
                return pos
        self._state = self._json
        return self._at_once(text, pos)

    def _at_once(self, text: str, pos: int) -> int:
        """Most values are right, and come whole: then their end is the decoder's, in a tenth of the time."""
        start = self._mark - self._base
        if start >= 0 and (end := scans.json_end(text, start)):
            self._add_value(self._base + end)
            return end
        return pos

    def _json(self, text: str, pos: int) -> int:
        pos = self._scan.scan(text, pos, final=self._final)
        if self._scan.done or self._scan.broken:
            self._add_value(self._base + pos)
        return pos

    def _add_value(self, end: int, kind: Kind = "json", *, whole: bool = True) -> None:
        self._values.append(Value(self._mark, end, kind, self._name, whole=whole))
        self._name = ""
        self._mark, self._state = end, self._after

    def _xml_head(self, text: str, pos: int) -> int:
        """Behind `<function=NAME>`: its arguments as JSON, or parameters in tags."""
        while pos < len(text) and text[pos].isspace():
            pos += 1
        if pos < len(text):
            self._state = self._bracket if text[pos] == "{" else self._in_xml
        return pos

    def _in_xml(self, text: str, pos: int) -> int:
        pos = self._xml.scan(text, pos)
        if self._xml.done:
            self._add_value(self._base + pos, "xml", whole=self._xml.closed)
            self._xml = XmlScan()
        return pos

    def _in_pairs(self, text: str, pos: int) -> int:
        """`<function-name>…</function-name> <arguments>…</arguments>`, up to the last of these."""
        at = text.find("<", pos)
        if at < 0:
            return len(text)
        found = lexeme(text, at)
        if found is None or found.kind != "close" or found.text.lower().strip("</>") not in PAIRED.values():
            return at + 1
        self._add_value(self._base + found.end, "xml")
        return found.end

    # ---------------------------------------------------------------- behind a value

    def _after(self, text: str, pos: int) -> int:
        """Another value, a closer, the call's block, or the end. The mark stands at the line's start."""
        found = lexeme(text, pos, final=self._final)
        if found is None:
            return pos
        match found.kind:
            case "blank":
                pass
            case "newline":
                self._mark = self._base + found.end
            case "close":
                self._close_tag(found)
            case "ticks" if len(found.text) >= 3:
                self._state = self._behind_ticks
            case "text" if found.text[0] in ",;}])":  # between values; or one closer too many, measured at every size
                return pos + 1
            case _:
                self._next(text, pos, found)
                return pos
        return found.end

    def _next(self, text: str, pos: int, found: Lexeme) -> None:
        if found.kind == "bracket" and (self.certain or self._form == "bare" or self.fence):
            self._state = self._bracket
        elif self._may_begin_block(found):
            self._begin_block()
        elif found.kind == "xml" and self.certain:
            self._state = self._head
        elif not self._is_observation(text, pos):
            self._end()

    def _is_observation(self, text: str, pos: int) -> bool:
        """In the form of `Action:` and `Action Input:`, `Observation:` is where the model invents the result."""
        rest = text[pos : pos + len(_OBSERVATION)].lower()
        if not self._labelled or not _OBSERVATION.startswith(rest):
            return False
        if rest == _OBSERVATION:
            self.invented = True
            self._finish()
        return not self._final or self.invented

    def _close_tag(self, found: Lexeme) -> None:
        if self.certain or found.text.lower() == self._closer:
            self._finish()
        else:  # tags after all, though their beginning is missing
            self.certain = not self.fence

    def _may_begin_block(self, found: Lexeme) -> bool:
        if found.kind == "open" or not self._lacks_text():
            return False
        return self.certain or found.text[0] == "<"

    def _behind_ticks(self, text: str, pos: int) -> int:
        """Behind three ticks: with nothing more in the line they close a fence, if one is open, else they open one."""
        while pos < len(text) and text[pos] in " \t\r":
            pos += 1
        if pos == len(text):
            return pos
        is_outer = bool(self.fence) and not (self.certain and self._lacks_text())
        if text[pos] in "\n<" and (self._inner_fence or is_outer):
            self._close_fence()
            return pos + (bool(self.verdict) and text[pos] == "\n")
        if self._lacks_text():
            self._begin_block()
        else:
            self._end(self._mark)
        return pos

    def _close_fence(self) -> None:
        self._state = self._after
        self._mark = self.end
        if self._inner_fence:
            self._inner_fence = False
            return
        self.fence = ""
        if not self._lacks_text():
            self._finish()

    def _begin_block(self) -> None:
        """Behind the last value, from the mark on, where the line begins."""
        has_empty = not self._lacks_text(or_has_empty=False)
        around = Around(self.certain, self._closer, bool(self.fence or self._inner_fence), has_empty)
        self._block = CodeBlock(self._mark, self._tape, around)
        self._state = self._in_block

    def _in_block(self, text: str, pos: int) -> int:
        pos = self._block.feed(text, pos, self._base, final=self._final)
        self._weigh_block()
        return pos

    def _weigh_block(self) -> None:
        if self._block.refused == "none":
            self._end(self._block.start)
        elif self._block.refused == "twice":
            self.end = self._end_at = self._block.end
            self._fail(_TWICE)
        elif self._block.ended:
            self._take_block()

    def _take_block(self) -> None:
        self._values[-1].block = self._block.text
        self._mark, self._state = self._block.end, self._after

    # ---------------------------------------------------------------- the end

    def close(self, *, cut: bool) -> None:
        """The reply is over, or was cut off. Sets the verdict; `end` may move back, in front of what is not its own."""
        if self.verdict:
            return
        if self._state in (self._bracket, self._second, self._json):
            self._close_value(cut)
        elif self._state == self._in_block:
            self._close_block(cut=cut)
        elif self._state == self._spoken:
            self._add_value(self.end, "spoken", whole=False)
            self._finish()
        elif self._state in (self._in_xml, self._in_pairs, self._xml_head):
            self._add_value(self.end, "xml", whole=False)
            self._finish()
        elif self._state == self._lead:
            self._end_lead(self.end)
        elif self._values or self.certain or self._state == self._behind_ticks:
            self._finish()
        else:
            self.verdict = "text"

    def _close_value(self, cut: bool) -> None:
        """The JSON has no end. A quote may have hidden it; or only brackets are missing; or the reply was cut."""
        self._state = self._json
        hidden = False
        for at, end in self._written.hidden_ends(self._mark, self.end, in_tags=self.certain):
            hidden = True
            if self._written.is_sound(Value(self._mark, at, name=self._name), self._form):
                self._add_value(at)
                self._finish()
                self.fence, self.end = "", end
                return
        is_cut = cut or self._scan.in_string
        if not is_cut and self._written.is_sound(Value(self._mark, self.end, name=self._name), self._form):
            self._add_value(self.end)
            self._finish()
        elif self.certain or self._looks_like_call():
            self._fail(_QUOTE if hidden else _CUT)
        else:
            self.verdict = "text"

    def _close_block(self, *, cut: bool) -> None:
        is_whole = self._block.close(self.end)
        self._weigh_block()
        if self.verdict:
            return
        if cut or not is_whole:
            self._fail(_CUT)
            return
        self._take_block()
        self._finish()
        self.end = self._block.end

    def _end(self, at: int | None = None) -> None:
        """Something else stands behind the values, from `at` on, or from here."""
        self.end, self._end_at = self.end if at is None else at, at
        if self._form == "fence" and self.fence:  # more than calls stands in the fence: an example
            self.verdict = "code"
        elif self.certain or self._leads or self._form not in ("bare", "named"):
            self._finish()
        else:  # a bare object ends the reply, or it is an example
            self.verdict = "text"

    @property
    def _leads(self) -> bool:
        """Whether it is the first thing in the reply. `run(command="ls") lists the files.` is a sentence."""
        is_sentence = bool(self._values) and self._values[-1].kind == "spoken" and self._mark == self._values[-1].end
        return self._opening.leads and not is_sentence

    def _finish(self) -> None:
        self.parts = self._written.parts(self._values, self._form)
        is_empty = not self._values and self._form not in ("bare", "named")
        sound = is_empty or is_sound(self.parts)
        self.verdict = "calls" if self.certain or sound or self._looks_like_call() else "text"

    def _fail(self, why: str) -> None:
        """The call under way cannot be run; those before it can."""
        is_headed = self._state == self._in_block
        whole = self._values[:-1] if is_headed else self._values
        start = self._values[-1].start if is_headed else self._mark
        self.parts = [*self._written.parts(whole, self._form), BadCall("", self._tape.slice(start, self.end), why)]
        self.verdict = "calls"

    def _lacks_text(self, *, or_has_empty: bool = True) -> bool:
        return bool(self._values) and self._written.lacks_text(self._values[-1], or_has_empty=or_has_empty)

    def _looks_like_call(self) -> bool:
        return self._written.looks_like_call(self.start, self.end)

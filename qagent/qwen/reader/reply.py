"""Qwen's text in, parts out: `feed` takes what has come, `close` ends the reply; any split gives the same parts.

No I/O, no clock; of the tools it knows what `ToolSpec` says. If `feed` or `close` raises anything, that is a bug.

When text is a call. Safety beats recall: what is in doubt is shown or answered, never run.
    in a tag      `<tools>`, `<tool_call>`, `<function=NAME>`, …: the intent is clear. What does not fit is a BadCall
                  with the reason. A tag that proves less (`<json>`, `<response>`) counts as a fence does.
    in a fence    tagged json, or like a wrapper, or not at all, and holding nothing but calls that fit; not when the
                  sentence in front of it says that it is an example, or what was or would be sent.
    bare          JSON that begins its own line and fits an offered tool, when it is the first thing in the reply or the
                  last; the same for a tool's name with its arguments behind it.
    nowhere else  In inline code, a fence of another language, a think block, a quotation, the middle of a line, the
                  body of a file that a call carries, the same text is an example. A tag in the middle of a line with
                  words behind it is only spoken of. JSON that names no offered tool is an answer; a definition with
                  types in place of values is the tool list, repeated.
What a tool has said never comes here, so a call in a file or a command's output is only text.

A call whose end has not come when the reply ends is run only if nothing but closers is missing and the reply ended by
itself. What follows a control spelling (`<|im_start|>`, `<tool_response>`), wherever it stands, is an invented turn:
dropped and counted.

Prose goes out at once. Held back are a spelling that more text could change, a line that begins with a fence or a
tool's name, and a `Region` that may hold calls. A state takes the text and a position in it and gives the position up
to which it has used the text; when it neither moves nor changes the state, it waits for more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qagent.qwen import blocks
from qagent.qwen.reader.lexemes import CONTROL, PAIRED, WEAK, Lexeme, begun, function_name, lexeme
from qagent.qwen.reader.openings import Opening, Openings
from qagent.qwen.reader.output import Output
from qagent.qwen.reader.region import Region
from qagent.qwen.reader.tape import Tape
from qagent.qwen.reader.written import Written
from qagent.types import Form, Part, ToolSpec

_CALL_FENCES = frozenset(
    {"", "json", "jsonl", "json5", "jsonc", "tool", "tools", "tool_call", "tool_calls", "function_call", "tool_code"}
    | {"xml", "plaintext", "text", "txt"}
)
_REST_OF_LINE = re.compile(r"[^<`\n]*")
_NOISE = re.compile(r"[^\x00-\x7f]\s{0,8}(?=[{\[])")
_NOISE_BEGUN = re.compile(r"[^\x00-\x7f]\s{0,8}")
_OWN_HEADER = "<|im_start|>assistant\n"
_BLANKS = 8
_WEAK_CLOSERS = frozenset(f"</{name}>" for name in (*WEAK, *PAIRED.values()))
_MOST_ENDS = 100
"""How often the rest of a reply is read once more, behind a call whose end was hidden."""
_LONGEST_FENCE_LINE = 400
"""Characters: what is longer is not held back to see which language it names."""
_TAGS = frozenset(("open", "weak", "xml", "close", "think"))
_TICKS_OR_END = re.compile(r"`+|\n")
_THINK_END = re.compile(r"</think>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of what was fed that was read as calls: offsets, and the ids of the calls, good or bad."""

    start: int
    end: int
    ids: tuple[str, ...]


class Reader:
    """One reply. `reply` numbers it within the session and begins the ids of its calls: "3.1", "3.2".

    over: whether the model has begun somebody else's turn, so that nothing that follows counts. spans: where calls were
    read, good or bad, as offsets into `raw`.
    """

    def __init__(self, tools: Sequence[ToolSpec], reply: int = 1) -> None:
        self.over = False
        self.spans: list[Span] = []
        self._tools, self._out = tools, Output(reply)
        self._openings = Openings([tool.name for tool in tools])
        self._tape = Tape()
        self._written = Written(self._tape, tools)
        self._begin_at = self._over_at = 0
        self._base: int = 0
        """Where on the tape the text begins that is being read."""
        self._carry, self._final = "", False
        self._state: Callable[[str, int], int] = self._prose if tools else self._only_text
        self._line_start = True
        self._line_at = 0
        self._region: Region | None = None
        self._ticks = self._fence_around = ""
        self._closing_line = re.compile(r"(?!)")

    @property
    def raw(self) -> str:
        """The reply as written, up to the point where the model invented somebody else's turn."""
        return self._tape.slice(self._begin_at, self._stop)

    @property
    def dropped(self) -> int:
        """The number of characters that do not count."""
        return self._tape.length - self._stop + self._begin_at

    @property
    def inside_call(self) -> bool:
        """Whether a call has begun whose end has not come."""
        return self._region is not None and self._region.under_way

    @property
    def _stop(self) -> int:
        return self._over_at if self.over else self._tape.length

    def feed(self, text: str) -> list[Part]:
        self._tape.add(text)
        return [] if self.over else self._read(text)

    def close(self, *, cut: bool = False) -> list[Part]:
        """The parts that were still undecided; nothing may be fed afterwards. `cut`: the reply did not end by itself, a
        limit, a person or a failure has cut it off: then nothing unfinished is run."""
        self._final = True
        parts = self._read("")
        tries = _MOST_ENDS
        while self._region or self._state == self._fence_line:
            if self._region:
                self._region.close(cut=cut or self.over, limited=cut, may_move_back=tries > 0)
                self._base = self._settle(self._region)
                tries -= 1
            else:
                self._open_fence(self._base)
            parts += self._read(self._tape.slice(self._base, self._stop))
        return parts

    # ---------------------------------------------------------------- text in

    def _read(self, fed: str) -> list[Part]:
        if (text := self._behind_own_header(self._carry + fed)) is None:
            return []
        if not self.over and (found := CONTROL.search(text)):
            self.over, self._over_at = True, self._base + found.start()
            text = text[: found.start()]
        held = begun(text, final=self._final or self.over)
        left = self._run(text[: len(text) - held])
        self._carry = (left + text[len(text) - held :])[: self._stop - self._base]
        if self._final:
            self._end_carry()
        return self._out.take()

    def _behind_own_header(self, text: str) -> str | None:
        """Some replies begin with the header of the model's own turn: it is stepped over. None: more text is needed."""
        bare = text.lstrip() if self._base == 0 else ""
        if bare.startswith(_OWN_HEADER):
            self._begin_at = self._base = len(text) - len(bare) + len(_OWN_HEADER)
            return bare[len(_OWN_HEADER) :]
        is_begun = _OWN_HEADER.startswith(bare) if bare else 0 < len(text) <= _BLANKS
        if self._base == 0 and is_begun and not self._final:
            self._carry = text
            return None
        return text

    def _run(self, text: str) -> str:
        """Reads on and gives what is still to be read."""
        pos = 0
        while pos < len(text):
            state, before = self._state, pos
            pos = state(text, pos)
            if pos < 0:  # what was read belongs to what follows
                text = self._tape.slice(self._base + pos, self._base) + text
                self._base, pos = self._base + pos, 0
            elif pos == before and self._state == state:
                break
            if self.over and self._base + pos >= self._over_at:
                break
        self._base += pos
        return text[pos:]

    def _end_carry(self) -> None:
        """Half a tag at the reply's end is never shown, and means nothing."""
        is_word = " " in self._carry and "=" not in self._carry  # `<tools are`: half a tag only to whoever waits
        is_text = is_word or self._carry[:2] in ("<", "<~")
        if is_text and self._region:
            self._region.end += len(self._carry)
        elif is_text and self._state != self._fence_line:
            self._show(self._carry, 0)
        self._base += len(self._carry)
        self._carry = ""

    # ---------------------------------------------------------------- states

    def _prose(self, text: str, pos: int) -> int:
        last = text.rfind("\n", pos) + 1
        if not self._line_start:
            return self._rest_of_line(text, pos)
        if last and (plain := self._openings.plain_lines.match(text, pos, last)) and plain.end() > pos:
            return self._show(text[pos : plain.end()], plain.end())
        found = lexeme(text, pos, final=self._final)
        if found is None:
            return pos
        if found.kind in ("blank", "newline"):
            return self._show(found.text, found.end)
        if found.kind not in _TAGS and (end := self._line_opening(text, pos, found)) is not None:
            return end
        if found.kind in ("open", "weak", "xml"):
            return self._open_tag(found)
        if found.kind == "close" and found.text.lower() not in _WEAK_CLOSERS:  # without its opener it is noise
            return found.end
        self._line_start = False
        return self._mark(text, pos, found)

    def _only_text(self, text: str, pos: int) -> int:
        """Without tools on offer there are no calls: what looks like one is an answer about calls."""
        return self._show(text[pos:], len(text))

    def _rest_of_line(self, text: str, pos: int) -> int:
        found = _REST_OF_LINE.match(text, pos)
        end = found.end() if found else pos
        if end == len(text) or text[end] == "\n":
            self._line_start = end < len(text)
            return self._show(text[pos : end + 1], min(end + 1, len(text)))
        if end > pos:
            return self._show(text[pos:end], end)
        mark = lexeme(text, pos, final=self._final)
        return pos if mark is None else self._mark(text, pos, mark)

    def _line_opening(self, text: str, pos: int, found: Lexeme) -> int | None:
        """What may begin at a line's start only; None when nothing does, `pos` when more text is needed to tell."""
        if found.kind == "ticks" and len(found.text) >= 3:
            self._line_at, self._state = self._base + pos, self._fence_line
            return found.end
        named = self._openings.named(text, pos + (text[pos] == "["), final=self._final)
        if named is None:
            return pos
        name, end = named
        if name and text[pos] != "[":
            return self._begin(self._opening("named", pos, end, name=name))
        if name and text.startswith("(", end):
            return self._begin(self._opening("named", pos, pos))
        if found.kind == "bracket":
            return self._begin(self._opening("bare", pos, pos))
        if (noise := _NOISE.match(text, pos)) and unicodedata.category(text[pos])[0] != "P":
            return self._begin(self._opening("bare", pos, noise.end()))
        return pos if not self._final and _NOISE_BEGUN.fullmatch(text, pos) else None

    def _mark(self, text: str, pos: int, found: Lexeme) -> int:
        """A tag in the middle of a line, ticks, or a character that only looked like them."""
        match found.kind:
            case "open" | "xml" | "close":
                return self._tag_in_line(text, pos, found)
            case "think" if self._out.leads or found.text.lower() == "</think>":  # it begins a reply, or is spoken of
                self._state = self._thinking if found.text.lower() == "<think>" else self._state
                return found.end
            case "ticks" if found.text[0] == "`":
                self._ticks, self._state = found.text, self._inline_code
            case _:
                pass
        return self._show(found.text, found.end)

    def _tag_in_line(self, text: str, pos: int, found: Lexeme) -> int:
        """With words behind it a tag is spoken of. A closer without its opener is noise, or it is spoken of too."""
        behind = text[found.end : found.end + _BLANKS]
        word = behind.lstrip(" \t\r")
        if not word and len(behind) < _BLANKS and not self._final:
            return pos
        if found.kind == "close":
            is_spoken_of = self._out.tail[-1:] in (" ", "\t") and word[:1].isalnum() and word != behind
            is_spoken_of = is_spoken_of or found.text.lower() in _WEAK_CLOSERS
            return self._show(found.text, found.end) if is_spoken_of else found.end
        is_paired = found.kind == "xml" and not function_name(found.text)
        if word and word[0] not in "{[<`\n" and not is_paired:
            return self._show(found.text, found.end)
        return self._open_tag(found)

    def _open_tag(self, found: Lexeme) -> int:
        form = "xml" if found.kind == "xml" else found.form
        name = function_name(found.text) if found.kind == "xml" else ""
        certain, start = found.kind != "weak", found.end - len(found.text)
        return self._begin(self._opening(form, start, found.end, found.closer, certain=certain, name=name))

    def _inline_code(self, text: str, pos: int) -> int:
        """Up to the same ticks again, or the line's end: nothing in it is a call."""
        found = _TICKS_OR_END.search(text, pos)
        if found is None:
            return self._show(text[pos:], len(text))
        if found[0] != "\n" and found.end() == len(text) and not self._final:
            return self._show(text[pos : found.start()], found.start())
        if found[0] == "\n" or found[0] == self._ticks:
            self._state, self._line_start = self._prose, found[0] == "\n"
        return self._show(text[pos : found.end()], found.end())

    def _thinking(self, text: str, pos: int) -> int:
        found = _THINK_END.search(text, pos)
        if found is None:
            return self._show(text[pos:], len(text))
        self._state = self._prose
        self._show(text[pos : found.start()], found.start())
        return found.end()

    def _fence_line(self, text: str, pos: int) -> int:
        end = text.find("\n", pos) + 1 or len(text)
        longest = self._line_at + _LONGEST_FENCE_LINE - self._base
        if end > longest:
            end = longest
            self._open_fence(self._base + end)
        elif text[end - 1] == "\n":
            self._open_fence(self._base + end)
        return end

    def _open_fence(self, end: int) -> None:
        line, self._state = self._tape.slice(self._line_at, end), self._prose
        self._line_start = line.endswith("\n")
        fence = blocks.FENCE.match(line.strip())
        language = fence["language"].strip() if fence else ""
        if fence and fence[0] == self._fence_around:  # it was opened in front of the tags, and not shown
            self._fence_around = ""
        elif fence and (language.lower() in _CALL_FENCES or self._is_tool(language)):
            name = language if self._is_tool(language) else ""
            opening = Opening("fence", self._line_at, end, leads=self._out.leads, fence=fence["fence"], name=name)
            opening = opening._replace(example=self._out.announces_example)
            self._region, self._state = Region(opening, self._written), self._in_region
        else:
            self._show(line, end)
            if fence:
                self._enter_code(fence["fence"])

    def _is_tool(self, name: str) -> bool:
        """A fence can have a tool's name in the place of a language, unless it is one: `bash`."""
        return "_" in name and any(tool.name == name for tool in self._tools)

    def _code(self, text: str, pos: int) -> int:
        """The inside of a fence goes out as it comes, up to the fence's closing line."""
        last = text.rfind("\n", pos) + 1
        if self._line_start and last:
            found = self._closing_line.search(text, pos, last)
            self._state = self._prose if found else self._state
            end = found.end() if found else last
            return self._show(text[pos:end], end)
        if self._line_start:
            self._line_at, self._line_start = self._base + pos, False
        end = text.find("\n", pos) + 1
        if end and self._closing_line.match(self._tape.slice(self._line_at, self._base + end)):
            self._state = self._prose
        self._line_start = bool(end)
        return self._show(text[pos : end or len(text)], end or len(text))

    # ---------------------------------------------------------------- what may be calls

    def _opening(
        self, form: Form, pos: int, end: int, closer: str = "", *, certain: bool = False, name: str = ""
    ) -> Opening:
        start, end = self._base + pos, self._base + end
        shown = not certain and self._out.announces_example
        return Opening(form, start, end, closer, certain=certain, leads=self._out.leads, name=name, example=shown)

    def _begin(self, opening: Opening) -> int:
        self._region, self._state = Region(opening, self._written), self._in_region
        return opening.end - self._base

    def _in_region(self, text: str, pos: int) -> int:
        if self._region is None:
            return pos
        pos = self._region.feed(text, pos, self._base, final=self._final)
        return self._settle(self._region) - self._base if self._region.verdict else pos

    def _settle(self, region: Region) -> int:
        """Gives the offset behind what was the region's own."""
        self._region, self._state = None, self._prose
        if region.verdict == "calls":
            if ids := self._out.add(region.parts):
                self.spans.append(Span(region.start - self._begin_at, region.end - self._begin_at, ids))
            self._fence_around = region.fence or self._fence_around
            if region.invented:
                self.over, self._over_at = True, region.end
            self._line_start = True
            return region.end
        shown = self._tape.slice(region.start, region.end)
        self._show(shown, 0)
        self._line_start = shown.endswith("\n") or not shown
        self._line_at = region.start + shown.rfind("\n") + 1
        if region.verdict == "code":
            self._enter_code(region.fence)
        return region.end

    def _enter_code(self, fence: str) -> None:
        self._state = self._code
        self._closing_line = re.compile(rf"^[^\S\n]*{fence[0]}{{{len(fence)},}}[^\S\n]*(?:\n|\Z)", re.MULTILINE)

    def _show(self, text: str, end: int) -> int:
        self._out.show(text)
        return end

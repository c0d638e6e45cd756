"""Qwen's text in, parts out: `feed` takes what has come, `close` ends the reply; any split gives the same parts.

No I/O, no clock; of the tools it knows what `ToolSpec` says. If `feed` or `close` raises anything, that is a bug.

When text is a call:
    in a tag      `<tools>`, `<tool_call>`, …: the intent is clear. What does not fit is a BadCall with the reason.
    in a fence    tagged json, or like a wrapper, or not at all, and holding nothing but calls that fit.
    bare          JSON that begins its own line, fits an offered tool, and is the last thing in the reply.
In every other place (inline code, a fence of another language, a think block, the middle of a line) the same text is
an example. A call that has not ended when the reply ends is never run: it becomes a BadCall. What follows a control
spelling (`<|im_start|>`, `<tool_response>`), wherever it stands, is an invented turn: dropped and counted.

Prose goes out at once. Held back are a lexeme that more text could change, a line that begins with a fence, and a
`Region` that may hold calls. A state takes a lexeme and gives the number of its characters that it has used; the rest
is offered to the state that is then current.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qagent.qwen import blocks
from qagent.qwen.lexemes import Lexeme, lexeme
from qagent.qwen.region import Region
from qagent.types import BadCall, Part, Prose, ToolCall, ToolSpec

_CALL_FENCES = frozenset({"", "json", "tool_call", "tools", "xml", "plaintext"})
_INVISIBLE = frozenset({"blank", "open", "close", "think"})


class Reader:
    """One reply. `reply` numbers it within the session and begins the ids of its calls: "3.1", "3.2".

    over: whether the model has begun somebody else's turn, so that nothing that follows counts.
    dropped: the number of characters that do not count.
    """

    def __init__(self, tools: Sequence[ToolSpec], reply: int = 1) -> None:
        self.over = False
        self.dropped = 0
        self._tools, self._reply, self._calls = tools, reply, 0
        self._fed: list[str] = []
        self._carry, self._final = "", False
        self._state: Callable[[Lexeme], int] = self._prose
        self._line_start = True
        self._line: list[str] = []
        self._region: Region | None = None
        self._ticks = self._fence_around = ""
        self._closing = False
        self._shown: list[str] = []
        self._parts: list[Part] = []

    @property
    def raw(self) -> str:
        """The reply as written, up to the point where the model invented somebody else's turn."""
        fed = "".join(self._fed)
        return fed[: len(fed) - self.dropped]

    def feed(self, text: str) -> list[Part]:
        self._fed.append(text)
        if self.over:
            self.dropped += len(text)
            return []
        return self._read(text)

    def close(self) -> list[Part]:
        """The parts that were still undecided. Nothing may be fed afterwards."""
        self._final = True
        parts = self._read("")
        while self._line or self._region:
            parts += self._read(self._end())
        return parts

    def _read(self, text: str) -> list[Part]:
        text, pos = self._carry + text, 0
        while found := lexeme(text, pos, final=self._final):
            if found.kind == "control":
                self.over = True
                self.dropped += len(text) - pos
                text = text[:pos]
            else:
                pos += self._step(found)
        self._carry = text[pos:]
        return self._taken()

    def _step(self, found: Lexeme) -> int:
        if found.kind == "fragment":  # half a tag is never shown, and means nothing
            return len(found.text)
        used = self._state(found)
        if used:
            self._line_start = found.kind == "newline" or (self._line_start and found.kind in _INVISIBLE)
        if self._region and self._region.verdict:
            self._settle(self._region)
        return used

    def _end(self) -> str:
        """Decides what was still open; gives the text behind it, which is read like any other."""
        if self._line:
            self._open_fence()
            return ""
        rest = ""
        if self._region:
            rest = self._region.close()
            self._settle(self._region)
        return rest

    # ---------------------------------------------------------------- states

    def _prose(self, found: Lexeme) -> int:
        match found.kind:
            case "open":
                self._begin(Region(found.form, found.text, self._tools))
            case "bracket" if self._line_start:
                self._begin(Region("bare", "", self._tools))
                return 0
            case "ticks" if self._line_start and len(found.text) >= 3:
                self._state = self._fence_line
                return 0
            case "close":  # without its opener it is noise
                pass
            case "think":
                self._state = self._thinking if found.text == "<think>" else self._state
            case _:
                return self._text(found)
        return len(found.text)

    def _text(self, found: Lexeme) -> int:
        if found.text[0] == "`":
            self._ticks, self._state = found.text, self._inline_code
        return self._show(found.text)

    def _inline_code(self, found: Lexeme) -> int:
        """Up to the same ticks again, or the line's end: nothing in it is a call."""
        if found.kind == "newline" or found.text == self._ticks:
            self._state = self._prose
        return self._show(found.text)

    def _thinking(self, found: Lexeme) -> int:
        if found.text == "</think>":
            self._state = self._prose
            return len(found.text)
        return self._show(found.text)

    def _fence_line(self, found: Lexeme) -> int:
        self._line.append(found.text)
        if found.kind == "newline":
            self._open_fence()
        return len(found.text)

    def _open_fence(self) -> None:
        line, self._line, self._state = "".join(self._line), [], self._prose
        fence = blocks.FENCE.match(line.strip())
        if fence and fence[0] == self._fence_around:  # it was opened in front of the tags, and not shown
            self._fence_around = ""
        elif fence and fence["language"].strip().lower() in _CALL_FENCES:
            self._begin(Region("fence", line, self._tools, fence["fence"]))
        else:
            self._show(line)
            if fence:
                self._ticks, self._state = fence["fence"], self._code

    def _code(self, found: Lexeme) -> int:
        """The inside of a fence goes out as it comes, up to the fence's closing line."""
        if found.kind == "newline" and self._closing:
            self._state = self._prose
        if found.kind != "blank":
            self._closing = self._line_start and found.kind == "ticks" and found.text.startswith(self._ticks)
        return self._show(found.text)

    # ---------------------------------------------------------------- what may be calls

    def _begin(self, region: Region) -> None:
        self._region, self._state = region, region.feed

    def _settle(self, region: Region) -> None:
        self._region, self._state = None, self._prose
        if region.verdict == "calls":
            self._flush()
            self._parts += map(self._numbered, region.parts)
            self._fence_around = region.fence or self._fence_around
            self._line_start = True
        else:
            self._show(region.raw)
            if region.verdict == "code":
                self._ticks, self._state = region.fence, self._code

    def _numbered(self, part: ToolCall | BadCall) -> Part:
        self._calls += 1
        number = f"{self._reply}.{self._calls}"
        if isinstance(part, ToolCall):
            return ToolCall(number, part.name, part.arguments, part.form)
        return BadCall(number, part.raw, part.why, part.name)

    # ---------------------------------------------------------------- out

    def _show(self, text: str) -> int:
        self._shown.append(text)
        return len(text)

    def _flush(self) -> None:
        if shown := "".join(self._shown):
            self._parts.append(Prose(shown))
        self._shown.clear()

    def _taken(self) -> list[Part]:
        self._flush()
        parts, self._parts = self._parts, []
        return parts

"""A stretch of a reply that may hold calls, from its opening to its end: what it takes in, and what it turns out to be.

    opening (a tag, a fence, or nothing) · JSON value · [ block ] · more values · closer

It is fed lexemes, as the reader's states are, and uses what is its own. When `verdict` is set it is over: "calls" (see
`parts`), "text" (show `raw`), or "code" (show `raw`, and go on inside the fence). Where a block ends must be beyond
doubt: in tags a closing tag stands behind it, elsewhere the reply ends there. What is in doubt is not run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from qagent.qwen import blocks, calls
from qagent.qwen.lexemes import Lexeme
from qagent.qwen.scans import BlockScan, FencedScan, JsonScan, PairsScan, RawScan
from qagent.types import BadCall, Form, ToolCall, ToolSpec

_MAY_FOLLOW = {"{": '"}', "[": "{"}
"""What stands first in JSON that can be a call: `[link]` and `{ return x }` are not even looked into."""

_CUT = (
    "its end is missing. Send it again whole and end it with </tools>. "
    "A long text goes in several smaller calls, a text that holds ``` in a longer fence (````)."
)
_QUOTE = "a quote inside its JSON is not escaped. Code goes in a plain block after the JSON, where nothing is escaped."
_EMPTY = "there is no call in the tags. They hold one JSON object with name and arguments."
_TWICE = "a text of its arguments is empty, and more text follows the JSON. Leave the empty one out."


class Region:
    def __init__(self, form: Form, opening: str, tools: Sequence[ToolSpec], fence: str = "") -> None:
        self.verdict: Literal["", "calls", "text", "code"] = ""
        self.parts: list[ToolCall | BadCall] = []
        self.fence = fence
        self._form: Form = form
        self._tools = tools
        self._closer = opening.replace("<", "</")
        self._inner_fence = False
        self._raw = [opening]
        self._values: list[tuple[str, str | None]] = []
        self._pieces: list[str] = []
        self._line_start = True
        self._scan = JsonScan()
        self._block: BlockScan = RawScan()
        self._state: Callable[[Lexeme], int] = self._bracket if form == "bare" else self._head

    @property
    def raw(self) -> str:
        return "".join(self._raw)

    @property
    def _certain(self) -> bool:
        """Whether tags say that this is a call."""
        return self._form not in ("fence", "bare")

    def feed(self, found: Lexeme) -> int:
        used = self._state(found)
        self._raw.append(found.text[:used])
        return used

    def close(self) -> str:
        """The reply is over. Gives the text behind the region's end that is not its own after all."""
        if self._state == self._line:
            self._decide()
        if self.verdict:
            return ""
        if self._state == self._in_block:
            return self._close_in_block()
        if self._state == self._after or (self._certain and self._state in (self._head, self._language)):
            self._finish()
        elif self._certain or self._looks_like_call():
            self._fail(self._why_open())
        else:
            self.verdict = "text"
        return ""

    # ---------------------------------------------------------------- states

    def _head(self, found: Lexeme) -> int:
        match found.kind:
            case "blank" | "newline":
                pass
            case "bracket":
                self._state = self._bracket
                return 0
            case "open":  # a fence around the tags, or the tag twice
                self._form, self._closer = found.form, found.text.replace("<", "</")
            case "ticks" if not self._certain:
                self._state = self._line
                return 0
            case "ticks" if not self._inner_fence:
                self._inner_fence, self._state = True, self._language
            case _ if self._certain:
                self._state = self._no_json
                return 0
            case _:
                self.verdict = "code"
                return 0
        return len(found.text)

    def _language(self, found: Lexeme) -> int:
        """Behind the ticks of a fence inside the tags."""
        if found.kind in ("newline", "bracket"):
            self._state = self._head
            return 0
        return len(found.text)

    def _no_json(self, found: Lexeme) -> int:
        """Tags around something that is no JSON: taken whole, up to the closing tag or the next call."""
        if found.kind == "open":
            self._fail(_EMPTY)
            return 0
        if found.kind == "close":
            self._fail(_EMPTY)
        return len(found.text)

    def _bracket(self, found: Lexeme) -> int:
        """The bracket that opens a value, and blanks."""
        if self._scan.depth and found.kind not in ("blank", "newline"):
            self._state = self._json
            if not self._certain and found.text[0] not in _MAY_FOLLOW[self._pieces[0]]:
                self._end()
            return 0
        if not self._scan.depth:
            self._pieces.clear()
        return self._json(found)

    def _json(self, found: Lexeme) -> int:
        if not self._scan.in_string and found.kind in ("open", "close", "ticks"):  # not JSON: it was not closed
            self._end_value()
            return 0
        used, complete = self._scan.scan(found.text)
        self._pieces.append(found.text[:used])
        if complete:
            self._end_value()
        return used

    def _end_value(self) -> None:
        self._values.append(("".join(self._pieces), None))
        self._scan, self._state = JsonScan(), self._after
        self._pieces.clear()

    def _after(self, found: Lexeme) -> int:
        """Behind a value: another one, a closer, the call's block, or the end. Keeps the line's indentation."""
        match found.kind:
            case "blank":
                self._pieces.append(found.text)
            case "newline":
                self._pieces.clear()
            case "bracket" if self._certain or self._form == "bare" or self.fence:
                self._state = self._bracket
                return 0
            case "text" if found.text[0] in ",;}]":  # between values; or one closer too many, measured at every size
                return 1
            case "close":
                if self._certain:
                    self._finish()
            case _:
                if self._may_belong(found):
                    self._state = self._line
                else:
                    self._end()
                return 0
        return len(found.text)

    def _may_belong(self, found: Lexeme) -> bool:
        """Whether the line that begins so can close a fence of the region, or begin the block of the last call."""
        if found.kind == "ticks" and (self.fence or self._inner_fence):
            return True
        is_marked = found.kind == "ticks" or found.text == "<"
        return found.kind != "open" and (is_marked or self._certain) and self._lacks_text()

    def _line(self, found: Lexeme) -> int:
        self._pieces.append(found.text)
        if found.kind == "newline":
            self._decide()
        return len(found.text)

    def _in_block(self, found: Lexeme) -> int:
        if self._line_start and self._ends_block(found):
            self._end_block()
            return 0
        self._pieces.append(found.text)
        self._line_start = found.kind == "newline" or (self._line_start and found.kind == "blank")
        if found.kind == "newline":
            self._block.add(self._taken())
        return len(found.text)

    def _ends_block(self, found: Lexeme) -> bool:
        match self._block:
            case RawScan():
                return found.text == self._closer and self._block.complete
            case PairsScan() if found.kind == "ticks" and (self.fence or self._inner_fence):
                return self._block.complete
            case _:
                return found.kind == "close" and self._block.complete

    # ---------------------------------------------------------------- steps

    def _decide(self) -> None:
        """What the line behind a value is: the end of a fence, the beginning of a block, or neither."""
        line, self._line_start = self._taken(), True
        fence = blocks.FENCE.match(line.strip())
        if fence and not fence["language"] and self._inner_fence:
            self._inner_fence, self._state = False, self._after
        elif fence and not fence["language"] and self.fence and fence["fence"].startswith(self.fence):
            self.fence, self._state = "", self._after
            if not self._lacks_text():
                self._finish()
        elif self._lacks_text():
            self._begin_block(line, fence)
        else:
            self._end()

    def _begin_block(self, line: str, fence: re.Match[str] | None) -> None:
        is_raw = fence is None and not blocks.SEARCH.match(line.strip())
        if is_raw and not self._certain:
            self._end()
        elif is_raw and not line.startswith("<code>") and not self._lacks_text(or_has_empty=False):
            self._fail(_TWICE)
        else:
            self._block = FencedScan() if fence else RawScan() if is_raw else PairsScan()
            self._block.add(line)
            self._state = self._in_block

    def _taken(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def _end_block(self) -> None:
        self._values[-1] = (self._values[-1][0], self._block.text)
        self._block, self._state = RawScan(), self._after
        self._pieces.clear()

    def _close_in_block(self) -> str:
        self._block.add(self._taken())
        rest = "" if self._block.complete else None
        if rest is None and self._form == "fence" and isinstance(self._block, FencedScan):
            rest = self._block.split()
        if self._certain or rest is None:
            self._fail(_CUT)
            return ""
        self._end_block()
        self._finish()
        return rest

    def _lacks_text(self, *, or_has_empty: bool = True) -> bool:
        """Whether the last value is a call without the text that a block brings, or with an empty one."""
        if not self._values or self._values[-1][1] is not None:
            return False
        call = calls.meant_by(self._values[-1][0])
        return call is not None and calls.wants_block(call, self._tools, or_has_empty=or_has_empty)

    def _end(self) -> None:
        """Something else stands behind the values."""
        if self._form == "fence" and self.fence:  # more than calls stands in the fence: an example
            self.verdict = "code"
        elif self._form == "bare":  # a bare object ends the reply, or it is an example
            self.verdict = "text"
        else:
            self._finish()

    def _finish(self) -> None:
        self.parts = self._read(self._values)
        sound = all(isinstance(part, ToolCall) for part in self.parts)
        self.verdict = "calls" if self._certain or sound or self._looks_like_call() else "text"

    def _fail(self, why: str) -> None:
        """The call under way cannot be run; those before it can."""
        is_headed = self._state in (self._in_block, self._line)
        whole = self._values[:-1] if is_headed else self._values
        raw = "".join(f"{value}\n" for value, _ in self._values[len(whole) :])
        raw += "".join([*self._block.lines, *self._pieces])
        self.parts = [*self._read(whole), BadCall("", raw or self.raw, why)]
        self.verdict = "calls"

    def _why_open(self) -> str:
        if self._state == self._no_json:
            return _EMPTY
        return _QUOTE if self._closer and self._closer in "".join(self._pieces) else _CUT

    def _read(self, values: Sequence[tuple[str, str | None]]) -> list[ToolCall | BadCall]:
        return [part for value, block in values for part in calls.read(value, block, self._form, self._tools)]

    def _looks_like_call(self) -> bool:
        """JSON outside of tags that cannot be run, and yet is no answer: it names an offered tool and has arguments."""
        return calls.looks_like_one(self.raw[:2_000], self._tools)

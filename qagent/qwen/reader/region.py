"""A stretch of a reply that may hold calls, from its opening to its end: what it takes in, and what it turns out to be.

    opening (a tag, a fence, a name, or nothing) · [ name ] · JSON value · [ block ] · more values · closer

It is fed text as the reader's states are, and tells how much of it is its own. A long piece of it (the text in front of
the JSON, a value, a block) is fed on to an object of its own until that has ended. When `verdict` is set it is over:
"calls" (see `parts`), "text" (show it), or "code" (show it, and go on inside the fence). What stands behind `end` is
not its own. Where a block ends must be beyond doubt: in tags a closing tag stands behind it, or the reply ended by
itself. What is in doubt is not run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from qagent.qwen import calls
from qagent.qwen.reader import reasons
from qagent.qwen.reader.call_body import CallBody
from qagent.qwen.reader.code_block import Around, CodeBlock
from qagent.qwen.reader.head import Head, Wrapping
from qagent.qwen.reader.lead import Lead
from qagent.qwen.reader.lexemes import Lexeme, lexeme
from qagent.qwen.reader.openings import Opening, is_observation
from qagent.qwen.reader.value_scans import json_end
from qagent.qwen.reader.written import Value, Written, is_sound
from qagent.types import BadCall, Part

Piece: TypeAlias = Head | Lead | CallBody | CodeBlock


class Region:
    """invented: behind its calls the model has begun to write their results."""

    def __init__(self, opening: Opening, written: Written) -> None:
        self.verdict: Literal["", "calls", "text", "code"] = ""
        self.parts: list[Part] = []
        self.invented = False
        self.start, self.end = opening.start, opening.end
        self._opening, self._tape, self._written = opening, written.tape, written
        self._around = Wrapping(opening.form, opening.closer, opening.certain, opening.fence)
        self._name = opening.name
        self._values: list[Value] = []
        self._mark = opening.end
        """Where the line that is being read begins, or what the last value, fence or block has left of it."""
        self._base, self._final = opening.end, False
        self._end_at: int | None = None
        self._is_sentence = False
        self._cut_why = reasons.CUT
        self._lead_at = 0
        self._piece: Piece | None = None
        self._state: Callable[[str, int], int] = self._first
        if opening.form == "xml":
            self._begin(CallBody("xml", opening.start, certain=True, in_pairs=not opening.name))
        elif opening.form == "named" and not opening.name:
            self._begin(CallBody("spoken", opening.end, certain=False))

    @property
    def fence(self) -> str:
        """The ticks of a fence that was opened in front of the calls, and is still open."""
        return self._around.fence

    @property
    def under_way(self) -> bool:
        """Whether a call has begun whose end has not come."""
        return self._state not in (self._after, self._behind_ticks) or self._lacks_text()

    def feed(self, text: str, pos: int, base: int, *, final: bool) -> int:
        """Takes its own from `pos` on and gives the position behind it. `base`: where on the tape the text begins."""
        self._base, self._final = base, final
        self.end = base + pos
        while pos < len(text) and not self.verdict:
            state, piece, before = self._state, self._piece, pos
            pos = state(text, pos)
            self.end = base + pos if self._end_at is None else self._end_at
            if pos == before and self._state == state and self._piece is piece:
                break
        return self.end - base

    def _first(self, text: str, pos: int) -> int:
        """Nearly all calls are a line of JSON that is right, and the closer in the next: they are not taken apart."""
        at = pos + text.startswith("\n", pos)
        end = json_end(text, at) if self._around.certain and text.startswith("{", at) else None
        closer = f"\n{self._around.closer}"
        if end is None or not text.startswith(closer, end):
            self._begin(self._head())
            return pos
        self._add(Value(self._base + at, self._base + end, name=self._name))
        self._close_tag(Lexeme("close", self._around.closer, end + len(closer)))
        return end + len(closer)

    # ---------------------------------------------------------------- a head, a lead, a value, a block

    def _begin(self, piece: Piece) -> None:
        self._piece, self._state = piece, self._in_piece

    def _head(self) -> Head:
        return Head(self._opening._replace(name=self._name), self._around, self._tape)

    def _json(self, text: str, pos: int) -> int:
        """At its bracket. In tags nearly all of it is right, and comes whole."""
        start = self._base + pos
        if self._around.certain and (end := json_end(text, pos)):
            self._add(Value(start, self._base + end, name=self._name))
            return end
        self._begin(CallBody("json", start, certain=self._around.certain))
        return pos

    def _in_piece(self, text: str, pos: int) -> int:
        if self._piece is None:
            return pos
        pos = self._piece.feed(text, pos, self._base, final=self._final)
        match self._piece:
            case Head() as head:
                return self._weigh_head(head, text, pos)
            case Lead() as lead:
                self._weigh_lead(lead)
            case CallBody() as body:
                self._weigh_body(body, self._base + pos)
            case CodeBlock() as block:
                self._weigh_block(block)
        return pos

    def _weigh_head(self, head: Head, text: str, pos: int) -> int:
        self._name = head.name
        match head.stop:
            case "json":
                return self._json(text, pos)
            case "function":
                self._begin(CallBody("xml", head.start, certain=True, in_pairs=not head.name))
            case "spoken":
                self._begin(CallBody("spoken", head.start, certain=False))
            case "lead":
                self._begin(Lead(head.start, self._tape, may_open_fence=self._around.may_open_fence))
            case "ticks":
                self._mark, self._state = head.start, self._behind_ticks
            case "text" | "code" | "":
                self.verdict = head.stop
        return pos

    def _weigh_lead(self, lead: Lead) -> None:
        match lead.stop:
            case "json":
                self._name = lead.name
                self._begin(CallBody("json", lead.end, certain=True))
            case "mark":
                self._lead_at = self._lead_at or lead.start
                self._begin(self._head())
            case "tag":
                self._end_lead(lead.text)
            case "":
                pass

    def _end_lead(self, lead: str, *, whole: bool = True) -> None:
        said = calls.read_spoken(lead.strip(), self._around.form, self._written.tools, whole=whole)
        before = self._written.parts(self._values, self._around.form)
        self.parts = [*before, *(said or [BadCall("", lead, reasons.EMPTY)])]
        self.verdict = "calls"

    def _weigh_body(self, body: CallBody, end: int) -> None:
        if body.refused:
            self._end(body.start if self._values else None)
        elif body.ended:
            value = self._value(body, end, whole=body.whole)
            if not body.right and self._written.ends_twice(value, self._around.form, in_tags=self._around.certain):
                self.end = self._end_at = end
                self._fail(body.start, calls.TWO_WAYS)
            else:
                self._add(value)

    def _value(self, body: CallBody, end: int, *, whole: bool = True) -> Value:
        return Value(body.start, end, body.kind, self._name, whole=whole, too_large=body.too_large)

    def _add(self, value: Value) -> None:
        self._values[calls.MOST :] = [value]
        self._name, self._mark, self._state = "", value.end, self._after

    def _begin_block(self) -> None:
        """Behind the last value, from the mark on, where the line begins."""
        has_empty = not self._lacks_text(or_has_empty=False)
        out = self._around
        around = Around(out.certain, out.closer, bool(out.fence or out.inner_fence), has_empty)
        self._begin(CodeBlock(self._mark, self._tape, around))

    def _weigh_block(self, block: CodeBlock) -> None:
        if block.refused == "none":
            self._end(block.start)
        elif block.refused == "twice":
            self.end = self._end_at = block.end
            self._fail(self._values[-1].start, reasons.TWICE)
        elif block.ended:
            self._take_block(block)

    def _take_block(self, block: CodeBlock) -> None:
        self._values[-1].block = block.text
        self._mark, self._state = block.end, self._after

    # ---------------------------------------------------------------- behind a value

    def _after(self, text: str, pos: int) -> int:
        """Another value, a closer, the call's block, or the end."""
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
            case "bracket" if self._around.certain or self._around.form == "bare" or self._around.fence:
                return self._json(text, pos)
            case _:
                self._next(text, pos, found)
                return pos
        return found.end

    def _next(self, text: str, pos: int, found: Lexeme) -> None:
        if self._may_begin_block(found):
            self._begin_block()
        elif found.kind == "xml" and self._around.certain:
            self._begin(self._head())
        elif not self._is_observation(text, pos):
            self._is_sentence = found.kind == "text" and self._mark == self._values[-1].end
            self._end()

    def _is_observation(self, text: str, pos: int) -> bool:
        """In the form of `Action:` and `Action Input:`, `Observation:` is where the model invents the result."""
        found = is_observation(text, pos) if self._around.labelled else False
        if found:
            self.invented = True
            self._finish()
        return bool(found) or (found is None and not self._final)

    def _close_tag(self, found: Lexeme) -> None:
        if self._around.certain:
            self._finish()
            if not self._written.has_text(self.parts) and self._lacks_text(or_is_strange=False):
                self.verdict, self._state = "", self._behind_closer
        elif found.text.lower() == self._around.closer:
            self._state = self._behind_weak
        else:  # tags after all, though their beginning is missing
            self._around.certain = not self._around.fence

    def _behind_closer(self, text: str, pos: int) -> int:
        """The header was closed before its code: a fence right behind it holds that."""
        found = lexeme(text, pos, final=self._final)
        if found is None:
            return pos
        if found.kind in ("blank", "newline"):
            self._mark = self._base + found.end if found.kind == "newline" else self._mark
            return found.end
        if found.kind == "ticks" and len(found.text) >= 3:
            self._around.certain = False
            self._begin_block()
        else:
            self._finish()
        return pos

    def _behind_weak(self, text: str, pos: int) -> int:
        """A tag that proves little stands in lines of its own, or in a sentence."""
        while pos < len(text) and text[pos] in " \t\r":
            pos += 1
        if pos < len(text):
            if text[pos] in "\n<":
                self._finish()
            else:
                self.verdict = "text"
        return pos

    def _may_begin_block(self, found: Lexeme) -> bool:
        if found.kind == "open" or not self._lacks_text():
            return False
        return self._around.certain or found.text[0] == "<"

    def _behind_ticks(self, text: str, pos: int) -> int:
        """Behind three ticks: with nothing more in the line they close a fence, if one is open, else they open one."""
        while pos < len(text) and text[pos] in " \t\r":
            pos += 1
        if pos == len(text):
            return pos
        is_outer = bool(self._around.fence) and not (self._around.certain and self._lacks_text())
        if text[pos] in "\n<" and (self._around.inner_fence or is_outer):
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
        if self._around.inner_fence:
            self._around.inner_fence = False
            return
        self._around.fence = ""
        if not self._lacks_text():
            self._finish()

    # ---------------------------------------------------------------- the end

    def close(self, *, cut: bool, limited: bool = False, may_move_back: bool = True) -> None:
        """The reply is over, or was cut off, by a limit or by the turn that the model has invented. Sets the verdict;
        `end` may move back, in front of what is not its own."""
        if self.verdict:
            return
        self._cut_why = reasons.LIMIT if limited else reasons.CUT
        match self._piece if self._state == self._in_piece else None:
            case CallBody(kind="json") as body:
                self._close_json(body, cut=cut, may_move_back=may_move_back)
            case CallBody() as body:
                self._add(self._value(body, self.end, whole=not cut))
                self._finish()
            case CodeBlock() as block:
                self._close_block(block, cut=cut)
            case Lead() as lead:
                self._end_lead(self._tape.slice(lead.start, self.end), whole=not cut)
            case Head() | None if self._values or self._around.certain or self._state == self._behind_ticks:
                self._finish()
            case Head() | None:
                self.verdict = "text"

    def _close_json(self, body: CallBody, *, cut: bool, may_move_back: bool) -> None:
        """The JSON has no end. A quote may have hidden it; or only brackets are missing; or the reply was cut."""
        hidden = list(self._written.hidden_ends(body.start, self.end, in_tags=self._around.certain))
        for at, end in hidden if may_move_back else ():
            value = self._value(body, at)
            if self._written.is_sound(value, self._around.form):
                self._add(value)
                self._finish()
                self._around.fence, self.end = "", end
                return
        value = self._value(body, self.end)
        if not cut and not body.in_string and self._written.is_sound(value, self._around.form):
            self._add(value)
            self._finish()
        elif self._around.certain or self._written.looks_like_call(self.start, self.end):
            self._fail(body.start, reasons.QUOTE if hidden else self._cut_why)
        else:
            self.verdict = "text"

    def _close_block(self, block: CodeBlock, *, cut: bool) -> None:
        is_whole = block.close(self.end)
        self._weigh_block(block)
        if self.verdict:
            return
        if cut or not is_whole:
            self._fail(self._values[-1].start, self._cut_why)
            return
        self._take_block(block)
        self._finish()
        self.end = block.end

    def _end(self, at: int | None = None) -> None:
        """Something else stands behind the values, from `at` on, or from here."""
        self.end, self._end_at = self.end if at is None else at, at
        if self._around.form == "fence" and self._around.fence:  # more than calls stands in the fence: an example
            self.verdict = "code"
        elif self._around.certain or (self._values and (self._leads or self._around.form not in ("bare", "named"))):
            self._finish()
        else:  # a bare object ends the reply, or it is an example
            self.verdict = "text"

    @property
    def _leads(self) -> bool:
        """Whether it is the first thing in the reply, and no sentence that goes on: `{…} lists the files.`"""
        may_lead = self._around.form == "bare" or (bool(self._values) and self._values[-1].kind == "spoken")
        return self._opening.leads and may_lead and not self._is_sentence

    def _finish(self) -> None:
        if self._lead_at and not self._values:  # a fence in it has hidden that nothing came behind it
            self._end_lead(self._tape.slice(self._lead_at, self.end))
            return
        self.parts = self._written.parts(self._values, self._around.form)
        is_empty = not self._values and self._around.form not in ("bare", "named")
        proven = self._around.certain or (
            not self._opening.example and (is_sound(self.parts) or self._written.looks_like_call(self.start, self.end))
        )
        self.verdict = "calls" if is_empty or (self.parts and proven) else "text"

    def _fail(self, start: int, why: str) -> None:
        """The call that begins at `start` cannot be run; those before it can."""
        whole = [value for value in self._values if value.start < start]
        before = self._written.parts(whole, self._around.form)
        self.parts = [*before, BadCall("", self._tape.slice(start, self.end), why)]
        self.verdict = "calls"

    def _lacks_text(self, *, or_has_empty: bool = True, or_is_strange: bool = True) -> bool:
        if not self._values:
            return False
        may_be_strange = self._around.certain and or_is_strange
        return self._written.lacks_text(self._values[-1], certain=may_be_strange, or_has_empty=or_has_empty)

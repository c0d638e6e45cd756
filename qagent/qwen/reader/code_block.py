"""The plain block behind a call's header, while it comes: from the line that may begin it to an end beyond doubt.

Fed text as a `Region` is; of the tape it knows where its lines stand. `refused` says why it is no block: "none" (the
line is something else) or "twice" (a text is there already, if only an empty one).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qagent.qwen import blocks
from qagent.qwen.reader.block_scans import BlockScan, FencedScan, PairsScan, RawScan
from qagent.qwen.reader.lexemes import Lexeme, lexeme
from qagent.qwen.reader.tape import Tape


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a block. closer: the tag that ends the call. fenced: it stands inside of another fence.
    has_empty: the header has an empty text already."""

    certain: bool
    closer: str
    fenced: bool
    has_empty: bool


class CodeBlock:
    """start, end: offsets. `end` is that of its text when `ended`, else of what it has taken so far."""

    def __init__(self, start: int, tape: Tape, around: Around) -> None:
        self.start = self.end = start
        self.ended = False
        self.refused: Literal["", "none", "twice"] = ""
        self._tape, self._around = tape, around
        self._scan: BlockScan | None = None
        self._line_at, self._line_start = start, False

    @property
    def text(self) -> str:
        written = self._tape.slice(self.start, self.end)
        return self._scan.text(written) if self._scan else written

    def feed(self, text: str, pos: int, base: int, *, final: bool) -> int:
        """The position up to which the text is the block's; it does not move when it takes more text to tell."""
        while pos < len(text) and not self.ended and not self.refused:
            if self._line_start and self._scan:
                while pos < len(text) and text[pos] in " \t\r":
                    pos += 1
                found = lexeme(text, pos, final=final)
                if found is None:
                    break
                if self._is_end(found):
                    self.ended, self.end = True, self._line_at
                    break
            at = text.find("\n", pos)
            self._line_start = at >= 0
            pos = at + 1 or len(text)
            if at >= 0:
                self._add_line(base + pos)
        return pos

    def _is_end(self, found: Lexeme) -> bool:
        match self._scan:
            case RawScan(complete=complete):
                return complete and found.text.lower() == self._around.closer
            case PairsScan(complete=complete) if found.kind == "ticks" and self._around.fenced:
                return complete
            case FencedScan(complete=complete) | PairsScan(complete=complete):
                return complete and found.kind == "close"
            case None:
                return False

    def _add_line(self, end: int) -> None:
        line = self._tape.slice(self._line_at, end)
        self._line_at = self.end = end
        if self._scan is None:
            self._begin(line)
        if self._scan:
            self._scan.add(line)

    def _begin(self, line: str) -> None:
        fence = blocks.FENCE.match(line.strip())
        is_raw = fence is None and not blocks.SEARCH.match(line.strip())
        if is_raw and not self._around.certain:
            self.refused = "none"
        elif is_raw and not line.startswith("<code>") and self._around.has_empty:
            self.refused = "twice"
        else:
            self._scan = FencedScan() if fence else RawScan() if is_raw else PairsScan()

    def close(self, end: int) -> bool:
        """The reply is over at `end`: whether the block is whole beyond doubt."""
        if end > self._line_at:
            self._add_line(end)
        only = self._scan.only_end if isinstance(self._scan, FencedScan) else None
        if isinstance(self._scan, FencedScan) and not self._scan.complete and only is not None:
            self.end = self.start + only
            return True
        return self._scan is not None and self._scan.complete and not isinstance(self._scan, RawScan)

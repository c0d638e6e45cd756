"""What a command prints: bytes in, both ends of it as clean text out, in bounded memory however much there is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

HEAD, TAIL = 2_000, 4_000
"""Characters of the output that the model reads from its start and its end; what failed mostly stands at the end."""

_CHUNK = 65_536
_HEAD_BYTES, _TAIL_BYTES = 4 * HEAD, 16 * TAIL


@dataclass(slots=True)
class Output:
    """Both ends of what was printed, in bounded memory, and how much was dropped between them."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0
    dropped_lines: int = 0
    newlines: int = 0

    @property
    def lines(self) -> int:
        printed = self.tail or self.head
        return self.newlines + (bool(printed) and not printed.endswith(b"\n"))

    def read(self, source: int) -> bool:
        """Takes what is there; False at the end of the output or when there is nothing now."""
        try:
            chunk = os.read(source, _CHUNK)
        except BlockingIOError:
            return False
        self._add(chunk)
        return bool(chunk)

    def drain(self, source: int) -> None:
        """Takes what is left in the pipe, which holds no more than this, however fast somebody still fills it."""
        for _ in range(32):
            if not self.read(source):
                return

    def _add(self, chunk: bytes) -> None:
        self.newlines += chunk.count(b"\n")
        room = _HEAD_BYTES - len(self.head)
        self.head += chunk[:room]
        self.tail += chunk[room:]
        if (surplus := len(self.tail) - _TAIL_BYTES) > _TAIL_BYTES:
            self.dropped += surplus
            self.dropped_lines += self.tail.count(b"\n", 0, surplus)
            del self.tail[:surplus]

    def shown(self) -> str:
        """All of it when it is short, else its first and last whole lines with the size of the gap between them."""
        if self.dropped:
            first, last = _clean(self.head), _clean(self.tail)
        else:
            first, last = _clean(self.head + self.tail), ""
        if not last and len(first) <= HEAD + TAIL:
            return first
        top, bottom = _top(first), _bottom(last or first)
        gap = first[len(top) :] + last[: -len(bottom)] if last else first[len(top) : -len(bottom)]
        lines, characters = gap.count("\n") + self.dropped_lines, len(gap) + self.dropped
        end = "" if top.endswith("\n") else "\n"
        return f"{top}{end}[… {lines:,} lines, {characters:,} characters left out …]\n{bottom}"


def _top(text: str) -> str:
    return text[: text.rfind("\n", 0, HEAD) + 1] or text[:HEAD]


def _bottom(text: str) -> str:
    cut = text[-TAIL:]
    return cut[cut.find("\n") + 1 :] or cut


_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and movements
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _clean(raw: bytes | bytearray) -> str:
    """What a person would have seen: no colours, no control characters, of a progress line its last state."""
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace")).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", text)

"""Where does it end? Scanners for one JSON value and for the three kinds of block, fed piece by piece.

They look at each character once. A block is fed line by line; `complete` says whether it may end where it stands, and
its `text` is what the block means. Whether the call's end stands behind it, its reader sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from qagent.qwen import blocks
from qagent.qwen.lexemes import TAGS

_STRING = re.compile(r'[^"\\]+')
_STRUCTURE = re.compile(r'[^"{}\[\]]+')
_OPENERS = tuple(f"<{name}>" for name in TAGS)


@dataclass(slots=True)
class JsonScan:
    """Finds the end of one JSON value. Brackets, fences and tags inside its strings are content."""

    depth: int = 0
    in_string: bool = False
    escaped: bool = False

    def scan(self, text: str) -> tuple[int, bool]:
        """The position behind the value and True, or the text's end and False."""
        pos = 0
        while pos < len(text):
            if self.in_string:
                pos = self._string(text, pos)
                continue
            if run := _STRUCTURE.match(text, pos):
                pos = run.end()
                continue
            char, pos = text[pos], pos + 1
            if char == '"':
                self.in_string = True
            else:
                self.depth += 1 if char in "{[" else -1
                if self.depth <= 0:
                    return pos, True
        return pos, False

    def _string(self, text: str, pos: int) -> int:
        if self.escaped:
            self.escaped = False
            return pos + 1
        if run := _STRING.match(text, pos):
            return run.end()
        self.escaped = text[pos] == "\\"
        self.in_string = self.escaped
        return pos + 1


@dataclass(slots=True)
class FencedScan:
    """Ends at a closing line that no fence inside needs.

    A closing line with more content behind it has opened a fence without a language inside. If that content looks like
    the next call, a tag or a fence with a language, nobody can tell the two apart, and the block never ends.
    """

    lines: list[str] = field(default_factory=list[str])
    complete: bool = False
    _fence: str = ""
    _indent: str = ""
    _depth: int = 0
    _fences: int = 0
    _in_doubt: bool = False

    def add(self, line: str) -> None:
        self.lines.append(line)
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

    def split(self) -> str | None:
        """The reply is over: takes off what follows the only line that can close the block, if there is only one."""
        ends = [number for number, line in enumerate(self.lines) if number and line.strip() == self._fence]
        if self._in_doubt or self._fences != 1 or len(ends) != 1:
            return None
        rest = "".join(self.lines[ends[0] + 1 :])
        del self.lines[ends[0] + 1 :]
        return rest

    @property
    def text(self) -> str:
        return blocks.read_fenced("".join(self.lines))


@dataclass(slots=True)
class PairsScan:
    """Ends behind a REPLACE line."""

    lines: list[str] = field(default_factory=list[str])
    complete: bool = False

    def add(self, line: str) -> None:
        self.lines.append(line)
        if line.strip():
            self.complete = blocks.REPLACE.match(line.strip()) is not None

    @property
    def text(self) -> str:
        return "".join(self.lines)


@dataclass(slots=True)
class RawScan:
    """May end anywhere, unless a call's tag stands in it: that is the next call, or a text about calls."""

    lines: list[str] = field(default_factory=list[str])
    complete: bool = True

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.complete = self.complete and not line.lstrip().startswith(_OPENERS)

    @property
    def text(self) -> str:
        return blocks.read_raw("".join(self.lines))


BlockScan: TypeAlias = FencedScan | PairsScan | RawScan

"""Where does a block of code end? Scanners for the three kinds of block, fed line by line.

`complete` says whether it may end where it stands, and its `text` is what the block means. Whether the call's end
stands behind it, its reader sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from qagent.qwen import blocks
from qagent.qwen.reader.lexemes import TAGS

_OPENERS = tuple(f"<{name}>" for name in TAGS)


@dataclass(slots=True)
class FencedScan:
    """Ends at a closing line that no fence inside needs.

    A closing line with more content behind it has opened a fence without a language inside. If that content looks like
    the next call, a tag or a fence with a language, nobody can tell the two apart, and the block never ends.
    """

    complete: bool = False
    _fence: str = ""
    _indent: str = ""
    _depth: int = 0
    _fences: int = 0
    _in_doubt: bool = False
    _length: int = 0
    _ends: list[int] = field(default_factory=list[int])

    def add(self, line: str) -> None:
        self._length += len(line)
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
            if line.strip() == self._fence and len(self._ends) < 2:
                self._ends.append(self._length)

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

    @property
    def only_end(self) -> int | None:
        """The reply is over: where the block ends if just one line can close it, in characters from its start."""
        return None if self._in_doubt or self._fences != 1 or len(self._ends) != 1 else self._ends[0]

    @staticmethod
    def text(written: str) -> str:
        return blocks.read_fenced(written)


@dataclass(slots=True)
class PairsScan:
    """Ends behind a REPLACE line."""

    complete: bool = False

    def add(self, line: str) -> None:
        if line.strip():
            self.complete = blocks.REPLACE.match(line.strip()) is not None

    @staticmethod
    def text(written: str) -> str:
        return written


@dataclass(slots=True)
class RawScan:
    """May end anywhere, unless a call's tag stands in it: that is the next call, or a text about calls. With `<code>`
    in its first line, behind `</code>` only."""

    complete: bool = True
    _in_doubt: bool = False
    _opened: bool = False
    _begun: bool = False

    def add(self, line: str) -> None:
        bare = line.strip()
        self._opened = bare != "</code>" if self._opened else not self._begun and bare == "<code>"
        self._begun = True
        self._in_doubt = self._in_doubt or bare.startswith(_OPENERS)
        self.complete = not self._opened and not self._in_doubt

    @staticmethod
    def text(written: str) -> str:
        return blocks.read_raw(written)


BlockScan: TypeAlias = FencedScan | PairsScan | RawScan

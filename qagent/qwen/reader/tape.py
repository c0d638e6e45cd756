"""What was fed to a reader, kept once: pieces in, any stretch of the whole text out, by its offsets.

A reply of many tiny pieces must not cost many times its size, so small pieces are joined as they come.
"""

from __future__ import annotations

from bisect import bisect_right

_BLOCK = 1 << 16
"""Characters of a joined block: large enough that the list of blocks stays short, small enough to be copied often."""


class Tape:
    def __init__(self) -> None:
        self.length = 0
        self._blocks: list[str] = []
        self._starts: list[int] = []
        self._loose: list[str] = []
        self._loose_start = 0

    def add(self, text: str) -> None:
        self._loose.append(text)
        self.length += len(text)
        if self.length - self._loose_start >= _BLOCK:
            self._settle()

    def slice(self, start: int, end: int) -> str:
        """The text between two offsets."""
        self._settle()
        number = bisect_right(self._starts, start) - 1
        taken: list[str] = []
        while start < end and number < len(self._blocks):
            block, begin = self._blocks[number], self._starts[number]
            taken.append(block[start - begin : end - begin])
            start, number = begin + len(block), number + 1
        return taken[0] if len(taken) == 1 else "".join(taken)

    def _settle(self) -> None:
        if self._loose:
            self._starts.append(self._loose_start)
            self._blocks.append(self._loose[0] if len(self._loose) == 1 else "".join(self._loose))
            self._loose.clear()
            self._loose_start = self.length

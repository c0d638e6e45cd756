"""What was fed to a reader, kept once: pieces in, any stretch of the whole text out, by its offsets.

A reply of many tiny pieces must not cost many times its size, so pieces are joined as they come. A long stretch that
was asked for is kept as one block, so that it is there once, and not once more for whoever reads it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

_LOOSE = 1 << 12
"""Characters: each loose piece costs some fifty bytes beside its text."""
_BLOCK = 1 << 16
"""Characters of a block that is not joined with the next: it would be copied too often."""


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
        if self.length - self._loose_start >= _LOOSE:
            self._settle()

    def slice(self, start: int, end: int) -> str:
        """The text between two offsets."""
        if start >= end:
            return ""
        self._settle()
        first, behind = bisect_right(self._starts, start) - 1, bisect_left(self._starts, end)
        begin = self._starts[first]
        if behind - first == 1:
            return self._blocks[first][start - begin : end - begin]
        left, last = self._blocks[first][: start - begin], self._starts[behind - 1]
        right = self._blocks[behind - 1][end - last :]
        inner = [self._blocks[first][start - begin :], *self._blocks[first + 1 : behind - 1]]
        taken = "".join((*inner, self._blocks[behind - 1][: end - last]))
        if len(taken) >= _BLOCK:
            kept = [(begin, left), (start, taken), (end, right)]
            self._blocks[first:behind] = [text for _, text in kept if text]
            self._starts[first:behind] = [offset for offset, text in kept if text]
        return taken

    def _settle(self) -> None:
        if not self._loose:
            return
        self._starts.append(self._loose_start)
        self._blocks.append(self._loose[0] if len(self._loose) == 1 else "".join(self._loose))
        self._loose.clear()
        self._loose_start = self.length
        while len(self._blocks) > 1 and len(self._blocks[-2]) <= len(self._blocks[-1]) < _BLOCK:
            last = self._blocks.pop()
            self._starts.pop()
            self._blocks[-1] += last

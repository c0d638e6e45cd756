"""Takes out what a model thinks aloud before it answers: `<think>…</think>` at the very start of a reply.

Pure. In: pieces of text. Out: the same without the block. Anywhere else the tag is the reply's own text.
"""

from __future__ import annotations

OPENER, CLOSER = "<think>", "</think>"


class Thinking:
    """One reply. Any split of the same text gives the same text."""

    def __init__(self) -> None:
        self._held = ""
        self._read = self._start

    def feed(self, text: str) -> str:
        """What can be passed on by now."""
        self._held += text
        while (state := self._read) != self._outside:
            self._read()
            if self._read == state:
                return ""
        return self.rest()

    def rest(self) -> str:
        """What was held back, when no more comes; a block that was never closed is not part of it."""
        held, self._held = self._held, ""
        return "" if self._read == self._inside else held

    def _start(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(OPENER):
            self._held, self._read = begun[len(OPENER) :], self._inside
        elif not OPENER.startswith(begun):
            self._read = self._outside

    def _inside(self) -> None:
        _, closed, behind = self._held.partition(CLOSER)
        if closed:
            self._held, self._read = behind, self._behind
        else:
            self._held = self._held[-(len(CLOSER) - 1) :]  # so that an endless block costs no memory

    def _behind(self) -> None:
        self._held = self._held.lstrip("\n")
        if self._held:
            self._read = self._outside

    def _outside(self) -> None:
        pass

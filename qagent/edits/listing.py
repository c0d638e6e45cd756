"""Names in one line for the model, as many as it can use: words in, one text out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from qagent.edits.short import clipped

_MOST = 1_000
"""Characters of the names that an answer lists."""


def listed(words: Sequence[str]) -> str:
    """With the number of those that were left out; each name is cut where it is very long."""
    cut = list(map(clipped, words))
    kept = [word for word, size in zip(cut, accumulate(map(len, cut)), strict=True) if size <= _MOST][:20]
    more = len(cut) - len(kept)
    return ", ".join(kept) + (f" and {more} more" if more else "")

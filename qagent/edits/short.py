"""Lines for the model that never grow beyond a bound, whatever the file: lines in, as many as fit out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qagent.qwen.chatml import estimate

WIDEST = 300
"""Characters of one line that are shown."""

MOST = 600
"""Tokens, by our own estimate, of the lines that one answer shows."""


NAME = 120
"""Characters of a name that are shown."""

ROWS = 60
"""And lines, however short they are."""


def clipped(name: str) -> str:
    return name if len(name) <= NAME else f"{name[:NAME]}…"


def short(lines: Sequence[str], most: int = MOST) -> list[str]:
    """The first lines within so many tokens, at least one, each cut at WIDEST; how many follow is said."""
    kept: list[str] = []
    left = most
    for line in lines[:ROWS]:
        cut = line if len(line) <= WIDEST else f"{line[:WIDEST]}…"
        left -= estimate(cut) + 1
        if left < 0:
            break
        kept.append(cut)
    if not kept and lines:
        kept = [lines[0][: most // 2] + "…"]
    more = len(lines) - len(kept)
    return [*kept, f"({more} more lines)"] if more else kept

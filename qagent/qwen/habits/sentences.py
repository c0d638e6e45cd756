"""A reply's prose in; its sentences out, code blocks left out. Pure, linear in the length."""

from __future__ import annotations

import re

LONGEST = 500
"""Characters of one sentence; a longer one is cut into several, so that no pattern takes the square of a reply."""

FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
"""A fenced block; its groups: the fence, the words behind it, the body. One that is never closed goes to the end."""

_INLINE = re.compile(r"`[^`\n]*`")
_END = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？：])|\n")


def without_blocks(text: str) -> str:
    return FENCED.sub("\n", text)


def without_code(text: str) -> str:
    """Without blocks and without what stands between backticks."""
    return _INLINE.sub(" ", without_blocks(text))


def sentences(text: str) -> list[str]:
    """In order, never empty, none longer than LONGEST."""
    whole = (piece.strip() for piece in _END.split(without_blocks(text)))
    return [piece[at : at + LONGEST] for piece in whole for at in range(0, len(piece), LONGEST)]

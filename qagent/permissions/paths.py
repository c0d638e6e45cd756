"""What the words of a command may name on disk: outside, secret, or guarded. Text only, the disk is not looked at.

A word is cut at `=`, `:` and `,` and behind a short option's letter, and every piece is taken for a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qagent.workspace.secrets import is_secret

NOTES = frozenset({"agents.md", "claude.md", "qwen.md", "plan.md"})
"""Files that a later task reads as instructions."""

_INNER = frozenset({".git", ".qagent"})


def pieces(word: str) -> Iterator[str]:
    yield word
    if re.match(r"-[^-]", word):
        yield word[2:]
    if parts := re.split(r"[=:,]", word)[1:]:
        yield re.split(r"[=:,]", word)[0]
        yield from parts


def outside(word: str) -> bool:
    """Absolute (but for `/dev/null`), in a home folder, or with a `..` on the way."""
    return any(
        (piece.startswith(("/", "~")) and piece != "/dev/null") or ".." in piece.split("/") for piece in pieces(word)
    )


def secret(word: str) -> bool:
    return any(is_secret(tidy) for piece in pieces(word) if (tidy := _tidy(piece)))


def inner(word: str) -> bool:
    """Below a `.git` or `.qagent` folder."""
    return any(not _INNER.isdisjoint(piece.casefold().split("/")) for piece in pieces(word))


def notes(path: str) -> bool:
    return path.casefold().rsplit("/", 1)[-1] in NOTES


def _tidy(piece: str) -> str:
    """`./a//b/./c` -> `a/b/c`; the names on the way to a place outside stay."""
    return "/".join(part for part in piece.split("/") if part not in ("", ".", "..", "~"))

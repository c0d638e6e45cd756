"""What the words of a command may name on disk: outside, secret, or guarded. Pure; only `Where` knows the disk.

A word is cut at `=`, `:` and `,` and behind a short option's letter, and every piece is taken for a path. A link may
lead elsewhere than its name says; who passes a `Where` learns that too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from qagent.workspace.secrets import is_secret

Where: TypeAlias = Callable[[str], str | None]
"""A path as written in; where it leads, links followed, relative to the workspace; None when that is outside."""

NOTES = frozenset({"agents.md", "claude.md", "qwen.md", "plan.md"})
"""Files that a later task reads as instructions."""

_OWNERS = {".git": "git", ".qagent": "qagent"}
_STREAMS = frozenset({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr"})


def pieces(word: str) -> Iterator[str]:
    yield word
    if re.match(r"-[^-]", word):
        yield word[2:]
    if parts := re.split(r"[=:,]", word)[1:]:
        yield re.split(r"[=:,]", word)[0]
        yield from parts


def outside(word: str) -> bool:
    """Absolute (but for `/dev/null`), in a home folder, or with a `..` on the way."""
    return any(piece != "/dev/null" and _leaves(piece) for piece in pieces(word))


def _leaves(piece: str) -> bool:
    return piece.startswith(("/", "~")) or ".." in piece.split("/")


def elsewhere(word: str) -> bool:
    """Outside, and neither scratch space (`/tmp`) nor one of the standard streams: a place that is not for writing."""
    return any(_leaves(piece) and piece not in _STREAMS and not _scratch(piece) for piece in pieces(word))


def _scratch(path: str) -> bool:
    parts = path.split("/")
    return parts[:2] == ["", "tmp"] and ".." not in parts


def why_outside(word: str, *, known: bool = False) -> str:
    """`known`: it is sure. Where the workspace's own place is not known, no absolute path is taken for one inside."""
    if not known and any(piece.startswith("/") for piece in pieces(word)):
        return f"`{word}` is an absolute path and may be outside this folder; give a path relative to the folder"
    return f"`{word}` is not inside this folder"


def secret(word: str) -> bool:
    return any(is_secret(tidy) for piece in pieces(word) if (tidy := _tidy(piece)))


def owner(word: str) -> str | None:
    """`git` or `qagent` for what lies below a `.git` or `.qagent` folder."""
    names = (part for piece in pieces(word) for part in piece.casefold().split("/"))
    return next((_OWNERS[name] for name in names if name in _OWNERS), None)


def notes(path: str) -> bool:
    return path.casefold().rsplit("/", 1)[-1] in NOTES


def _tidy(piece: str) -> str:
    """`./a//b/./c` -> `a/b/c`; the names on the way to a place outside stay."""
    return "/".join(part for part in piece.split("/") if part not in ("", ".", "..", "~"))


# ------------------------------------------------------------------ where a path really leads


def why_not_here(path: str, where: Where | None) -> str | None:
    """Why this path may not be read unasked; without a `Where` every absolute path and every `..` is outside."""
    if path == "/dev/null":
        return None
    real = path if where is None else where(path)
    if real is None or (where is None and outside(path)):
        return why_outside(path, known=where is not None)
    return why_guarded(path, where)


def why_guarded(word: str, where: Where | None) -> str | None:
    """Why a word is never read unasked: it has the name of a secret, or leads to one, or to what is git's or ours."""
    if secret(word):
        return f"`{word}` looks like a secret"
    for path in (word, *_led(word, where)):
        if is_secret(path):
            return f"`{word}` leads to `{path}`, which looks like a secret"
        if whose := owner(path):
            return f"`{word}` belongs to {whose}"
    return None


def leaves(word: str, where: Where | None) -> bool:
    """Whether a piece of the word lies outside, by its text or by a link; an absolute path may lie inside."""
    for piece in pieces(word):
        if piece == "/dev/null":
            continue
        if ".." in piece.split("/") or piece.startswith("~"):
            return True
        if where is None or not piece.isprintable():  # a text of several lines is not a path
            if piece.startswith("/"):
                return True
        elif piece and where(piece) is None:
            return True
    return False


def strays(word: str, where: Where | None) -> bool:
    """Whether a path that looks as if it were inside leads outside by a link."""
    return where is not None and any(
        piece.isprintable() and piece != "" and not _leaves(piece) and where(piece) is None for piece in pieces(word)
    )


def _led(word: str, where: Where | None) -> Iterator[str]:
    if where is not None:
        yield from (real for piece in pieces(word) if piece and (real := where(piece)) is not None)

"""One line of a .gitignore file in, one rule out, that matches what git's own matcher matches, byte for byte.

pathspec answers otherwise than git in the corners (`[[:alpha:]]`, `a//b`, a kept folder, a backslash at the end), and a
file that is wrongly ignored is one the model never sees. Knows no files: names come as bytes, as the disk has them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

Token: TypeAlias = frozenset[int] | int
"""One place of a pattern: the bytes that may stand there, or the number of stars."""

_SLASH = frozenset(b"/")
_ALL = frozenset(range(256))
_SPECIAL = re.compile(rb"[*?\[\\]")
_ITEM = re.compile(rb"\[:(?P<name>[^\]]*):\]|\\(?P<escaped>.)|(?P<plain>[^\\])", re.DOTALL)
_RANGE_END = re.compile(rb"-(?:\\(?P<escaped>.)|(?P<plain>[^\]\\]))", re.DOTALL)
_POSIX = MappingProxyType(
    {
        "alnum": string.ascii_letters + string.digits,
        "alpha": string.ascii_letters,
        "blank": " \t",
        "cntrl": "".join(map(chr, range(32))) + "\x7f",
        "digit": string.digits,
        "graph": string.ascii_letters + string.digits + string.punctuation,
        "lower": string.ascii_lowercase,
        "print": string.ascii_letters + string.digits + string.punctuation + " ",
        "punct": string.punctuation,
        "space": " \t\n\r",
        "upper": string.ascii_uppercase,
        "xdigit": string.hexdigits,
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`keeps`: it began with `!`. `whole`: it is held against the whole path, otherwise against the last name alone."""

    regex: re.Pattern[bytes]
    keeps: bool
    folders_only: bool
    whole: bool

    def matches(self, path: bytes, is_folder: bool) -> bool:
        """`path` is relative to the folder of the rules, without a slash at either end."""
        if self.folders_only and not is_folder:
            return False
        return self.regex.fullmatch(path if self.whole else path.rpartition(b"/")[2]) is not None


def rules(text: bytes) -> tuple[Rule, ...]:
    """The rules of one file, in its order; comments, blank lines and patterns that can never match are left out."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return tuple(rule for line in lines if (rule := _rule(_trimmed(line.removesuffix(b"\r")))) is not None)


def _trimmed(line: bytes) -> bytes:
    """Without the spaces at the end; a backslash keeps one."""
    kept = line.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return kept + b" " if kept != line and backslashes % 2 else kept


def _rule(line: bytes) -> Rule | None:
    if not line or line.startswith(b"#"):
        return None
    keeps = line.startswith(b"!")
    pattern = line.removeprefix(b"!") if keeps else line
    folders_only = pattern.endswith(b"/")
    pattern = pattern.removesuffix(b"/")
    whole = b"/" in pattern
    try:
        regex = _regex(pattern.removeprefix(b"/"), whole)
    except _NeverMatchesError:
        return None
    return Rule(re.compile(regex, re.DOTALL), keeps, folders_only, whole)


# ------------------------------------------------------------------ pattern -> tokens


class _NeverMatchesError(Exception):
    pass


def _tokens(pattern: bytes) -> Iterator[Token]:
    at = 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"*":
            stars = len(pattern) - at - len(pattern[at:].lstrip(b"*"))
            yield stars
            at += stars
        elif char == b"[":
            allowed, at = _set(pattern, at + 1)
            yield allowed
        elif char == b"\\":
            if at + 1 == len(pattern):
                raise _NeverMatchesError
            yield frozenset(pattern[at + 1 : at + 2])
            at += 2
        else:
            yield _ALL - _SLASH if char == b"?" else frozenset(char)
            at += 1


def _set(pattern: bytes, at: int) -> tuple[frozenset[int], int]:
    """The set whose `[` stands before `at`, and where the pattern goes on. A `]` in first place is a member."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    start = at = at + negated
    members: set[int] = set()
    previous: int | None = None
    while at == start or pattern[at : at + 1] != b"]":
        span = _RANGE_END.match(pattern, at) if previous else None
        item = span or _ITEM.match(pattern, at)
        if item is None:
            raise _NeverMatchesError
        found = _members(item)
        members |= set(range(previous or 0, found[0] + 1)) if span else set(found)
        previous = None if span or len(found) > 1 else found[0]
        at = item.end()
    return (_ALL - members if negated else frozenset(members)) - _SLASH, at + 1


def _members(item: re.Match[bytes]) -> bytes:
    groups = item.groupdict()
    if (name := groups.get("name")) is None:
        return groups["escaped"] or groups["plain"]
    if (known := _POSIX.get(name.decode("latin-1"))) is None:
        raise _NeverMatchesError
    return known.encode()


# ------------------------------------------------------------------ tokens -> regular expression


def _regex(pattern: bytes, whole: bool) -> bytes:
    """git compares the plain beginning itself and gives its matcher only the rest; so in `foo**/x` the stars stand at
    the rest's beginning and count like those of `**/x`."""
    special = _SPECIAL.search(pattern)
    plain = special.start() if special else len(pattern)
    tokens = list(_tokens(pattern[plain:]))
    return re.escape(pattern[:plain]) + (_path(tokens) if whole else _segment(tokens))


def _path(tokens: list[Token]) -> bytes:
    cuts = [-1, *(at for at, token in enumerate(tokens) if token == _SLASH), len(tokens)]
    segments = [tokens[left + 1 : right] for left, right in pairwise(cuts)]
    *parents, last = segments
    regex = b""
    for segment in parents:
        part = rb"(?:.*/)?" if _is_deep(segment) else _segment(segment) + b"/"
        regex += b"" if part == rb"(?:.*/)?" and regex.endswith(part) else part
    return regex + (b".*" if _is_deep(last) else _segment(last))


def _is_deep(segment: list[Token]) -> bool:
    return len(segment) == 1 and isinstance(segment[0], int) and segment[0] > 1


def _segment(tokens: list[Token]) -> bytes:
    """Each star but the last takes the first fit and never another: the answer is the same, and no pattern is slow."""
    chunks = [b""]
    for token in tokens:
        if isinstance(token, int):
            chunks.append(b"")
        else:
            chunks[-1] += _one(token)
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    return first + b"".join(b"(?>[^/]*?" + chunk + b")" for chunk in middle) + b"[^/]*" + last


def _one(allowed: frozenset[int]) -> bytes:
    if not allowed:
        raise _NeverMatchesError
    if len(allowed) == 1:
        return re.escape(bytes(allowed))
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(allowed)) + b"]"

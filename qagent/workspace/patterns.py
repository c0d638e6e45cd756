"""One line of a .gitignore file in, one rule out, that matches what git's own matcher matches, byte for byte.

pathspec answers otherwise than git in the corners (`[[:alpha:]]`, `a//b`, a kept folder, a backslash at the end), and a
file that is wrongly ignored is one the model never sees. Knows no files: names come as bytes, as the disk has them.
A rule is foreign text: whatever it says, holding it against a path takes at most their lengths, multiplied.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
from types import MappingProxyType
from typing import TypeAlias

Token: TypeAlias = frozenset[int] | int
"""One place of a pattern: the bytes that may stand there, or the number of stars."""

_SLASH = frozenset(b"/")
_ALL = frozenset(range(256))
_NOTHING = re.compile(rb"(?!)")
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

MOST_RULES = 20_000
LONGEST_RULE = 4_096
"""Bytes; a path can be no longer. A longer rule is left out, though git would find the odd file that it matches."""

Part: TypeAlias = re.Pattern[bytes] | None
"""What one name of a path must match; None for any number of names, or none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`plain`: how the path begins; `parts`: the names of what follows, () when nothing may follow. A single one, as
    most rules have, has the beginning in it: one comparison is faster than two.

    `keeps`: it began with `!`. `whole`: it is held against the whole path, otherwise against the last name alone.
    `size`: the bytes of its line, a measure of the work that it is.
    """

    plain: bytes
    parts: tuple[Part, ...]
    keeps: bool
    folders_only: bool
    whole: bool
    size: int

    def matches(self, path: bytes, is_folder: bool) -> bool:
        """`path` is relative to the folder of the rules, without a slash at either end."""
        if self.folders_only and not is_folder:
            return False
        seen = path if self.whole else path.rpartition(b"/")[2]
        if not self.parts:
            return seen == self.plain
        if len(self.parts) == 1 and (only := self.parts[0]):
            return only.fullmatch(seen) is not None
        return seen.startswith(self.plain) and _fit(self.parts, seen[len(self.plain) :].split(b"/"))


def _fit(parts: tuple[Part, ...], names: list[bytes]) -> bool:
    """Each `**` but the last takes the first fit and never another, so the work is parts times names, not a power."""
    part = name = 0
    deep, begun = -1, 0
    while name < len(names):
        wanted = parts[part] if part < len(parts) else _NOTHING
        if wanted is None:
            deep, begun = part, name
            part += 1
        elif wanted.fullmatch(names[name]):
            part, name = part + 1, name + 1
        elif deep >= 0:
            begun += 1
            part, name = deep + 1, begun
        else:
            return False
    return part == len(parts)


def rules(text: bytes, most: int = MOST_RULES) -> tuple[Rule, ...]:
    """The rules of one file, in its order, at most so many; comments, blank lines, rules that are longer than
    LONGEST_RULE and patterns that can never match are left out."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    found = (_rule(_trimmed(line.removesuffix(b"\r"))) for line in lines if len(line) <= LONGEST_RULE)
    return tuple(islice((rule for rule in found if rule), most))


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
    plain, special = _divided(pattern.removeprefix(b"/"))
    try:
        parts = _parts(list(_tokens(special)), whole)
    except _NeverMatchesError:
        return None
    if len(parts) == 1:
        parts = [re.escape(plain) + (parts[0] or b"")]
    compiled = tuple(part if part is None else re.compile(part, re.DOTALL) for part in parts)
    return Rule(plain, compiled, keeps, folders_only, whole, len(line))


def _divided(pattern: bytes) -> tuple[bytes, bytes]:
    """git compares the plain beginning itself and gives its matcher only the rest; so in `foo**/x` the stars stand at
    the rest's beginning and count like those of `**/x`."""
    special = _SPECIAL.search(pattern)
    at = special.start() if special else len(pattern)
    return pattern[:at], pattern[at:]


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


# ------------------------------------------------------------------ tokens -> regular expressions, one for each name


def _parts(tokens: list[Token], whole: bool) -> list[bytes | None]:
    """As in `Rule`, not compiled."""
    if not tokens or not whole:
        return [_segment(tokens)] if tokens else []
    cuts = [-1, *(at for at, token in enumerate(tokens) if token == _SLASH), len(tokens)]
    parts: list[bytes | None] = []
    for left, right in pairwise(cuts):
        segment = tokens[left + 1 : right]
        if not _is_deep(segment):
            parts.append(_segment(segment))
        elif not parts or parts[-1] is not None:
            parts.append(None)
    return parts if parts[-1] is not None else [*parts, b"[^/]*"]


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
    first, *middle = chunks
    last = b"[^/]*" + middle.pop() if middle else b""
    return first + b"".join(b"(?>[^/]*?" + chunk + b")" for chunk in middle) + last


def _one(allowed: frozenset[int]) -> bytes:
    """Its ranges, or those of the opposite if that is smaller: a `?` is 255 bytes, and a rule can be full of them."""
    if not allowed:
        raise _NeverMatchesError
    if len(allowed) == 1:
        return re.escape(bytes(allowed))
    many = len(allowed) > len(_ALL) // 2
    numbered = enumerate(sorted(_ALL - allowed if many else allowed))
    runs = [[byte for _, byte in run] for _, run in groupby(numbered, key=lambda pair: pair[1] - pair[0])]
    return (b"[^" if many else b"[") + b"".join(b"\\x%02x-\\x%02x" % (run[0], run[-1]) for run in runs) + b"]"

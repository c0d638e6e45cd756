"""A line of dots alone in a new text: whether it is code there, or stands for lines. Pure.

`...` is the body of a stub in Python and an argument of a call; among statements, or as the body of what had one, it
stands for them. In prose and data it may be meant, so there lines must be missing where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qagent.edits.notes import Weight, is_text

_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.) ")
"""Of an example in a docstring, where dots begin the lines that go on."""

_OPENS = re.compile(r".*[(\[{,]\s*")
_BODILESS = re.compile(r"\s*(?:@(?:\w+\.)*(?:overload|abstract\w*)\b|class\s+\w+.*\b(?:Protocol|ABC|ABCMeta)\b)")
"""Where Python has functions without a body."""


def weight_of_dots(before: Sequence[str], after: Sequence[str], at: int, path: str) -> Weight | None:
    """What the dots on line `at` of the new text are worth; None: they are code. `before` is without blanks."""
    if is_text(path):
        return "shrinks"
    dots = after[at].strip()
    heading = next((line for line in reversed(after[:at]) if line.strip()), "")
    if dots.strip(".… ") == "" and _OPENS.fullmatch(heading):
        return "shrinks"
    if not path.endswith((".py", ".pyi")) or dots.strip(". "):
        return "sure"
    return _weight_in_python(before, after, at, heading)


def _weight_in_python(before: Sequence[str], after: Sequence[str], at: int, heading: str) -> Weight | None:
    if _PROMPT.match(heading):
        return None
    follower = next((line for line in after[at + 1 :] if line.strip()), "")
    if not heading.rstrip().endswith(":") or _depth(follower) >= _depth(after[at]):
        return "sure"
    if _is_bodiless(after, at) or not any(_head(heading) == _head(line) for line in before):
        return None
    return "shrinks"


def _is_bodiless(after: Sequence[str], at: int) -> bool:
    """Whether the body of dots is one of a stub: below `@overload`, in a Protocol."""
    depth = _depth(after[at])
    for line in reversed(after[:at]):
        if not line.strip() or _depth(line) > depth:
            continue
        if _BODILESS.match(line):
            return True
        if _depth(line) == 0 and not line.startswith(("def ", "async ", "@", ")")):
            return False
        depth = _depth(line)
    return False


def _head(heading: str) -> str:
    """What a heading defines, or the heading itself."""
    found = re.match(r"\s*(?:async\s+)?(?:def|class)\s+\w+", heading)
    return found[0].strip().removeprefix("async ") if found else heading.strip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else -1

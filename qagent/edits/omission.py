"""Finds notes such as `# ... rest of the code` that stand in the place of code: text in, the note or None out.

A model that shortens would delete what it left out. A note that the old text has too is part of the file. Pure.
"""

from __future__ import annotations

import re

_NOTE = re.compile(
    r"""(?:\#|//|/\*|<!--|--|;)\s*(?:the\s)?(?:
        (?:\.\.\.|…).*\b(?:rest|remaining|existing|unchanged|previous|other|omitted|same|as\sbefore)\b |
        (?:rest|remainder)\sof\s.*(?:\b(?:unchanged|same|here|as\sbefore|stays?|remains?)\b|\.\.\.|…) |
        (?:existing|previous|remaining|other|rest)\s(?:\w+\s)?
        (?:code|methods?|functions?|class(?:es)?|imports?|tests?|routes?|logic|implementations?)\b
        .*(?:\b(?:unchanged|same|here|as\sbefore|stays?|remains?)\b|\.\.\.|…)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_PLACEHOLDER = re.compile(r"\.\.\.|…|<[\w ]+>|(?:#|//)\s*(?:\.\.\.|…)")


def omission(new: str, before: str) -> str | None:
    """The first line of `new` that only says that code was left out, unless `before` has it too."""
    known = {line.strip() for line in before.splitlines()}
    lines = (line.strip() for line in new.splitlines())
    return next((line for line in lines if _NOTE.match(line) and line not in known), None)


def is_placeholder(text: str) -> bool:
    """Whether all of the text only stands for another: `...`, `<fileContent>`."""
    return _PLACEHOLDER.fullmatch(text.strip()) is not None

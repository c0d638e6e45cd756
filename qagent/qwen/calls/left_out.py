"""Texts that only say of themselves that a text stays as it is: `(same as before)`, `... (rest of file)`. Pure.

A file that is overwritten with one has lost everything. Single lines of that kind inside of real code are judged where
the old text is known, by `edits.omission`.
"""

from __future__ import annotations

import re

_DOTS = r"(?:\.{3}|…)"
_REST = (
    r"(?:the\s+|all\s+|your\s+|of\s+)*"
    r"(?:rest|remainder|remaining|other|existing|previous|everything\s+else|same|original)"
)
_THING = r"(?:code|file|content|contents|functions?|methods?|class|classes|lines|imports?|tests?|implementation)"
_STAYS = r"(?:unchanged|untouched|the\s+same|same\s+as|as\s+before|as\s+is|stays?|remains?|omitted|not\s+shown)"
_WHOLE = re.compile(
    rf"[(\[<*_]*{_DOTS}?\s*[(\[]?(?:{_REST}\s+(?:of\s+|as\s+|the\s+|my\s+)*(?:{_THING}|original|before|above|{_STAYS})\b|"
    r"no\s+changes?\b|unchanged\b(?=\W*$))[\w ,;.'’-]*[)\]>*_…]*[\w ,;.…]*",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\.(?:py|pyi|js|jsx|ts|tsx|mjs|cjs|java|kt|go|rs|c|h|cc|cpp|hpp|cs|rb|php|swift|scala|lua|sh|sql|css|scss|json|toml)",
    re.IGNORECASE,
)
_LONGEST_WHOLE = 80


def is_code(path: object) -> bool:
    """Whether a file of that name holds code."""
    return (
        isinstance(path, str)
        and _CODE.search(path[-8:]) is not None
        and _CODE.fullmatch(path[path.rfind(".") :]) is not None
    )


def says_same(text: str) -> bool:
    """Whether all of the text says that a text stays as it is: `Same as original`, `... (rest of file)`."""
    text = text.strip()
    return len(text) <= _LONGEST_WHOLE and _WHOLE.fullmatch(text) is not None

"""Code that says of itself that something is left out: text in, the line that says so out, or None. Pure.

    # ... rest of the code ...      // (other functions unchanged)      ...      (same as before)

A person reads on; a file that is overwritten with it has lost the rest. A line of dots is code in Python, and three of
them stand in a console session, so that the line counts at the left edge of code alone, behind no `>>>`.
"""

from __future__ import annotations

import re

_DOTS = r"(?:\.{3}|…)"
_OPEN = r"(?:\#|//|/\*|<!--|--|;|\{/\*)"
_REST = (
    r"(?:the\s+|all\s+|your\s+|of\s+)*"
    r"(?:rest|remainder|remaining|other|existing|previous|everything\s+else|same|original)"
)
_THING = r"(?:code|file|content|contents|functions?|methods?|class|classes|lines|imports?|tests?|implementation)"
_STAYS = r"(?:unchanged|untouched|the\s+same|same\s+as|as\s+before|as\s+is|stays?|remains?|omitted|not\s+shown)"
_LINES = (
    rf"{_OPEN}\s*[(\[]?{_DOTS}\s*[(\[]?{_REST}\b[^\n]*",
    rf"{_OPEN}\s*[(\[]?{_DOTS}[^\n]*\b{_STAYS}\b[^\n]*",
    rf"{_OPEN}\s*[(\[]?{_REST}\b[^\n]{{0,40}}\b{_THING}\b[^\n]{{0,40}}(?:{_STAYS}\b[^\n]*|\b(?:goes\s+)?here\W*|{_DOTS}\W*)",
)
_COMMENT = re.compile(rf"^[ \t]*+(?:{'|'.join(_LINES)})$", re.IGNORECASE | re.MULTILINE)
_ONLY_DOTS = re.compile(rf"^{_DOTS}[ \t\r]*$", re.MULTILINE)
_CONSOLE = re.compile(r"^(?:>>>|\.\.\. ?)[^\n]*\n\Z", re.MULTILINE)
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


def line_of(text: str, *, code: bool, old: str = "") -> str | None:
    """The first line that stands for others, when it does not stand in the old text too. code: the file holds code."""
    for found in _COMMENT.finditer(text):
        if found[0].strip() not in old:
            return found[0].strip()
    for found in _ONLY_DOTS.finditer(text) if code else ():
        before = text[max(0, found.start() - 400) : found.start()]
        if not _CONSOLE.search(before) and found[0] not in old:
            return found[0].strip()
    return None

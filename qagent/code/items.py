"""A member of an object or a class as it must be written there, for a model that wrote it as a statement of its own:
`function f() {}` or `const f = …` in, `f() {}` or `f: …,` out; and in Go what stands in a group, as `type ( … )`.
Text only.
"""

from __future__ import annotations

import re

_FUNCTION = re.compile(r"(?P<indent>\s*)(?P<words>(?:async\s+)?)function\s*(?P<star>\*?)\s*(?P<name>[\w$]+)(?=\s*[(<])")
_COMMA = re.compile(r",\s*(?://.*|/\*.*\*/\s*)?\Z")


def as_item(code: str, name: str, old_end: str) -> str:
    """An object's item. `name`: without its scope, `old_end`: the last line of the old one, whose comma stays."""
    code = code.rstrip()
    held = re.compile(rf"(\s*)(?:const|let|var)\s+{re.escape(name)}\s*(?::[^=]+)?=\s*(?=[\w(])")
    whole = held.sub(rf"\g<1>{name}: ", code, count=1) if held.match(code) else as_method(code)
    whole = whole.removesuffix(";")
    return f"{whole}," if _COMMA.search(old_end) and not _COMMA.search(whole.rpartition("\n")[2]) else whole


def as_method(code: str) -> str:
    """Without the word `function`, which no class and no object has in front of a method."""
    return _FUNCTION.sub(r"\g<indent>\g<words>\g<star>\g<name>", code, count=1) if _FUNCTION.match(code) else code


def without_type(code: str) -> str:
    """A type of Go as it is written in a group."""
    return _TYPE.sub(r"\1", code, count=1)


_TYPE = re.compile(r"^([ \t]*)type[ \t]+(?=\w)", re.MULTILINE)

"""What stands in front of a definition and belongs to the file around it: `export`, `export default`, `declare`.

A model that writes a function anew mostly writes it bare. In: the old definition's first line and the new code. Out:
the new code with what it lacks, and the words that are gone all the same. Text only; knows no files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qagent.code.symbols import language_of, symbols

_WORD = "export|default|declare|abstract|async|static|public|private|protected|readonly|override"
_LEADING = re.compile(rf"(?:(?:{_WORD})\s+)*")
_DECORATORS = re.compile(r"(?:@[\w$.]+(?:\([^()]*\))?\s+)*")
_ASSIGNED = re.compile(r"(?:module\.)?exports(?:\.[\w$]+)*\s*=\s*")
_EXPRESSION = re.compile(r"(?:async\s+)?(?:function|class)\b")
"""What may stand on the right of `=`."""
_STATEMENT = re.compile(r"(?:const|let|var|type|enum|namespace)\b")
"""What may not stand behind `export default`."""
_TOLD = {
    "export": "exported",
    "default": "the default export",
    "async": "async",
    "static": "static",
    "abstract": "abstract",
}
_NO_CODE = re.compile(r"\s*(?:#(?!\w)|//|/\*|\*|@|$)")


@dataclass(frozen=True, slots=True)
class Wrapped:
    """`lost`: what the old definition was and the new one is not, as `async` or `exported`."""

    code: str
    lost: tuple[str, ...] = ()


def rewrapped(old: str, new: str, name: str, path: str) -> Wrapped:
    """`old`: the line of the old definition, `new`: lines of code, `name`: the symbol's, `path` tells the language."""
    lines = new.split("\n")
    at = _definition(new, name, path)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    if language_of(path) in ("javascript", "typescript"):
        decorators = "" if any(line.lstrip().startswith("@") for line in lines[: at + 1]) else _decorators(old.strip())
        kept = _kept(old.strip()[len(_decorators(old.strip())) :], lines[at].strip(), "\n".join(lines[at:]))
        lines[at] = indent + decorators + kept + lines[at].strip()
    lost = _words(old) - _words(lines[at])
    return Wrapped("\n".join(lines), tuple(told for word, told in _TOLD.items() if word in lost))


def _definition(new: str, name: str, path: str) -> int:
    """The index of the line that defines the symbol, or else of the first that is no comment or decorator."""
    found = symbols(new, path)
    same = [each for each in found if each.name == name.rpartition(".")[2]] or found
    if same:
        return same[0].body_start - 1
    return next((at for at, line in enumerate(new.split("\n")) if not _NO_CODE.match(line)), 0)


def _kept(old: str, new: str, code: str) -> str:
    """What is put in front of the new line."""
    if assigned := _ASSIGNED.match(old):
        return assigned[0] if _EXPRESSION.match(new) else ""
    had, has = _leading(old), _leading(new)
    kept = [word for word in had if word in ("export", "default", "declare")]
    if "export" in has or "declare" in has or ("default" in kept and _STATEMENT.match(new)):
        return ""
    if "abstract" in had and "abstract" not in has and re.search(r"\babstract\b", code):
        kept.append("abstract")
    return "".join(f"{word} " for word in kept)


def _decorators(line: str) -> str:
    """Those on the definition's own line; those above it are not touched by anybody here."""
    found = _DECORATORS.match(line)
    return found[0] if found else ""


def _leading(line: str) -> list[str]:
    found = _LEADING.match(line[len(_decorators(line)) :])
    return found[0].split() if found else []


def _words(line: str) -> set[str]:
    """The leading words, and `async` also behind an `=`; nothing of the body."""
    head = re.split(r"[{:]", line.strip(), maxsplit=1)[0]
    behind = {"async"} if re.search(r"=\s*async\b", head) else set[str]()
    assigned = {"export"} if _ASSIGNED.match(head) else set[str]()
    return {*_leading(head), *behind, *assigned}

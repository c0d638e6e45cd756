"""The plain block that carries code after a call's header: written for the model, and read back.

    fenced       ```python … ```         whole text of a file or a symbol; the fence is longer than any inside
    pairs        <<<<<<< SEARCH … ======= … >>>>>>> REPLACE      one replacement or several
    raw          anything else up to the closing tag

Every text of a block is made of whole lines, split at `\\n` alone: it is empty or ends with a newline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Pair = dict[str, str]
"""One replacement: `old` and `new`."""

SEARCH = re.compile(r"(<{5,9}) ?SEARCH\b.*")
DIVIDER = re.compile(r"={5,9}")
REPLACE = re.compile(r">{5,9} ?REPLACE\b.*")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})(?P<language>[^\n`]*)$")


def write_pairs(pairs: Sequence[Pair]) -> str:
    return "".join(
        f"<<<<<<< SEARCH\n{_whole(pair['old'])}=======\n{_whole(pair['new'])}>>>>>>> REPLACE\n" for pair in pairs
    )


def write_fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"^[^\S\n]*(`{3,})", text, re.MULTILINE)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{_whole(text)}{fence}\n"


def read_pairs(text: str) -> list[Pair] | None:
    """The replacements of a block; None when it holds none, or is not well formed from end to end.

    A marker line inside the code can make it unclear where `old` ends. That is not well formed either: a guess would
    put the wrong text in the wrong place.
    """
    pairs: list[Pair] = []
    opening, start, dividers = "", 0, list[re.Match[str]]()
    for line in _LINE.finditer(text):
        bare = line[0].rstrip()
        if not opening and (search := SEARCH.fullmatch(bare)):
            opening, start, dividers = search[1], line.end(), []
        elif bare and (not opening or SEARCH.fullmatch(bare)):
            return None
        elif dividers and REPLACE.fullmatch(bare):
            divider = _divider(opening, dividers)
            if divider is None:
                return None
            pairs.append({"old": text[start : divider.start()], "new": text[divider.end() : line.start()]})
            opening = ""
        elif opening and DIVIDER.fullmatch(bare):
            dividers.append(line)
    return pairs if pairs and not opening else None


def _divider(opening: str, found: Sequence[re.Match[str]]) -> re.Match[str] | None:
    """The line that divides old from new: the only one, or the only one as long as the opening marker."""
    alike = [line for line in found if len(line[0].rstrip()) == len(opening)]
    choice = found if len(found) == 1 else alike
    return choice[0] if len(choice) == 1 else None


def read_fenced(text: str) -> str:
    """The content of a block that is one fence from its first line to its last, else the text as it is."""
    start = text.find("\n") + 1
    end = len(text.rstrip())
    last = text.rfind("\n", 0, end) + 1
    opening = FENCE.match(text[:start].strip())
    if opening is None or last < start or not _closes(text[last:end].strip(), opening["fence"]):
        return text
    indent = text[: len(text) - len(text.lstrip())]
    return text[start - 1 : last].replace(f"\n{indent}", "\n")[1:] if indent else text[start:last]


def read_raw(text: str) -> str:
    """The text as it is, or what stands between `<code>` and `</code>` lines around it."""
    kept = text.rstrip()
    first, last = kept.find("\n") + 1, kept.rfind("\n") + 1
    is_wrapped = first > 0 and (kept[:first].strip(), kept[last:].strip()) == ("<code>", "</code>")
    return kept[first:last] if is_wrapped else text


def _closes(line: str, fence: str) -> bool:
    return line.startswith(fence) and not line.strip(fence[0])


def _whole(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"

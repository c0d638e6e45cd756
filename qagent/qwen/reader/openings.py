"""Does a line begin with a tool's name, as models write calls without JSON around the name? Pure; built once a reply.

    read_file            `read_file`        **read_file**        ### read_file        Action: read_file
    {"path": "a.py"}     read_file {"path": "a.py"}      read_file(path="a.py")       read_file path="a.py"

Only what stands behind the name can make it a call; here it is only told from a word of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DRESS = (("", ""), ("`", "`"), ("**", "**"), ("**`", "`**"), ("### ", ""), ("## ", ""), ("# ", ""), ("### `", "`"))
_LABELS = ("Action: ", "Tool: ", "Function: ", "Tool call: ", "Call: ")
"""Around the name: Markdown, seen from the 7B and 14B under long prompts. In front of it: the words of the ReAct form,
which older members of the family were trained on."""


class Openings:
    def __init__(self, names: Sequence[str]) -> None:
        spelled = {f"{left}{name}{right}": name for name in names for left, right in _DRESS}
        spelled |= {f"{label}{name}": name for name in names for label in _LABELS}
        self._spelled = spelled
        self._longest = max(map(len, spelled), default=0)
        self._begun = frozenset(text[:length] for text in spelled for length in range(1, len(text)))
        self._first = frozenset(text[0] for text in spelled)
        longest_first = sorted(spelled, key=len, reverse=True)
        words = "|".join(map(re.escape, longest_first))
        self._name = re.compile(rf"({words})(?=[\s({{:=]|$)" if words else r"(?!)")
        starts = "|".join((*map(re.escape, longest_first), r"[{\[`~]", r"[^\x00-\x7f]\s{0,8}[{\[\n]"))
        self.plain_lines = re.compile(rf"(?:(?![^\S\n]*+(?:{starts}))[^<`\n]*+\n)*+")
        """Whole lines in which nothing can begin, from a line's start on."""

    def named(self, text: str, pos: int, *, final: bool) -> tuple[str, int] | None:
        """The tool's name that stands at a line's start, and where it ends: ("", pos) for none; None when more text is
        needed to tell."""
        if pos == len(text):
            return ("", pos) if final else None
        if text[pos] not in self._first:
            return "", pos
        rest = text[pos : pos + self._longest + 1]
        if not final and pos + len(rest) == len(text) and (rest in self._begun or rest in self._spelled):
            return None
        found = self._name.match(text, pos)
        return (self._spelled[found[1]], found.end()) if found else ("", pos)

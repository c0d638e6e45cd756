"""Where calls may begin. A line that begins with a tool's name, as models write calls without JSON around the name:

    read_file            `read_file`        **read_file**        ### read_file        Action: read_file
    {"path": "a.py"}     read_file {"path": "a.py"}      read_file(path="a.py")       read_file path="a.py"

Only what stands behind the name can make it a call; here it is only told from a word of a sentence. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from qagent.types import Form

_DRESS = (("", ""), ("`", "`"), ("**", "**"), ("**`", "`**"), ("### ", ""), ("### `", "`"))
_LABELS = ("Action: ", "Tool: ", "Function: ", "Tool call: ", "Call: ")
"""Around the name: Markdown, seen from the 7B and 14B under long prompts. In front of it: the words of the ReAct form,
which older members of the family were trained on."""


class Opening(NamedTuple):
    """What a region begins with. start, end: where it stands on the tape. certain: tags say that this is a call. leads:
    nothing but blanks stands in front of it in the reply. name: the tool's, when it stands outside of the JSON.
    example: the sentence in front says that it is one."""

    form: Form
    start: int
    end: int
    closer: str = ""
    certain: bool = False
    leads: bool = False
    fence: str = ""
    name: str = ""
    example: bool = False


class Openings:
    """A line's beginnings, for the names on offer; built once a reply."""

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


_ARGUMENT_LABELS = ("action input:", "arguments:", "parameters:", "input:", "args:")
_OBSERVATION = "observation:"
_SPOKEN = re.compile(r"\(|[\w-]{1,40}\s{0,2}=")
_SPOKEN_BEGUN = re.compile(r"[\w-]{1,40}\s{0,2}")
_LONGEST = 64
"""Characters: more than a label or a parameter's name has."""


def behind_name(text: str, pos: int, *, same_line: bool) -> tuple[Literal["label", "spoken", "begun", ""], int]:
    """What stands behind a tool's name in place of JSON, and where it ends: a label of its arguments, the arguments in
    brackets or with `=`, what more text could make one of the two, or nothing of the kind."""
    rest = text[pos : pos + _LONGEST].lower()
    if label := next((label for label in _ARGUMENT_LABELS if rest.startswith(label)), ""):
        return "label", pos + len(label)
    if same_line and _SPOKEN.match(rest):
        return "spoken", pos
    is_begun = any(label.startswith(rest) for label in _ARGUMENT_LABELS)
    return ("begun" if is_begun or (same_line and _SPOKEN_BEGUN.fullmatch(rest)) else ""), pos


def is_observation(text: str, pos: int) -> bool | None:
    """Whether the form of `Action:` and `Action Input:` goes on with a result; None when more text could make it so."""
    rest = text[pos : pos + len(_OBSERVATION)].lower()
    if not _OBSERVATION.startswith(rest):
        return False
    return True if rest == _OBSERVATION else None

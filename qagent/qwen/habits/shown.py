"""A call that stands in a reply as text: nothing was run, and the model may think that it was. Pure.

In: prose in which the reader has found no call, and the offered tools. Out: whether it shows one all the same. JSON
with name and arguments is plain anywhere; the cheap shapes are words of ordinary prose and code too, so whoever asks
decides first whether a call was to be expected, and believes the model when it shows the same again.

Source: Qwen 2.5 Coder 0.5B to 7B, which fall back to other agents' spellings (ReAct, Cline's XML, Python, a shell).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qagent.qwen.habits.sentences import FENCED
from qagent.types import ToolSpec

_CALL_NAME = re.compile(r'"(?:name|tool|tool_name|function)"\s*:\s*"([^"\n]{1,100})"')
_CALL_ARGUMENTS = re.compile(r'"(?:arguments|parameters|args|params|input)"\s*:')
_NEAR = 400
"""Characters between a call's name and the key of its arguments."""

_PLAIN_BLOCKS = frozenset({"", "text", "txt", "plaintext", "tool", "tools", "tool_call", "tool_code", "json", "xml"})
"""Blocks in which a call may stand; in one of a language such a line is that language's."""
_SHELL = frozenset({"bash", "sh", "shell", "zsh", "console", "terminal"})
_LEAD = re.compile(r"[^\n]{0,200}[:：]\s*")
_SIGNS = re.compile(r"^(?:\s|>>> |\$ |\*\*|`)+|(?:\s|\*\*|`|;)+$")
_SPOKEN = re.compile(
    r"(?P<called>[a-z]\w*)(?:"
    r"\((?P<inside>.*)"
    r"|: *(?P<given>\S.*)"
    r"|(?P<keys>(?: +\w+ ?= ?\S.*)+)"
    r"| +(?P<path>[`'\"]?[\w./-]*\w\.\w{1,5}[`'\"]?)"
    r")",
)
_TAG = re.compile(r"<(\w+)>\s*<\w+>|<(?:invoke|function|tool|tool_call)\s+name=[\"'](\w+)[\"']")
_REACT = re.compile(r"^\W*Action: *`?(\w+)`? *\n+\W*Action Input:", re.MULTILINE)
_KEYED = re.compile(r"\{\s*\"(\w+)\"\s*:\s*(?:\"[^\n]*\"|\{[^\n]*\})\s*\}")


def shows_call(prose: str, tools: Sequence[ToolSpec]) -> bool:
    """JSON with an offered tool's name and arguments, wherever it stands."""
    names = _names(tools)
    for found in _CALL_NAME.finditer(prose):
        around = prose[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        if found[1] in names and _CALL_ARGUMENTS.search(around):
            return True
    return False


def shows_spoken_call(prose: str, tools: Sequence[ToolSpec]) -> bool:
    """A line that is a call in another spelling and nothing else, or XML of an offered tool's name, or ReAct."""
    names = _names(tools)
    text = FENCED.sub(lambda block: f"\n{block[3]}\n" if block[2].strip().lower() in _PLAIN_BLOCKS else "\n", prose)
    if any(found[1] in names for found in _REACT.finditer(text)):
        return True
    if any((found[1] or found[2]) in names for found in _TAG.finditer(text)):
        return True
    bare = FENCED.sub("\n", prose)
    return any(_is_call(line, names) for line in text.splitlines()) or any(
        _is_pair(line, names) for line in bare.splitlines()
    )


def is_command(prose: str) -> bool:
    """A block for a shell is the whole answer, with at most one line in front that leads to it."""
    blocks = list(FENCED.finditer(prose))
    if len(blocks) != 1 or blocks[0][2].strip().lower() not in _SHELL or not blocks[0][3].strip():
        return False
    before, behind = prose[: blocks[0].start()].strip(), prose[blocks[0].end() :].strip()
    return not behind and (not before or _LEAD.fullmatch(before) is not None)


def _names(tools: Sequence[ToolSpec]) -> frozenset[str]:
    return frozenset(tool.name for tool in tools)


def _is_call(line: str, names: frozenset[str]) -> bool:
    said = _SIGNS.sub("", line[:500])
    if keyed := _KEYED.fullmatch(said):
        return keyed[1] in names
    found = _SPOKEN.fullmatch(said)
    if found is None or found["called"] not in names or found["given"]:
        return False
    if found["inside"] is not None:
        return found["inside"].endswith(")") or any(sign in found["inside"] for sign in "='\"`")
    return found["keys"] is not None or "_" in found["called"]


def _is_pair(line: str, names: frozenset[str]) -> bool:
    """`run: pytest`, which in a block is a key of YAML."""
    found = _SPOKEN.fullmatch(_SIGNS.sub("", line[:500]))
    return found is not None and found["given"] is not None and found["called"] in names

"""Text in, lexemes out: the smallest pieces of a reply that mean something, the same however the text is cut.

A lexeme that more text could still change is waited for, which holds back fewer than `LONGEST` characters. What reads
lexemes never has to wait, so a reply is read in linear time, and any split of it gives the same parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from qagent.types import Form

Kind = Literal["control", "open", "close", "think", "ticks", "newline", "blank", "bracket", "fragment", "text"]

TAGS: dict[str, Form] = {
    "tools": "tools",  # as taught, and what the 32B writes unasked
    "tool_call": "tool_call",  # as trained
    "function_call": "tag",  # 7B
    "tool": "tag",  # small sizes
}
"""What stands around calls, and the form that a call is then said to have."""

_CONTROL_TOKENS = (
    *("im_start", "im_end", "endoftext", "fim_prefix", "fim_middle", "fim_suffix", "fim_pad", "repo_name", "file_sep"),
    *("object_ref_start", "object_ref_end", "box_start", "box_end", "quad_start", "quad_end"),
    *("vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"),
)
_CONTROLS = (*(f"<|{name}|>" for name in _CONTROL_TOKENS), "<tool_response>")
"""Here the model begins to speak for somebody else: Qwen's control tokens, and the tag that its template gives results.
Other models' tokens (`<|begin_of_text|>`) are text like any other."""

_OPENERS = tuple(f"<{name}>" for name in TAGS)
_CLOSERS = (*(f"</{name}>" for name in TAGS), "</tool_response>")
_THINKS = ("<think>", "</think>")
_SPELLINGS = (*_CONTROLS, *_OPENERS, *_CLOSERS, *_THINKS)
LONGEST = 64


def _any(spellings: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, spellings))


_LEXEME = re.compile(
    rf"(?P<control>{_any(_CONTROLS)})|(?P<open>{_any(_OPENERS)})|(?P<close>{_any(_CLOSERS)})|(?P<think>{_any(_THINKS)})"
    rf"|(?P<ticks>`{{1,{LONGEST}}}|~{{1,{LONGEST}}})|(?P<newline>\n)|(?P<blank>[^\S\n]+)|(?P<bracket>[{{\[])"
    r"|(?P<text><|[^<`~\s{\[]+)"
)


@dataclass(frozen=True, slots=True)
class Lexeme:
    """fragment: the beginning of a spelling that the reply's end cut off. text, blank: any piece of a longer run."""

    kind: Kind
    text: str

    @property
    def form(self) -> Form:
        """The form of the calls that an opening tag announces."""
        return TAGS[self.text.strip("<>")]


def lexeme(text: str, pos: int, *, final: bool) -> Lexeme | None:
    """The lexeme at `pos`; None at the text's end and, unless it is the final text, while more could change it."""
    found = _LEXEME.match(text, pos)
    if found is None:
        return None
    kind, end = cast(Kind, found.lastgroup), found.end()
    if found[0] == "<" and _is_begun(rest := text[pos : pos + LONGEST]):
        is_fragment = len(rest) > 1 and rest[1] != "~"
        return (Lexeme("fragment", rest) if is_fragment else Lexeme("text", "<")) if final else None
    if kind == "ticks" and end == len(text) and end - pos < LONGEST and not final:
        return None
    return Lexeme(kind, found[0])


def _is_begun(rest: str) -> bool:
    """Whether the whole rest of the text is the beginning of a spelling, marked or not."""
    bare = "<" + rest[1:].lstrip("~")
    return len(rest) < LONGEST and any(spelling.startswith(bare) for spelling in _SPELLINGS)

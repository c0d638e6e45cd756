"""The spellings that mean something in a reply, and the lexeme at a place of it: text in, the smallest pieces out.

A spelling that the end of the text cuts off is `begun`: whoever feeds text piece by piece holds it back, which is
fewer than `LONGEST` characters. Tags are known in any case: `<JSON>` was seen. Sources: the wrappers that llama.cpp
was taught for this family, and raw replies of the 7B, 14B and 32B.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

from qagent.types import Form

Kind = Literal["control", "open", "weak", "xml", "close", "think", "ticks", "newline", "blank", "bracket", "text"]

TAGS: dict[str, Form] = {
    "tools": "tools",  # as taught, and what the 32B writes unasked
    "tool_call": "tool_call",  # as trained
    "tool_calls": "tag",
    "function_call": "tag",  # 7B
    "function_calls": "tag",
    "function-call": "tag",
    "function-calls": "tag",
    "tool": "tag",  # small sizes
}
"""What stands around calls and around nothing else, and the form that a call is then said to have."""

WEAK = ("function", "response", "json", "xml")
"""Tags that stand around calls, and around answers, examples and documents too: they prove nothing."""

SQUARE = {
    "[tool_call]": "[/tool_call]",  # templates for Ollama that people share
    "[tool_calls]": "[/tool_calls]",
    "[tool_request]": "[end_tool_request]",  # LM Studio's own form
    "[function_call]": "[/function_call]",
}
"""Tags in square brackets. They count where a bracket does: at the start of a line."""

PAIRED = {
    "function-name": "arguments",
    "tool-name": "args-json-object",
    "function_name": "arguments",
    "tool_name": "arguments",
}
"""The template's own placeholders, taken for tags: the name in one pair, the arguments in another. 32B."""

_CONTROL_TOKENS = (
    *("im_start", "im_end", "endoftext", "fim_prefix", "fim_middle", "fim_suffix", "fim_pad", "repo_name", "file_sep"),
    *("object_ref_start", "object_ref_end", "box_start", "box_end", "quad_start", "quad_end"),
    *("vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"),
)
_CONTROLS = (*(f"<|{name}|>" for name in _CONTROL_TOKENS), "<tool_response>")
"""Here the model begins to speak for somebody else: Qwen's control tokens, and the tag that its template gives results.
Other models' tokens (`<|begin_of_text|>`) are text like any other."""

_OPENERS = tuple(f"<{name}>" for name in TAGS)
_WEAK_OPENERS = tuple(f"<{name}>" for name in WEAK)
_PAIR_OPENERS = tuple(f"<{name}>" for name in PAIRED)
_ATTRIBUTE = r"\s+[\w:-]{1,20}\s*=\s*(?:\"[^\"<>\n]{0,40}\"|'[^'<>\n]{0,40}'|[\w.-]{1,40})"
_WITH_ATTRIBUTES = rf"<(?:{'|'.join(TAGS)})(?:{_ATTRIBUTE}){{1,3}}\s*>"
_ATTRIBUTES_BEGUN = re.compile(
    rf"<(?:{'|'.join(TAGS)})\s(?:[^<>\n]{{0,60}}=)?\s?[\w:-]{{0,20}}(?:\s*=[^<>\n]{{0,40}})?", re.IGNORECASE
)
_NAMED = r"<function(?:=|\s+name\s*=\s*)[\"']?[\w.:-]{1,64}[\"']?\s*>"
_NAMED_BEGUN = re.compile(r"<function(?:=|\s[^<>\n]{0,16})[\"']?[\w.:-]{0,64}[\"']?\s{0,4}", re.IGNORECASE)
_CLOSERS = (
    *(f"</{name}>" for name in (*TAGS, *WEAK, "tool_response", "parameter", *PAIRED, *dict.fromkeys(PAIRED.values()))),
    *SQUARE.values(),
)
_THINKS = ("<think>", "</think>")
_SPELLINGS = (*_CONTROLS, *_OPENERS, *_WEAK_OPENERS, *_PAIR_OPENERS, *_CLOSERS, *_THINKS, *SQUARE)
_PARAMETERS = ("<parameter=", "<parameter name=")
_BEGUN = frozenset(word[:length] for word in (*_SPELLINGS, *_PARAMETERS) for length in range(1, len(word)))
LONGEST = 96


def _any(spellings: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, spellings))


CONTROL = re.compile(_any(_CONTROLS))
_CONTROL_BEGUN = re.compile(_any(tuple({word[:length] for word in _CONTROLS for length in range(1, len(word))})))
_KINDS = {
    "newline": r"\n",
    "blank": r"[^\S\n]+",
    "control": _any(_CONTROLS),
    "open": f"(?i:{_any((*_OPENERS, *SQUARE))}|{_WITH_ATTRIBUTES})",
    "weak": f"(?i:{_any(_WEAK_OPENERS)})",
    "xml": f"(?i:{_any(_PAIR_OPENERS)}|{_NAMED})",
    "close": f"(?i:{_any(_CLOSERS)})",
    "think": f"(?i:{_any(_THINKS)})",
    "ticks": f"`{{1,{LONGEST}}}|~{{1,{LONGEST}}}",
    "bracket": r"[{\[]",
    "text": r"(?:<|[^<`~\s{\[])[^<`~\n{\[]*",
}
_LEXEME = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))


class Lexeme(NamedTuple):
    """text, blank: any piece of a longer run. end: the position behind it."""

    kind: Kind
    text: str
    end: int

    @property
    def form(self) -> Form:
        """The form of the calls that an opening tag announces; a weak one announces no more than a fence does."""
        return TAGS.get(self._name, "fence" if self._name in WEAK else "tag")

    @property
    def closer(self) -> str:
        """What closes an opening tag, in lower case."""
        return SQUARE.get(self.text.lower()) or f"</{self._name}>"

    @property
    def _name(self) -> str:
        return self.text.lower().strip("<>").split(maxsplit=1)[0]


def lexeme(text: str, pos: int, *, final: bool = True) -> Lexeme | None:
    """The lexeme at `pos`; None at the text's end and, unless it is the final text, while more could change it.

    A begun spelling with a `<` is for the caller to hold back; ticks and square brackets are waited for here.
    """
    found = _LEXEME.match(text, pos)
    if found is None:
        return None
    if not final and found.end() == len(text) and found.lastgroup == "ticks" and found.end() - pos < LONGEST:
        return None
    if not final and text[pos] == "[" and text[pos:].lower() in _BEGUN:
        return None
    return Lexeme(cast(Kind, found.lastgroup), found[0], found.end())


def begun(text: str, *, final: bool = False) -> int:
    """How many characters at the text's end are the beginning of a spelling in angles, marked or not; mostly none.

    Two in a row when the second can become a control token: the reply may end there, and with it the first. Not when
    the text is final: then nothing becomes anything.
    """
    last = _begun_from(text, len(text))
    if final or not last or not _CONTROL_BEGUN.fullmatch(text, len(text) - last):
        return last
    return last + _begun_from(text, len(text) - last)


def _begun_from(text: str, end: int) -> int:
    at = text.rfind("<", max(0, end - LONGEST), end)
    if at < 0:
        return 0
    bare = "<" + text[at + 1 : end].lstrip("~").lower()
    is_begun = bare in _BEGUN or _NAMED_BEGUN.fullmatch(bare) or _ATTRIBUTES_BEGUN.fullmatch(bare)
    return end - at if is_begun else 0


def function_name(tag: str) -> str:
    """The tool's name in `<function=NAME>` or `<function name="NAME">`; "" for a tag that has none."""
    found = re.fullmatch(r"<function(?:=|\s+name\s*=\s*)[\"']?([\w.:-]+)[\"']?\s*>", tag, re.IGNORECASE)
    return found[1] if found else ""

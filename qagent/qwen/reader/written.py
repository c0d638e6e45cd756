"""What a region has found, as offsets on the tape, and what it says: values in, calls or reasons out.

Nothing is kept but offsets until the region is over, so that a reply of ten megabytes is not held several times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qagent.qwen import calls
from qagent.qwen.json_text import Unfit, decode
from qagent.qwen.reader import reasons
from qagent.qwen.reader.tape import Tape
from qagent.types import BadCall, Form, Part, ToolCall, ToolSpec

_TAG_END = re.compile(r"</(?:tools|tool_calls?|function[-_]calls?|tool)>|\n(?=[^\S\n]*<(?:tools|tool_call)>)")
_FENCE_END = re.compile(r"\n[^\S\n]*(?:```|~~~)[^\S\n]*(?=\n|$)")
_TRIES = 8
"""Ends that are tried when a quote in the JSON has hidden the real one. Each costs a reading of the value."""
_HEADER = 4_000
"""Characters: a JSON header that still waits for its code is shorter."""

Kind = Literal["json", "xml", "spoken"]


@dataclass(slots=True)
class Value:
    """One call as it is written: its offsets, a name in front of it, the text of the block behind it. whole: its end
    was seen. too_large: it has more brackets than any call."""

    start: int
    end: int
    kind: Kind = "json"
    name: str = ""
    block: str | None = None
    whole: bool = True
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Reads values off the tape for the tools on offer."""

    tape: Tape
    tools: Sequence[ToolSpec]

    def parts(self, values: Sequence[Value], form: Form) -> list[Part]:
        if len(values) > calls.MOST:
            return [BadCall("", self.tape.slice(values[0].start, values[-1].end), calls.TOO_MANY)]
        return [part for value in values for part in self._one(value, form)]

    def _one(self, value: Value, form: Form) -> Sequence[Part]:
        text = self.tape.slice(value.start, value.end)
        if value.too_large:
            return [BadCall("", text, reasons.TOO_LARGE, value.name)]
        if value.kind == "xml":
            return calls.read_xml(text, "xml", self.tools, whole=value.whole)
        if value.kind == "spoken":
            return calls.read_spoken(f"{value.name}{text}".strip(), form, self.tools, whole=value.whole) or ()
        name = "" if value.name and calls.meant_by(text, self.tools) else value.name
        return calls.read(text, value.block, form, self.tools, name=name, whole=value.whole)

    def lacks_text(self, value: Value, *, certain: bool, or_has_empty: bool = True) -> bool:
        """Whether it is a call without the text that a block brings, or with an empty one."""
        if value.block is not None or value.kind != "json" or value.end - value.start > _HEADER:
            return False
        call = calls.meant_by(self.tape.slice(value.start, value.end), self.tools, name=value.name)
        if call is None:
            return False
        return calls.wants_block(call, self.tools, certain=certain, or_has_empty=or_has_empty)

    def has_text(self, parts: Sequence[Part]) -> bool:
        """Whether the last of them is a call with the text, if it needs one, that a block would have brought."""
        last = parts[-1] if parts else None
        if not isinstance(last, ToolCall):
            return False
        body = next(tool.body for tool in self.tools if tool.name == last.name)
        return not body or any(last.arguments.get(name) for name in body)

    def looks_like_call(self, start: int, end: int) -> bool:
        """JSON outside of tags that cannot be run, and yet is no answer: it names an offered tool and has arguments."""
        return calls.looks_like_one(self.tape.slice(start, min(end, start + 2_000)), self.tools)

    def ends_twice(self, value: Value, form: Form, *, in_tags: bool) -> bool:
        """Whether one of its texts holds what may be the real end, since it can be read with either."""
        ends = [at for at, _ in self.hidden_ends(value.start, value.end, in_tags=in_tags)]
        if not ends or value.too_large or not self.is_sound(value, form) or self._is_right(value):
            return False
        return any(self.is_sound(replace(value, end=at), form) for at in ends)

    def _is_right(self, value: Value) -> bool:
        try:
            decode(self.tape.slice(value.start, value.end))
        except Unfit:
            return False
        return True

    def is_sound(self, value: Value, form: Form) -> bool:
        return is_sound(self.parts([value], form))

    def hidden_ends(self, start: int, end: int, *, in_tags: bool) -> Iterator[tuple[int, int]]:
        """Where a value that does not end may have ended: a closer that an unescaped quote has made part of a text.
        Offsets of the closer, the first few."""
        found = (_TAG_END if in_tags else _FENCE_END).finditer(self.tape.slice(start, end))
        return ((start + each.start(), start + each.end()) for each, _ in zip(found, range(_TRIES), strict=False))


def is_sound(parts: Sequence[Part]) -> bool:
    """Whether there is a call in it, and nothing that was meant as one and cannot be run."""
    kinds = {part.kind for part in parts}
    return "call" in kinds and "bad_call" not in kinds

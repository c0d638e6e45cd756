"""One value while it comes: JSON, a function in tags, or a name with its arguments in brackets. Text in, its end out.

Fed text as a `Region` is; of what stands around it, it knows only whether tags say that this is a call. `ended`: its
end has come, `whole`: and was written, `right`: and there is nothing to mend. `refused`: it is no JSON, but code or a
link.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from qagent.qwen.reader.value_scans import JsonScan, PairedTagsScan, SpokenScan, ValueScan, XmlScan, json_end
from qagent.qwen.reader.written import Kind

_MAY_FOLLOW = {"{": "\"'“}", "[": "{"}
"""What stands first in JSON that can be a call: `[link]` and `{ return x }` are not even looked into."""
_KEY = re.compile(r"(?:name|tool|tool_name|function|function_name|action|arguments|thought|type|id)\s*:")
_KEY_BEGUN = re.compile(r"[a-z_]{1,14}\s{0,2}")
_MOST_BRACKETS = 20_000
"""More than any call has, and any text of `json_end` (it could not have them counted)."""


class CallBody:
    """start: its offset. in_pairs: name and arguments stand in two pairs of tags."""

    def __init__(self, kind: Kind, start: int, *, certain: bool, in_pairs: bool = False) -> None:
        self.kind: Kind = kind
        self.start = start
        self.ended = self.refused = self.right = False
        self.whole = True
        self._certain = certain
        self._base, self._final = start, False
        self._opener = ""
        self._scan: ValueScan = _scan(kind, in_pairs)
        self._state: Callable[[str, int], int] = self._in_scan
        if kind == "json":
            self._state = self._bracket
        elif kind == "xml" and not in_pairs:
            self._state = self._behind_tag

    @property
    def in_string(self) -> bool:
        return isinstance(self._scan, JsonScan) and self._scan.in_string

    @property
    def too_large(self) -> bool:
        """Whether it has more brackets than a call can have: what it says would take many times its size in memory."""
        return isinstance(self._scan, JsonScan) and self._scan.opened > _MOST_BRACKETS

    def feed(self, text: str, pos: int, base: int, *, final: bool) -> int:
        """The position up to which the text is the value's."""
        self._base, self._final = base, final
        while pos < len(text) and not self.ended and not self.refused:
            state, before = self._state, pos
            pos = state(text, pos)
            if pos == before and self._state == state:
                break
        return pos

    def _bracket(self, text: str, pos: int) -> int:
        self._opener, self._state = text[pos], self._behind_bracket
        return pos + 1

    def _behind_bracket(self, text: str, pos: int) -> int:
        """The first thing there tells code and links from JSON."""
        while pos < len(text) and text[pos].isspace():
            pos += 1
        if pos == len(text):
            return pos
        if not self._certain and text[pos] not in _MAY_FOLLOW[self._opener]:
            if not self._final and _KEY_BEGUN.fullmatch(text, pos):
                return pos
            if not _KEY.match(text, pos):
                self.refused = True
                return pos
        start = self.start - self._base
        if start >= 0 and (end := json_end(text, start)):
            self.ended = self.right = True
            return end
        self._state = self._in_scan
        return pos

    def _behind_tag(self, text: str, pos: int) -> int:
        """Behind `<function=NAME>`: its arguments as JSON, or parameters in tags."""
        while pos < len(text) and text[pos].isspace():
            pos += 1
        if pos < len(text) and text[pos] == "{":
            self.kind, self.start = "json", self._base + pos
            self._scan, self._state = JsonScan(), self._bracket
        elif pos < len(text):
            self._state = self._in_scan
        return pos

    def _in_scan(self, text: str, pos: int) -> int:
        pos = self._scan.scan(text, pos, final=self._final)
        self.ended, self.whole = self._scan.ended, self._scan.whole
        return pos


def _scan(kind: Kind, in_pairs: bool) -> ValueScan:
    match kind:
        case "json":
            return JsonScan()
        case "xml":
            return PairedTagsScan() if in_pairs else XmlScan()
        case "spoken":
            return SpokenScan()

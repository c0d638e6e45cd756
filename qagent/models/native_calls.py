"""Calls that a server has read out of a reply, written back as tagged text, so that one reader reads all servers.

In: the pieces of OpenAI's `delta.tool_calls`, as they come: an index or none, an id or none, a name, a part of the
arguments. Out: `<tool_call>` blocks. The arguments are written as they came, whole JSON or not: mending is the
reader's. Whole calls come in one piece from Ollama, in many from llama.cpp and vLLM. Some servers give every call
index 0, some every piece an id of its own, some a call `{}` for arguments before the real ones come.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from qagent.models.record import Record

CALL_CHARACTERS = len('\n<tool_call>\n{"name": "", "arguments": {}}\n</tool_call>')
"""What a call takes beside its name and its arguments: its tags and its braces."""

_NO_ARGUMENTS = "{}"


@dataclass(slots=True)
class _Call:
    order: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "".join(self.arguments).strip()

    @property
    def is_whole(self) -> bool:
        """Asked for each piece with a name, so it first looks at the end alone."""
        return bool(self.arguments) and self.arguments[-1].rstrip().endswith(("}", "]", '"')) and _is_json(self.text)


class NativeCalls:
    """The calls of one reply. characters: how long they are in all. any: whether there were calls at all."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self.characters = 0
        self.any = False

    def add(self, piece: Record) -> bool:
        """Takes one element of `delta.tool_calls`; false when it said nothing new. Raises StreamBroken for what is no
        such element."""
        function = piece.inner("function")
        index, call_id = piece.count("index"), piece.text("id")
        name, arguments = function.text("name"), _arguments(function)
        if not name and not arguments:  # it opens no call: what does will name it again
            return False
        call = self._meant(index, call_id, name, arguments)
        if call.name != name and not call.arguments:  # a name is sent once, or again and again, or in parts
            call.name += name
        if call.arguments == [_NO_ARGUMENTS] and arguments.lstrip().startswith("{"):
            call.arguments.clear()
        if arguments:
            call.arguments.append(arguments)
        self.any = True
        self.characters += len(name) + len(arguments)
        return True

    def take(self, *, cut: bool) -> str:
        """The calls since the last time, in the server's order; with `cut` the last one that was being written stays
        open, unless it is whole: then nobody can take it for a call that was meant so."""
        last = self._calls[-1:] if cut and self._calls and not self._calls[-1].is_whole else []
        closed = sorted((call for call in self._calls if call not in last), key=lambda call: call.order)
        self._calls = []
        return "\n".join([*(_tagged(call) for call in closed), *(_opened(call) for call in last)])

    def _meant(self, index: int | None, call_id: str, name: str, arguments: str) -> _Call:
        """The call to which a piece belongs; it becomes the last one."""
        found = self._found(index, call_id, begins=bool(name))
        if found and name and _begins_another(found, call_id, name, arguments):
            found = None
        if found:
            self._calls.remove(found)
        else:
            found = _Call(len(self._calls) if index is None else index)
            self.characters += CALL_CHARACTERS
        found.id = found.id or call_id
        self._calls.append(found)
        return found

    def _found(self, index: int | None, call_id: str, *, begins: bool) -> _Call | None:
        if index is not None:
            there = [call for call in reversed(self._calls) if call.order == index]
            return next((call for call in there if call_id and call.id == call_id), there[0] if there else None)
        if call_id:
            return next((call for call in self._calls if call.id == call_id), None)
        return self._calls[-1] if self._calls and (not begins or not self._calls[-1].is_whole) else None


def _begins_another(call: _Call, call_id: str, name: str, arguments: str) -> bool:
    """Whether a piece with a name is another call's, though its index is this one's. Nothing can follow whole
    arguments; and a new id with another name, or with arguments from their start, is a new call."""
    if call_id and call_id == call.id and call.arguments == [_NO_ARGUMENTS]:
        return False
    if call.is_whole:
        return bool(arguments) or call_id != call.id
    is_new = bool(call_id and call.id and call_id != call.id)
    return is_new and (name != call.name or arguments.lstrip().startswith("{"))


def _arguments(function: Record) -> str:
    """A string of JSON, as OpenAI has it, or the object itself, as Ollama has it."""
    value = function.values.get("arguments")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return function.text("arguments")


def _opened(call: _Call) -> str:
    name = json.dumps(call.name, ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {call.text or "{}"}'


def _tagged(call: _Call) -> str:
    return f"{_opened(call)}}}\n</tool_call>"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

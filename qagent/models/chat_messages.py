"""A conversation as the messages of a chat endpoint, for servers that take no raw prompt. Pure.

In: the messages that stand in a prompt. Out: JSON objects with role and content. As in the raw prompt, foreign text
goes through `chatml.mark`, and results stand in a turn of the user's, as Qwen's own template puts them there;
neighbours of the user's become one, because many templates refuse two in a row. `native` gives calls and results in
fields of their own, but only those that the server itself had read: what the model wrote as text stays its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from qagent.qwen import chatml
from qagent.qwen.calls.schemas import json_schema
from qagent.types import AssistantMessage, Message, SystemMessage, ToolCall, ToolResult, ToolSpec, UserMessage

Json: TypeAlias = dict[str, Any]


def chat_messages(messages: Sequence[Message], *, native: bool = False, prefill: str = "") -> list[Json]:
    """`prefill`: how the model's turn is begun in its place, as a last message of its own."""
    turns = list(_Turns(native).of(messages))
    return [*_joined(turns), *([_turn("assistant", prefill)] if prefill else [])]


def tool_fields(tools: Sequence[ToolSpec]) -> list[Json]:
    """The tools as OpenAI's `tools`. Without `anyOf`: llama.cpp's grammar then forgets the parameters beside it."""
    return [
        {"type": "function", "function": {"name": spec.name, "description": spec.summary, "parameters": parameters}}
        for spec in tools
        for parameters in [{key: value for key, value in json_schema(spec).items() if key != "anyOf"}]
    ]


def _turn(role: str, content: str | None) -> Json:
    return {"role": role, "content": content}


def _joined(turns: list[Json]) -> Iterator[Json]:
    for role, group in groupby(turns, key=lambda turn: turn["role"]):
        if role == "user":
            yield _turn("user", "\n\n".join(turn["content"] for turn in group))
        else:
            yield from group


@dataclass(slots=True)
class _Turns:
    """ids: those of the calls that were given as such. They count through the conversation: nine letters and digits,
    which is what Mistral's template asks for, the strictest."""

    native: bool
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, messages: Sequence[Message]) -> Iterator[Json]:
        for is_result, group in groupby(messages, key=lambda message: isinstance(message, ToolResult)):
            if is_result:
                yield from self._results([message for message in group if isinstance(message, ToolResult)])
            else:
                yield from (self._message(message) for message in group)

    def _message(self, message: Message) -> Json:
        match message:
            case SystemMessage(text):
                return _turn("system", text)
            case UserMessage(text):
                return _turn("user", chatml.mark(text))
            case AssistantMessage(raw):
                calls = [call for call in message.calls if isinstance(call, ToolCall)]
                is_native = self.native and bool(calls) and _is_native(message)
                return self._called(message, calls) if is_native else _turn("assistant", raw)
            case ToolResult():
                raise TypeError("results stand in turns of their own")

    def _called(self, message: AssistantMessage, calls: Sequence[ToolCall]) -> Json:
        """`content` is null, and stays, when there was nothing but calls."""
        self.ids |= {call.id: f"call{len(self.ids) + at:05}" for at, call in enumerate(calls)}
        return {**_turn("assistant", message.prose or None), "tool_calls": [_call(self.ids[c.id], c) for c in calls]}

    def _results(self, results: Sequence[ToolResult]) -> Iterator[Json]:
        told = [result for result in results if result.call_id not in self.ids]
        for result in results:
            if result.call_id in self.ids:
                content = chatml.result_content(result.text)
                yield {"role": "tool", "tool_call_id": self.ids[result.call_id], "content": content}
        if told:
            yield _turn("user", "\n".join(_response(result) for result in told))


def _is_native(message: AssistantMessage) -> bool:
    """Whether the server had read every call of the reply."""
    return all(isinstance(call, ToolCall) and call.form == "native" for call in message.calls)


def _call(call_id: str, call: ToolCall) -> Json:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _response(result: ToolResult) -> str:
    return f"<tool_response>\n{chatml.result_content(result.text)}\n</tool_response>"

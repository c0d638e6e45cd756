"""`qagent debug parse --jsonl`: replies in, what was read in them out; a contract for other programs.

in  {"id", "raw" | "chunks" | "chunks_hex", "tools": ["name" | {"name", "parameters": JSON schema}]}
    a tool may also stand as OpenAI has it: {"type": "function", "function": {"name", "parameters"}}
out {"id", "calls": [{"name", "arguments"}], "text", "bad": [{"why", "raw"}], "streamed": [text a chunk],
     "forms": [how each call was written], "repairs": [[what was mended in it]]}

A name alone offers a tool of which nothing else is known: any arguments fit.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Literal, Self, TypeAlias, cast

from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator

from qagent.cli.ends import say_json
from qagent.cli.json_lines import requests
from qagent.errors import UsageProblem
from qagent.qwen.reader import Reader
from qagent.types import BadCall, Parameter, Part, Prose, ToolCall, ToolSpec

BODY_NAMES = ("content", "new", "code", "text")
"""Parameters of a foreign tool that a plain block may fill."""

_TypeName = Literal["string", "integer", "number", "boolean", "array", "object", "any"]


class _Property(BaseModel):
    type: str | list[str] | None = None


class _Schema(BaseModel):
    properties: dict[str, _Property] = {}
    required: list[str] = []


class _Offered(BaseModel):
    name: str
    parameters: _Schema | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_openai_has_it(cls, value: object) -> object:
        """`{"type": "function", "function": {…}}` is what stands in it."""
        if not isinstance(value, dict):
            return value
        said = cast("dict[str, object]", value)
        return said["function"] if "name" not in said and isinstance(said.get("function"), dict) else said


_Tool: TypeAlias = str | _Offered

TOOLS = '["name"], [{"name": "…", "parameters": JSON schema}], or OpenAI\'s [{"type": "function", "function": {…}}]'


class _Reply(BaseModel):
    id: str | int
    raw: str | None = None
    chunks: list[str] | None = None
    chunks_hex: list[str] | None = None
    tools: list[_Tool] = []

    @model_validator(mode="after")
    def _has_one_text(self) -> Self:
        if sum(text is not None for text in (self.raw, self.chunks, self.chunks_hex)) != 1:
            raise ValueError("give one of raw, chunks, chunks_hex")
        for chunk in self.chunks_hex or ():
            bytes.fromhex(chunk)
        return self


def parse_lines(stream: BinaryIO) -> None:
    for reply in requests(stream, _Reply):
        reader = Reader([_spec(tool) for tool in reply.tools])
        heard = [reader.feed(chunk) for chunk in _chunks(reply)]
        heard.append(reader.close())
        say_json({"id": reply.id, **_read(heard), "streamed": [prose(parts) for parts in heard[:-1]]})


def tools_in(data: bytes, name: str) -> list[ToolSpec]:
    """The tools of a JSON list as the contract has it; `name` is the file's. Raises UsageProblem."""
    try:
        listed: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"{name} is not a list of tools: it is not JSON", todo=f"write {TOOLS}") from error
    if not isinstance(listed, list):
        raise UsageProblem(f"{name} is not a list of tools: it is JSON, and no list", todo=f"write {TOOLS}")
    return [_tool(each, f"{name}: tool {at}") for at, each in enumerate(cast("list[object]", listed), start=1)]


def _tool(value: object, place: str) -> ToolSpec:
    try:
        return _spec(TypeAdapter[_Tool](_Tool).validate_python(value))
    except ValidationError as error:
        named = isinstance(value, str) or (isinstance(value, dict) and "name" in value)
        what = "has parameters that are no JSON schema" if named else "has no name"
        raise UsageProblem(f"{place} {what}", todo=f"write {TOOLS}") from error


def prose(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Prose))


def _chunks(reply: _Reply) -> Iterable[str]:
    if reply.chunks_hex is not None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        pieces = [decoder.decode(bytes.fromhex(chunk)) for chunk in reply.chunks_hex]
        return [*pieces, decoder.decode(b"", True)]
    return reply.chunks if reply.chunks is not None else [reply.raw or ""]


def _spec(tool: _Tool) -> ToolSpec:
    if isinstance(tool, str):
        return ToolSpec(tool)
    schema = tool.parameters
    if schema is None:
        return ToolSpec(tool.name)
    names = schema.properties
    parameters = tuple(Parameter(name, _type(kind), name in schema.required) for name, kind in names.items())
    return ToolSpec(tool.name, "", parameters, (), tuple(name for name in BODY_NAMES if name in names))


def _type(kind: _Property) -> _TypeName:
    known = ("string", "integer", "number", "boolean", "array", "object")
    return cast(_TypeName, kind.type) if kind.type in known else "any"


def _read(heard: Sequence[Sequence[Part]]) -> dict[str, Any]:
    parts = [part for some in heard for part in some]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    return {
        "calls": [{"name": call.name, "arguments": call.arguments} for call in calls],
        "text": prose(parts) or None,
        "bad": [{"why": part.why, "raw": part.raw} for part in parts if isinstance(part, BadCall)],
        "forms": [call.form for call in calls],
        "repairs": [list(call.repairs) for call in calls],
    }

"""Rows of `tests/cases/replies/*.jsonl`: what they offer, how they come, and what was read from them.

A row:
    id           its family's name and its own
    raw          the whole reply
    tools        what was on offer: "name" (any arguments fit) or {"name", "parameters": a JSON schema}
    calls        the calls, in order; [] = nothing may run
    or_calls     other outcomes that are as good
    text         the prose that is left, compared with white space collapsed; null = not checked
    never_shown  what no prose may hold
    chunks       the reply in pieces; chunks_hex: the same as bytes, which may split a character
    why          what the row is about
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

from qagent.types import Parameter, ToolSpec

_FOLDER = Path(__file__).parents[1] / "cases" / "replies"
_BODY = ("content", "new", "code", "text")
_TypeName = Literal["string", "integer", "number", "boolean", "array", "object", "any"]


class Call(TypedDict):
    name: str
    arguments: dict[str, Any]


class Offered(TypedDict):
    name: str
    parameters: dict[str, Any]


class Row(TypedDict):
    id: str
    raw: str
    tools: list[str | Offered]
    calls: list[Call]
    text: str | None
    why: str
    or_calls: NotRequired[list[list[Call]]]
    never_shown: NotRequired[list[str]]
    chunks: NotRequired[list[str]]
    chunks_hex: NotRequired[list[str]]


def rows() -> list[Row]:
    """Every row of every family, in the order of the files' names."""
    files = sorted(_FOLDER.glob("*.jsonl"))
    return [cast(Row, json.loads(line)) for file in files for line in file.read_bytes().splitlines()]


def specs(row: Row) -> list[ToolSpec]:
    return [_spec(tool) for tool in row["tools"]]


def ways(row: Row) -> Iterator[list[str]]:
    """The pieces in which the reply is fed: whole, by characters, and as the row itself cuts it."""
    yield [row["raw"]]
    yield list(row["raw"])
    if "chunks" in row:
        yield row["chunks"]
    if "chunks_hex" in row:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        yield [*(decoder.decode(bytes.fromhex(piece)) for piece in row["chunks_hex"]), decoder.decode(b"", True)]


def _spec(tool: str | Offered) -> ToolSpec:
    if isinstance(tool, str):
        return ToolSpec(tool)
    properties = cast(dict[str, dict[str, Any]], tool["parameters"].get("properties", {}))
    required = cast(list[str], tool["parameters"].get("required", []))
    parameters = tuple(Parameter(name, _type(of.get("type")), name in required) for name, of in properties.items())
    return ToolSpec(tool["name"], parameters=parameters, body=tuple(name for name in _BODY if name in properties))


def _type(name: object) -> _TypeName:
    return cast(_TypeName, name) if name in get_args(_TypeName) else "any"

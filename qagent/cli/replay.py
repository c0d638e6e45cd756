"""`qagent debug`: one reply, one edit or one prompt, replayed. The JSON Lines forms are a contract for other programs.

parse   in  {"id", "raw" | "chunks" | "chunks_hex", "tools": ["name" | {"name", "parameters": JSON schema}]}
        out {"id", "calls": [{"name", "arguments"}], "text", "bad": [{"why", "raw"}], "streamed": [text a chunk]}
edit    in  {"id", "file", "before", "edits": [{"old", "new", "replace_all"?}]}
        out {"id", "after"} or {"id", "error", "message"}
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, TypeVar, cast

from pydantic import BaseModel, ValidationError, model_validator

from qagent import context
from qagent.cli.ends import say_json
from qagent.cli.start import Options, start
from qagent.edits.exact import Edit, EditRefused, apply
from qagent.errors import UsageProblem
from qagent.qwen.reader import Reader
from qagent.tools.toolbox import json_schema, standard_toolbox
from qagent.types import BadCall, Parameter, Part, Prose, SystemMessage, ToolCall, ToolSpec, UserMessage
from qagent.wiring import prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

BODY_NAMES = ("content", "new", "code", "text")
"""Parameters of a foreign tool that a plain block may fill."""


Request = TypeVar("Request", bound=BaseModel)


class _Property(BaseModel):
    type: str | list[str] | None = None


class _Schema(BaseModel):
    properties: dict[str, _Property] = {}
    required: list[str] = []


class _Offered(BaseModel):
    name: str
    parameters: _Schema | None = None


class _Reply(BaseModel):
    id: str | int
    raw: str | None = None
    chunks: list[str] | None = None
    chunks_hex: list[str] | None = None
    tools: list[str | _Offered] = []

    @model_validator(mode="after")
    def _has_one_text(self) -> Self:
        if sum(text is not None for text in (self.raw, self.chunks, self.chunks_hex)) != 1:
            raise ValueError("give one of raw, chunks, chunks_hex")
        for chunk in self.chunks_hex or ():
            bytes.fromhex(chunk)
        return self


class _Change(BaseModel):
    old: str
    new: str
    replace_all: bool = False


class _Edits(BaseModel):
    id: str | int
    file: str = ""
    before: str
    edits: list[_Change]


def parse_lines(stream: BinaryIO) -> None:
    for reply in _requests(stream, _Reply):
        reader = Reader([_spec(tool) for tool in reply.tools])
        heard = [reader.feed(chunk) for chunk in _chunks(reply)]
        heard.append(reader.close())
        say_json({"id": reply.id, **_read(heard), "streamed": [_prose(parts) for parts in heard[:-1]]})


def parse_one(reply: bytes) -> None:
    """For people: the parts of one reply, with qagent's own tools on offer."""
    reader = Reader(standard_toolbox(Workspace.open(Path()), Words()).specs)
    parts = [*reader.feed(reply.decode("utf-8", errors="replace")), *reader.close()]
    for part in parts:
        match part:
            case Prose(text):
                print(text, end="")
            case ToolCall(number, name, arguments, form):
                print(f"\n[call {number}, written as {form}] {name} {json.dumps(arguments, ensure_ascii=False)}")
            case BadCall(number, _, why):
                print(f"\n[call {number} cannot be run] {why}")
    print(f"\n[{reader.dropped} characters dropped]" if reader.dropped else "")


def edit_lines(stream: BinaryIO) -> None:
    for request in _requests(stream, _Edits):
        changes = [Edit(change.old, change.new, change.replace_all) for change in request.edits]
        try:
            say_json({"id": request.id, "after": apply(request.before, changes)})
        except EditRefused as refused:
            say_json({"id": request.id, "error": refused.code, "message": refused.text})


def first_prompt(task: str, cwd: Path, *, as_json: bool) -> None:
    place = start(Options(cwd, quiet=True)).place
    text, _ = prefix(place)
    prompt = context.build((SystemMessage(text), UserMessage(task)), "")
    if not as_json:
        print(prompt.text, end="")
        return
    tools = [{"name": spec.name, "parameters": json_schema(spec)} for spec in place.toolbox.specs]
    say_json({"text": prompt.text, "tokens": prompt.tokens, "tools": tools})


def open_stream(file: Path | None) -> BinaryIO:
    """The named file, or stdin. Raises UsageProblem."""
    if file is None:
        return sys.stdin.buffer
    try:
        return BytesIO(file.read_bytes())
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from error


def _requests(stream: BinaryIO, kind: type[Request]) -> Iterator[Request]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:  # json.loads first: it lets lone surrogates through, which occur in replies
            yield kind.model_validate(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise UsageProblem(f"line {number} is not a request: {_reason(error)}", todo="docs: `--help`") from error


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}" if place else first["msg"]
    return str(error)


def _chunks(reply: _Reply) -> Iterable[str]:
    if reply.chunks_hex is not None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        pieces = [decoder.decode(bytes.fromhex(chunk)) for chunk in reply.chunks_hex]
        return [*pieces, decoder.decode(b"", True)]
    return reply.chunks if reply.chunks is not None else [reply.raw or ""]


def _spec(tool: str | _Offered) -> ToolSpec:
    if isinstance(tool, str):
        return ToolSpec(tool)
    schema = tool.parameters
    if schema is None:
        return ToolSpec(tool.name)
    names = schema.properties
    parameters = tuple(Parameter(name, _type(kind), name in schema.required) for name, kind in names.items())
    return ToolSpec(tool.name, "", parameters, (), tuple(name for name in BODY_NAMES if name in names))


_TypeName = Literal["string", "integer", "number", "boolean", "array", "object", "any"]


def _type(kind: _Property) -> _TypeName:
    known = ("string", "integer", "number", "boolean", "array", "object")
    return cast(_TypeName, kind.type) if kind.type in known else "any"


def _prose(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Prose))


def _read(heard: list[list[Part]]) -> dict[str, Any]:
    parts = [part for some in heard for part in some]
    return {
        "calls": [{"name": p.name, "arguments": p.arguments} for p in parts if isinstance(p, ToolCall)],
        "text": _prose(parts) or None,
        "bad": [{"why": p.why, "raw": p.raw} for p in parts if isinstance(p, BadCall)],
    }

"""The session file's format: entries in, lines of JSON out, and back. Pure; knows no files and no locks.

The first line is the header, each further line one entry, each with its `kind`. A line counts only when its newline is
there. Three things can be wrong with a file, and each is answered differently: a torn last line (the process died
while it wrote) is left out and reported; a kind that this version does not know is left out, reported, and stays on
disk; anything else is damage, and damage is never guessed at.

A file may have been made by somebody else. What the model is said to have written goes into the next prompt as it is,
so it is cut where a reply would have been: before the first spelling that begins somebody else's turn.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import Field, TypeAdapter, ValidationError

from qagent.errors import SessionProblem
from qagent.qwen.chatml import SPECIAL
from qagent.qwen.reader.lexemes import lexeme
from qagent.types import AssistantMessage, Message, Outcome, SystemMessage, ToolResult, Usage, UserMessage

VERSION = 1
TITLE_LENGTH = 60

Entry: TypeAlias = Message | Usage | Outcome
ENTRY_KINDS = ("system", "user", "assistant", "result", "usage", "outcome")


@dataclass(frozen=True, slots=True)
class Header:
    """`created` is ISO 8601 in UTC, `qagent` the version that wrote the file, `title` "" unless one was given."""

    id: str
    cwd: str
    model: str
    created: str
    qagent: str
    title: str = ""
    version: int = VERSION
    kind: Literal["session"] = "session"


@dataclass(frozen=True, slots=True)
class Record:
    """A session file as it was read. `size`: bytes up to the end of the last whole line; `torn`: what follows them."""

    header: Header
    entries: tuple[Entry, ...]
    size: int
    torn: bytes = b""
    notices: tuple[str, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(entry for entry in self.entries if not isinstance(entry, Usage | Outcome))

    @property
    def title(self) -> str:
        return self.header.title or title_of(self.messages)


def title_of(messages: Iterable[Message]) -> str:
    """The person's first words, on one line, printable, at most 60 characters; "" when nothing was said yet."""
    for message in messages:
        if isinstance(message, UserMessage) and message.origin == "user":
            return _shortened(message.text)
    return ""


def _shortened(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())
    if len(line) <= TITLE_LENGTH:
        return line
    start = line[:TITLE_LENGTH]
    return f"{start.rsplit(' ', 1)[0] if ' ' in start else start[:-1]}…"


def encode(entry: Entry | Header) -> bytes:
    """One line with its newline. ASCII only, so any text survives, lone surrogates included."""
    # A hook instead of `asdict`, which walks deep arguments in Python and runs out of stack long before json does.
    return json.dumps(entry, default=_fields, separators=(",", ":")).encode("ascii") + b"\n"


def _fields(value: Any) -> dict[str, Any]:
    """The kind first, for people who look at the file and for tools that sort by it."""
    named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {"kind": named.pop("kind"), **named}


def decode(data: bytes, name: str) -> Record:
    """The whole file. `name` is the file's name for errors. Raises SessionProblem when a line is damaged or too new."""
    lines, torn = _whole_lines(data)
    header = decode_header(lines[0] if lines else b"", name)
    if header.version > VERSION:
        raise SessionProblem(
            f"{name} was written by a newer qagent ({header.qagent}) in a format that this one cannot read",
            todo="update qagent, or start a new session",
        )
    found = [_entry(line, number, name) for number, line in enumerate(lines[1:], start=2)]
    entries, forged = _own_words(entry for entry in found if not isinstance(entry, str))
    notices = [*_unknown([kind for kind in found if isinstance(kind, str)]), *forged]
    if torn:
        notices.append(f"the last line was not written to its end and is left out ({len(torn)} bytes)")
    return Record(header, entries, len(data) - len(torn), torn, tuple(notices))


def decode_header(line: bytes, name: str) -> Header:
    """The first line alone. Raises SessionProblem when it is not a session's header."""
    try:
        value = _object(line)
        if value.get("kind") == "session":
            return _headers().validate_python(value)
    except ValueError:
        pass
    raise SessionProblem(f"{name}, line 1: this is not the first line of a session", todo=_ADVICE)


_ADVICE = "the file was not changed; mend or delete that line in an editor, or start a new session"


def _whole_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """The lines that were written to their end, and the bytes of one that was not."""
    *lines, torn = data.split(b"\n")
    if torn or not lines:
        return lines, torn
    return (lines, b"") if _is_json(lines[-1]) else (lines[:-1], lines[-1] + b"\n")


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except RecursionError:
        return True  # written whole, only too deep to read here: no reason to cut it off
    except ValueError:
        return False
    return True


def _object(line: bytes) -> dict[str, Any]:
    """Raises ValueError when the line is not one JSON object."""
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return cast("dict[str, Any]", value)


def _entry(line: bytes, number: int, name: str) -> Entry | str:
    """The entry, or the name of a kind that this version does not know."""
    try:
        value = _object(line)
        kind = value.get("kind")
        if isinstance(kind, str) and kind not in ENTRY_KINDS:
            return kind
        return _entries().validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"{where}: {first['msg']}" if where else first["msg"]
    except ValueError:
        why = "not a JSON object"
    raise SessionProblem(f"{name}, line {number} is damaged ({why})", todo=_ADVICE)


def _own_words(entries: Iterable[Entry]) -> tuple[tuple[Entry, ...], list[str]]:
    """The entries with every reply up to its first control spelling, and what to tell about that."""
    kept: list[Entry] = []
    forged = 0
    for entry in entries:
        if isinstance(entry, AssistantMessage) and (end := _control(entry.raw)) is not None:
            kept.append(dataclasses.replace(entry, raw=entry.raw[:end]))
            forged += 1
        else:
            kept.append(entry)
    told = f"replies that go on with somebody else's turn, which no model wrote and is left out: {forged}"
    return tuple(kept), [told] if forged else []


def _control(raw: str) -> int | None:
    """Where the first control spelling begins."""
    if not SPECIAL.search(raw):  # much faster, and nearly always the end of it
        return None
    at = 0
    while (found := lexeme(raw, at, final=True)) and found.kind != "control":
        at += len(found.text)
    return at if found else None


def _unknown(kinds: list[str]) -> list[str]:
    if not kinds:
        return []
    names = ", ".join(sorted({ascii(kind)[1:-1] for kind in kinds}))
    return [f"{len(kinds)} entries of a kind that this version does not know are left out, and kept on disk: {names}"]


# Built on first use: half of qagent's commands never read a session.
@cache
def _entries() -> TypeAdapter[Entry]:
    union = Annotated[
        SystemMessage | UserMessage | AssistantMessage | ToolResult | Usage | Outcome, Field(discriminator="kind")
    ]
    return TypeAdapter(union)


@cache
def _headers() -> TypeAdapter[Header]:
    return TypeAdapter(Header)

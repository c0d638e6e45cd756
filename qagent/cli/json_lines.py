"""JSON Lines in, from a file or stdin: a request a line, or UsageProblem that names the line. Knows no kind of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError

from qagent.errors import UsageProblem

WORDS = MappingProxyType(
    {
        "missing": "is missing",
        "list_type": "must be a list",
        "dict_type": "must be an object",
        "model_type": "must be an object",
        "string_type": "must be a text",
        "bool_type": "must be true or false",
        "int_type": "must be a whole number",
    }
)
Request = TypeVar("Request", bound=BaseModel)


def open_stream(file: Path | None) -> BinaryIO:
    """The named file, or stdin; a person at a terminal is told that it is waited for. Raises UsageProblem."""
    if file is None:
        if sys.stdin.isatty():
            print("reading from the terminal; Ctrl-D ends it", file=sys.stderr, flush=True)
        return sys.stdin.buffer
    try:
        return BytesIO(file.read_bytes())
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from error


def requests(stream: BinaryIO, kind: type[Request]) -> Iterator[Request]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:  # json.loads first: it lets lone surrogates and raw NULs through, which occur in replies
            yield kind.model_validate(json.loads(line, strict=False))
        except (ValueError, RecursionError) as error:
            raise UsageProblem(f"line {number} is not a request: {reason(error)}", todo="docs: `--help`") from error


def reason(error: Exception) -> str:
    """Why a JSON text is not what was wanted, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        words = WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        return f"{place}: {words}" if place else words
    return str(error)

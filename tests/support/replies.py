"""Tools to offer, and replies read in several ways."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from qagent.qwen.reader import Reader, joined
from qagent.types import Arguments, BadCall, Form, Parameter, Part, Prose, ToolCall, ToolSpec

_PATH = Parameter("path", "string", required=True)

READ_FILE = ToolSpec(
    "read_file",
    "show a file",
    (_PATH, Parameter("start", "integer"), Parameter("end", "integer")),
    examples=('<tools>\n{"name": "read_file", "arguments": {"path": "src/cart.py"}}\n</tools>',),
)
WRITE_FILE = ToolSpec(
    "write_file",
    "create a file",
    (_PATH, Parameter("content", "string", required=True)),
    body=("content",),
    risk="write",
    examples=('<tools>\n{"name": "write_file", "arguments": {"path": "a.py"}}\n```python\nRATE = 0.19\n```\n</tools>',),
)
EDIT_FILE = ToolSpec(
    "edit_file",
    "change a file",
    (
        _PATH,
        Parameter("symbol", "string"),
        Parameter("old", "string"),
        Parameter("new", "string"),
        Parameter("edits", "array"),
    ),
    forms=(("edits",), ("old", "new"), ("symbol", "new")),
    body=("edits", "new"),
    risk="write",
    examples=(
        '<tools>\n{"name": "edit_file", "arguments": {"path": "a.py"}}\n'
        "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n</tools>",
        '<tools>\n{"name": "edit_file", "arguments": {"path": "a.py", "symbol": "Cart.total"}}\n'
        "```python\ndef total(self):\n    return 0\n```\n</tools>",
    ),
)
RUN = ToolSpec(
    "run",
    "run a command",
    (Parameter("command", "string", required=True), Parameter("timeout", "integer")),
    risk="command",
    examples=('<tools>\n{"name": "run", "arguments": {"command": "python3 -m pytest -q"}}\n</tools>',),
)
TOOLS = (READ_FILE, WRITE_FILE, EDIT_FILE, RUN)
NAMES = frozenset(tool.name for tool in TOOLS)


def pieces(text: str, width: int | random.Random) -> Iterator[str]:
    """The text in pieces of that width, or of random ones."""
    pos = 0
    while pos < len(text):
        step = width if isinstance(width, int) else width.randint(1, 9)
        yield text[pos : pos + step]
        pos += step


def parts_of(
    chunks: Iterable[str], tools: Sequence[ToolSpec] = TOOLS, *, cut: bool = False
) -> tuple[list[Part], Reader]:
    """The parts, neighbouring prose joined, and the reader that gave them. `cut`: a limit ended the reply."""
    reader = Reader(tools)
    heard = [part for chunk in chunks for part in reader.feed(chunk)] + reader.close(cut=cut)
    return joined(heard), reader


def read(text: str, tools: Sequence[ToolSpec] = TOOLS, *, cut: bool = False) -> list[Part]:
    """The parts of a reply, which do not depend on how it came."""
    whole, reader = parts_of([text], tools, cut=cut)
    assert len(reader.raw) + reader.dropped == len(text)
    assert text.startswith(reader.raw)
    for width in (1, 2, 5, random.Random(len(text))):
        assert parts_of(pieces(text, width), tools, cut=cut)[0] == whole
    return whole


def calls(parts: Iterable[Part]) -> list[tuple[str, Arguments]]:
    return [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]


def forms(parts: Iterable[Part]) -> list[Form]:
    return [part.form for part in parts if isinstance(part, ToolCall)]


def bad(parts: Iterable[Part]) -> list[BadCall]:
    return [part for part in parts if isinstance(part, BadCall)]


def prose(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Prose))


LS = '{"name": "run", "arguments": {"command": "ls"}}'
READ_A = '{"name": "read_file", "arguments": {"path": "a.py"}}'
READ_B = '{"name": "read_file", "arguments": {"path": "b.py"}}'
WRITE = '{"name": "write_file", "arguments": {"path": "a.py"}}'
EDIT = '{"name": "edit_file", "arguments": {"path": "a.py"}}'
TOTAL = '{"name": "edit_file", "arguments": {"path": "a.py", "symbol": "Cart.total"}}'
PAIR = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE"


def tags(*lines: str) -> str:
    """The lines of a call, in tags as they are taught."""
    return "\n".join(("<tools>", *lines, "</tools>"))


def text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)

"""`qagent debug parse` for one reply: what the model wrote, and beneath it what was read there, or why nothing was.

In: the reply's bytes and the tools on offer. Out: text for people, or one JSON object. Foreign text is shown so that
it can neither move the cursor nor be taken for a line of ours: it is indented, and what cannot be seen is spelled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from qagent.cli.ends import put, say_json
from qagent.cli.json_lines import open_stream
from qagent.cli.parse import prose, tools_in
from qagent.cli.start import notice
from qagent.events import ReplyFinished
from qagent.narration import harmless
from qagent.qwen import calls
from qagent.qwen.reader import Reader
from qagent.reading import Reading, how
from qagent.tools.toolbox import standard_toolbox
from qagent.types import BadCall, Form, Part, Prose, ToolCall, ToolSpec, Usage
from qagent.words import Words
from qagent.workspace.place import Workspace


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply, read to its end. places: by a call's id, where in `text` that stands which it was read from."""

    text: str
    parts: tuple[Part, ...]
    places: Mapping[str, slice]
    dropped: str

    def place(self, part: Part) -> slice | None:
        """None for prose."""
        return None if isinstance(part, Prose) else self.places[part.id]

    @property
    def reading(self) -> Reading:
        called = [part for part in self.parts if isinstance(part, ToolCall)]
        bad = sum(isinstance(part, BadCall) for part in self.parts)
        forms: tuple[Form, ...] = tuple(call.form for call in called)
        mended = tuple(call.repairs for call in called)
        return Reading().after(ReplyFinished(1, "stop", Usage(), forms, bad, len(self.dropped), mended))


def parse_one(reply: bytes, tools: Path | None, *, as_json: bool) -> None:
    """`tools`: a file with a JSON list of what is offered; qagent's own tools without it. Raises UsageProblem."""
    specs = tools_in(open_stream(tools).read(), str(tools)) if tools else _own_tools()
    heard = hear(_text(reply), specs)
    if as_json:
        say_json(record(heard, specs))
        return
    for line in shown(heard, specs):
        put(line)


def hear(text: str, tools: Sequence[ToolSpec]) -> Heard:
    reader = Reader(tools)
    parts = (*reader.feed(text), *reader.close())
    places = {number: slice(span.start, span.end) for span in reader.spans for number in span.ids}
    return Heard(text, parts, places, text[len(text) - reader.dropped :])


def shown(heard: Heard, tools: Sequence[ToolSpec]) -> Iterator[str]:
    """The lines for people: prose and calls in the order of the reply, what was dropped, and the sum."""
    for place, group in groupby(heard.parts, key=heard.place):
        if place is None:
            yield from _block("said:", prose(group))
            continue
        written = heard.text[place]
        yield from _block("written:", written)
        for part in group:
            yield from _read_there(part, written, tools)
    if heard.dropped:
        yield from _block("dropped, behind an invented turn:", heard.dropped)
    yield f"= {heard.reading.words}"


def record(heard: Heard, tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """For programs: the same, with `null` for text where nothing was said."""

    def told(part: ToolCall | BadCall) -> dict[str, Any]:
        return {**asdict(part), "written": heard.text[heard.places[part.id]]}

    called = [part for part in heard.parts if isinstance(part, ToolCall)]
    return {
        "calls": [{**told(call), "as_taught": as_taught(call, tools)} for call in called],
        "text": prose(heard.parts) or None,
        "bad": [told(part) for part in heard.parts if isinstance(part, BadCall)],
        "dropped": heard.dropped,
        "reading": {"scope": "reply", **heard.reading.record},
    }


def as_taught(call: ToolCall, tools: Sequence[ToolSpec]) -> str:
    """The call as the model is taught to write it. One text alone can stand in the block: others stay in the JSON."""
    spec = next((tool for tool in tools if tool.name == call.name), ToolSpec(call.name))
    body = [name for name in spec.body if _fits_block(call.arguments.get(name))]
    return calls.write(replace(spec, body=tuple(body[:1])), call.arguments)


def _read_there(part: Part, written: str, tools: Sequence[ToolSpec]) -> Iterator[str]:
    if isinstance(part, BadCall):
        name = f" {part.name}" if part.name and part.name not in part.why else ""
        yield _one_line(f"✗ {part.id}{name} cannot be run: {part.why}")
    elif isinstance(part, ToolCall):
        head, taught = _one_line(f"→ {part.id} {part.name}"), as_taught(part, tools)
        told = how((part.form,), part.repairs)
        if not told and taught.split() == written.split():
            yield f"{head}, as taught"
        else:
            yield from _block(f"{head}, {told or 'in tools tags'}; as taught it is:", taught)


def _block(head: str, text: str) -> Iterator[str]:
    if text.strip():
        yield head
        yield from _indented(harmless(text).strip("\n").split("\n"))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {harmless(line)}".rstrip() for line in lines)


def _one_line(text: str) -> str:
    return harmless(text).replace("\n", "⏎")


def _fits_block(value: object) -> bool:
    """A text, or replacements as `calls.write` writes them."""
    if not isinstance(value, list):
        return isinstance(value, str)
    pairs = [cast(dict[str, Any], pair) for pair in cast(list[object], value) if isinstance(pair, dict)]
    return len(pairs) == len(cast(list[object], value)) > 0 and all(
        pair.keys() == {"old", "new"} and all(isinstance(text, str) for text in pair.values()) for pair in pairs
    )


def _own_tools() -> tuple[ToolSpec, ...]:
    return standard_toolbox(Workspace.open(Path()), Words()).specs


def _text(reply: bytes) -> str:
    try:
        return reply.decode("utf-8")
    except UnicodeDecodeError as error:
        notice(f"byte {error.start + 1} is not UTF-8; such bytes are read as \N{REPLACEMENT CHARACTER}")
        return reply.decode("utf-8", errors="replace")

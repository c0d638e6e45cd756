"""Coverage-guided fuzzing of the reader: any text, in any pieces, for several offers of tools. Runs until it is ended.

    python benchmarks/fuzz_reader.py CORPUS_FOLDER -max_total_time=3600

What follows the folder are libFuzzer's own options. An input is two bytes and a text. The bytes choose the tools and
the width of the pieces, the text is the reply. A folder that is new is filled with the replies of the tests.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import atheris

with atheris.instrument_imports(include=["qagent.qwen"]):
    from qagent.qwen.calls import corrected
    from qagent.qwen.reader import Reader, joined, lexemes

from qagent.types import BadCall, Form, Parameter, Part, Prose, Repair, ToolCall, ToolSpec

REPLIES = Path(__file__).parents[1] / "tests" / "cases" / "replies"
PATH = Parameter("path", "string", required=True)
TYPED = (
    ToolSpec("read_file", parameters=(PATH, Parameter("start", "integer"), Parameter("end", "integer"))),
    ToolSpec("write_file", parameters=(PATH, Parameter("content", "string", required=True)), body=("content",)),
    ToolSpec(
        "edit_file",
        parameters=(
            PATH,
            *(Parameter(name, "string") for name in ("symbol", "old", "new")),
            Parameter("edits", "array"),
        ),
        forms=(("edits",), ("old", "new"), ("symbol", "new")),
        body=("edits", "new"),
        risk="write",
    ),
    ToolSpec("run", parameters=(Parameter("command", "string", required=True), Parameter("timeout", "number"))),
    ToolSpec("check", parameters=(Parameter("deep", "boolean"), Parameter("of", "object"), Parameter("more", "any"))),
)
NAMED = tuple(ToolSpec(name) for name in ("read_file", "bash", "write_file", "run"))
OFFERS: tuple[Sequence[ToolSpec], ...] = (TYPED, NAMED, (TYPED[1], TYPED[3], ToolSpec("bash")), ())
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
WORDS = (*lexemes.TAGS, *lexemes.WEAK, *lexemes.PAIRED, "arguments", "parameter", "code", "think", "tool_response")
MORE = (
    *('{"name": "run", "arguments": {"command": "ls"}}', '{"name": "write_file", "arguments": {"path": "a"}}'),
    *(
        '{"name": "edit_file", "arguments": {"path": "a"}}',
        '"arguments": {',
        '"content": "',
        '"path": "a"',
        '"name": "',
    ),
    *("run(command='ls')", "run command=", "read_file", "`run`\n", "### run\n", "Action: run\n", "Action Input: "),
    *("Observation:", "<function=run>", "<function=", "<parameter=command>", "<parameter=", '<tool_call id="1">'),
    *("```", "```json\n", "```python\n", "\n```\n", "````", "~~~\n", "<<<<<<< SEARCH\n", "\n=======\n"),
    *("\n>>>>>>> REPLACE\n", "<|im_end|>", "<|im_start|>assistant\n", "<|im_start|>", "<~|im_end|>", '\\"', '\\\\"'),
    *("\\u003c", "\\ud800", '"""', "'''", "“", "”", "True", "None", "// x\n", "\0", "\u2028", "侴", "1e999", "NaN"),
    *("1.5", '": {"', '", "', '": "', "}}", "]}", "\r\n", "    ", '{"tool_calls": [', '{"function": ', '"thought": "'),
)
SUFFIXES = ("0", "a", '"', 'b"}}\n</tools>', "}}", ")", "\n```\n</tools>", ".5\n")


# ------------------------------------------------------------------ what must hold


def parts_of(pieces: Sequence[str], tools: Sequence[ToolSpec], *, cut: bool) -> tuple[list[Part], Reader]:
    """The parts, neighbouring prose joined."""
    reader = Reader(tools)
    heard = [part for piece in pieces for part in reader.feed(piece)] + reader.close(cut=cut)
    return joined(heard), reader


def check(text: str, tools: Sequence[ToolSpec], width: int) -> None:
    for cut in (False, True):
        parts, reader = parts_of([text], tools, cut=cut)
        for pieces in (list(text), [text[at : at + width] for at in range(0, len(text), width)], list(ragged(text))):
            others, other = parts_of(pieces, tools, cut=cut)
            assert others == parts, "the parts depend on the split"
            assert state(other) == state(reader), "what was read depends on the split"
        assert len(reader.raw) + reader.dropped == len(text), "something is not accounted for"
        assert reader.raw in text, "the raw text is not the reply's"
        check_parts(parts, reader, tools)
        check_shown("".join(part.text for part in parts if isinstance(part, Prose)), reader)
        if cut and tools and len(text) < 400:
            check_cut(text, calls_at(parts, reader), tools)


def state(reader: Reader) -> tuple[object, ...]:
    return reader.raw, reader.dropped, reader.over, reader.spans


def ragged(text: str) -> Iterator[str]:
    width, at = random.Random(len(text)), 0
    while at < len(text):
        step = width.randint(1, 9)
        yield text[at : at + step]
        at += step


def check_parts(parts: Sequence[Part], reader: Reader, tools: Sequence[ToolSpec]) -> None:
    named = [part for part in parts if not isinstance(part, Prose)]
    assert [part.id for part in named] == [f"1.{number}" for number in range(1, len(named) + 1)]
    assert [part.id for part in named] == [each for span in reader.spans for each in span.ids]
    ends = [0, *(offset for span in reader.spans for offset in (span.start, span.end)), len(reader.raw)]
    assert ends == sorted(ends), "the spans overlap"
    for part in named:
        if isinstance(part, ToolCall):
            check_call(part, tools)
        else:
            check_bad(part, tools)


def check_call(call: ToolCall, tools: Sequence[ToolSpec]) -> None:
    spec = next((tool for tool in tools if tool.name == call.name), None)
    assert spec, "the tool is not offered"
    assert call.form in get_args(Form)
    assert set(call.repairs) <= set(get_args(Repair))
    assert len(set(call.repairs)) == len(call.repairs)
    json.dumps(call.arguments, ensure_ascii=False, allow_nan=False).encode()
    if spec.parameters is None:
        return
    types = {parameter.name: parameter.type for parameter in spec.parameters}
    assert call.arguments.keys() <= types.keys(), "a parameter is unknown"
    assert all(p.name in call.arguments for p in spec.parameters if p.required), "a parameter is missing"
    assert not spec.forms or any(all(name in call.arguments for name in form) for form in spec.forms)
    assert all(is_typed(value, types[name]) for name, value in call.arguments.items()), "a type is wrong"


def is_typed(value: Any, name: str) -> bool:
    if name == "any":
        return True
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def check_bad(call: BadCall, tools: Sequence[ToolSpec]) -> None:
    assert call.why
    assert "\n" not in call.why
    parts_of([corrected(call, tools)], tools, cut=False)


# ------------------------------------------------------------------ what is shown

LEFT_OUT = re.compile(
    r"(?:<[\w-]+(?:\s[^<>\n]*)?>|</[\w-]+>|[`~]{3,}[^\n]*(?:\n|$)|\[/?(?:end_)?\w+\])(\s*)", re.IGNORECASE
)
"""What may be missing beside calls: tags and fences that hold nothing, close nothing, or stood around other tags."""
THOUGHT = re.compile("|".join(("thought", "reasoning", "explanation")))
HALF = re.compile(r"<~*(?:/?\w+|\||\|im_\w*)")


def check_shown(shown: str, reader: Reader) -> None:
    assert not lexemes.CONTROL.search(reader.raw), "somebody else's turn counts"
    ends = reader.spans[-1].end if reader.spans else 0
    tail = reader.raw[max(ends, reader.raw.rfind("<")) :]
    if HALF.fullmatch(tail) and 0 < lexemes.begun(tail, final=True) == len(tail) > 1:
        assert not shown.endswith(tail), "half a tag is shown"
    if not THOUGHT.search(reader.raw):
        assert comes_from(shown, reader), "what is shown is not what was written"


def comes_from(shown: str, reader: Reader) -> bool:
    """Whether it is the reply without its calls and what may be left out."""
    at, reached = 0, {0}
    for start, end in (*((span.start, span.end) for span in reader.spans), (len(reader.raw), len(reader.raw))):
        reached = follow(reader.raw[at:start], shown, reached)
        at = end
    return len(shown) in reached


def follow(text: str, shown: str, reached: set[int]) -> set[int]:
    """How much has been shown, behind this text, when so much may have been before it."""
    waiting: dict[int, set[int]] = {0: reached}
    for pos in range(len(text)):
        here = waiting.pop(pos, set())
        if not here:
            continue
        waiting.setdefault(pos + 1, set()).update(at + 1 for at in here if shown[at : at + 1] == text[pos])
        if gap := LEFT_OUT.match(text, pos):
            for end in (gap.start(1), gap.end()):
                waiting.setdefault(end, set()).update(here)
        if (half := lexemes.begun(text, final=True)) and pos >= len(text) - half:
            waiting.setdefault(len(text), set()).update(here)
    return waiting.get(len(text), set())


# ------------------------------------------------------------------ what is cut


def calls_at(parts: Sequence[Part], reader: Reader) -> dict[int, list[tuple[str, str]]]:
    """Where calls stand, and what they are."""
    made = {part.id: (part.name, json.dumps(part.arguments)) for part in parts if isinstance(part, ToolCall)}
    return {span.start: [made[each] for each in span.ids if each in made] for span in reader.spans}


def check_cut(text: str, calls: dict[int, list[tuple[str, str]]], tools: Sequence[ToolSpec]) -> None:
    """A call that runs though the reply was cut was finished: more text does not make it another one."""
    for suffix in SUFFIXES if any(calls.values()) else ():
        longer = calls_at(*parts_of([text + suffix], tools, cut=True))
        for start, made in calls.items():
            more = longer.get(start, [])
            same = min(len(more), len(made))
            assert made[:same] == more[:same], f"an unfinished call is run: {suffix!r} makes it another one"


# ------------------------------------------------------------------ running


def test_one_input(data: bytes) -> None:
    choice, width, text = decoded(data)
    check(text, OFFERS[choice % len(OFFERS)], width % 32 + 1)


def decoded(data: bytes) -> tuple[int, int, str]:
    """Bytes that are no UTF-8 become lone surrogates, as they do in what Python reads."""
    head, body = data[:2].ljust(2, b"\0"), data[2:]
    return head[0], head[1], body.decode("utf-8", "surrogateescape")


def seed(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return
    rows = [json.loads(line) for file in sorted(REPLIES.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    for number, row in enumerate(rows):
        data = row["raw"].encode("utf-8", "surrogatepass")
        for choice in range(len(OFFERS) - 1):
            (folder / f"seed{number}-{choice}").write_bytes(bytes((choice, number % 256)) + data)


def dictionary(folder: Path) -> Path:
    words = [f"<{slash}{name}>" for name in WORDS for slash in ("", "/")]
    lines = [
        '"' + "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass")) + '"'
        for word in (*words, *lexemes.SQUARE, *lexemes.SQUARE.values(), *MORE)
    ]
    path = folder / "spellings.dict"
    path.write_text("\n".join(lines))
    return path


def main() -> None:
    corpus, *options = sys.argv[1:]
    if Path(corpus).is_file():  # an input that failed, once more
        test_one_input(Path(corpus).read_bytes())
        return
    seed(Path(corpus))
    with TemporaryDirectory() as folder:
        words = dictionary(Path(folder))
        limits = ("-max_len=2000", "-timeout=120", "-report_slow_units=30", f"-artifact_prefix={corpus}.")
        atheris.Setup([sys.argv[0], corpus, f"-dict={words}", *limits, *options], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

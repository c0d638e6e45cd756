"""What holds for every text and every split of it: no exception, the same parts, all of it accounted for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replies import NAMES, TOOLS, bad, calls, parts_of, pieces, prose

from qagent.qwen.reader import Reader
from qagent.qwen.reader.lexemes import TAGS
from qagent.types import ToolCall

FRAGMENTS = [
    *(f"<{slash}{name}>" for name in TAGS for slash in ("", "/")),
    *("<think>", "</think>", "<code>\n", "</code>\n", "<tool", "</too", "<|im_", "<", "<~|im_end|>", "<~"),
    *("<|im_end|>", "<|im_start|>user\n", "<tool_response>", "<|endoftext|>", "</tool_response>", "<|other|>"),
    *("```", "```json\n", "```python\n", "```\n", "````md\n", "````\n", "~~~\n", "`", "``"),
    *("{", "}", "[", "]", '"', "\\", ",", ":", "\n", "\r\n", " ", "    ", "\t", "\0", "\u2028", "é", "\ud800"),
    *('{"name": "run", "arguments": {"command": "ls"}}', '{"name": "write_file", "arguments": {"path": "a"}}'),
    *('{"name": "edit_file", "arguments": {"path": "a"}}', '{"name": "launch", "arguments": {}}', '{"a": [1]}'),
    *('{"name": "write_file", "arguments": {"path": "a", "content": ""}}', '"content": "', "[]", "{}"),
    *("run", "run(", 'run(command="ls")', "run command='ls'", "`run`\n", "### read_file\n", "Action: run\n", "=", "("),
    *("Action Input: ", "Observation: ok\n", "[tool_call]\n", "[/tool_call]", "<function=run>", "</function>", ")"),
    *("<parameter=command>", "</parameter>", '<tool_call id="1">', "<function-name>run</function-name>", "<json>"),
    *('<arguments>{"command": "ls"}</arguments>', "</json>", "<|im_start|>assistant\n", "侴", '"""', "'", "“", "”"),
    *("{'name': 'run', 'arguments': {'command': 'ls'}}", '{"command": "ls"}', "// x\n", "\\n", '\\"', "True"),
    *("<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "x = 1\n", "word", "Text. "),
]
REPLIES = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=25).map("".join)
WIDTHS = st.lists(st.integers(1, 12), min_size=1, max_size=8)


def cut(text: str, widths: list[int]) -> list[str]:
    ends = [0]
    while ends[-1] < len(text):
        ends.append(ends[-1] + widths[len(ends) % len(widths)])
    return [text[start:end] for start, end in pairwise(ends)]


@settings(max_examples=600, deadline=None)
@given(REPLIES, WIDTHS, st.booleans())
def test_parts_do_not_depend_on_the_split(text: str, widths: list[int], is_cut: bool) -> None:
    whole, reader = parts_of([text], cut=is_cut)
    parts, split = parts_of(cut(text, widths), cut=is_cut)
    assert parts == whole
    assert (split.raw, split.dropped, split.over) == (reader.raw, reader.dropped, reader.over)
    assert reader.raw in text
    assert len(reader.raw) + reader.dropped == len(text)


@settings(max_examples=300, deadline=None)
@given(REPLIES)
def test_only_offered_tools_are_called_and_no_control_spelling_is_left(text: str) -> None:
    parts, reader = parts_of(pieces(text, 3))
    assert {name for name, _ in calls(parts)} <= NAMES
    for spelling in ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "<tool_response>"):
        assert spelling not in reader.raw
        assert spelling not in prose(parts)
    assert all(call.why and "\n" not in call.why for call in bad(parts))
    assert parts_of([text], ())[0] == [part for part in parts_of([text], ())[0] if not isinstance(part, ToolCall)]


HALVES = ("<", "<tool", "</too", "<|im_")
CLEAN_REPLIES = st.lists(st.sampled_from([piece for piece in FRAGMENTS if piece not in HALVES])).map("".join)
SPELLINGS = [*(f"<{slash}{name}>" for name in TAGS for slash in ("", "/")), "<tool_response>", "<|im_start|>"]


def ends_in_half_a_tag(shown: str) -> bool:
    tail = shown[shown.rfind("<") :] if "<" in shown else ""
    return len(tail) > 1 and any(spelling.startswith(tail) and spelling != tail for spelling in SPELLINGS)


@settings(max_examples=300, deadline=None)
@given(CLEAN_REPLIES)
def test_no_fragment_of_a_tag_is_ever_shown(text: str) -> None:
    reader, shown = Reader(TOOLS), ""
    for character in text:
        shown += prose(reader.feed(character))
        assert not ends_in_half_a_tag(shown)
    assert not ends_in_half_a_tag(shown + prose(reader.close()))


CALL = '<tools>\n{"name": "write_file", "arguments": {"path": "a.md"}}\n```md\n# A\n```sh\nls\n```\nB\n```\n</tools>'


@pytest.mark.parametrize("cut_at", range(len(CALL) - 1))
def test_a_reply_that_is_cut_anywhere_runs_nothing(cut_at: int) -> None:
    parts, _ = parts_of([CALL[:cut_at]], cut=True)
    assert calls(parts) == []
    assert "<" not in prose(parts).removesuffix("<")


@pytest.mark.parametrize("inside", ["", "<tools>", '<tools>{"name": "run', "```python\n", "```json\n", "`x", "{\n"])
@pytest.mark.parametrize("control", ["<|im_start|>user\n", "<tool_response>", "<|im_end|>", "<|fim_middle|>"])
def test_an_invented_turn_is_dropped_once_wherever_it_begins(inside: str, control: str) -> None:
    text = f"Text.\n{inside}{control}more <|im_end|> <tools>"
    for width in range(1, len(text)):
        _, reader = parts_of(pieces(text, width))
        assert reader.over
        assert reader.raw == f"Text.\n{inside}"
        assert reader.dropped == len(text) - len(reader.raw)


SIZE = 200_000
"""Characters: quadratic work on so many would take minutes."""

WRITE = '<tools>\n{"name": "write_file", "arguments": {"path": "a"}}\n'
LONG: dict[str, Callable[[int], str]] = {
    "one line": lambda n: "word " * (n // 5),
    "one JSON string": lambda n: '{"name": "' + "x y" * (n // 3),
    "a JSON string in tags": lambda n: '<tools>{"name": "run", "arguments": {"command": "' + "x y" * (n // 3),
    "brackets": lambda n: "[{" * (n // 2),
    "brackets in tags": lambda n: "<tools>" + "[" * n,
    "empty objects in tags": lambda n: "<tools>" + "{}" * (n // 2),
    "an array of empty objects": lambda n: "<tools>[{}" + ",{}" * (n // 3) + "]</tools>",
    "tags": lambda n: "<tools>" * (n // 7),
    "closing tags": lambda n: "</tools>" * (n // 8),
    "angles": lambda n: "<" * n,
    "halves of tags": lambda n: "<tool_" * (n // 6),
    "marks": lambda n: "<" + "~" * n,
    "ticks": lambda n: "`" * n,
    "odd ticks": lambda n: "`a ``b ```c" * (n // 11),
    "fence lines": lambda n: "```\n" * (n // 4),
    "fences of calls": lambda n: "```json\n{}\n```\n" * (n // 15),
    "opening fence lines": lambda n: "```json\n" * (n // 8),
    "one fence line": lambda n: "```" + "x " * (n // 2),
    "blanks behind a call": lambda n: WRITE + " " * n,
    "a raw block of one line": lambda n: WRITE + "x " * (n // 2),
    "a fenced block of one line": lambda n: WRITE + "```\n" + "x " * (n // 2),
    "fences in a block": lambda n: WRITE + "```\n" + "```\n" * (n // 4),
    "pairs": lambda n: WRITE + ">>>>>>> REPLACE\n" * (n // 16),
    "calls without an end": lambda n: (WRITE + "```\nx\n```\n") * (n // 68),
    "braces at the start of lines": lambda n: '{"\n' * (n // 3),
    "a fence header, then fences": lambda n: "```json\n{}\n```\n" + "```\nx\n```\n" * (n // 10),
    "mixed line ends": lambda n: "\r\n" * (n // 2),
}


@pytest.mark.parametrize("shape", LONG)
def test_the_work_grows_as_the_reply_does(shape: str) -> None:
    def work(size: int) -> int:
        steps = 0

        def count(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal steps
            steps += event in ("call", "c_call")

        text = LONG[shape](size)
        sys.setprofile(count)
        try:
            parts_of(pieces(text, 3))
        finally:
            sys.setprofile(None)
        return steps

    assert work(8_000) <= 2.2 * work(4_000)


@pytest.mark.parametrize("shape", LONG)
def test_long_replies_are_read_to_their_end(shape: str) -> None:
    text = LONG[shape](SIZE)
    parts, reader = parts_of(pieces(text, 3))
    assert reader.raw == text
    assert sum(len(call.raw) for call in bad(parts)) <= 3 * SIZE

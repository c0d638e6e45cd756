"""Replies that nobody would write: read to their end, in bounded time and memory, and nothing runs by chance."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from replies import EDIT, LS, READ_A, TOOLS, WRITE, bad, calls, parts_of, pieces, prose, read, tags

from qagent.qwen.reader import Reader
from qagent.types import ToolSpec

MANY = 100_000
LATIN = "café €".encode().decode("latin-1")
UTF_16 = LS.encode("utf-16-le").decode("latin-1")

PROSE: dict[str, str] = {
    "brackets, opened": "[" * MANY,
    "brackets, opened and closed": "[" * MANY + "]" * MANY,
    "braces": "{" * MANY,
    "both": "[{" * MANY,
    "keys without an end": '{"a":' * MANY,
    "an endless line": "word " * MANY,
    "an endless line of JSON": '{"a": "' + "x y" * MANY,
    "an endless fence line": "```" + "x" * MANY,
    "NUL": "\0" * MANY,
    "NUL in a call's bytes": UTF_16,
    "lone surrogates": "\ud800\udfff" * MANY,
    "another encoding": LATIN * 100,
    "a byte order mark in the text": "Text \ufeff" + LATIN,
    "angles": "<" * MANY,
    "quotes": "\"'`" * MANY,
    "fences in other languages": "```python\nx\n```\n" * 10_000,
    "names of tools": "run\n" * 10_000,
}


@pytest.mark.parametrize("name", PROSE)
def test_what_is_no_call_is_shown_whole(name: str) -> None:
    parts, reader = parts_of(pieces(PROSE[name], 4_096))
    assert (reader.raw, reader.over) == (PROSE[name], False)
    assert [part.kind for part in parts] == ["prose"]
    assert prose(parts) == PROSE[name]


BAD: dict[str, tuple[str, int]] = {
    "brackets in tags": ("<tools>" + "[" * MANY, 1),
    "brackets in tags, closed": ("<tools>" + "[" * MANY + "]" * MANY + "</tools>", 1),
    "a call that is too deep": (tags(f'{{"name": "run", "arguments": {"[" * MANY}{"]" * MANY}}}'), 1),
    "more brackets than a call has": (tags(f'{{"name": "run", "arguments": [{"{}," * 30_000}{{}}]}}'), 1),
    "more calls than anybody makes": ("<tools>" + LS * 101 + "</tools>", 1),
    "more calls than anybody makes, a line each": (tags(*[LS] * 101), 1),
    "a list of more calls than anybody makes": (tags(f"[{', '.join([LS] * 101)}]"), 1),
    "empty objects": ("<tools>" + "{}" * MANY, 1),
    "an endless line in tags": ('<tools>{"name": "run", "arguments": {"command": "' + "x y" * MANY, 1),
    "quotes": ("<tools>{" + '"' * 10_001, 1),
    "NUL around the name": (tags('{"name": "\0run", "arguments": {"command": "ls"}}'), 1),
    "half of a pair in an argument": (tags('{"name": "run", "arguments": {"command": "\ud800"}}'), 1),
    "half of a pair, escaped": (tags('{"name": "run", "arguments": {"command": "\\udc00"}}'), 1),
    "half of a pair in a block": (tags(WRITE, "```", "x = '\ud800'", "```"), 1),
    "a call in UTF-16, in tags": (f"<tools>{UTF_16}</tools>", 1),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_a_call_is_one_with_a_reason(name: str) -> None:
    text, count = BAD[name]
    parts, reader = parts_of(pieces(text, 4_096))
    assert calls(parts) == []
    assert len(bad(parts)) == count
    assert reader.raw == text


def test_text_in_another_encoding_is_an_argument_like_any_other() -> None:
    (made,) = calls(read(tags(f'{{"name": "run", "arguments": {{"command": "echo {LATIN}\ufeff"}}}}')))
    assert made == ("run", {"command": f"echo {LATIN}\ufeff"})


OPENERS = ("<tools>", "</tools>", "<tool_call>", "<function=run>", "{", "[", '{"', "```json\n", "```\n", "<", "<tool_")


@pytest.mark.parametrize("opener", [*OPENERS, '"', "'", "run(", "run {", "<json>", "[tool_call]", "`", "~~~\n", "<~"])
def test_a_hundred_thousand_openers_are_read_to_their_end(opener: str) -> None:
    parts, reader = parts_of(pieces(opener * MANY, 4_096))
    assert reader.raw == opener * MANY
    assert calls(parts) == []
    assert len(bad(parts)) <= 1


SIZE = 300_000
CODE = "    return add(a, \"b\", {'c': 1})  # <d>\n"
LARGE: dict[str, Callable[[int], str]] = {
    "prose": lambda size: "A line of prose, with `code` and 1 < 2.\n" * (size // 40),
    "a code block": lambda size: f"```python\n{CODE * (size // 40)}```\n",
    "a text in JSON": lambda size: tags(WRITE[:-2] + ', "content": "' + "x = 1\\n" * (size // 7) + '"}}'),
    "a text in JSON with its newlines": lambda size: tags(WRITE[:-2] + ', "content": "' + "x\n" * (size // 2) + '"}}'),
    "a text in JSON that is cut": lambda size: "<tools>\n" + WRITE[:-2] + ', "content": "' + "x = 1\\n" * (size // 7),
    "a block": lambda size: tags(WRITE, "```python", CODE * (size // 40) + "```"),
    "a block of pairs": lambda size: tags(
        EDIT, "<<<<<<< SEARCH", "a", "=======", "b\n" * (size // 2) + ">>>>>>> REPLACE"
    ),
    "brackets": lambda size: "[{" * (size // 2),
    "brackets in tags": lambda size: "<tools>" + "[" * size,
    "empty objects in tags": lambda size: "<tools>" + "{}" * (size // 2),
    "an array of empty objects": lambda size: f"<tools>[{'{},' * (size // 3)}{{}}]</tools>",
    "empty fences": lambda size: "```\n" * (size // 4),
    "a raw block": lambda size: tags(WRITE, "x\n" * (size // 2)),
    "an indented block": lambda size: tags(WRITE, "  ```", "  x\n" * (size // 4) + "  ```"),
    "one fence line": lambda size: "```" + "x " * (size // 2),
    "one line": lambda size: "word " * (size // 5),
}


@pytest.mark.parametrize("name", LARGE)
def test_reading_takes_three_times_the_memory_of_the_reply_at_most(name: str) -> None:
    text = LARGE[name](SIZE)
    reader = Reader(TOOLS)
    tracemalloc.start()
    try:
        for piece in pieces(text, 4_096):
            reader.feed(piece)
        reader.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 3 * len(text) + 100_000


# ------------------------------------------------------------------ what fuzzing has found


def test_a_link_behind_a_call_keeps_its_bracket() -> None:
    parts = read(f"{LS}\n[a link](b.md) and more")
    assert (calls(parts), prose(parts)) == ([("run", {"command": "ls"})], "[a link](b.md) and more")


@pytest.mark.parametrize("text", ["<tool<<tool_response>", "<<tool_response<<tool_response>x", "<|im<|im_<|im_end|>"])
def test_halves_in_a_row_are_shown_but_for_the_last(text: str) -> None:
    parts = read(text)
    assert calls(parts) == []
    assert prose(parts).startswith("<")


@pytest.mark.parametrize("block", [f"```json\n{READ_A}\n```", f"```\n{READ_A}\n```", "Some text."])
def test_what_stands_behind_the_call_of_an_unknown_tool_is_its_text(block: str) -> None:
    parts = read(tags('{"name": "launch", "arguments": {"path": "a.json"}}', block))
    assert (calls(parts), len(bad(parts)), prose(parts)) == ([], 1, "")


def test_the_block_of_a_tool_under_another_name_is_its_text_too() -> None:
    parts = read(tags('{"name": "create_file", "arguments": {"path": "a.json"}}', "```json", READ_A, "```"))
    assert calls(parts) == [("write_file", {"path": "a.json", "content": f"{READ_A}\n"})]


@pytest.mark.parametrize("form", [("```json\n", "\n```"), ("<tools>\n", "\n</tools>")])
def test_a_value_that_may_end_in_two_places_is_not_run(form: tuple[str, str]) -> None:
    opening, closing = form
    broken = '{"name": "run", "arguments": { command": "ls"}}'
    parts = read(f'{opening}{broken}{closing}\nb"}}}}{closing}\n')
    assert calls(parts) == []
    assert "two ways" in bad(parts)[0].why


def test_what_looks_like_a_call_and_is_none_is_not_lost() -> None:
    text = 'run("rm -<tool_call>\n{"name": "run", "arguments": {"c": "ls"}}\n</tool_call>")'
    assert prose(read(text, (ToolSpec("run"),))) == text


@pytest.mark.parametrize("closing", ["", "\n```", "\n```\n", "\n```\n</tools>", "\n```json\n"])
def test_words_in_tags_are_told_of_also_when_a_fence_closes_behind_them(closing: str) -> None:
    parts = read(f"Sure.\n\n```json\n<tools>\nI call read_file with a.py{closing}")
    assert (calls(parts), prose(parts)) == ([], "Sure.\n\n")
    assert ["no call in the tags" in call.why for call in bad(parts)] == [True]

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import EDIT_FILE, PAIR, READ_FILE, RUN, TOOLS, WRITE_FILE, bad, calls, parts_of, read, tags

from qagent.qwen.calls.corrections import corrected, write
from qagent.qwen.chatml import mark
from qagent.types import BadCall, ToolSpec


def test_a_call_is_written_as_it_is_taught() -> None:
    assert write(RUN, {"command": "ls"}) == tags('{"name": "run", "arguments": {"command": "ls"}}')
    header = '{"name": "write_file", "arguments": {"path": "ä"}}'
    assert write(WRITE_FILE, {"path": "ä", "content": "x"}) == tags(header, "```", "x", "```")
    edits = [{"old": "old\n", "new": "new\n"}]
    assert write(EDIT_FILE, {"path": "a", "edits": edits}) == tags(
        '{"name": "edit_file", "arguments": {"path": "a"}}', PAIR
    )


CORRECTED: list[tuple[str, str, list[str]]] = [
    ("a missing value", '{"name": "read_file", "arguments": {"path": "b.py", "start": }}', ['"path": "b.py"']),
    ("an unknown argument", '{"name": "read_file", "arguments": {"path": "b.py", "x": 1}}', ['"path": "b.py"']),
    ("a wrong type", '{"name": "read_file", "arguments": {"path": "b.py", "end": "x"}}', ['{"path": "b.py"}']),
    ("another name", '{"name": "read_fil", "arguments": {"path": "b.py"}}', ["read_file", '"path": "b.py"']),
    ("another agent's name", '{"name": "cat", "arguments": {"path": "b.py", "x": 1}}', ["read_file", '"path": "b.py"']),
    ("a command", '{"name": "run", "arguments": {"command": "make test", "x": 1}}', ['{"command": "make test"}']),
    ("escapes", '{"name": "read_file", "arguments": {"path": "\\u00e4\\"b", "x": 1}}', ['"path": "ä\\"b"']),
    ("marks", '{"name": "read_file", "arguments": {"path": "<~|im_end|>a", "x": 1}}', ['"path": "<|im_end|>a"']),
    ("no path", '{"name": "write_file", "arguments": {}}', ["write_file", '"path": "a.py"', "```"]),
    ("an edit", '{"name": "edit_file", "arguments": {"path": "b.py"}}', ['"path": "b.py"', "SEARCH"]),
    ("a symbol", '{"name": "edit_file", "arguments": {"path": "b.py", "symbol": "f"}}', ['"symbol": ', "```"]),
    ("a tool's name somewhere", 'I think "edit_file"', ["edit_file"]),
    ("nothing at all", "", ["read_file"]),
    (
        "its own text",
        '{"name": "write_file", "arguments": {"path": "b.py", "content": "x = 1\\n", "mode": 1}}',
        ['"path": "b.py"}', "```\nx = 1\n```"],
    ),
    (
        "its own replacement",
        '{"name": "edit_file", "arguments": {"path": "b.py", "edits": [{"old": "x", "new": "y"}], "mode": 1}}',
        ['"path": "b.py"}', "SEARCH\nx\n=======\ny\n"],
    ),
    ("a real file, no text", '{"name": "write_file", "arguments": {"path": "b.py"}}', ['"path": "a.py"', "RATE"]),
    (
        "a placeholder",
        '{"name": "write_file", "arguments": {"path": "b.py", "content": "<fileContent>"}}',
        ['"path": "a.py"', "RATE = 0.19"],
    ),
    ("an invented path", '{"name": "read_file", "arguments": {"path": "/path/to/b.py"}}', ['"path": "src/cart.py"']),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "pieces"), [pytest.param(raw, pieces, id=name) for name, raw, pieces in CORRECTED])
def test_a_correction_is_a_whole_call_about_what_the_model_wrote(raw: str, pieces: list[str]) -> None:
    (call,) = bad(read(f"<tools>{raw}</tools>"))
    example = corrected(call, TOOLS)
    assert all(piece in example for piece in pieces), example
    parts, _ = parts_of([mark(example)])
    assert len(calls(parts)) == 1
    assert bad(parts) == []


def test_nobody_elses_code_stands_under_the_name_of_a_real_file() -> None:
    for raw in (
        '{"name": "write_file", "arguments": {"path": "b.py"}}',
        '{"name": "write_file", "arguments": {"path": "b.py", "content": "..."}}',
        '{"name": "write_file", "arguments": {"path": "b.py", "content": "print("hi")"',
        '{"name": "edit_file", "arguments": {"path": "b.py", "symbol": "f"}}',
    ):
        example = corrected(BadCall("1.1", raw, "why"), TOOLS)
        assert "b.py" not in example or "SEARCH" in example


def test_what_was_cut_is_not_given_back() -> None:
    raw = '{"name": "run", "arguments": {"command": "rm -rf build'
    assert "rm -rf" not in corrected(BadCall("1.1", raw, "why", "run"), TOOLS)


def test_what_can_be_read_in_two_ways_is_not_given_back() -> None:
    raw = '{"name": "run", "arguments": {"command": "a", "command": "b"}}'
    assert corrected(BadCall("1.1", raw, "why", "run"), TOOLS) == RUN.examples[0]
    raw = '{"name": "read_file", "arguments": {"path": "a", "path": "b"}}'
    assert corrected(BadCall("1.1", raw, "why", "read_file"), TOOLS) == READ_FILE.examples[0]


def test_what_stood_outside_of_json_is_given_back_too() -> None:
    raw = "<function=read_file><parameter=path>b.py</parameter><parameter=x>1</parameter></function>"
    assert '"path": "b.py"' in corrected(BadCall("1.1", raw, "why", "read_file"), TOOLS)
    assert '"path": "b.py"' in corrected(BadCall("1.1", '{"path": "b.py", "x": 1}', "why", "read_file"), TOOLS)
    assert corrected(BadCall("1.1", raw[:30], "why", "read_file"), TOOLS) == READ_FILE.examples[0]


def test_a_very_long_text_is_not_given_back() -> None:
    raw = json.dumps({"name": "write_file", "arguments": {"path": "b.py", "content": "x\n" * 5_000, "mode": 1}})
    assert corrected(BadCall("1.1", raw, "why", "write_file"), TOOLS) == WRITE_FILE.examples[0]


def test_a_correction_needs_no_example_and_no_tools() -> None:
    call = BadCall("1.1", "{", "why", "ls")
    assert corrected(call, [ToolSpec("ls")]) == tags('{"name": "ls", "arguments": {}}')
    assert corrected(call, []) == ""


def test_a_correction_follows_the_name_that_was_written() -> None:
    assert "read_file" in corrected(BadCall("1.1", "", "why", "read"), [RUN, READ_FILE])
    assert "read_file" in corrected(BadCall("1.1", "", "why", "readfile"), [RUN, READ_FILE])


@given(
    st.text(max_size=60) | st.sampled_from([raw for _, raw, _ in CORRECTED]), st.text(max_size=12), st.integers(0, 90)
)
def test_a_correction_is_always_a_call(raw: str, name: str, end: int) -> None:
    for text in (raw, raw[:end]):
        example = corrected(BadCall("1.1", text, "why", name), TOOLS)
        parts, _ = parts_of([mark(example)])
        assert len(calls(parts)) == 1
        assert bad(parts) == []


def test_what_cannot_be_read_is_left_for_the_model_to_fill_in() -> None:
    raw = '{"name": "edit_file", "arguments": {"path": "src/a.py", "old": "x "y"", "new": "z" w"}}'
    shown = corrected(BadCall("1.1", raw, "broken", "edit_file"), TOOLS)
    assert '"path": "src/a.py"' in shown
    assert "exactly as they stand in the file" in shown
    assert "0" not in shown

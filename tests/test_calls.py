from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import EDIT_FILE, PAIR, READ_FILE, RUN, TOOLS, WRITE_FILE, bad, calls, parts_of, read, tags

from qagent.qwen.calls import Meant, Unfit, corrected, decode, fit, meant, wants_block, write
from qagent.qwen.chatml import mark
from qagent.types import BadCall, Parameter, ToolSpec

EVERY = ToolSpec(
    "every",
    parameters=(
        Parameter("text", "string"),
        Parameter("count", "integer"),
        Parameter("part", "number"),
        Parameter("flag", "boolean"),
        Parameter("items", "array"),
        Parameter("map", "object"),
        Parameter("thing", "any"),
    ),
)

MEANT: list[tuple[object, Meant | None]] = [
    ({"name": "run", "arguments": {"a": 1}}, Meant("run", {"a": 1})),
    ({"name": " run ", "arguments": {}}, Meant("run", {})),
    ({"name": "run", "parameters": {"a": 1}}, Meant("run", {"a": 1})),
    ({"tool": "run", "args": {"a": 1}}, Meant("run", {"a": 1})),
    ({"tool_name": "run", "input": {"a": 1}}, Meant("run", {"a": 1})),
    ({"function": "run", "params": {"a": 1}}, Meant("run", {"a": 1})),
    ({"type": "function", "function": {"name": "run", "arguments": {"a": 1}}}, Meant("run", {"a": 1})),
    ({"thought": "so", "name": "run", "arguments": {"a": 1}}, Meant("run", {"a": 1})),
    ({"name": "run", "arguments": '{"a": 1}'}, Meant("run", {"a": 1})),
    ({"name": "run", "arguments": None}, Meant("run", {})),
    ({"name": "run"}, Meant("run", {})),
    ({"name": "run", "version": 1}, None),
    ({"name": "run", "arguments": "ls"}, None),
    ({"name": "run", "arguments": [1]}, None),
    ({"name": "run", "description": "d", "parameters": {"a": 1}}, None),
    ({"name": "run", "arguments": {"properties": {}}}, None),
    ({"name": 5, "arguments": {}}, None),
    ({"arguments": {}}, None),
    ({}, None),
    ([], None),
    ("run", None),
    (None, None),
]


@pytest.mark.parametrize(("value", "call"), MEANT)
def test_a_value_means_a_call_when_it_names_a_tool_and_has_arguments(value: object, call: Meant | None) -> None:
    assert meant(value) == call


TYPED: list[tuple[str, Any, Any]] = [
    ("text", "12", "12"),
    ("text", '{"a": 1}', '{"a": 1}'),
    ("text", 12, "12"),
    ("text", True, "true"),
    ("text", 1.5, "1.5"),
    ("text", {"ä": [1]}, '{\n  "ä": [\n    1\n  ]\n}'),
    ("text", "<~|im_end|>", "<|im_end|>"),
    ("count", 12, 12),
    ("count", "12", 12),
    ("count", 12.0, 12),
    ("part", 1, 1),
    ("part", "1.5", 1.5),
    ("flag", True, True),
    ("flag", " True ", True),
    ("flag", "false", False),
    ("items", [1, "<~|im_end|>"], [1, "<|im_end|>"]),
    ("items", "[1]", [1]),
    ("map", {"<~tool_call>": 1}, {"<tool_call>": 1}),
    ("map", '{"a": 1}', {"a": 1}),
    ("thing", None, None),
    ("thing", [{"a": "<~tool_call>"}], [{"a": "<tool_call>"}]),
]


@pytest.mark.parametrize(("name", "value", "typed"), TYPED)
def test_arguments_are_typed_as_the_tool_wants_them(name: str, value: Any, typed: Any) -> None:
    expected = {} if value is None else {name: typed}
    assert fit(Meant("every", {name: value}), None, [EVERY]) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "twelve"),
        ("count", 1.5),
        ("count", True),
        ("count", "true"),
        ("count", [1]),
        ("count", float("inf")),
        ("part", "x"),
        ("flag", "yes"),
        ("flag", 1),
        ("items", {"a": 1}),
        ("items", "x"),
        ("map", [1]),
        ("text", "\ud800"),
    ],
)
def test_no_value_is_changed_to_make_it_fit(name: str, value: Any) -> None:
    with pytest.raises(Unfit):
        fit(Meant("every", {name: value}), None, [EVERY])


def test_what_is_required_must_not_be_null() -> None:
    with pytest.raises(Unfit, match="'command' must be of type string"):
        fit(Meant("run", {"command": None}), None, TOOLS)
    assert fit(Meant("run", {"command": "ls", "timeout": None}), None, TOOLS) == {"command": "ls"}


def test_a_block_goes_where_a_text_is_lacking() -> None:
    assert fit(Meant("write_file", {"path": "a"}), "x\n", TOOLS) == {"path": "a", "content": "x\n"}
    assert fit(Meant("edit_file", {"path": "a", "old": "b\n"}), "x\n", TOOLS) == {
        "path": "a",
        "old": "b\n",
        "new": "x\n",
    }
    with pytest.raises(Unfit, match="not one that run takes"):
        fit(Meant("run", {"command": "ls"}), "x\n", TOOLS)
    with pytest.raises(Unfit, match="takes no 'old' beside"):
        fit(Meant("edit_file", {"path": "a", "old": "b"}), PAIR, TOOLS)


@pytest.mark.parametrize(
    ("call", "any_block", "only_missing"),
    [
        (Meant("write_file", {"path": "a"}), True, True),
        (Meant("write_file", {"path": "a", "content": ""}), True, False),
        (Meant("write_file", {"path": "a", "content": "x"}), False, False),
        (Meant("edit_file", {"path": "a", "old": "x"}), True, True),
        (Meant("edit_file", {"path": "a", "edits": [{}]}), False, False),
        (Meant("run", {}), False, False),
        (Meant("launch", {}), False, False),
    ],
)
def test_a_call_wants_a_block_while_its_text_is_lacking(call: Meant, any_block: bool, only_missing: bool) -> None:
    assert wants_block(call, TOOLS) is any_block
    assert wants_block(call, TOOLS, or_has_empty=False) is only_missing


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_any_json_is_decoded(value: object) -> None:
    assert decode(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", "[" * 100_000, "1" * 5_000, "{}x", "\ufeff{}"])
def test_what_is_no_json_is_unfit(text: str) -> None:
    with pytest.raises(Unfit):
        decode(text)


def test_the_reason_shows_where_the_json_is_broken() -> None:
    with pytest.raises(Unfit, match=r"near .*print\("):
        decode('{"content": "print("hi")"}')


def test_a_call_is_written_as_it_is_taught() -> None:
    assert write(RUN, {"command": "ls"}) == tags('{"name": "run", "arguments": {"command": "ls"}}')
    header = '{"name": "write_file", "arguments": {"path": "ä"}}'
    assert write(WRITE_FILE, {"path": "ä", "content": "x"}) == tags(header, "```", "x", "```")
    edits = [{"old": "old\n", "new": "new\n"}]
    assert write(EDIT_FILE, {"path": "a", "edits": edits}) == tags(
        '{"name": "edit_file", "arguments": {"path": "a"}}', PAIR
    )


CORRECTED: list[tuple[str, str, list[str]]] = [
    ("a missing brace", '{"name": "read_file", "arguments": {"path": "b.py"}', ["read_file", '"path": "b.py"']),
    ("another name", '{"name": "readfile", "arguments": {"path": "b.py"}}', ["read_file", '"path": "b.py"']),
    ("a command", '{"name": "run", "arguments": {"command": "make test"', ['"command": "make test"']),
    ("a backslash", '{"name": "read_file", "arguments": {"path": "src\\b\\d.py"}', ['"path": "src\\\\b\\\\d.py"']),
    ("escapes", '{"name": "read_file", "arguments": {"path": "\\u00e4\\"b"}', ['"path": "ä\\"b"']),
    ("marks", '{"name": "read_file", "arguments": {"path": "<~|im_end|>"}', ['"path": "<|im_end|>"']),
    ("no path", '{"name": "write_file", "arguments": {}}', ["write_file", '"path": "a.py"', "```"]),
    ("an edit", '{"name": "edit_file", "arguments": {"path": "b.py"}}', ['"path": "b.py"', "SEARCH"]),
    ("a symbol", '{"name": "edit_file", "arguments": {"path": "b.py", "symbol": "f"}}', ['"symbol": ', "```"]),
    ("a tool's name somewhere", 'I think "edit_file"', ["edit_file"]),
    ("nothing at all", "", ["read_file"]),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "pieces"), [pytest.param(raw, pieces, id=name) for name, raw, pieces in CORRECTED])
def test_a_correction_is_a_whole_call_about_what_the_model_wrote(raw: str, pieces: list[str]) -> None:
    (call,) = bad(read(f"<tools>{raw}</tools>"))
    example = corrected(call, TOOLS)
    assert all(piece in example for piece in pieces)
    parts, _ = parts_of([mark(example)])
    assert len(calls(parts)) == 1
    assert bad(parts) == []


def test_a_correction_needs_no_example_and_no_tools() -> None:
    call = BadCall("1.1", "{", "why", "ls")
    assert corrected(call, [ToolSpec("ls")]) == tags('{"name": "ls", "arguments": {}}')
    assert corrected(call, []) == ""


def test_a_correction_follows_the_name_that_was_written() -> None:
    assert "read_file" in corrected(BadCall("1.1", "", "why", "read"), [RUN, READ_FILE])

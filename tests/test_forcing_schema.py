from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from qagent.qwen.forcing import Header, header_schema, is_cut, read_header
from qagent.tools.toolbox import standard_toolbox
from qagent.types import Parameter, ToolSpec
from qagent.words import Words
from qagent.workspace.place import Workspace

SHIPPED = standard_toolbox(Workspace.open(Path(__file__).parent), Words()).specs


def branches(tools: tuple[ToolSpec, ...]) -> list[tuple[str, list[str], list[str]]]:
    """Name, properties and required ones of each way to call a tool."""
    found: list[tuple[str, list[str], list[str]]] = []
    for each in header_schema(tools)["anyOf"]:
        assert list(each["properties"]) == each["required"] == ["name", "arguments"]
        arguments = each["properties"]["arguments"]
        found.append((each["properties"]["name"]["const"], [*arguments["properties"]], arguments["required"]))
    return found


def test_the_schema_of_the_six_tools_has_a_place_for_everything_but_code() -> None:
    assert branches(SHIPPED) == [
        ("read_file", ["path", "start", "end", "symbol"], ["path"]),
        ("edit_file", ["path"], ["path"]),
        ("edit_file", ["path", "symbol"], ["path", "symbol"]),
        ("write_file", ["path"], ["path"]),
        ("list_files", ["path"], []),
        ("search", ["pattern", "path"], ["pattern"]),
        ("run", ["command", "timeout", "network"], ["command"]),
    ]


FOREIGN = ToolSpec(
    "all",
    "",
    (
        Parameter("text", "string"),
        Parameter("number", "number", required=True),
        Parameter("flag", "boolean"),
        Parameter("list", "array"),
        Parameter("map", "object"),
        Parameter("any", "any"),
    ),
)
NAMED = ToolSpec("named")
IN_JSON = ToolSpec(
    "swap", "", (Parameter("old", "string"), Parameter("new", "string")), forms=(("old", "new"),), body=("new",)
)
CHOICE = ToolSpec("choice", "", (Parameter("a", "string"), Parameter("b", "string")), forms=(("a",), ("b",)))


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (FOREIGN, [("all", ["text", "number", "flag", "list", "map", "any"], ["number"])]),
        (IN_JSON, [("swap", ["old"], ["old"])]),
        (CHOICE, [("choice", ["a"], ["a"]), ("choice", ["b"], ["b"])]),
    ],
)
def test_tools_of_other_shapes_have_a_schema_too(
    tool: ToolSpec, expected: list[tuple[str, list[str], list[str]]]
) -> None:
    assert branches((tool,)) == expected


def test_of_a_tool_whose_parameters_nobody_knows_any_arguments_may_be_given() -> None:
    (branch,) = header_schema((NAMED,))["anyOf"]
    assert branch["properties"]["arguments"]["additionalProperties"]["type"] == "string"


def inside(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all that stand in it."""
    if isinstance(schema, dict):
        record = cast("dict[str, Any]", schema)
        yield record
        for value in record.values():
            yield from inside(value)
    elif isinstance(schema, list):
        for value in cast("list[Any]", schema):
            yield from inside(value)


def test_every_value_is_bounded_by_less_than_what_a_grammar_may_repeat() -> None:
    for schema in inside(header_schema((*SHIPPED, FOREIGN, NAMED))):
        match schema.get("type"):
            case "string":
                assert 0 < schema["minLength"] < schema["maxLength"] < 2_000
            case "integer":
                assert (schema["minimum"], schema["maximum"]) == (0, 999_999_999)
            case "array":
                assert schema["maxItems"] * schema["items"]["maxLength"] < 2_000
            case "object":
                assert schema["additionalProperties"] is False or schema["additionalProperties"]["maxLength"] < 2_000
            case _:
                assert "number" not in schema.values()


def test_white_space_is_fixed_where_the_grammar_would_leave_it_open() -> None:
    assert header_schema(SHIPPED)["x-guidance"] == {
        "whitespace_flexible": False,
        "item_separator": ", ",
        "key_separator": ": ",
    }


# ------------------------------------------------------------------ the header that came


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure, I'll read it.",
        "[]",
        "17",
        '"read_file"',
        '{"name": "read_file", "arguments": {"path": "a.py"',
        '{"name": "read_file", "arguments": {"path": "a.py"}}\n</tools>',
        '{"name": "read_file"}',
        '{"name": "read_file", "arguments": {}, "thought": "x"}',
        '{"name": "read_file", "arguments": ["a.py"]}',
        '{"name": "unknown", "arguments": {}}',
        '{"name": ["read_file"], "arguments": {}}',
        "[" * 100_000,
        "9" * 5_000,
    ],
)
def test_what_is_no_header_is_none(text: str) -> None:
    assert read_header(text, SHIPPED) is None


def test_a_header_keeps_the_models_own_spelling() -> None:
    text = '{"name":"read_file",\n "arguments":{"path":"\\u00e4.py"}}'
    read = read_header(f" {text}\n", SHIPPED)
    assert read
    assert (read.text, read.arguments) == (text, {"path": "ä.py"})


# ------------------------------------------------------------------ the header that was cut


@pytest.mark.parametrize(
    ("name", "value", "cut"),
    [
        ("text", "a" * 368, False),
        ("text", "a" * 369, True),
        ("text", "a" * 400, True),
        ("text", "a" * 401, False),
        ("text", "\U0001f600" * 200, True),
        ("text", "\U0001f600" * 184, False),
        ("text", "a" * 399 + "\ud83d", True),
        ("number", 999_999, False),
        ("number", 1_000_000, True),
        ("number", 999_999_999, True),
        ("number", 1_000_000_000, False),
        ("flag", True, False),
        ("list", ["a"] * 7, False),
        ("list", ["a"] * 8, True),
        ("list", ["a", "b" * 100], True),
        ("list", ["a" * 68], False),
        ("map", {"a": "b" * 68}, False),
        ("map", {"a": "b" * 100}, True),
        ("any", "a" * 400, True),
        ("any", True, False),
        ("any", ["a"] * 8, False),
        ("other", "a" * 400, False),
    ],
)
def test_a_value_with_no_room_for_another_token_may_have_been_cut(name: str, value: object, cut: bool) -> None:
    assert is_cut(Header("", FOREIGN, {"number": 1, name: value})) == cut


def test_each_way_to_call_a_tool_bounds_its_own_values() -> None:
    full = "a" * 400
    edit = SHIPPED[1]
    assert is_cut(Header("", edit, {"path": full}))
    assert is_cut(Header("", edit, {"path": "a.py", "symbol": full}))
    assert not is_cut(Header("", edit, {"path": "a.py", "new": full}))
    assert is_cut(Header("", NAMED, {"whatever": "a" * 100}))

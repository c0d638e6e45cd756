from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import TOOLS

from qagent.qwen.calls import envelopes, proven
from qagent.qwen.calls.envelopes import Items, Meant, detached, items, meant
from qagent.qwen.json_text import Unfit
from qagent.types import Parameter, Repair, ToolSpec

NAMED = (ToolSpec("read_file"), ToolSpec("run"), ToolSpec("list_files"))
"""Tools of which the names alone are known."""

LS = Meant("run", {"command": "ls"})


def ls(*repairs: Repair, thought: str = "") -> Meant:
    return Meant("run", {"command": "ls"}, repairs, thought)


MEANT: list[tuple[str, object, Meant]] = [
    ("as taught", {"name": "run", "arguments": {"command": "ls"}}, LS),
    ("arguments first", {"arguments": {"command": "ls"}, "name": "run"}, LS),
    ("blanks around the name", {"name": " run ", "arguments": {"command": "ls"}}, LS),
    ("an id beside it", {"id": "call_1", "name": "run", "arguments": {"command": "ls"}}, LS),
    ("parameters", {"name": "run", "parameters": {"command": "ls"}}, ls("envelope")),
    ("tool and args", {"tool": "run", "args": {"command": "ls"}}, ls("envelope")),
    ("tool_name and input", {"tool_name": "run", "input": {"command": "ls"}}, ls("envelope")),
    ("function and params", {"function": "run", "params": {"command": "ls"}}, ls("envelope")),
    ("function_name and kwargs", {"function_name": "run", "kwargs": {"command": "ls"}}, ls("envelope")),
    ("name and tool_input", {"name": "run", "tool_input": {"command": "ls"}}, ls("envelope")),
    ("action and action_input", {"action": "run", "action_input": {"command": "ls"}}, ls("envelope")),
    ("op and args", {"op": "run", "args": {"command": "ls"}}, ls("envelope")),
    ("Anthropic's", {"type": "tool_use", "id": "1", "name": "run", "input": {"command": "ls"}}, ls("envelope")),
    ("OpenAI's", {"type": "function", "function": {"name": "run", "arguments": {"command": "ls"}}}, ls("envelope")),
    (
        "OpenAI's with an id and a string",
        {"id": "c", "type": "function", "function": {"name": "run", "arguments": '{"command": "ls"}'}},
        ls("envelope", "encoded"),
    ),
    ("function_call", {"function_call": {"name": "run", "arguments": {"command": "ls"}}}, ls("envelope")),
    ("tool holds it", {"tool": {"name": "run", "arguments": {"command": "ls"}}}, ls("envelope")),
    (
        "a thought and an action",
        {"thought": "Look first", "action": {"name": "run", "arguments": {"command": "ls"}}},
        ls("envelope", thought="Look first"),
    ),
    (
        "a thought beside the name",
        {"thought": " so ", "name": "run", "arguments": {"command": "ls"}},
        ls(thought="so"),
    ),
    ("under any key", {"step": 1, "next": {"name": "run", "arguments": {"command": "ls"}}}, ls("envelope")),
    ("two levels down", {"call": {"function": {"name": "run", "arguments": {"command": "ls"}}}}, ls("envelope")),
    ("the name as the key", {"run": {"command": "ls"}}, ls("envelope")),
    ("the name as the key, with a thought", {"thought": "x", "run": {"command": "ls"}}, ls("envelope", thought="x")),
    ("arguments beside the name", {"name": "run", "command": "ls"}, ls("envelope")),
    (
        "arguments beside another name key",
        {"tool": "run", "command": "ls", "thought": "x"},
        ls("envelope", thought="x"),
    ),
    ("near-miss arguments beside the name", {"name": "run", "cmd": "ls"}, ls("envelope")),
    ("the name among the arguments", {"arguments": {"command": "ls", "name": "run"}}, ls("envelope")),
    ("a string of JSON", {"name": "run", "arguments": '{"command": "ls"}'}, ls("encoded")),
    ("a string of a string of JSON", {"name": "run", "arguments": '"{\\"command\\": \\"ls\\"}"'}, ls("encoded")),
    ("a string of broken JSON", {"name": "run", "arguments": "{'command': 'ls'}"}, ls("encoded", "quotes")),
    ("one object in a list", {"name": "run", "arguments": [{"command": "ls"}]}, ls("type")),
    ("a bare text", {"name": "run", "arguments": "ls"}, ls("type")),
    ("pairs in a text", {"name": "run", "arguments": "command='ls'"}, ls("encoded")),
    ("near-miss pairs in a text", {"name": "run", "arguments": "cmd=ls"}, Meant("run", {"cmd": "ls"}, ("encoded",))),
    (
        "what only looks like pairs",
        {"name": "run", "arguments": "X=1 ls"},
        Meant("run", {"command": "X=1 ls"}, ("type",)),
    ),
    ("null", {"name": "run", "arguments": None}, Meant("run", {}, ("type",))),
    ("an empty text", {"name": "run", "arguments": ""}, Meant("run", {}, ("type",))),
    ("null as a text", {"name": "run", "arguments": "null"}, Meant("run", {}, ("type",))),
    ("no arguments at all", {"name": "run"}, Meant("run", {})),
    ("an unknown name", {"name": "fly", "arguments": {"to": 1}}, Meant("fly", {"to": 1})),
    ("the offered one of two names", {"name": "ls", "tool": "run", "arguments": {"command": "ls"}}, ls("envelope")),
]


@pytest.mark.parametrize(("value", "call"), [pytest.param(value, call, id=name) for name, value, call in MEANT])
def test_a_value_means_a_call_when_it_names_a_tool_and_has_arguments(value: object, call: Meant) -> None:
    assert meant(value, TOOLS) == call


SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
NO_CALLS: list[tuple[str, object, str]] = [
    ("a number", 5, "no name"),
    ("a text", "run", "no name"),
    ("nothing", {}, "no name"),
    ("null", None, "no name"),
    ("a list", [], "no name"),
    ("no name", {"arguments": {"command": "ls"}}, "no name"),
    ("a number as the name", {"name": 5, "arguments": {}}, "no name"),
    ("a package", {"name": "run", "version": "1.0", "scripts": {"test": "x"}}, "no name"),
    ("data with an offered name", {"name": "run", "command": "ls", "exit": 0}, "no name"),
    ("what a tool answered", {"name": "run", "content": "a.py"}, "no name"),
    ("a call with its result", {"name": "run", "arguments": {"command": "ls"}, "result": "a.py"}, "holds a result"),
    (
        "two calls side by side",
        {"a": {"name": "run", "arguments": {}}, "b": {"name": "run", "arguments": {}}},
        "no name",
    ),
    ("a list of words", {"name": "run", "arguments": ["ls", "-l"]}, "one JSON object"),
    ("a number for arguments", {"name": "run", "arguments": 3}, "one JSON object"),
    ("a text for a tool that needs two", {"name": "write_file", "arguments": "a.py"}, "one JSON object"),
    ("a text that begins as YAML", {"name": "run", "arguments": "command: ls"}, "one JSON object"),
    ("pairs that cannot be read", {"name": "run", "arguments": "command=ls -l"}, "one JSON object"),
    ("a text that begins as JSON", {"name": "run", "arguments": "{ ls; }"}, "JSON"),
    ("a string of a list", {"name": "run", "arguments": "[1]"}, "one JSON object"),
    ("a definition", {"name": "run", "description": "runs", "parameters": SCHEMA}, "definition"),
    ("a definition without a schema", {"name": "run", "description": "runs", "parameters": {}}, "definition"),
    ("OpenAI's definition", {"type": "function", "function": {"name": "run", "parameters": SCHEMA}}, "definition"),
    ("a schema for arguments", {"name": "run", "arguments": SCHEMA}, "definition"),
    ("types for arguments", {"name": "run", "arguments": {"command": {"type": "string"}}}, "definition"),
    ("types under the name", {"run": {"command": {"type": "string", "description": "line"}}}, "definition"),
    ("nested too often", {"call": {"call": {"call": {"call": {"name": "run", "arguments": {}}}}}}, "no name"),
]


@pytest.mark.parametrize(("value", "why"), [pytest.param(value, why, id=name) for name, value, why in NO_CALLS])
def test_other_values_are_no_calls(value: object, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        meant(value, TOOLS)
    with pytest.raises(Unfit):
        proven.meant(value, TOOLS)


def test_of_a_tool_known_by_its_name_any_familiar_argument_is_one() -> None:
    beside: dict[str, Any] = {"tool": "read_file", "path": "a.py"}
    assert meant(beside, NAMED) == Meant("read_file", {"path": "a.py"}, ("envelope",))
    with pytest.raises(Unfit):
        meant({"name": "read_file", "version": 2}, NAMED)
    assert meant({"run": {"in": "CI"}}, NAMED) == Meant("run", {"in": "CI"}, ("envelope",))
    assert meant({"action": "list_files"}, NAMED) == Meant("list_files", {}, ("envelope",))


R = {"name": "run", "arguments": {"command": "ls"}}
PROVEN: list[tuple[str, object, Meant]] = [
    ("as taught", R, LS),
    ("an id and a type", {"id": "1", "type": "function", **R}, LS),
    ("a thought", {"thought": "so", **R}, ls(thought="so")),
    ("tool and args", {"tool": "run", "args": {"command": "ls"}}, ls("envelope")),
    ("function and a string", {"function": "run", "params": '{"command": "ls"}'}, ls("envelope", "encoded")),
    ("action and action_input", {"action": "run", "action_input": {"command": "ls"}}, ls("envelope")),
    ("OpenAI's", {"type": "function", "id": "1", "function": R}, ls("envelope")),
    ("OpenAI's without a type", {"function": R}, ls("envelope")),
    ("OpenAI's older one", {"function_call": R}, ls("envelope")),
    ("a thought and an action", {"thought": "so", "action": R}, ls("envelope", thought="so")),
    ("nothing but a name", {"name": "list_files"}, Meant("list_files", {})),
    ("null for nothing", {"name": "list_files", "arguments": None}, Meant("list_files", {}, ("type",))),
]
NOT_PROVEN: list[tuple[str, object]] = [
    ("an editor's task", {"name": "run", "command": "touch x"}),
    ("a script", {"run": {"command": "npm start"}}),
    ("one level down", {"scripts": {"name": "run", "args": {"command": "ls"}}}),
    ("arguments beside the tool", {"tool": "run", "command": "ls"}),
    ("a package", {"name": "list_files", "type": "module"}),
    ("a name that needs a text", {"name": "write_file"}),
    ("another key for the name", {"action": "list_files"}),
    ("a text for arguments", {"name": "run", "arguments": "ls"}),
    ("an action alone", {"action": R}),
    ("another type", {"type": "shell", **R}),
    ("a key beside it", {**R, "timeout": 5}),
    ("a definition", {"name": "list_files", "description": "lists", "parameters": {}}),
]
TAKEN_BACK: list[tuple[str, dict[str, Any]]] = [
    ("an older call", {"previous": R}),
    ("a bad call", {"bad_call": R}),
    ("a refused call", {"denied": R}),
    ("an error beside it", {"error": "not allowed", "call": R}),
    ("a no", {"do_not": True, **R}),
    ("not confirmed", {**R, "confirmed": False}),
    ("a status", {**R, "status": "cancelled"}),
    ("a result", {"result": "a.py", "call": R}),
    ("a status around it", {"tool_calls": [R], "status": "cancelled"}),
]
UNNEEDED = (*TOOLS, ToolSpec("list_files", parameters=(Parameter("path", "string"), Parameter("status", "string"))))


@pytest.mark.parametrize(("value", "call"), [pytest.param(value, call, id=name) for name, value, call in PROVEN])
def test_outside_of_tags_a_call_has_a_shape_that_nothing_else_has(value: object, call: Meant) -> None:
    assert proven.meant(value, UNNEEDED) == call


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in NOT_PROVEN])
def test_outside_of_tags_settings_and_data_are_no_calls(value: object) -> None:
    with pytest.raises(Unfit):
        proven.meant(value, UNNEEDED)
    with pytest.raises(Unfit):
        proven.meant({"name": "list_files"}, NAMED)


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in TAKEN_BACK])
def test_a_call_that_is_taken_back_is_none_anywhere(value: dict[str, Any]) -> None:
    for shapes in (envelopes, proven):
        assert shapes.items(value) is None
        with pytest.raises(Unfit):
            shapes.meant(value, TOOLS)


def test_a_call_names_one_tool() -> None:
    with pytest.raises(Unfit, match="two tools"):
        meant({"tool": "read_file", **R}, TOOLS)


def test_a_good_sign_beside_a_call_says_nothing() -> None:
    beside = {"status": "pending", "confirmed": True, "error": None, "call_id": "1", "description": "list"}
    assert meant({**R, **beside}, TOOLS) == ls()
    assert meant({"name": "list_files", "arguments": {}, "status": "open"}, UNNEEDED).arguments == {"status": "open"}


def test_arguments_beside_the_arguments_are_arguments() -> None:
    assert meant({**R, "timeout": 5}, TOOLS) == Meant("run", {"command": "ls", "timeout": 5}, ("envelope",))
    assert meant({**R, "command": "ls"}, TOOLS) == ls()
    both = {**R, "parameters": {"timeout": 5}}
    assert meant(both, TOOLS) == Meant("run", {"command": "ls", "timeout": 5}, ("envelope",))
    for twice in ({**R, "command": "pwd"}, {**R, "parameters": {"command": "pwd"}}):
        with pytest.raises(Unfit, match="twice"):
            meant(twice, TOOLS)


def test_a_schema_is_an_argument_where_the_tool_takes_one() -> None:
    tool = ToolSpec("make", parameters=(Parameter("properties", "object"),))
    assert meant({"name": "make", "arguments": {"properties": {"a": 1}}}, [tool]).arguments == {"properties": {"a": 1}}


DETACHED: list[tuple[str, object, Meant]] = [
    ("its arguments", {"command": "ls"}, LS),
    ("an envelope of them", {"arguments": {"command": "ls"}}, ls("envelope")),
    ("the whole call again", {"name": "run", "arguments": {"command": "ls"}}, LS),
    ("a text", "ls", ls("type")),
    ("nothing", None, Meant("run", {}, ("type",))),
]


@pytest.mark.parametrize(("value", "call"), [pytest.param(value, call, id=name) for name, value, call in DETACHED])
def test_a_name_that_stood_outside_gets_what_stands_behind_it(value: object, call: Meant) -> None:
    assert detached("run", value, TOOLS) == call


def test_a_definition_behind_a_name_is_no_call() -> None:
    with pytest.raises(Unfit, match="definition"):
        detached("run", SCHEMA, TOOLS)


def test_several_calls_are_taken_apart() -> None:
    one, two = {"name": "run"}, {"name": "list_files"}
    assert items([one, two]) == Items((one, two))
    assert items({"tool_calls": [one, two], "thought": "so"}) == Items((one, two), ("envelope",), "so")
    assert items({"calls": [one]}) == Items((one,), ("envelope",))
    others: list[object] = [one, {"name": "run", "tools": [1]}, {"calls": [], "tools": []}, {"calls": 1}, 5, None]
    assert [items(value) for value in others] == [None] * len(others)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(("run", "read_file", "{}", "[")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ("name", "arguments", "function", "run", "path", "command", "tool_calls", "thought", "type")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_value_is_a_call_or_a_reason(value: Any) -> None:
    for tools in (TOOLS, NAMED, ()):
        for shapes in (envelopes, proven):
            several = shapes.items(value)
            for each in several.values if several else (value,):
                with suppress(Unfit):
                    assert isinstance(shapes.meant(each, tools).arguments, dict)

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import EDIT_FILE, PAIR, READ_FILE, RUN, TOOLS, WRITE_FILE

from qagent.qwen.calls.arguments import Fitted, fitted
from qagent.qwen.json_text import Unfit, clean, decode, decode_strictly
from qagent.types import Arguments, Parameter, ToolSpec

EVERY = ToolSpec(
    "every",
    parameters=(
        Parameter("text", "string"),
        Parameter("path", "string"),
        Parameter("command", "string"),
        Parameter("note", "string"),
        Parameter("count", "integer"),
        Parameter("part", "number"),
        Parameter("flag", "boolean"),
        Parameter("items", "array"),
        Parameter("map", "object"),
        Parameter("thing", "any"),
    ),
)

RIGHT: list[tuple[str, Any]] = [
    ("text", "12"),
    ("text", '{"a": 1}'),
    ("text", "null"),
    ("count", 12),
    ("count", -1),
    ("part", 1),
    ("part", 1.5),
    ("flag", True),
    ("flag", False),
    ("items", []),
    ("items", [1, "a"]),
    ("map", {"a": {"type": "string"}}),
    ("thing", [{"a": None}]),
    ("thing", "12"),
    ("thing", 12),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_what_is_right_stays_as_it_is(name: str, value: Any) -> None:
    assert fitted(EVERY, {name: value}, None) == Fitted({name: value})


@pytest.mark.parametrize("digits", ["1.10", "1e3", "12345678901234567890.10", "-0.0", "1.5E400"])
def test_a_number_in_the_place_of_a_text_keeps_its_digits(digits: str) -> None:
    for decoded in (decode, decode_strictly):
        assert fitted(EVERY, {"text": decoded(digits)}, None) == Fitted({"text": digits}, ("type",))
    with pytest.raises(Unfit, match="one string"):
        fitted(EVERY, {"note": decode(f'{{"a": [{digits}, 1.10]}}')}, None)


def test_a_number_comes_out_plain() -> None:
    for value in (fitted(EVERY, {"part": decode("1.10")}, None).arguments["part"], clean([decode("1.5")])[0]):
        assert type(value) is float


TYPED: list[tuple[str, Any, Any]] = [
    ("text", 12, "12"),
    ("text", True, "true"),
    ("text", 1.5, "1.5"),
    ("text", {"ä": [1]}, '{\n  "ä": [\n    1\n  ]\n}'),
    ("text", {"type": "object"}, '{\n  "type": "object"\n}'),
    ("note", {"a": 1}, '{\n  "a": 1\n}'),
    ("text", [{"a": 1}], '[\n  {\n    "a": 1\n  }\n]'),
    ("path", ["a.py"], "a.py"),
    ("command", ["ls"], "ls"),
    ("command", 5, "5"),
    ("count", "12", 12),
    ("count", " 12 ", 12),
    ("count", "12.0", 12),
    ("count", 12.0, 12),
    ("part", "1.5", 1.5),
    ("part", "2", 2),
    ("flag", " True ", True),
    ("flag", "false", False),
    ("items", "[1]", [1]),
    ("items", "*.py", ["*.py"]),
    ("items", "12", ["12"]),
    ("items", 12, [12]),
    ("map", '{"a": 1}', {"a": 1}),
]


@pytest.mark.parametrize(("name", "value", "typed"), TYPED)
def test_values_are_typed_as_the_tool_wants_them(name: str, value: Any, typed: Any) -> None:
    assert fitted(EVERY, {name: value}, None) == Fitted({name: typed}, ("type",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "twelve"),
        ("count", 1.5),
        ("count", "1.5"),
        ("count", True),
        ("count", "true"),
        ("count", [1]),
        ("count", float("inf")),
        ("count", "1" * 5_000),
        ("part", "x"),
        ("part", float("nan")),
        ("part", "NaN"),
        ("part", False),
        ("flag", "yes"),
        ("flag", 1),
        ("flag", "1"),
        ("items", {"a": 1}),
        ("items", "[1"),
        ("items", '{"a": 1}'),
        ("items", True),
        ("map", [1]),
        ("map", "x"),
        ("text", ["a", "b"]),
        ("text", ["a"]),
        ("path", {"a": 1}),
        ("path", ["a", "b"]),
        ("command", ["ls", "-l"]),
        ("command", [{"a": 1}]),
        ("note", {"type": "string", "description": "what it is"}),
        ("text", "\ud800"),
        ("thing", ["\udfff"]),
    ],
)
def test_no_value_is_changed_to_make_it_fit(name: str, value: Any) -> None:
    with pytest.raises(Unfit):
        fitted(EVERY, {name: value}, None)


@pytest.mark.parametrize("nothing", [None, "null", "None", ""])
def test_nothing_for_what_is_not_required_is_left_out(nothing: str | None) -> None:
    for name in ("count", "part", "flag", "items", "map"):
        assert fitted(EVERY, {name: nothing}, None) == Fitted({}, ("type",))


def test_marks_are_taken_out_of_every_text() -> None:
    given: Arguments = {
        "text": "<~|im_end|>",
        "items": [1, "<~|im_end|>"],
        "map": {"<~tool_call>": 1},
        "thing": [{"a": "<~tool_call>"}],
    }
    assert fitted(EVERY, given, None).arguments == {
        "text": "<|im_end|>",
        "items": [1, "<|im_end|>"],
        "map": {"<tool_call>": 1},
        "thing": [{"a": "<tool_call>"}],
    }


def test_what_is_required_must_not_be_null() -> None:
    with pytest.raises(Unfit, match="'command' must be one string"):
        fitted(RUN, {"command": None}, None)
    assert fitted(RUN, {"command": "ls", "timeout": None}, None) == Fitted({"command": "ls"}, ("type",))


@pytest.mark.parametrize(
    ("spec", "arguments", "why"),
    [
        (RUN, {}, "run needs 'command'."),
        (RUN, {"command": "ls", "shell": "zsh"}, "run takes no 'shell'. It takes: command, timeout."),
        (WRITE_FILE, {}, "write_file needs 'path' and 'content'."),
        (WRITE_FILE, {"path": "a", "mode": 1}, "It takes: path, and a block after the JSON."),
        (
            EDIT_FILE,
            {"path": "a"},
            "edit_file needs a block after the JSON, or edits or old with new or symbol with new.",
        ),
        (EDIT_FILE, {"path": "a", "new": "x"}, "edit_file needs 'old' or 'symbol' beside 'new'."),
        (EDIT_FILE, {"path": "a", "edits": [{"old": "x"}]}, "needs old and new"),
        (EDIT_FILE, {"path": "a", "edits": ["x"]}, "needs old and new"),
        (READ_FILE, {"path": "a", "start": "first"}, "read_file: 'start' must be of type integer."),
    ],
)
def test_what_does_not_fit_has_a_reason(spec: ToolSpec, arguments: Arguments, why: str) -> None:
    with pytest.raises(Unfit) as refusal:
        fitted(spec, arguments, None)
    assert why in str(refusal.value)


def test_a_tool_known_by_its_name_takes_anything_as_it_is() -> None:
    given: Arguments = {"file": "a", "n": "12", "x": None, "y": {"type": "string"}}
    assert fitted(ToolSpec("read_file"), given, None) == Fitted(given)


def test_a_block_goes_where_a_text_is_lacking() -> None:
    assert fitted(WRITE_FILE, {"path": "a"}, "x\n").arguments == {"path": "a", "content": "x\n"}
    assert fitted(WRITE_FILE, {"path": "a", "content": ""}, "x\n").arguments == {"path": "a", "content": "x\n"}
    assert fitted(WRITE_FILE, {"file": "a", "text": ""}, "x\n").arguments == {"path": "a", "content": "x\n"}
    edited = fitted(EDIT_FILE, {"path": "a", "old": "b\n"}, "x\n").arguments
    assert edited == {"path": "a", "old": "b\n", "new": "x\n"}
    assert fitted(EDIT_FILE, {"path": "a"}, PAIR).arguments["edits"] == [{"old": "old\n", "new": "new\n"}]
    with pytest.raises(Unfit, match="not one that run takes"):
        fitted(RUN, {"command": "ls"}, "x\n")
    with pytest.raises(Unfit, match="takes no 'old' beside"):
        fitted(EDIT_FILE, {"path": "a", "old": "b"}, PAIR)
    with pytest.raises(Unfit, match="not whole"):
        fitted(EDIT_FILE, {"path": "a"}, "<<<<<<< SEARCH\nold\n")


RENAMED: list[tuple[ToolSpec, Arguments, Arguments]] = [
    (READ_FILE, {"Path": "a"}, {"path": "a"}),
    (READ_FILE, {"filename": "a"}, {"path": "a"}),
    (READ_FILE, {"filePath": "a", "startLine": "2", "end_line": 3}, {"path": "a", "start": 2, "end": 3}),
    (READ_FILE, {"path": "a", "from": 2, "to": 3}, {"path": "a", "start": 2, "end": 3}),
    (RUN, {"cmd": "ls"}, {"command": "ls"}),
    (RUN, {"command": "ls", "explanation": "to see"}, {"command": "ls"}),
    (RUN, {"command": "ls", "description": "to see", "reason": None}, {"command": "ls"}),
    (WRITE_FILE, {"file_path": "a", "text": "x"}, {"path": "a", "content": "x"}),
    (WRITE_FILE, {"path": "a", "file-content": "x"}, {"path": "a", "content": "x"}),
    (EDIT_FILE, {"file": "a", "old_string": "x", "new_string": "y"}, {"path": "a", "old": "x", "new": "y"}),
    (EDIT_FILE, {"path": "a", "search": "x", "replace": "y"}, {"path": "a", "old": "x", "new": "y"}),
    (EDIT_FILE, {"path": "a", "function": "f", "code": "y"}, {"path": "a", "symbol": "f", "new": "y"}),
    (
        EDIT_FILE,
        {"path": "a", "changes": [{"search": "x", "replace": "y"}]},
        {"path": "a", "edits": [{"old": "x", "new": "y"}]},
    ),
    (EDIT_FILE, {"path": "a", "edits": {"old": "x", "new": "y"}}, {"path": "a", "edits": [{"old": "x", "new": "y"}]}),
    (
        EDIT_FILE,
        {"path": "a", "edits": '[{"old": "x", "new": "y"}]'},
        {"path": "a", "edits": [{"old": "x", "new": "y"}]},
    ),
]


@pytest.mark.parametrize(("spec", "written", "right"), RENAMED)
def test_near_miss_names_are_understood(spec: ToolSpec, written: Arguments, right: Arguments) -> None:
    found = fitted(spec, written, None)
    assert found.arguments == right
    assert found.repairs


@pytest.mark.parametrize(
    ("spec", "arguments"),
    [
        (READ_FILE, {"path": "a", "file": "b"}),
        (READ_FILE, {"file": "a", "filename": "b"}),
        (READ_FILE, {"path": "a", "line": 3}),
        (READ_FILE, {"path": "a", "limit": 3}),
        (RUN, {"command": "ls", "cmd": "rm"}),
        (RUN, {"command": "ls", "description": ["a"]}),
        (RUN, {"command": "ls", "timeout_ms": 5}),
        (WRITE_FILE, {"path": "a", "text": "x", "content": "y"}),
        (EDIT_FILE, {"path": "a", "content": "x"}),
    ],
)
def test_a_name_that_can_mean_two_things_means_none(spec: ToolSpec, arguments: Arguments) -> None:
    with pytest.raises(Unfit):
        fitted(spec, arguments, None)


def test_a_real_name_always_wins() -> None:
    tool = ToolSpec("find", parameters=(Parameter("file", "string"), Parameter("path", "string")))
    assert fitted(tool, {"file": "a"}, None) == Fitted({"file": "a"})
    with pytest.raises(Unfit):  # either could be meant
        fitted(tool, {"filename": "a"}, None)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(("12", "true", "[1]")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


@given(
    st.sampled_from((*TOOLS, EVERY)),
    st.dictionaries(
        st.sampled_from(
            (
                "path",
                "file",
                "command",
                "cmd",
                "content",
                "text",
                "old",
                "new",
                "edits",
                "start",
                "count",
                "part",
                "flag",
            )
        )
        | st.text(max_size=6),
        VALUES,
        max_size=4,
    ),
    st.none() | st.text(max_size=20) | st.just(PAIR),
)
def test_what_fits_is_of_the_types_that_the_tool_asks_for(spec: ToolSpec, given: Arguments, block: str | None) -> None:
    try:
        found = fitted(spec, given, block)
    except Unfit:
        return
    known = {parameter.name: parameter for parameter in spec.parameters or ()}
    for name, value in found.arguments.items():
        if known[name].type != "any":
            assert isinstance(value, KINDS[known[name].type])
            assert isinstance(value, bool) == (known[name].type == "boolean")
    assert all(parameter.name in found.arguments for parameter in known.values() if parameter.required)
    assert fitted(spec, found.arguments, None).arguments == found.arguments

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import LS, NAMES, PAIR, READ_A, READ_B, TOOLS

from qagent.qwen.calls import fit, known_keys, looks_like_one, meant_by, read, wants_block
from qagent.qwen.calls.envelopes import Meant
from qagent.qwen.json_text import Unfit, clean, decode, decode_strictly
from qagent.types import Arguments, BadCall, Form, Part, Prose, Repair, ToolCall, ToolSpec

NAMED = tuple(ToolSpec(name) for name in ("read_file", "write_file", "edit_file", "list_files", "grep", "run"))
RUN_LS = ("run", {"command": "ls"})
A, B = ("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"})


def calls(parts: list[Part]) -> list[tuple[str, Arguments]]:
    return [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]


READ: list[tuple[str, str, list[tuple[str, Arguments]], tuple[Repair, ...]]] = [
    ("as taught", LS, [RUN_LS], ()),
    ("a list", f"[{READ_A}, {READ_B}]", [A, B], ()),
    ("a list of one", f"[{LS}]", [RUN_LS], ()),
    ("several in an envelope", f'{{"tool_calls": [{READ_A}, {READ_B}]}}', [A, B], ("envelope",)),
    ("another key", '{"name": "run", "parameters": {"command": "ls"}}', [RUN_LS], ("envelope",)),
    ("single quotes", "{'name': 'run', 'arguments': {'command': 'ls'}}", [RUN_LS], ("quotes",)),
    ("a missing brace", '{"name": "run", "arguments": {"command": "ls"}', [RUN_LS], ("closers",)),
    (
        "a real line break",
        '{"name": "run", "arguments": {"command": "a\nb"}}',
        [("run", {"command": "a\nb"})],
        ("control",),
    ),
    ("JSON in a string", '{"name": "run", "arguments": "{\\"command\\": \\"ls\\"}"}', [RUN_LS], ("encoded",)),
    ("another spelling", '{"name": "Run", "arguments": {"command": "ls"}}', [RUN_LS], ("tool_name",)),
    (
        "everything at once, in order",
        "{'function': {'name': 'functions.read_file', 'args': {'file': 'a.py', 'start': '1',}}}",
        [("read_file", {"path": "a.py", "start": 1})],
        ("quotes", "commas", "envelope", "tool_name", "argument_name", "type"),
    ),
    ("a name with arguments behind it", '{"name": "run(command=\'ls\')", "arguments": {}}', [RUN_LS], ("envelope",)),
]  # fmt: skip
IN_TAGS: list[tuple[str, str, list[tuple[str, Arguments]], tuple[Repair, ...]]] = [
    ("a bare text", '{"name": "run", "arguments": "ls"}', [RUN_LS], ("type",)),
    ("a name that swallowed its arguments", '{"name": "run command=\'ls\'"}', [RUN_LS], ("envelope",)),
    ("a name among the arguments", '{"arguments": {"command": "ls", "name": "run"}}', [RUN_LS], ("envelope",)),
    ("arguments beside the name", '{"name": "run", "command": "ls"}', [RUN_LS], ("envelope",)),
    ("the name as the key", '{"run": {"command": "ls"}}', [RUN_LS], ("envelope",)),
]


@pytest.mark.parametrize(
    ("text", "found", "repairs"), [pytest.param(text, found, repairs, id=name) for name, text, found, repairs in READ]
)
def test_a_value_is_read_as_the_calls_that_fit(
    text: str, found: list[tuple[str, Arguments]], repairs: tuple[Repair, ...]
) -> None:
    for form in ("tools", "bare"):
        parts = read(text, None, form, TOOLS)
        assert calls(parts) == found
        assert {part.form for part in parts if isinstance(part, ToolCall)} == {form}
        assert repairs in {part.repairs for part in parts if isinstance(part, ToolCall)}


@pytest.mark.parametrize(
    ("text", "found", "repairs"),
    [pytest.param(text, found, repairs, id=name) for name, text, found, repairs in IN_TAGS],
)
def test_in_tags_the_intent_is_clear_and_elsewhere_the_same_is_data(
    text: str, found: list[tuple[str, Arguments]], repairs: tuple[Repair, ...]
) -> None:
    parts = read(text, None, "tools", TOOLS)
    assert calls(parts) == found
    assert [part.repairs for part in parts if isinstance(part, ToolCall)] == [repairs]
    assert calls(read(text, None, "bare", TOOLS)) == calls(read(text, None, "fence", TOOLS)) == []


def test_what_is_said_beside_a_call_stands_before_it() -> None:
    text = '{"thought": "Need the file first", "action": {"name": "read_file", "arguments": {"path": "a.py"}}}'
    said, call = read(text, None, "bare", NAMED)
    assert said == Prose("Need the file first\n")
    assert call == ToolCall("", "read_file", {"path": "a.py"}, "bare", ("envelope",))
    said, *found = read(f'{{"reasoning": "both", "calls": [{READ_A}, {READ_B}]}}', None, "tools", TOOLS)
    assert said == Prose("both\n")
    assert calls(found) == [A, B]
    (call,) = read('{"thought": 5, "name": "run", "arguments": {"command": "ls"}}', None, "tools", TOOLS)
    assert call.kind == "call"


def test_what_is_said_beside_a_broken_call_is_not_lost_in_it() -> None:
    (found,) = read('{"thought": "so", "name": "run", "arguments": {}}', None, "tools", TOOLS)
    assert isinstance(found, BadCall)


def test_a_good_call_beside_a_bad_one_is_kept() -> None:
    good, bad = read(f'[{LS}, {{"name": "run", "arguments": {{}}}}]', None, "tools", TOOLS)
    assert calls([good]) == [RUN_LS]
    assert bad == BadCall("", '{"name": "run", "arguments": {}}', "run needs 'command'.", "run")


NAME_OUTSIDE: list[tuple[str, str, str]] = [
    ("its arguments", "run", '{"command": "ls"}'),
    ("broken ones", "run", "{'command': 'ls'}"),
    ("the whole call", "run", LS),
    ("another spelling", "RUN", '{"cmd": "ls"}'),
]


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=each) for each, name, text in NAME_OUTSIDE])
def test_the_name_may_have_stood_outside(name: str, text: str) -> None:
    assert calls(read(text, None, "named", TOOLS, name=name)) == [RUN_LS]


def test_a_block_belongs_to_the_one_call_before_it() -> None:
    header = '{"name": "write_file", "arguments": {"path": "a.py"}}'
    written = ("write_file", {"path": "a.py", "content": "x\n"})
    assert calls(read(header, "x\n", "tools", TOOLS)) == [written]
    assert calls(read(f"[{header}]", "x\n", "tools", TOOLS)) == [written]
    assert calls(read('{"path": "a.py"}', "x\n", "named", TOOLS, name="write_file")) == [written]
    assert calls(read(f"[{header}, {header}]", "x\n", "tools", TOOLS)) == []
    (found,) = read('{"name": "edit_file", "arguments": {"path": "a.py"}}', PAIR, "tools", TOOLS)
    assert calls([found])[0][1]["edits"] == [{"old": "old\n", "new": "new\n"}]


OTHER_NAMES: list[tuple[str, Arguments, tuple[str, Arguments]]] = [
    ("cat", {"file": "a.py"}, A),
    ("bash", {"command": "ls"}, RUN_LS),
    ("execute_command", {"cmd": "ls"}, RUN_LS),
    ("create_file", {"path": "a", "file_text": "x"}, ("write_file", {"path": "a", "content": "x"})),
    (
        "str_replace",
        {"path": "a", "old_str": "x", "new_str": "y"},
        ("edit_file", {"path": "a", "old": "x", "new": "y"}),
    ),
]


@pytest.mark.parametrize(("name", "arguments", "found"), OTHER_NAMES)
def test_other_agents_names_are_understood_in_tags_only(
    name: str, arguments: Arguments, found: tuple[str, Arguments]
) -> None:
    text = json.dumps({"name": name, "arguments": arguments})
    (call,) = read(text, None, "tool_call", TOOLS)
    assert calls([call]) == [found]
    assert isinstance(call, ToolCall)
    assert call.repairs[0] == "tool_name"
    (bad,) = read(text, None, "bare", TOOLS)
    assert isinstance(bad, BadCall)
    assert f"Did you mean {found[0]}?" in bad.why


def test_another_agents_name_needs_arguments_that_fit_and_one_tool_that_is_meant() -> None:
    (bad,) = read('{"name": "cat", "arguments": {"lines": 3}}', None, "tools", TOOLS)
    assert isinstance(bad, BadCall)
    assert bad.why == "there is no tool 'cat'. Did you mean read_file?"
    (bad,) = read('{"name": "cat", "arguments": {"path": "a"}}', None, "tools", NAMED)
    assert isinstance(bad, BadCall)
    twins = [ToolSpec("bash", parameters=()), ToolSpec("shell", parameters=())]
    (bad,) = read('{"name": "run", "arguments": {}}', None, "tools", twins)
    assert isinstance(bad, BadCall)


BAD: list[tuple[str, str, str]] = [
    ("an unknown tool", '{"name": "fly", "arguments": {}}', "There are: read_file, write_file, edit_file, run."),
    ("nearly a tool", '{"name": "read_fil", "arguments": {}}', "there is no tool 'read_fil'. Did you mean read_file?"),
    ("a long name", json.dumps({"name": "x" * 5_000, "arguments": {}}), "there is no tool"),
    ("nothing required", '{"name": "run"}', "run needs 'command'."),
    ("null", '{"name": "run", "arguments": null}', "run needs 'command'."),
    ("a definition", '{"name": "run", "description": "d", "parameters": {"type": "object"}}', "definition"),
    ("types", '{"name": "run", "arguments": {"command": {"type": "string"}}}', "definition"),
    ("data", '[{"name": "Ada", "arguments": 3}, {"name": "Bob", "arguments": 1}]', "one JSON object"),
    ("a placeholder", '{"name": "write_file", "arguments": {"path": "a", "content": "<code>"}}', "(<code>)"),
    ("an invented path", '{"name": "read_file", "arguments": {"path": "/path/to/a.py"}}', "(/path/to/a.py)"),
    ("no call", '{"port": 8080}', "it has no name and arguments."),
    ("an empty list", "[]", "the list of calls is empty."),
    ("many values", json.dumps([1] * 1_000), "more than 100 calls"),
    ("no JSON", "{ return x }", "its JSON is broken near"),
    ("nothing", "", "its JSON is broken near"),
    ("half of a pair", '{"name": "run", "arguments": {"command": "\\ud83c"}}', "surrogate"),
    ("deep nesting", "[" * 100_000, "JSON"),
    ("deep nesting, closed", "[" * 500 + "]" * 500, "nested too deeply"),
    ("a long number", '{"name": "run", "arguments": {"timeout": ' + "1" * 5_000 + "}}", "number"),
    ("NUL", "{\0}", "its JSON is broken near"),
    ("a name twice", '{"name": "run", "name": "read_file", "arguments": {"command": "ls"}}', "a key is there twice"),
    ("NaN", '{"name": "run", "arguments": {"command": "ls", "timeout": NaN}}', "NaN is no number"),
    ("other JSON, broken", "{'port': 8080}", "it has no name and arguments."),
    ("a list of lists", "[[[]]]", "no name and arguments"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), [pytest.param(text, why, id=name) for name, text, why in BAD])
def test_what_cannot_be_run_has_a_short_reason(text: str, why: str) -> None:
    for form in ("tools", "bare"):
        for part in read(text, None, form, TOOLS):
            assert isinstance(part, BadCall)
            assert why in part.why
            assert len(part.why) < 300


def test_a_call_that_was_cut_is_never_run() -> None:
    whole = '{"name": "write_file", "arguments": {"path": "a.py", "content": "x = 10"}}'
    for end in range(len(whole)):
        found = calls(read(whole[:end], None, "tools", TOOLS, whole=False))
        assert found in ([], [("write_file", {"path": "a.py", "content": "x = 10"})])
    (bad,) = read(whole[:-4], None, "tools", TOOLS, whole=False)
    assert isinstance(bad, BadCall)
    assert "its end is missing" in bad.why


def test_a_text_with_two_readings_that_fit_is_not_guessed_at() -> None:
    text = '{"name": "write_file", "arguments": {"path": "a", "content": "x", "path": "b", "content": "y"}}'
    assert calls(read(text, None, "tools", TOOLS)) == []
    text = '{"name": "edit_file", "arguments": {"path": "a", "old": "x", "new": "y", "new": "z"}}'
    assert calls(read(text, None, "tools", TOOLS)) == []


def test_only_the_reading_that_fits_counts() -> None:
    text = '{"name": "run", "arguments": {"command": "echo "hi" > out.txt"}}'
    (call,) = read(text, None, "tools", TOOLS)
    assert calls([call]) == [("run", {"command": 'echo "hi" > out.txt'})]


def test_a_tool_known_by_its_name_alone_takes_any_arguments() -> None:
    text = '{"name": "edit_file", "arguments": {"path": "a.yml", "search": "x", "replace": 1}}'
    assert calls(read(text, None, "bare", NAMED)) == [("edit_file", {"path": "a.yml", "search": "x", "replace": 1})]


@pytest.mark.parametrize(
    ("call", "any_block", "only_missing"),
    [
        (Meant("write_file", {"path": "a"}), True, True),
        (Meant("write_file", {"path": "a", "content": ""}), True, False),
        (Meant("write_file", {"path": "a", "text": ""}), True, False),
        (Meant("write_file", {"path": "a", "content": "x"}), False, False),
        (Meant("write_file", {"path": "a", "file_text": "x"}), False, False),
        (Meant("WriteFile", {"path": "a"}), True, True),
        (Meant("edit_file", {"path": "a", "old": "x"}), True, True),
        (Meant("edit_file", {"path": "a", "edits": [{}]}), False, False),
        (Meant("run", {}), False, False),
        (Meant("launch", {}), False, False),
    ],
)
def test_a_call_wants_a_block_while_its_text_is_lacking(call: Meant, any_block: bool, only_missing: bool) -> None:
    assert wants_block(call, TOOLS) is any_block
    assert wants_block(call, TOOLS, or_has_empty=False) is only_missing


def test_what_a_text_means_is_told_before_it_fits() -> None:
    assert meant_by('{"name": "write_file", "arguments": {"path": "a"}}') == Meant("write_file", {"path": "a"})
    assert meant_by("{'name': 'write_file', 'arguments': {'path': 'a'}}", TOOLS) is not None
    assert meant_by('{"path": "a"}', TOOLS, name="write_file") == Meant("write_file", {"path": "a"})
    for text in ("", "{", "[]", '{"a": 1}', f"[{READ_A}, {READ_B}]", "[" * 100_000, "[" * 200 + "]" * 200):
        assert meant_by(text, TOOLS) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"name": "run", "arguments": {"command": "x "y" z"}}', True),
        ("{'name': 'run', 'arguments': {", True),
        ("{name: run, arguments: {", True),
        ("{“name”: “Run”, “arguments”: {", True),
        ('{"name": "cat", "arguments": {', True),
        ('{"tool": "functions.run", "arguments": {', True),
        ('{"name": "fly", "arguments": {', False),
        ('{"name": "run"}', False),
        ('{"name": "demo", "version": 1}', False),
        ("", False),
    ],
)
def test_a_text_looks_like_a_call_when_it_names_a_tool_and_has_arguments(text: str, answer: bool) -> None:
    assert looks_like_one(text, TOOLS) is answer


def test_the_keys_of_a_call_are_known() -> None:
    keys = known_keys(TOOLS)
    assert {"name", "arguments", "path", "file_path", "content", "old", "new", "command", "cmd"} <= keys
    assert "pattern" not in keys
    assert {"path", "pattern", "content"} <= known_keys(NAMED)
    assert known_keys(()) >= {"name", "arguments"}


def test_what_fits_is_said_with_all_that_was_mended() -> None:
    call = fit(Meant("Run", {"cmd": "ls", "timeout": "5"}, ("envelope",)), None, TOOLS)
    assert call == ToolCall(
        "", "run", {"command": "ls", "timeout": 5}, "tools", ("envelope", "tool_name", "argument_name", "type")
    )


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_any_json_is_decoded(value: object) -> None:
    assert decode(json.dumps(value)) == value
    assert decode_strictly(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", "[" * 100_000, "1" * 5_000, "{}x", "\ufeff{}"])
def test_what_is_no_json_is_unfit(text: str) -> None:
    for read_it in (decode, decode_strictly):
        with pytest.raises(Unfit):
            read_it(text)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '{"a": NaN}', "[Infinity]", '"a\nb"'])
def test_strict_json_says_one_thing(text: str) -> None:
    with pytest.raises(Unfit):
        decode_strictly(text)


def test_the_reason_shows_where_the_json_is_broken() -> None:
    with pytest.raises(Unfit, match=r"near .*print\("):
        decode('{"content": "print("hi")"}')


@given(st.recursive(st.none() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)))
def test_values_without_marks_are_clean(value: Any) -> None:
    assert "<~" in str(value) or clean(value) == value


FORMS: tuple[Form, ...] = ("tools", "tool_call", "tag", "fence", "bare", "named")
PIECES = (
    *("{", "}", "[", "]", ",", ":", '"', "'", '"name": "run"', '"arguments": {', '"command": "ls"', '"tool_calls": ['),
    *('"thought": "x"', '"function": {', LS, READ_A, "null", "1", "\n", "\\", '"path": "a.py"', '"name": "cat"', "run"),
)


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=14).map("".join),
    st.none() | st.sampled_from(("x\n", PAIR)),
    st.sampled_from(FORMS),
    st.sampled_from((TOOLS, NAMED, ())),
    st.sampled_from(("", "run", "cat", "x y")),
    st.booleans(),
)
def test_any_text_gives_offered_calls_or_reasons(
    text: str, block: str | None, form: Form, tools: tuple[ToolSpec, ...], name: str, whole: bool
) -> None:
    parts = read(text, block, form, tools, name=name, whole=whole)
    assert parts
    offered = NAMES | {tool.name for tool in NAMED} if tools else frozenset[str]()
    for part in parts:
        match part:
            case ToolCall():
                assert part.name in offered
                assert part.id == ""
            case BadCall():
                assert part.why
            case Prose():
                assert part.text.endswith("\n")
    meant_by(text, tools, name=name, whole=whole)
    looks_like_one(text, tools)

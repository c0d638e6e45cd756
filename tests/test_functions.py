from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import NAMES, TOOLS

from qagent.qwen.calls import read_xml
from qagent.qwen.calls.functions import Function, parse
from qagent.types import Arguments, BadCall, ToolCall, ToolSpec

NAMED = (ToolSpec("read_file"), ToolSpec("write_file"))


def write(content: str, rest: str = "\n</parameter>\n</function>") -> str:
    return f"<function=write_file>\n<parameter=path>\na.py\n</parameter>\n<parameter=content>\n{content}{rest}"


READ: list[tuple[str, str, str, Arguments]] = [
    ("JSON", '<function=run>{"command": "ls"}</function>', "run", {"command": "ls"}),
    ("JSON and a name attribute", '<function name="run">\n{"command": "ls"}\n</function>', "run", {"command": "ls"}),
    ("JSON in an envelope", '<function=run>{"arguments": {"command": "ls"}}</function>', "run", {"command": "ls"}),
    ("broken JSON", "<function=run>{'command': 'ls'}</function>", "run", {"command": "ls"}),
    ("JSON without an end tag", '<function=run>{"command": "ls"}', "run", {"command": "ls"}),
    (
        "a tag in the JSON",
        '<function=run>{"command": "echo </function>"}</function>',
        "run",
        {"command": "echo </function>"},
    ),
    ("parameters", "<function=run><parameter=command>ls</parameter></function>", "run", {"command": "ls"}),
    (
        "parameters on lines, typed",
        "<function=read_file>\n<parameter=path>\na.py\n</parameter>\n<parameter=start>\n10\n</parameter>\n</function>",
        "read_file",
        {"path": "a.py", "start": 10},
    ),
    (
        "parameters with a name attribute",
        '<function name="run">\n<parameter name="command">ls</parameter>\n</function>',
        "run",
        {"command": "ls"},
    ),
    (
        "near-miss names",
        "<function=readFile><parameter=file_path>a.py</parameter></function>",
        "read_file",
        {"path": "a.py"},
    ),
    (
        "code",
        write('if x < 3 and x > 1:\n    return "<b>"'),
        "write_file",
        {"path": "a.py", "content": 'if x < 3 and x > 1:\n    return "<b>"'},
    ),
    ("one line break at either end", write("\n\nx\n"), "write_file", {"path": "a.py", "content": "\n\nx\n"}),
    (
        "Windows lines",
        "<function=run>\r\n<parameter=command>\r\nls\r\n</parameter>\r\n</function>",
        "run",
        {"command": "ls"},
    ),
    ("a closer inside", write("a </parameter> b"), "write_file", {"path": "a.py", "content": "a </parameter> b"}),
    ("a function's end inside", write("a </function> b"), "write_file", {"path": "a.py", "content": "a </function> b"}),
    ("other tags inside", write("<parameter=x>"), "write_file", {"path": "a.py", "content": "<parameter=x>"}),
    ("its own tag inside", write("<parameter=path>"), "write_file", {"path": "a.py", "content": "<parameter=path>"}),
    ("an end of tool_call inside", write("</tool_call>"), "write_file", {"path": "a.py", "content": "</tool_call>"}),
    ("no end of the last parameter", write("x", "\n</function>"), "write_file", {"path": "a.py", "content": "x"}),
    (
        "no end of the first parameter",
        "<function=write_file><parameter=path>a.py\n<parameter=content>x</parameter></function>",
        "write_file",
        {"path": "a.py", "content": "x"},
    ),
    (
        "ended by the outer tag",
        write("x", "\n</parameter>\n</tool_call>"),
        "write_file",
        {"path": "a.py", "content": "x"},
    ),
    ("a read without an end", "<function=read_file><parameter=path>a.py</parameter>", "read_file", {"path": "a.py"}),
    (
        "an outer tag around it",
        "<tool_call>\n<function=run>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
        "run",
        {"command": "ls"},
    ),
    (
        "the template's placeholders",
        '<function-name>run</function-name>\n<arguments>{"command": "ls"}</arguments>',
        "run",
        {"command": "ls"},
    ),
    (
        "the template's other placeholders",
        '<tool-name> run </tool-name><args-json-object>{"command": "echo </arguments>"}</args-json-object>',
        "run",
        {"command": "echo </arguments>"},
    ),
    (
        "placeholders around broken JSON",
        "<tool-name>run</tool-name><args-json-object>{'command': 'ls'}</args-json-object>",
        "run",
        {"command": "ls"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "arguments"), [pytest.param(text, call, given, id=name) for name, text, call, given in READ]
)
def test_a_call_may_be_written_in_tags(text: str, name: str, arguments: Arguments) -> None:
    (call,) = read_xml(text, "xml", TOOLS)
    assert isinstance(call, ToolCall), call
    assert (call.name, call.arguments, call.form) == (name, arguments, "xml")


def test_what_is_typed_out_of_tags_was_not_mended() -> None:
    (call,) = read_xml(
        "<function=read_file><parameter=path>a</parameter><parameter=end>3</parameter></function>", "xml", TOOLS
    )
    assert isinstance(call, ToolCall)
    assert call.repairs == ()
    (call,) = read_xml("<function=read_file><parameter=file>a</parameter></function>", "xml", TOOLS)
    assert isinstance(call, ToolCall)
    assert call.repairs == ("argument_name",)


def test_values_of_a_tool_known_by_its_name_stay_texts() -> None:
    (call,) = read_xml("<function=read_file><parameter=n>3</parameter></function>", "xml", NAMED)
    assert call == ToolCall("", "read_file", {"n": "3"}, "xml")


def test_several_calls_stand_side_by_side() -> None:
    text = '<function=read_file><parameter=path>a</parameter></function>\n<function=run>{"command": "ls"}</function>'
    assert [part.name for part in read_xml(text, "xml", TOOLS) if isinstance(part, ToolCall)] == ["read_file", "run"]
    text = "<function=read_file><parameter=path>a</parameter>\n<function=read_file><parameter=path>b</parameter>"
    found = [part.arguments for part in read_xml(text, "xml", TOOLS) if isinstance(part, ToolCall)]
    assert found == [{"path": "a"}, {"path": "b"}]


BAD: list[tuple[str, str, str]] = [
    ("a write without an end", write("x", "\n</parameter>\n"), "end is missing"),
    ("a write that was cut", write("x = ", ""), "end is missing"),
    ("a write cut behind its path", "<function=write_file><parameter=path>a.py</parameter>", "end is missing"),
    ("a command without an end", "<function=run><parameter=command>ls</parameter>", "end is missing"),
    ("a read that was cut", "<function=read_file><parameter=path>a.p", "end is missing"),
    ("JSON that was cut", '<function=run>{"command": "ls', "JSON is broken"),
    ("a parameter twice", "<function=run><parameter=x>a</parameter><parameter=x>b</parameter></function>", "twice"),
    ("no parameter", "<function=run></function>", "needs 'command'"),
    ("an unknown parameter", "<function=run><parameter=x>a</parameter></function>", "takes no 'x'"),
    ("an unknown tool", "<function=fly><parameter=x>a</parameter></function>", "no tool 'fly'"),
    ("a placeholder", write("<fileContent>"), "placeholder"),
    ("prose", "<function=run>list the files</function>", "no arguments"),
    ("a function inside", write("<function=run>"), "tags of a call"),
    ("a call inside", write("<function=run><parameter=command>ls</parameter></function>\nend"), "tags of a call"),
    ("a call behind closers inside", write("x</parameter></function>\n<function=run>\ny"), "tags of a call"),
    ("closers left over", f"{write('x')}\nend</parameter></function>", "tags of a call"),
    ("nothing", "", "no whole call"),
    ("a closing tag alone", "</function>", "no whole call"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), [pytest.param(text, why, id=name) for name, text, why in BAD])
def test_what_is_not_whole_or_does_not_fit_is_not_run(text: str, why: str) -> None:
    (found,) = read_xml(text, "xml", TOOLS)
    assert isinstance(found, BadCall), found
    assert why in found.why


def test_a_body_that_was_cut_is_not_run_when_only_names_are_known() -> None:
    (found,) = read_xml("<function=write_file><parameter=path>a</parameter><parameter=content>x", "xml", NAMED)
    assert isinstance(found, BadCall)


def test_a_read_that_the_reply_limit_cut_may_lack_a_parameter() -> None:
    text = "<function=read_file><parameter=path>a.py</parameter>"
    assert [part.kind for part in read_xml(text, "xml", TOOLS)] == ["call"]
    assert [part.kind for part in read_xml(text, "xml", TOOLS, whole=False)] == ["bad_call"]
    assert [part.kind for part in read_xml(f"{text}</function>", "xml", TOOLS, whole=False)] == ["call"]


def test_many_tags_are_read_in_one_pass() -> None:
    text = "<function=run>" + "<parameter=command>" * 100_000
    assert len(parse(text, TOOLS)) == 1
    assert len(parse("<function=run>" * 20_000, TOOLS)) == 20_000


def test_the_raw_text_of_each_call_is_kept() -> None:
    one, two = "<function=run></function>", "<function=read_file><parameter=path>a</parameter></function>"
    assert [each.raw for each in parse(f"{one}\n{two}", TOOLS)] == [one, two]
    assert parse(one, TOOLS) == [Function("run", one)]


PIECES = (
    *("<function=run>", "<function=write_file>", '<function name="run">', "</function>", "<parameter=command>"),
    *("<parameter=path>", "<parameter=content>", "</parameter>", "</tool_call>", "ls", "\n", '{"command": "ls"}', "{"),
    *("<function-name>run</function-name>", "<arguments>", "</arguments>", "<tool-name>", " "),
)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join))
def test_any_text_is_judged(text: str) -> None:
    for part in read_xml(text, "xml", TOOLS):
        assert isinstance(part, BadCall) or (isinstance(part, ToolCall) and part.name in NAMES)
        assert isinstance(part, ToolCall) or part.why


@given(st.text(alphabet="ab<>/\n ="), st.sampled_from(("", "</parameter> x", "<parameter=content>", "</function>.")))
def test_a_value_comes_back_as_it_was_written(text: str, tag: str) -> None:
    content = f"{text}{tag}{text}"
    (call,) = read_xml(write(content), "xml", NAMED)
    assert isinstance(call, ToolCall)
    assert call.arguments == {"path": "a.py", "content": content}

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import NAMES, TOOLS

from qagent.qwen import calls
from qagent.qwen.calls.spoken import Spoken, Word, parse, plain
from qagent.types import Arguments, BadCall, ToolCall, ToolSpec

NESTED = {"d": {"e": 1}}
PARSED: list[tuple[str, list[Spoken]]] = [
    ('run command="ls -l"', [Spoken("run", {"command": "ls -l"})]),
    ("run command='ls -l' timeout=5", [Spoken("run", {"command": "ls -l", "timeout": Word("5")})]),
    ('run --command="ls" --timeout=5', [Spoken("run", {"command": "ls", "timeout": Word("5")})]),
    ('write key="x", value="y"', [Spoken("write", {"key": "x", "value": "y"})]),
    (
        "read path=src/a.py\nread path=b",
        [Spoken("read", {"path": Word("src/a.py")}), Spoken("read", {"path": Word("b")})],
    ),
    ('write content="a\nb"', [Spoken("write", {"content": "a\nb"})]),
    (r'find pattern="\d+ \"x\" \n"', [Spoken("find", {"pattern": '\\d+ "x" \n'})]),
    ('run(command="ls")', [Spoken("run", {"command": "ls"})]),
    ('  run( command = "ls" , timeout=5, )  ', [Spoken("run", {"command": "ls", "timeout": 5})]),
    ('run(command: "ls")', [Spoken("run", {"command": "ls"})]),
    ("run()", [Spoken("run")]),
    ('run("ls")', [Spoken("run", positional=("ls",))]),
    ('run({"command": "ls"})', [Spoken("run", {"command": "ls"})]),
    ('f(a="b")\ng(n=3)', [Spoken("f", {"a": "b"}), Spoken("g", {"n": 3})]),
    ('[f(a="b"), g()]', [Spoken("f", {"a": "b"}), Spoken("g")]),
    ("f(a=True, b=false, c=None, d=null)", [Spoken("f", {"a": True, "b": False, "c": None, "d": None})]),
    ("f(a=-1.5, b=+2, c=1e3)", [Spoken("f", {"a": -1.5, "b": 2, "c": 1000.0})]),
    (
        "f(a=[1, 'x', [2]], b=(3,), c={'d': {'e': 1}})",
        [Spoken("f", {"a": [1, "x", [2]], "b": [3], "c": {"d": {"e": 1}}})],
    ),
    ('f(a="""x "y"\nz""", b=\'\'\'q\'\'\')', [Spoken("f", {"a": 'x "y"\nz', "b": "q"})]),
    (r"f(a=r'\n', b='\n\t\\\x41\u00e9\U0001f388')", [Spoken("f", {"a": "\\n", "b": "\n\t\\Aé\U0001f388"})]),
    (r"f(a='\ud83c\udf88')", [Spoken("f", {"a": "\U0001f388"})]),
    ("f(a='x)y', b='[')", [Spoken("f", {"a": "x)y", "b": "["})]),
]


@pytest.mark.parametrize(("text", "found"), PARSED)
def test_a_call_may_be_written_as_a_shell_or_python_would(text: str, found: list[Spoken]) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run",
        "run the tests",
        "[]",
        "[run]",
        "run(",
        "run(command=",
        'run(command="ls"',
        'run(command="ls',
        'run(command="ls") and then',
        'run(command="ls" timeout=5)',
        "run(command=ls)",
        "run(command=get('x'))",
        "run(command='a' + 'b')",
        "run(command=f'{x}')",
        "run(command=b'x')",
        "run(n=1_000)",
        "run(n=0x10)",
        "run(a=1, a=2)",
        "run a=1 a=2",
        "run(a==1)",
        "run(**{'a': 1})",
        "run(a={1: 2})",
        "run(a={'b': 1, 'b': 2})",
        "run(a=[1, 2)",
        'run command="ls" and more',
        'run command="ls',
        "run command=",
        "x = run(command='ls')",
        "run(n=" + "1" * 5_000 + ")",
        "run(a=" + "[" * 100_000,
        "run(a=" + "[" * 30 + "]" * 30 + ")",
        "run(" * 100_000,
        "f()," * 200,
    ],
)
def test_other_texts_are_no_calls(text: str) -> None:
    assert parse(text) is None


def test_a_word_without_quotes_is_what_the_tool_makes_of_it() -> None:
    assert plain(Word("1.10"), typed=True) == "1.10"
    assert plain(Word("5"), typed=False) == 5
    assert plain(Word("true"), typed=False) is True
    assert plain(Word("a.py"), typed=False) == "a.py"
    assert plain(Word("5x"), typed=False) == "5x"
    assert plain("5", typed=False) == "5"


READ: list[tuple[str, str, Arguments]] = [
    ('run command="ls" timeout=5', "run", {"command": "ls", "timeout": 5}),
    ("run(command='ls', timeout='5')", "run", {"command": "ls", "timeout": 5}),
    ('read_file("a.py")', "read_file", {"path": "a.py"}),
    ("read_file path=404", "read_file", {"path": "404"}),
    ('Read_File(file_path="a.py")', "read_file", {"path": "a.py"}),
    ('functions.run(cmd="ls")', "run", {"command": "ls"}),
    ('write_file(path="a", content="x\\n")', "write_file", {"path": "a", "content": "x\n"}),
]


@pytest.mark.parametrize(("text", "name", "arguments"), READ)
def test_a_spoken_call_runs_when_it_fits(text: str, name: str, arguments: Arguments) -> None:
    for form in ("named", "tool_call"):
        found = calls.read_spoken(text, form, TOOLS)
        assert found is not None
        (call,) = found
        assert isinstance(call, ToolCall)
        assert (call.name, call.arguments, call.form) == (name, arguments, form)


@pytest.mark.parametrize(
    "text", ["", "hello", "I run(command='ls')", "print(command='ls')", "run the tests", "run fast and x=1", "ls -l"]
)
def test_what_begins_with_no_offered_name_is_none(text: str) -> None:
    assert calls.read_spoken(text, "named", TOOLS) is None
    assert calls.read_spoken(text, "tool_call", TOOLS) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("run(command='ls', shell='zsh')", "takes no 'shell'"),
        ("run(timeout=5)", "needs 'command'"),
        ("run()", "needs 'command'"),
        ("run('ls', 5)", "need names"),
        ("run(5)", "need names"),
        ("write_file('a.py')", "need names"),
        ('read_file(path="/path/to/a.py")', "placeholder"),
    ],
)
def test_a_spoken_call_that_does_not_fit_has_a_reason(text: str, why: str) -> None:
    (found,) = calls.read_spoken(text, "named", TOOLS) or []
    assert isinstance(found, BadCall)
    assert why in found.why


def test_a_broken_one_is_text_outside_of_tags() -> None:
    text = 'run(command="print("hi")")'
    assert calls.read_spoken(text, "named", TOOLS) is None
    (found,) = calls.read_spoken(text, "tool_call", TOOLS) or []
    assert isinstance(found, BadCall)


@pytest.mark.parametrize(
    "text",
    [
        "run command=rm",
        'run command="ls" timeout=1',
        'run(command="ls", timeout=1',
        '[run(command="ls")',
        "run command=",
    ],
)
def test_of_a_cut_reply_a_call_that_could_go_on_is_not_run(text: str) -> None:
    for form in ("named", "tools"):
        (found,) = calls.read_spoken(text, form, TOOLS, whole=False) or []
        assert isinstance(found, BadCall)
        assert "end is missing" in found.why
    (found,) = calls.read_spoken('run timeout=1 command="ls"', "tools", TOOLS, whole=False) or []
    assert isinstance(found, ToolCall)


def test_a_tool_known_by_its_name_needs_an_argument_outside_of_tags() -> None:
    tools = [ToolSpec("run"), ToolSpec("list_dir")]
    assert calls.read_spoken("run()", "named", tools) is None
    (call,) = calls.read_spoken("run()", "tool_call", tools) or []
    assert isinstance(call, ToolCall)
    (call,) = calls.read_spoken('list_dir(path=".", depth=2)', "named", tools) or []
    assert call == ToolCall("", "list_dir", {"path": ".", "depth": 2}, "named")
    (call,) = calls.read_spoken("list_dir path=. depth=2 all=true", "named", tools) or []
    assert call == ToolCall("", "list_dir", {"path": ".", "depth": 2, "all": True}, "named")


def test_several_in_a_list_are_several_calls() -> None:
    found = calls.read_spoken('[run(command="ls"), read_file(path="a")]', "named", TOOLS)
    assert [part.name for part in found or [] if isinstance(part, ToolCall)] == ["run", "read_file"]


@given(
    st.text(alphabet="run(command=\"ls\", path='a')[]{}: \n\\5.-TrueNone", max_size=60) | st.text(max_size=40),
    st.sampled_from(("", "run(", "run ", "[run(", "run(command='ls', ")),
)
def test_any_text_is_judged(text: str, start: str) -> None:
    for form in ("named", "tool_call"):
        for part in calls.read_spoken(start + text, form, TOOLS) or []:
            assert isinstance(part, BadCall) or (isinstance(part, ToolCall) and part.name in NAMES)


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.recursive(st.none() | st.booleans() | st.text() | st.floats(0, 9), st.lists, max_leaves=5),
        min_size=1,
    )
)
def test_what_python_writes_is_read(arguments: Arguments) -> None:
    text = f"f({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
    found = parse(text)
    if found is not None and "e-" not in text:
        assert found == [Spoken("f", arguments)]

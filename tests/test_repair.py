from __future__ import annotations

from typing import Any

import pytest

from qagent.qwen.repair import Reading, readings

ENVELOPE = "name tool function tool_name arguments parameters args params input id type thought"
PARAMETERS = "path content command timeout cwd pattern globs old new mode description background"
KEYS = frozenset(f"{ENVELOPE} {PARAMETERS}".split())

Row = tuple[str, Any, str]
"""The text, the value that it means, and what was mended, in order."""


def given_by(text: str, *, keys: frozenset[str] = KEYS, whole: bool = True) -> list[Reading]:
    return list(readings(text, keys, whole=whole))


def call(**arguments: Any) -> dict[str, Any]:
    return {"name": "run", "arguments": arguments}


AS_IT_STANDS: list[Row] = [
    ('{"name": "run", "arguments": {"command": "ls"}}', call(command="ls"), ""),
    ('  [{"a": 1}, null, true, 1.5, "x"]\n', [{"a": 1}, None, True, 1.5, "x"], ""),
    (
        '{"content": "“a” \\"b\\" ’c’ // d, }, ] /* e */ \\u00e9 \\ud83d\\ude00"}',
        {"content": '“a” "b" ’c’ // d, }, ] /* e */ é 😀'},
        "",
    ),
    ('{"content": "def a():\n\treturn 1\n"}', {"content": "def a():\n\treturn 1\n"}, "control"),
    ('{"content": "a\r\nb\x00c"}', {"content": "a\r\nb\x00c"}, "control"),
]

COMMENTS: list[Row] = [
    ('{"path": "a", // the file\n "mode": 1}', {"path": "a", "mode": 1}, "comments"),
    ('{/* first */"path": "a" /* last */}', {"path": "a"}, "comments"),
    ('{"path": "a" # the file\n}', {"path": "a"}, "comments"),
    ('{"path": "a"} // done }', {"path": "a"}, "comments"),
    (
        '{"path": "http://x//y", // z\n "content": "/* no */ # no // no",}',
        {"path": "http://x//y", "content": "/* no */ # no // no"},
        "comments commas",
    ),
    ('{\n  // "timeout": 5,\n  "path": "a"}', {"path": "a"}, "comments"),
]

CLOSERS: list[Row] = [
    ('{"name": "run", "arguments": {"command": "ls"}}}', call(command="ls"), "closers"),
    ('{"name": "run", "arguments": {"command": "ls"}}\n ]}', call(command="ls"), "closers"),
    ('{"name": "run", "arguments": {"content": "{\\"v\\": 123}"}}}', call(content='{"v": 123}'), "closers"),
    ('{"name": "run", "arguments": {"command": "ls"}', call(command="ls"), "closers"),
    ('{"name": "run", "arguments": {"command": "ls"\n', call(command="ls"), "closers"),
    ('{"name": "run", "arguments": {"background": true', call(background=True), "closers"),
    ('{"name": "run", "arguments": {"timeout": 5 ', call(timeout=5), "closers"),
    ('{"name": "run", "arguments": {"globs": ["*.py"}}', call(globs=["*.py"]), "closers"),
    ('{"items": [{"path": "a", "mode": "b"\n  ]\n}', {"items": [{"path": "a", "mode": "b"}]}, "closers"),
    ('[{"path": "a"]}', [{"path": "a"}], "closers"),
    ('{"name": "run", "arguments": {"mode": 1]}', call(mode=1), "closers"),
    (
        '[{"name": "run", "arguments": {"mode": 1}, {"name": "run", "arguments": {"mode": 2}}]',
        [call(mode=1), call(mode=2)],
        "closers",
    ),
    (
        '[{"name": "run", "arguments": {"mode": 1}}}, {"name": "run", "arguments": {"mode": 2}}]',
        [call(mode=1), call(mode=2)],
        "closers",
    ),
]

COMMAS: list[Row] = [
    ('{"globs": ["a", "b",], "mode": 1,}', {"globs": ["a", "b"], "mode": 1}, "commas"),
    ('{"pattern": "“quoted”, ’tis",}', {"pattern": "“quoted”, ’tis"}, "commas"),
    ('{,"path": "a",, "mode": 1}', {"path": "a", "mode": 1}, "commas"),
    ('{"path": "a"\n "mode": 1\n "zeal": 2}', {"path": "a", "mode": 1, "zeal": 2}, "commas"),
    ('{"path": "a" "mode": 1}', {"path": "a", "mode": 1}, "commas"),
    ('{"name": "run", "arguments": {} "zeal": 2}', {"name": "run", "arguments": {}, "zeal": 2}, "commas"),
    ('[{"mode": 1} {"mode": 2}{"mode": 3}]', [{"mode": 1}, {"mode": 2}, {"mode": 3}], "commas"),
    ('["a"\n"b"\n2\n3]', ["a", "b", 2, 3], "commas"),
    ('{"path": "a"},', {"path": "a"}, "commas"),
]

ESCAPES: list[Row] = [
    (r'{"pattern": "\d+\.\w*"}', {"pattern": r"\d+\.\w*"}, "escapes"),
    (r'{"pattern": "\bfoo\b\s+\f"}', {"pattern": r"\bfoo\b\s+\f"}, "escapes"),
    (r'{"pattern": "^\s+\tx\n"}', {"pattern": "^\\s+\tx\n"}, "escapes"),
    (r'{"content": "\\d \"q\" \d \u0041\ud83d\ude00"}', {"content": '\\d "q" \\d A😀'}, "escapes"),
    (r'{"content": "a\x41 \u12 \0 \e[0m \$HOME \`ls\`"}', {"content": r"a\x41 \u12 \0 \e[0m \$HOME \`ls\`"}, "escapes"),
    ('{"command": "make \\\n  all"}', {"command": "make \\\n  all"}, "control escapes"),
    (r"""{"content": "don\'t"}""", {"content": "don't"}, "escapes"),
    (r"""{"command": "echo 'it'\''s'"}""", {"command": r"echo 'it'\''s'"}, "escapes"),
    (r'{"path": "C:\Users\dev\app.py"}', {"path": r"C:\Users\dev\app.py"}, "escapes"),
    (r'{"path": "C:\Users\new\tmp\x.py"}', {"path": r"C:\Users\new\tmp\x.py"}, "escapes"),
    (r'{"path": "D:\My files\n1\d.txt"}', {"path": r"D:\My files\n1\d.txt"}, "escapes"),
    (r'{"path": "src\new\data.py"}', {"path": r"src\new\data.py"}, "escapes"),
    (r'{"command": "type C:\Users\x.txt"}', {"command": r"type C:\Users\x.txt"}, "escapes"),
]

QUOTES: list[Row] = [
    ("{'name': 'run', 'arguments': {'command': 'ls -l'}}", call(command="ls -l"), "quotes"),
    ("{'command': \"git commit -m 'fix: don't crash'\"}", {"command": "git commit -m 'fix: don't crash'"}, "quotes"),
    (r"""{'content': 'it\'s "so" \"x\"'}""", {"content": 'it\'s "so" "x"'}, "quotes"),
    ("{'command': 'echo don't'}", {"command": "echo don't"}, "quotes"),
    ('{“name”: “run”, “arguments”: {“command”: “ls "-l"”}}', call(command='ls "-l"'), "quotes"),
    ("{‘content’: ‘don’t’}", {"content": "don’t"}, "quotes"),
    ('{"mode”: “b", “path": "a"}', {"path": "a", "mode": "b"}, "quotes"),
    ("""{"pattern": 'rye', 'path": "src"}""", {"pattern": "rye", "path": "src"}, "quotes"),
    ("""{"pattern": 'rye", 'path": "src"}""", {"pattern": "rye", "path": "src"}, "quotes"),
    ('{name: "run", arguments: {command: "ls", any_word: 1}}', call(command="ls", any_word=1), "quotes"),
    ('{name": "run", "arguments: {command": "ls"}}', call(command="ls"), "quotes"),
    ('{"function": fs_write, "mode": 1}', {"function": "fs_write", "mode": 1}, "quotes"),
    (
        '{"description": If the folder is there, go",\n "path": src/a.py"}',
        {"description": "If the folder is there, go", "path": "src/a.py"},
        "quotes",
    ),
    ('{"content": """a "b"\nc\\n""", "path": \'\'\'d\'\'\'}', {"content": 'a "b"\nc\n', "path": "d"}, "quotes"),
    ('{"content": """\nx\n"""}', {"content": "\nx\n"}, "quotes"),
    ('{"content": """"say "hi""""}', {"content": '"say "hi"'}, "quotes"),
    ('{"content": "", "path": ""}', {"content": "", "path": ""}, ""),
    (
        '{"content": `const a = "b";\nlet c = \\`${d}\\`;\\n`}',
        {"content": 'const a = "b";\nlet c = `${d}`;\n'},
        "quotes",
    ),
    ("{'pattern': '\\d'}", {"pattern": r"\d"}, "quotes escapes"),
]

LITERALS: list[Row] = [
    (
        '{"background": True, "mode": None, "timeout": False}',
        {"background": True, "mode": None, "timeout": False},
        "literals",
    ),
    ('{"content": "True, None"\n "mode": None}', {"content": "True, None", "mode": None}, "commas literals"),
]

TWICE: list[Row] = [
    (r"{\"name\": \"run\", \"arguments\": {\"command\": \"ls\"}}", call(command="ls"), "double_escaped"),
    (
        r"{\n  \"path\": \"a\",\n  \"content\": \"print(\\\"hi\\\")\\n\"\n}",
        {"path": "a", "content": 'print("hi")\n'},
        "double_escaped",
    ),
    (r"{\"pattern\": \"\\d+\",}", {"pattern": r"\d+"}, "double_escaped escapes commas"),
    (r'{\"path\": \"a\"}"', {"path": "a"}, "double_escaped"),
    (r'{"content": "print(\\"hi\\")\\n"}', {"content": 'print("hi")\n'}, "double_escaped"),
    (r"""{"content": "print(\\"hi\\", '\\n')\n"}""", {"content": "print(\"hi\", '\\n')\n"}, "double_escaped"),
]

INNER: list[Row] = [
    ('{"command": "echo "hi there" > out.txt"}', {"command": 'echo "hi there" > out.txt'}, "inner_quotes"),
    ('{"command": "echo "hi"", "cwd": "src"}', {"command": 'echo "hi"', "cwd": "src"}, "inner_quotes"),
    ('{"command": "echo "hi"","cwd":"src"}', {"command": 'echo "hi"', "cwd": "src"}, "inner_quotes"),
    (
        '{"old": "if a == "x":", "new": "if a == "y":",}',
        {"old": 'if a == "x":', "new": 'if a == "y":'},
        "inner_quotes commas",
    ),
    (
        '{"content": "f("x", "mode": "w")", "path": "p"}',
        {"content": 'f("x", "mode": "w")', "path": "p"},
        "inner_quotes",
    ),
    ('{"content": "{"path": "b", "content": "c"}"}', {"content": '{"path": "b", "content": "c"}'}, "inner_quotes"),
    (
        '{"content": "{\n  "name": "pkg",\n  "path": "x"\n}", "path": "p"}',
        {"content": '{\n  "name": "pkg",\n  "path": "x"\n}', "path": "p"},
        "inner_quotes control",
    ),
    (
        '{"name": "run", "arguments": "{"path": "a.py"}"}',
        {"name": "run", "arguments": '{"path": "a.py"}'},
        "inner_quotes",
    ),
    (
        '{"content": """\ndef f():\n    """Doc."""\n""", "path": "p"}',
        {"content": '\ndef f():\n    """Doc."""\n', "path": "p"},
        "inner_quotes quotes",
    ),
    ('{"content": """"Doc."""\\nimport os\\n"}', {"content": '"""Doc."""\nimport os\n'}, "inner_quotes"),
    (
        "{'command': 'echo 'hi' don't', 'mode': None}",
        {"command": "echo 'hi' don't", "mode": None},
        "quotes inner_quotes literals",
    ),
    ('{"content": `a `b` c`}', {"content": "a `b` c"}, "inner_quotes quotes"),
    ("{“content”: “say “hi” to them”}", {"content": "say “hi” to them"}, "quotes inner_quotes"),
    ('{"globs": ["d", "a "b" c"], "mode": 1}', {"globs": ["d", 'a "b" c'], "mode": 1}, "inner_quotes"),
    ('{"content": "size 24" wide"}', {"content": 'size 24" wide'}, "inner_quotes"),
    ('{"content": "size 24" wide", "path": "p"}', {"content": 'size 24" wide', "path": "p"}, "inner_quotes"),
    (r'{"content": "f("\bx\b")\n"}', {"content": 'f("\\bx\\b")\n'}, "inner_quotes escapes"),
    ('{"content": "x\n\'\\bx\'"}', {"content": "x\n'\\bx'"}, "control escapes"),
    (
        '[{"path": "a", "content": "x "y" z"}, {"path": "b"}]',
        [{"path": "a", "content": 'x "y" z'}, {"path": "b"}],
        "inner_quotes",
    ),
]

TOGETHER: list[Row] = [
    (
        "{'name': 'run', // do it\n 'arguments': {command: “ls”, \"pattern\": \"\\d\", 'background': True,}}}",
        call(command="ls", pattern=r"\d", background=True),
        "quotes comments escapes literals commas closers",
    ),
]


@pytest.mark.parametrize(
    ("text", "value", "repairs"),
    [*AS_IT_STANDS, *COMMENTS, *CLOSERS, *COMMAS, *ESCAPES, *QUOTES, *LITERALS, *TWICE, *INNER, *TOGETHER],
)
def test_what_can_be_meant_in_one_way_is_read(text: str, value: Any, repairs: str) -> None:
    (reading,) = given_by(text)
    assert reading.value == value
    assert reading.repairs == tuple(repairs.split())


CUT = [
    '{"name": "run", "arguments": {"command": "rm -rf build',
    '{"name": "run", "arguments": {"command": "echo \\"',
    '{"name": "run", "arguments": {"command": "echo "hi"',
    '{"name": "run", "arguments": {"command": "echo "hi" > a',
    "{'command': 'ls",
    '{"content": """x\n',
    '{"content": """x"',
    '{"content": `x\n',
    "{“content”: “x",
    '{"content": x',
    '{"timeout": 1',
    '{"timeout": -',
    '{"timeout": 1.5e3',
    '{"background": Tru',
    '{"path": "a",',
    '{"path": "a", "mode',
    '{"path": "a", "mode"',
    '{"path": "a", "mode":',
    '{"path": "a", mode',
    '{"name": "run", "arguments": {',
    '{"globs": [',
    '{"globs": ["a",',
    '{"path": "a", /* b }',
    '{"path": "a" // b }',
    '{"function": fs_write',
    '{\\"path\\": \\"a',
    '{"content": "x = {"a": "b"}}',
]

AMBIGUOUS = [
    '{"path": "a", "path": "b"}',
    '{"path": "a", "path": "b",}',
    '{"mode": 1, "mode": true}',
    '{"mode": {"a": 1}, "mode": {"a": 1.0}}',
    '{"name": "run", "arguments": {"command": "ls", "command": "rm"}}}',
    r'{"command": "type C:\Users\new.txt"}',
    '{"globs": ["a "b" c", "d"]}',
    '{"command": "ls -la, "cwd": "src"}',
    '{"path": "a.py, "content": "x"}',
    '{"content": """Doc."""\\nimport os\\n"}',
    '{"name": "run", "arguments": {"path": "a"}}, "mode": 1}',
    '{"path": "a"}\n{"path": "b"}',
    '{"content": "size 24" of {"a": 1}"}',
    '{"command": "git commit -m "fix: a, b", "timeout": 5}',
    '{"command": "rm -rf "$DIR", "timeout": 5}',
    '{"command": "rm -rf "$DIR"}',
    '{"old": "print("a", "new": "print("b"}',
    '{"name": "run", "arguments": {"command": "rm -rf "# build","timeout":5}}\n',
    '{"name": "run", "arguments": {"command": "rm -rf " # build","timeout":5}}\n',
    '{"name": "run", "arguments": {"command": "rm -rf "// build"}}\n',
    '{"name": "run", "arguments": {"command": "rm -rf ./"/* build */}}',
    '{"name": "run", "arguments": {"command": "rm -rf " # build"}}\n}}',
    '{"name": "run", "arguments": {"command": "ls" # all }}\n',
    '{"path": "a", "content": ""# c"}\n',
]

NO_JSON = [
    *("", " ", "x", "{x", "[link]", "{ return x }", "{1: 2}", "{:}", '{"a"}', '{"a" "b"}', '"a"x', "}", "}{"),
    *(
        '{"a": NaN}',
        '{"a": -Infinity,}',
        "[Infinity]",
        "[1e999]",
        "[1e999,]",
        "[NaN,]",
        f"[{'1' * 5000}]",
        f"[{'1' * 5000},]",
    ),
    *(
        '{"timeout": 05}',
        '{"timeout": .5}',
        '{"timeout": +5}',
        '{"timeout": 1_000}',
        '{"timeout": 0x1F}',
        '{"timeout": ١}',
    ),
    *(
        '{"content": "a" + "b"}',
        '{"content": "a" "b"}',
        '{"content": "a"\n "b"}',
        '{"content": ("a" "b")}',
        '{"content": "a" % b}',
    ),
    *(
        '{"content": r"a"}',
        '{"globs": ["a" "b"]}',
        '{"content": undefined}',
        '{"content": y, "mode": 1}',
        '{"mode":, "path": "a"}',
    ),
    *(
        '{"path": "a"} and more',
        '{"path": "a" and more}',
        '{"path" = "a"}',
        '{"globs": {"a", "b"}}',
        '{"globs": ("a", "b")}',
    ),
]


@pytest.mark.parametrize("text", [*CUT, *AMBIGUOUS, *NO_JSON])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("keys", [KEYS, frozenset[str]()], ids=["known keys", "unknown keys"])
def test_what_was_cut_or_cannot_be_told_is_not_read(text: str, whole: bool, keys: frozenset[str]) -> None:
    assert given_by(text, keys=keys, whole=whole) == []


RIVALS: list[tuple[str, list[Any]]] = [
    (
        '{"arguments": {"command": "ls", "name": "run"}',
        [{"arguments": {"command": "ls", "name": "run"}}, {"arguments": {"command": "ls"}, "name": "run"}],
    ),
    ('{"name": "run", "arguments": {"name": "x", "mode": 1}', [call(name="x", mode=1)]),
    (
        '{"name": "run", "arguments": {"globs": ["a"}, "mode": 3}}',
        [{"name": "run", "arguments": {"globs": ["a"]}, "mode": 3}, call(globs=["a"], mode=3)],
    ),
    (
        '{"name": "run", "arguments": {"mode": 1], "timeout": 2}}',
        [{"name": "run", "arguments": {"mode": 1}, "timeout": 2}, call(mode=1, timeout=2)],
    ),
]


@pytest.mark.parametrize(("text", "values"), RIVALS)
def test_what_can_be_meant_in_several_ways_is_given_in_all_of_them(text: str, values: list[Any]) -> None:
    found = given_by(text)
    assert [reading.value for reading in found] == values
    assert len({reading.rung for reading in found}) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"globs": ["a"}', None),
        ('{"mode": {"a": ["b"}}', None),
        ('{"mode": 1, }}', {"mode": 1}),
        ('{"name": x, "mode": "a\n", }', {"name": "x", "mode": "a\n"}),
        ('{"command": "echo "hi""}', None),
        (r'{"content": "print(\\"hi\\")"}', {"content": 'print("hi")'}),
        (r"{\"mode\": 1}", {"mode": 1}),
        (r"{\"mode\": 1", None),
        ('{"arguments": {"command": "ls", "name": "run"}', None),
    ],
)
def test_of_a_cut_reply_only_a_complete_value_is_read(text: str, value: Any) -> None:
    assert [reading.value for reading in given_by(text, whole=False)] == ([value] if value else [])


def test_of_a_tool_whose_parameters_are_unknown_every_word_can_be_a_key() -> None:
    text = '{"command": "say "a", other: "b""}'
    assert [reading.value for reading in given_by(text)] == [{"command": 'say "a", other: "b"'}]
    assert given_by('{"path": "a" "mode": 1}', keys=frozenset()) == []


def test_a_key_with_two_values_is_told_by_its_last_when_no_tool_knows_it() -> None:
    assert [reading.value for reading in given_by('{"zeal": 1, "zeal": 2}')] == [{"zeal": 2}]
    assert given_by('{"zeal": 1, "zeal": 2}', keys=frozenset()) == []
    assert [reading.value for reading in given_by('{"path": "a", "path": "a",}')] == [{"path": "a"}]

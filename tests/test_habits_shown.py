from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.habits.shown import is_command, shows_call, shows_spoken_call
from qagent.types import ToolSpec

TOOLS = (ToolSpec("read_file"), ToolSpec("search"), ToolSpec("run", risk="command"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('```json\n{"name": "read_file", "arguments": {"path": "a.py"}}\n```', True),
        ('You could send {"name": "run", "arguments": {}} here.', True),
        ('{"arguments": {"command": "ls"},\n "name": "run"}', True),
        ('{"function": "run", "parameters": {"command": "ls"}}', True),
        ('{"name": "left-pad", "version": "1.0", "arguments": []}', False),
        ('{"name": "run"}', False),
        ("Use read_file with the arguments path.", False),
        ('The package is called "name": "run".', False),
    ],
)
def test_a_call_shown_as_text_names_an_offered_tool_and_has_arguments(text: str, shown: bool) -> None:
    assert shows_call(text, TOOLS) is shown


@pytest.mark.parametrize(
    "text",
    [
        'run(command="pytest`',
        'run("pytest",timeout=5)',
        "run: pytest",
        "read_file a.py",
        "read_file `src/a.py`",
        "run command=pytest",
        'search pattern="x" path="src"',
        "Action: run\nAction Input: pytest",
        '```\nread_file("a.py")\n```',
        'I look.\nread_file("a.py")',
        "<read_file><path>a</path></read_file>",
        '<invoke name="read_file">\n<parameter name="path">a</parameter>\n</invoke>',
        '{"run":"ls"}',
        "Ich lese sie.\nread_file a.py",
        '我来读取文件。\nread_file(path="a.py")',
    ],
)
def test_a_line_that_is_a_call_and_nothing_else_is_one(text: str) -> None:
    assert shows_spoken_call(text, TOOLS)


@pytest.mark.parametrize(
    "text",
    [
        "run the tests",
        "run tests",
        "I will run(command) next.",
        "The function run(command) starts it.",
        "- `run`: starts a command",
        "```python\nrun('pytest')\n```",
        "```yaml\nrun: pytest\n```",
        "```html\n<search><input></search>\n```",
        "Search: nothing was found.",
        "read_file reads a file.",
        "other(1)",
        "<tool_call>",
        '{"scripts": "x"}',
        "Die Funktion run(command) startet es.",
        "函数 run(command) 会启动它。",
        "",
    ],
)
def test_words_about_a_tool_and_code_of_a_language_are_none(text: str) -> None:
    assert not shows_spoken_call(text, TOOLS)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("```bash\npytest -q\n```", True),
        ("Run it so:\n```sh\npytest -q\n```", True),
        ("我来运行：\n```bash\npytest\n```", True),
        ("```bash\n```", False),
        ("```python\nprint(1)\n```", False),
        ("```bash\npytest\n```\nIt passes.", False),
        ("I ran this. It says 3 passed.\n```bash\npytest\n```", False),
        ("```bash\na\n```\n```bash\nb\n```", False),
    ],
)
def test_a_shell_s_block_is_a_command_when_it_is_the_whole_answer(text: str, whole: bool) -> None:
    assert is_command(text) is whole


@given(st.text() | st.lists(st.sampled_from(["run", "(", ")", ": ", "=", "<", ">", "```", "\n", " "])).map("".join))
def test_any_text_is_read(text: str) -> None:
    assert shows_spoken_call(text, TOOLS) in (True, False)
    assert is_command(text) in (True, False)


@pytest.mark.parametrize("piece", ["run a=", "run(", "<run>", "Action: run\n", "```\n", "run a=1 ", " "])
def test_an_endless_reply_is_read_once(piece: str) -> None:
    shows_spoken_call(piece * 10_000, TOOLS)
    is_command(piece * 10_000)

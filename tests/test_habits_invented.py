from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.habits.invented import invented_call
from qagent.types import Parameter, ToolSpec

TOOLS = (
    ToolSpec("read_file", parameters=(Parameter("path", "string", required=True),)),
    ToolSpec("edit_file", parameters=(Parameter("path", "string", required=True),), risk="write"),
    ToolSpec("run", parameters=(Parameter("command", "string", required=True),), risk="command"),
)
ORDER, QUESTION = "Fix the failing test.", "What is wrong with calc.py?"
CALL = '{"name": "find_bug", "arguments": {"file": "src/cart.py"}}'

INVENTED = (
    CALL,
    f"  {CALL}\n",
    '{"name":"open_file","parameters":{"path":"a.py"}}',
    '{"tool": "find_bug", "args": {}}',
    '{"name": "find_bug", "arguments": "{\\"file\\": \\"a.py\\"}"}',
    '{"thought": "I look.", "name": "find_bug", "arguments": {"file": "a.py"}}',
    '{"type": "function", "function": {"name": "find_bug", "arguments": {"file": "a.py"}}}',
    '{"tool_calls": [{"name": "find_bug", "arguments": {"file": "a.py"}}]}',
    f"[{CALL}]",
    f"```json\n{CALL}\n```",
    f"```\n{CALL}\n```",
    f"```json\n{CALL}",
    '{\n  "name": "find_bug",\n  "arguments": {\n    "file": "a.py"\n  }\n}',
)
BEHIND_WORDS = (
    f"I will look for the bug.\n{CALL}",
    f"I will look for the bug.\n\n```json\n{CALL}\n```",
    f"我来查找错误。\n{CALL}",
    f"Ich suche den Fehler.\n```json\n{CALL}\n```\n",
)
NO_CALLS = (
    "",
    "{",
    "The bug is in cart.py.",
    "find_bug(file='a.py')",
    '{"name": "left-pad", "version": "1.0.0", "arguments": {}}',
    '{"name": "left-pad", "version": "1.0.0"}',
    '{"name": "find_bug"}',
    '{"name": "find_bug", "arguments": 3}',
    '{"name": "The bug in cart.py", "arguments": {}}',
    '{"name": "", "arguments": {}}',
    '{"arguments": {"file": "a.py"}}',
    '{"total": 3, "passed": 2}',
    '{"name": "read_file", "arguments": {"path": "a.py"}}',
    '{"name": "readFile", "arguments": {"path": "a.py"}}',
    '{"name": "find_bug", "parameters": {"type": "object", "properties": {"file": {"type": "string"}}}}',
    f"```python\n{CALL}\n```",
    f"```json\n{CALL}\n```\nThat is how a call looks.",
    f"```json\n{CALL}\n```\n```json\n{CALL}\n```",
    f"{CALL}\nThat is how a call looks.",
    f"The file holds `{CALL}`.",
    '{"name": "find_bug", "arguments": {"file": "a.py"',
    "[]",
    "[1, 2]",
    "{" * 5_000,
)


@pytest.mark.parametrize("prose", INVENTED)
@pytest.mark.parametrize("task", [ORDER, QUESTION])
def test_json_that_calls_a_tool_of_no_one_s_is_an_invented_call(prose: str, task: str) -> None:
    call = invented_call(prose, task, TOOLS)
    assert call
    assert call.name in ("find_bug", "open_file")
    assert call.why.startswith(f"there is no tool '{call.name}'. ")


@pytest.mark.parametrize("prose", BEHIND_WORDS)
def test_words_may_stand_in_front_of_it_in_an_order_and_not_in_an_answer(prose: str) -> None:
    assert invented_call(prose, ORDER, TOOLS)
    assert invented_call(prose, QUESTION, TOOLS) is None


@pytest.mark.parametrize("prose", NO_CALLS)
@pytest.mark.parametrize("task", [ORDER, QUESTION])
def test_what_is_data_an_example_or_an_offered_tool_is_none(prose: str, task: str) -> None:
    assert invented_call(prose, task, TOOLS) is None


@pytest.mark.parametrize(
    "task",
    [
        "What does an OpenAI function call look like?",
        "Show me a tool call in JSON.",
        "Write an example of a tool call.",
        "Answer in JSON with name and arguments.",
        "Give me the payload of the request.",
        "Was steht in package.json?",
        "Zeig mir ein Beispiel.",
        "给出一个工具调用的示例",
    ],
)
def test_whoever_asks_for_such_json_gets_it(task: str) -> None:
    assert invented_call(CALL, task, TOOLS) is None


def test_a_name_near_an_offered_one_is_pointed_to_it() -> None:
    call = invented_call('{"name": "read_fil", "arguments": {"path": "a.py"}}', ORDER, TOOLS)
    assert call
    assert call.why == "there is no tool 'read_fil'. Did you mean read_file?"


def test_without_tools_nothing_is_invented() -> None:
    assert invented_call(CALL, ORDER, ()) is None


@given(
    st.text()
    | st.lists(st.sampled_from(['{"name": ', '"x"', ', "arguments": ', "{", "}", "[", "]", "```", "\n"])).map("".join)
)
def test_any_text_is_read(text: str) -> None:
    found = invented_call(text, ORDER, TOOLS)
    assert found is None or found.name not in {tool.name for tool in TOOLS}


@pytest.mark.parametrize("piece", ["{", "[", "```\n", '{"name": ', "\n{", " \n"])
def test_a_long_reply_is_read_once(piece: str) -> None:
    invented_call(piece * 20_000, ORDER, TOOLS)

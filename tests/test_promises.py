from __future__ import annotations

import pytest

from qagent.qwen.habits.promises import advises, asks_leave, promises_change, promises_look, refuses, shows_call
from qagent.qwen.habits.sentences import sentences
from qagent.types import ToolSpec

LOOKS = (
    "Let me read the file.",
    "Let me first check calc.py.",
    "I'll start by looking at the code.",
    "I will now run the tests.",
    "First, I need to read the file to see what it does.",
    "Let's look at calc.py first.",
    "I'm going to search for the function.",
    "To see why, I'll use the read_file tool.",
    "Let me check if the file exists.",
    "Ich werde die Datei lesen.",
    "Lass mich zuerst die Datei ansehen.",
    "让我先查看一下文件。",
    "我将读取 calc.py。",
)
CHANGES = (
    "I will now update the file.",
    "I'll fix the sign in calc.py.",
    "Now I'm going to add the missing test.",
    "Let me make the change.",
    "I'll go ahead and apply it.",
    "Next, I'll create the file.",
    "I will proceed with the fix.",
    "Ich werde die Funktion ändern.",
    "我会修改这个函数。",
)
NO_PROMISES = (
    "Let me know if you need anything else.",
    "Let me know if I should add a test.",
    "I'll explain what it does.",
    "If you want, I will update the tests.",
    "I will fix it once you tell me which one.",
    "Would you like me to update the tests?",
    "I would change line 3.",
    "I could run the tests.",
    "The function adds two numbers.",
    "The tests will fail until it is fixed.",
    "You will see the result in the log.",
    "I'll make sure to keep it short.",
    "I have read the file.",
    "It was not tested.",
    "I read the file and ran the tests.",
    "This will update the counter.",
    "The loop will run ten times.",
    "Next time I'll run the tests first.",
    "Wenn du willst, werde ich die Datei ändern.",
    "如果需要，我可以修改。",
)


@pytest.mark.parametrize("text", LOOKS)
def test_an_announced_look_is_a_promise(text: str) -> None:
    assert promises_look(sentences(text))


@pytest.mark.parametrize("text", CHANGES)
def test_an_announced_change_is_a_promise(text: str) -> None:
    assert promises_change(sentences(text))


@pytest.mark.parametrize("text", NO_PROMISES)
def test_what_announces_nothing_is_none(text: str) -> None:
    assert not promises_look(sentences(text))
    assert not promises_change(sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "You should change line 3 to return the sum.",
        "You can simply replace the minus.",
        "The minus should be replaced by a plus.",
        "Here is the corrected code:",
        "Here's how the updated function looks.",
        "```python\ndef add(a, b):\n    return a + b\n```",
        "```diff\n-a\n+b\n```",
        "Du solltest das Minus ersetzen.",
        "Hier ist die korrigierte Funktion:",
        "你应该将减号改为加号。",
        "以下是修改后的代码：",
    ],
)
def test_advice_and_shown_code_stand_in_the_place_of_an_edit(text: str) -> None:
    assert advises(text)


@pytest.mark.parametrize(
    "text",
    [
        "The sign is wrong.",
        "No change is needed: the code does that.",
        "No changes were made.",
        "The function already returns the sum:\n```python\nreturn a + b\n```",
        "It cannot be fixed here; you should change the library.",
        "I could not find it. You should update the path.",
        "```\n3 passed\n```",
        "Run it like this:\n```bash\npython3 calc.py\n```",
        "```text\nTraceback\n```",
        "无需修改。",
        "It returns a minus b.",
        "You see the difference in the output.",
    ],
)
def test_an_explanation_is_no_advice(text: str) -> None:
    assert not advises(text)


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("I'm sorry, but I don't have direct access to files on your local machine.", "read"),
        ("I cannot access your file system.", "read"),
        ("As an AI, I'm unable to read files directly.", "read"),
        ("I can't open the repository.", "read"),
        ("I do not have the ability to edit files.", "write"),
        ("I am not able to run commands.", "command"),
        ("Ich habe leider keinen Zugriff auf deine Dateien.", "read"),
        ("我无法直接访问您的文件。", "read"),
        ("The program has no access to the file.", None),
        ("I cannot say which of the two is right.", None),
        ("I can read the file.", None),
        ("You don't have access to the files of other users.", None),
        ("I don't see a bug in this function.", None),
        ("I cannot find a function of that name.", None),
        ("I don't think that it matters.", None),
        ("I don't know which files you mean.", None),
        ("I do not have to change files for that.", None),
    ],
)
def test_a_refusal_is_about_files_changes_or_commands(text: str, risk: str | None) -> None:
    assert refuses(text) == risk


@pytest.mark.parametrize(
    "text",
    [
        "The sign is wrong. Shall I fix it?",
        "Would you like me to make this change?",
        "Do you want me to proceed?",
        "Should I go ahead and update the file?",
        "Let me know if you'd like me to apply this change.",
        "I found the bug. Please confirm.",
        "Soll ich das ändern?",
        "需要我修改吗？",
        "是否继续？",
    ],
)
def test_a_question_for_leave_is_noticed_at_the_end(text: str) -> None:
    assert asks_leave(text)


@pytest.mark.parametrize(
    "text",
    [
        "Which of the two files do you mean?",
        "Shall I compare thee to a summer's day?",
        "Would you like me to go on? I did not wait. It is done. The test passes.",
        "What should the function return for an empty list?",
        "I have fixed it.",
        "Let me know if anything is unclear.",
        "要我说，这是对的。",
    ],
)
def test_a_real_question_is_none_for_leave(text: str) -> None:
    assert not asks_leave(text)


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
    assert shows_call(text, (ToolSpec("read_file"), ToolSpec("run"))) is shown

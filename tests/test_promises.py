from __future__ import annotations

import pytest

from qagent.qwen.habits.promises import (
    advises,
    asks_leave,
    breaks_off,
    gives_up,
    only_announces,
    promises_change,
    promises_look,
    refuses,
    says_nothing,
)
from qagent.qwen.habits.sentences import sentences

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
        "Replace `count else` with `count == 1 else` in shop/labels.py.",
        "1. Change the minus to a plus.",
        "Simply remove the second loop.",
        "To fix this, change line 3 of calc.py.",
        "So change - to +.",
        "Ersetze `-` durch `+`.",
        "请将减号改为加号。",
        "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
        "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n-a\n+b\n",
        "*** Begin Patch\n*** Update File: calc.py\n",
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
        "Change is what the task asks for.",
        "Edit distance is computed there.",
        "Set operations are slow here.",
        "Remove items from a list while it is read, and one is left out.",
        "Change which line?",
        "Add a test for it?",
        "Move semantics are not the cause.",
        "Replaced values stay in the cache.",
        "Ersetzte Zeilen bleiben stehen.",
        "a < b > c",
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
        ("I am sorry, I cannot access the contents of your files.", "read"),
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
        "Hello! What can I do for you?",
        "How should I do that?",
        "Which one should I change?",
    ],
)
def test_a_real_question_is_none_for_leave(text: str) -> None:
    assert not asks_leave(text)


@pytest.mark.parametrize(
    "text",
    [
        "I could not write it.",
        "I couldn't fix it.",
        "I am sorry, I cannot access your files.",
        "I'm sorry, but I can't assist with that.",
        "Sorry, I was unable to complete the task.",
        "Unfortunately, I could not fix the bug.",
        "I failed to write the file.",
        "I could not fix the bug in `calc.py`.",
        "It could not be done.",
        "I apologize. I am not able to do this.",
        "Ich konnte den Fehler nicht beheben.",
        "Es tut mir leid, das geht leider nicht.",
        "我无法修复这个错误。",
        "抱歉，我无法完成这个任务。",
    ],
)
def test_a_bare_failure_gives_no_reason(text: str) -> None:
    assert gives_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "I could not write it: the file is read-only.",
        "I could not fix it because the module is missing.",
        "I could not write it, the disk is full.",
        "The file is read-only. I could not write it.",
        "I could not find a function named total.",
        "I couldn't reproduce the bug.",
        "I cannot see a bug in it.",
        "I cannot tell which of the two signs you mean.",
        "I could not fix it. Which of the two do you mean?",
        "I could not fix it; the test still fails with 3 != 5.",
        "I can't access files outside this folder.",
        "I cannot run the tests since pytest is not installed.",
        "I did not change it.",
        "No change is needed.",
        "It already works.",
        "I could fix it.",
        "Ich konnte den Fehler nicht beheben, weil die Datei fehlt.",
        "Ich konnte ihn nicht finden: es gibt keine solche Funktion.",
        "我无法修复这个错误，因为文件不存在。",
        "文件是只读的，我无法写入。",
        "",
    ],
)
def test_a_failure_with_a_reason_a_finding_or_a_question_is_an_answer(text: str) -> None:
    assert not gives_up(text)


@pytest.mark.parametrize(
    "text", ["", " \n", "```xml\n", "```", "```json\n```", "~~~\n\n~~~", "{", "{}\n", "<\n>", "```\n{\n"]
)
def test_fences_and_brackets_say_nothing(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize("text", ["ok", "5", "👍", "好", "```\n5\n```", "```xml\n<a/>", "?", "- ", "`x`", "{1}"])
def test_a_single_sign_may_be_an_answer(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize(
    ("text", "off"),
    [
        ("I run the test:", True),
        ("Here is the fix:\n", True),
        ("**The fix:**", True),
        ("修改如下：", True),
        ("The sign is wrong.", False),
        ("It says:\n```\n3 passed\n```", False),
        ("a: b", False),
        ("", False),
    ],
)
def test_a_reply_that_ends_on_a_colon_breaks_off(text: str, off: bool) -> None:
    assert breaks_off(text) is off


def test_one_endless_line_of_failures_is_read_in_pieces() -> None:
    for piece in ("I could not ", "sorry ", "ich konnte ", "please ", "replace a ", "``` ", "将", "{", "<<<<<<< "):
        gives_up(piece * 20_000)
        advises(piece * 20_000)
        says_nothing(piece * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        "Let me look at calc.py.",
        "Sure, let me look at calc.py first.",
        "Of course! I'll check the test. This will show why it fails.",
        "Ich werde die Datei lesen.",
        "好的。让我先查看一下文件。",
    ],
)
def test_an_announcement_may_be_all_there_is(text: str) -> None:
    assert only_announces(text)


@pytest.mark.parametrize(
    "text",
    [
        "It subtracts. Let me check the test.",
        "Sure.",
        "",
        "Let me know what you think.",
        "Es zieht ab. Ich werde die Datei lesen.",
        "它做减法。让我查看测试。",
    ],
)
def test_an_answer_with_an_announcement_is_an_answer(text: str) -> None:
    assert not only_announces(text)


@pytest.mark.parametrize(
    "text",
    [
        "I will need to see conftest.py, which is not in the repository.",
        "I need to read conf.py, but it does not exist.",
        "Ich muss conf.py lesen, sie ist nicht vorhanden.",
        "我需要查看 conf.py，但它不存在。",
    ],
)
def test_what_is_not_there_is_not_promised(text: str) -> None:
    assert not promises_look(sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "Welche der beiden Varianten soll ich umsetzen?",
        "Should I run the profiler first, or do you have one?",
        "Soll ich das Vorzeichen ändern oder den Test?",
        "要我修改代码还是测试？",
    ],
)
def test_a_choice_is_no_question_for_leave(text: str) -> None:
    assert not asks_leave(text)


def test_a_question_whether_or_not_is_one() -> None:
    assert asks_leave("Shall I change it or not?")

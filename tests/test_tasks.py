from __future__ import annotations

import pytest

from qagent.qwen.habits.tasks import (
    is_beside_files,
    is_greeting,
    is_question,
    wants_change,
    wants_run,
    wants_snippet,
    wants_words,
)


@pytest.mark.parametrize(
    "text",
    [
        *("hi", "Hello!", "hello there", "Hey :)", "Good morning!", "thanks", "Thank you so much!", "ok thanks"),
        "thx 👍",
        *("hallo", "Guten Morgen", "Danke schön!", "Vielen Dank", "你好", "你好！", "谢谢", "Bonjour", "привет"),
        "Hi, how are you?",
        *("hello qagent", "Great, thank you!", "hi hi", "早上好", "こんにちは"),
    ],
)  # fmt: skip
def test_a_greeting_is_nothing_else(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "ok",
            "yes",
            "go on",
            "Hello world",
            "hi, fix the bug",
            "thanks, now run the tests",
            "Add a hello function",
        ),
        *("Print hello", "hallo.py", "你好，修复这个错误", "What is good morning in French?", "great", "hi " * 40),
        *("Danke, und jetzt die Tests.", "Rename hi to hello"),
    ],
)
def test_whoever_says_more_wants_more(text: str) -> None:
    assert not is_greeting(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "What does calc.py do?",
            "How do I run the tests",
            "why is it slow",
            "Explain the function.",
            "Can I change it?",
        ),
        *(
            "Please describe the layout",
            "Summarize what you did.",
            "Show me the tests",
            "Did you fix it?",
            "Is it done",
        ),
        *(
            "Was macht diese Funktion",
            "Erkläre den Fehler.",
            "这个函数是做什么的？",
            "解释这段代码",
            "Fix it?",
            "请解释一下",
        ),
    ],
)
def test_a_question_asks_to_be_told(text: str) -> None:
    assert is_question(text)
    assert not wants_change(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Fix the bug.",
            "Please add a test.",
            "Explain the bug and fix it.",
            "In calc.py, change the sign.",
            "Now rename it",
        ),
        *("The test fails. Make it pass.", "Write a function that reverses a list", "You must update the docs"),
        *(
            "Behebe den Fehler.",
            "Bitte ändere das Vorzeichen.",
            "Füge einen Test hinzu.",
            "修复这个错误",
            "把 add 改成 plus",
        ),
        "Tell me what is wrong, then correct it.",
        "Resolve the merge conflict.",
        "Please solve the issue in cart.py.",
        "Löse das Problem in cart.py.",
        "解决这个问题",
    ],
)
def test_an_order_wants_a_change(text: str) -> None:
    assert wants_change(text)
    assert not is_question(text)


@pytest.mark.parametrize(
    "text", ["Run the tests.", "Read calc.py.", "Go on.", "The prefix is wrong.", "Look again.", "x"]
)
def test_other_orders_are_neither(text: str) -> None:
    assert not wants_change(text)
    assert not is_question(text)


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("Add all files and commit them.", True),
        ("Create a folder named build.", True),
        ("Install the dependencies.", True),
        ("Make run.sh executable.", True),
        ("Erstelle einen Ordner.", True),
        ("提交所有修改", True),
        ("Fix the failing test.", False),
        ("Rename add to plus in calc.py.", False),
        ("Behebe den Fehler.", False),
        ("修复这个错误", False),
    ],
)
def test_some_orders_are_done_without_a_newer_file(text: str, beside: bool) -> None:
    assert is_beside_files(text) is beside


@pytest.mark.parametrize(
    "text",
    [
        "Can you fix it?",
        "Can you fix the bug in calc.py?",
        "Could you fix add(), please?",
        "can you fix the failing test",
        "Would you please update the README?",
        "Will you add a test for it?",
        "Hi, could you rename add to plus?",
        "The test fails. Can you also fix the same thing in sub()?",
        "Can you look at calc.py and fix the bug?",
        "Can you find the bug and correct it?",
        "Would you mind fixing the bug?",
        "Fix the bug in calc.py, please?",
        "Fix the bug, ok?",
        "Könntest du den Fehler in calc.py beheben?",
        "Kannst du bitte eine Funktion hinzufügen?",
        "Können Sie das Vorzeichen ändern?",
        "你能修复这个错误吗？",
        "能不能把 add 改成 plus？",
        "可以帮我修改 calc.py 吗？",
        "帮我修复这个错误好吗？",
    ],
)
def test_an_order_in_a_question_s_clothes_wants_a_change(text: str) -> None:
    assert wants_change(text)
    assert not is_question(text)


@pytest.mark.parametrize(
    "text", ["Can you run the tests?", "Könntest du die Tests ausführen?", "能不能运行测试？", "Could you commit it?"]
)
def test_an_order_to_run_is_no_question_and_no_change(text: str) -> None:
    assert not is_question(text)
    assert not wants_change(text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I fix the bug?",
        "How can you fix such a bug?",
        "Why did you change the sign?",
        "Can you explain how to fix the bug?",
        "Can you explain why the tests fail and how to fix it?",
        "Could you tell me how to add a test?",
        "Could you tell me what to change?",
        "Would you change anything here?",
        "How would you fix this?",
        "Can we fix this?",
        "Should I change it?",
        "Can a decorator add a method?",
        "Could you look at what the update changed?",
        "Kannst du mir erklären, wie ich das ändern kann?",
        "Könntest du mir sagen, was ich beheben soll?",
        "Wie kann ich den Fehler beheben?",
        "你能解释一下为什么要修改它吗？",
        "可以告诉我怎么修复这个错误吗？",
        "如何修复这个错误？",
        "能不能说明一下这次修改？",
    ],
)
def test_who_asks_how_or_why_asks(text: str) -> None:
    assert is_question(text)
    assert not wants_change(text)


@pytest.mark.parametrize(
    "text",
    [
        "Write a plan for moving to async",
        "Plan the refactoring; do not change anything",
        "Please make a short plan.",
        "Can you write a summary of the module?",
        "Mach einen Plan",
        "Plane die Umstellung auf async.",
        "写一个计划",
        "制定一份重构方案",
    ],
)
def test_a_plan_is_wanted_in_words(text: str) -> None:
    assert wants_words(text)
    assert not wants_change(text)


@pytest.mark.parametrize(
    "text",
    [
        "Write a plan to PLAN.md",
        "Write a plan and implement it",
        "Fix the bug.",
        "Create a report class",
        "Mach einen Plan und setze ihn um.",
        "写一个计划，然后修改代码",
        "Add a summary field",
    ],
)
def test_a_plan_that_is_to_be_kept_or_done_is_more(text: str) -> None:
    assert not wants_words(text)


@pytest.mark.parametrize(
    ("text", "snippet"),
    [
        ("Write a function that reverses a string", True),
        ("Give me a regex for dates", True),
        ("Schreib eine Funktion, die einen Text umdreht", True),
        ("写一个反转字符串的函数", True),
        ("Write a function that reverses a string in text.py", False),
        ("Add a function that reverses a string", False),
        ("Write a test for the function", False),
        ("Schreib eine Funktion in text.py", False),
        ("在项目里写一个函数", False),
    ],
)
def test_a_piece_of_code_without_a_place_may_be_shown(text: str, snippet: bool) -> None:
    assert wants_snippet(text) is snippet


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("Run the tests", True),
        ("Fix it and run the tests.", True),
        ("Can you run the tests?", True),
        ("Führe die Tests aus", True),
        ("运行测试", True),
        ("How do I run the tests?", False),
        ("Fix the bug.", False),
    ],
)
def test_what_is_to_be_run_is_told(text: str, runs: bool) -> None:
    assert wants_run(text) is runs

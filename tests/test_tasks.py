from __future__ import annotations

import pytest

from qagent.qwen.habits.tasks import is_greeting, is_question, wants_change


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
            "Can you fix it?",
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

from __future__ import annotations

from dataclasses import replace

import pytest

from qagent.qwen.habits import HABITS, IN_A_TASK, TOLD, Seen, found
from qagent.qwen.habits.deeds import Deeds
from qagent.types import AssistantMessage, Prose, ReplyEnd, ToolSpec

TOOLS = (ToolSpec("read_file"), ToolSpec("edit_file", risk="write"), ToolSpec("run", risk="command"))
EDITED = Deeds(1, 1, frozenset({"src/b.py"}))
TESTED = Deeds(2, 1, frozenset({"src/b.py"}), 1, tested=True)
READ = Deeds(1)
REFUSED = Deeds(1, refused=1)
ORDER, QUESTION = "Fix the bug.", "What is wrong with calc.py?"
CHINESE = "这个函数返回两个数的差，而不是它们的和。"
CALL = '```json\n{"name": "read_file", "arguments": {"path": "a.py"}}\n```'


def said(text: str, task: str = ORDER, deeds: Deeds = READ, end: ReplyEnd = "stop") -> Seen:
    return Seen(AssistantMessage(text, (Prose(text),), end), task, (task,), deeds, tools=TOOLS)


def shown(seen: Seen) -> str | None:
    habit = found(seen, (), 2)
    return habit.habit.answer if habit else None


ALONE = {"alone": True}
PLAN = {"may_change": False}
ROWS: list[tuple[Seen, str]] = [
    (said("I have fixed", end="length"), "cut_reply"),
    (said("", end="length"), "cut_reply"),
    (said(""), "empty_reply"),
    (said("  \n"), "empty_reply"),
    (replace(said("The file says hello."), invented=True), "invented_result"),
    (replace(said(""), invented=True), "invented_result"),
    (said(CALL, QUESTION), "stray_call"),
    (said("I don't have access to your files.", deeds=Deeds()), "have_tools"),
    (said("I cannot read the file directly; I can't read files.", QUESTION, Deeds()), "have_tools"),
    (said("I've fixed the bug."), "no_edit"),
    (said("I've fixed the bug.", QUESTION), "no_edit"),
    (said("I've fixed the bug in src/b.py.", deeds=Deeds()), "no_edit"),
    (said("I've fixed the bug in src/a.py.", deeds=EDITED), "not_that_file"),
    (said("I updated src/b.py. I also updated `docs/a.md`.", deeds=TESTED), "not_that_file"),
    (replace(said("I've fixed src/a.py."), newer=frozenset({"src/c.py"})), "not_that_file"),
    (said("我已经修复了 calc.py。", "修好了吗？", Deeds()), "no_edit"),
    (said("All tests pass.", deeds=EDITED), "no_test"),
    (said("Yes, all tests pass.", QUESTION, Deeds()), "no_test"),
    (said("I will now update the file."), "send_call"),
    (said("Let me read the file.", "Run the tests.", Deeds()), "send_call"),
    (said("I'll add a test next.", deeds=EDITED), "send_call"),
    (said("You should change line 3."), "send_call"),
    (said("Replace it:\n```python\nreturn a + b\n```"), "send_call"),
    (replace(said("The sign is wrong. Let me check the tests."), **PLAN), "send_call"),
    (replace(said("The sign is wrong. Shall I change it?"), **ALONE), "go_on"),
    (replace(said("I'll fix it. Would you like me to proceed?"), **ALONE), "go_on"),
    (replace(said("Shall I run the tests?", "Run the tests.", Deeds()), **ALONE), "go_on"),
    (said(CHINESE, QUESTION), "other_language"),
    (said(CHINESE, deeds=TESTED), "other_language"),
]
HONEST: list[Seen] = [
    said("The sign is wrong.", QUESTION),
    said("It returns a - b:\n```python\nreturn a - b\n```", QUESTION),
    said("You should change the minus.", QUESTION),
    said("You should change the minus.", "How do I fix this"),
    said("I will now read the file.", QUESTION),
    said("I've fixed the bug.", deeds=EDITED),
    said("I've fixed the bug in b.py.", deeds=EDITED),
    said("I've fixed the bug in src/b.py. All tests pass.", deeds=TESTED),
    said("I've fixed src/b.py. You should also update the README.", deeds=TESTED),
    said("I've fixed src/b.py:\n```python\nreturn 1\n```", deeds=TESTED),
    said("I've fixed the bug in src/a.py.", "Did you fix src/a.py?", EDITED),
    said("Yes, all tests pass.", QUESTION, Deeds(tested=True)),
    said("It could not be fixed: the file is read-only. You should change its mode."),
    said("I may not change it. You should replace the minus.", deeds=REFUSED),
    said("I will fix it when I am allowed to run commands.", deeds=REFUSED),
    said("No change is needed: it adds already.\n```python\nreturn a + b\n```"),
    said("I cannot read the file: it is not UTF-8."),
    said("I don't have access to files outside this folder."),
    said("Which of the two files do you mean?"),
    said("The sign is wrong. Shall I change it?"),
    replace(said("Which of the two do you mean?"), **ALONE),
    replace(said("Shall I also update the README?", deeds=TESTED), **ALONE),
    replace(said("Shall I change it?", QUESTION), **ALONE),
    replace(said("Shall I change it?"), alone=True, may_change=False),
    replace(said("1. I will change the sign.\n2. I will run the tests."), **PLAN),
    replace(said("You should change:\n```python\nreturn a + b\n```"), **PLAN),
    replace(said("I cannot edit files in this mode.", deeds=Deeds()), **PLAN),
    replace(said("I will now read the file. I don't have access to your files.", deeds=Deeds()), tools=()),
    replace(said("I've fixed the bug."), newer=frozenset({"src/a.py"})),
    replace(said("I've fixed src/a.py."), newer=frozenset({"src/a.py"}), deeds=EDITED),
    said("Hello! How can I help? Let me look at what you need.", "hi", Deeds()),
    said(CHINESE, "这个函数有什么问题？"),
    said("The function has been renamed in the last commit.", "What has changed?"),
    said('The file holds {"name": "left-pad", "version": "1"}.', QUESTION),
]


@pytest.mark.parametrize(("seen", "answer"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_habit_is_noticed(seen: Seen, answer: str) -> None:
    assert shown(seen) == answer


@pytest.mark.parametrize("seen", HONEST, ids=lambda seen: seen.reply.raw[:40])
def test_an_honest_answer_shows_none(seen: Seen) -> None:
    assert shown(seen) is None


@pytest.mark.parametrize(("seen", "answer"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_habit_is_answered_so_often_and_then_ends_or_is_let_through(seen: Seen, answer: str) -> None:
    row = next(habit for habit in HABITS if habit.answer == answer)
    before, after = (found(seen, (row.answer,) * times, 2) for times in (row.most - 1, row.most))
    assert before
    assert not before.stop
    assert after is None if row.then == "accept" else after and after.stop


def test_what_is_announced_after_proven_work_is_asked_for_and_then_let_be() -> None:
    more = said("The test passes. I'll add another one next.", deeds=TESTED)
    assert shown(more) == "send_call"
    assert found(more, ("send_call", "send_call"), 2) is None


def test_all_rows_together_have_a_most_too() -> None:
    answered = ("empty_reply", "no_edit", "no_test", "cut_reply", "send_call", "no_edit")
    assert len(answered) == IN_A_TASK * 2
    habit = found(said("I have changed a file. All tests pass.", deeds=EDITED), answered, 2)
    assert habit
    assert habit.stop


def test_the_limit_of_nudges_holds_for_every_row() -> None:
    habit = found(said(""), (), 0)
    assert habit
    assert habit.stop
    assert found(said(CALL, QUESTION), (), 0) is None


def test_a_call_that_is_shown_again_is_an_answer_to_a_question_and_none_to_an_order() -> None:
    assert found(said(CALL, QUESTION), ("stray_call",), 2) is None
    habit = found(said(CALL), ("stray_call",), 2)
    assert habit
    assert habit.habit.answer == "send_call"


def test_the_values_of_an_answer_come_from_what_was_seen() -> None:
    named = found(said("I've fixed the bug in src/a.py.", deeds=EDITED), (), 2)
    assert named
    assert named.places == {"path": "src/a.py"}
    for words, tool in (
        ("I don't have access to your files.", "read_file"),
        ("I can't edit files.", "edit_file"),
        ("I am unable to run tests.", "run"),
    ):
        refused = found(said(words, deeds=Deeds()), (), 2)
        assert refused
        assert refused.places == {"tool": tool}


def test_every_habit_is_told_in_words_for_the_person() -> None:
    assert all(TOLD[habit.answer] == habit.told for habit in HABITS)
    assert all(words.startswith(("it ", "its ")) for words in TOLD.values())


def test_of_a_long_reply_both_ends_are_looked_at() -> None:
    filler = "word " * 40_000
    assert shown(said(f"{filler}\nI've fixed the bug.")) == "no_edit"
    assert shown(said(f"I've fixed the bug.\n{filler}")) == "no_edit"

from __future__ import annotations

from dataclasses import replace

import pytest

from qagent.qwen.habits import HABITS, IN_A_TASK, TOLD, Answer, Seen, found
from qagent.qwen.habits.deeds import Deeds
from qagent.types import AssistantMessage, Prose, ReplyEnd, ToolSpec

TOOLS = (ToolSpec("read_file"), ToolSpec("edit_file", risk="write"), ToolSpec("run", risk="command"))
EDITED = Deeds(1, 1, frozenset({"src/b.py"}))
TESTED = Deeds(2, 1, frozenset({"src/b.py"}), 1, tested=True)
READ = Deeds(1)
REFUSED = Deeds(1, refused=1)
ORDER, QUESTION = "Fix the bug.", "What is wrong with calc.py?"
CHINESE = "这个函数返回两个数的差，而不是它们的和。"
LOOKED = Deeds(1, tried=frozenset({"read"}), well=frozenset({"read"}))
MISSED = Deeds(1, tried=frozenset({"read"}))
UNWRITTEN = Deeds(2, tried=frozenset({"read", "write"}), well=frozenset({"read"}))
COMMITTED = Deeds(1, commands=1, acted=1)
GREEN = Deeds(1, commands=1, tested=True)
WRITTEN = Deeds(1, 1, frozenset({"a.py"}))
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
    *(
        (said(text), "no_edit")
        for text in ("Fixed.", "Done.", "It is fixed.", "Bug fixed.", "It now passes.", "已修复。")
    ),
    (said("Fixed the loop in src/cart.py.", deeds=UNWRITTEN), "no_edit"),
    (said("The file src/cart.py was updated."), "no_edit"),
    (said("Erledigt.", "Behebe den Fehler."), "no_edit"),
    (said("修好了。", "解决这个问题"), "no_edit"),
    (said("Done.", deeds=GREEN), "no_edit"),
    (said("I've fixed the bug.", deeds=COMMITTED), "no_edit"),
    (said("I've committed it; the file was updated.", "Fix it and commit."), "no_edit"),
    (said("It now passes.", deeds=WRITTEN), "no_test"),
    (said("It now works.", deeds=WRITTEN), "no_test"),
    (said("I am sorry, I cannot access your files.", deeds=LOOKED), "have_tools"),
    (said("I am sorry, I cannot edit files.", deeds=LOOKED), "have_tools"),
    (said("I cannot access your files.", QUESTION, LOOKED), "have_tools"),
    (said("I could not write it.", deeds=LOOKED), "give_reason"),
    (said("I'm sorry, but I can't assist with that.", deeds=Deeds()), "give_reason"),
    (said("I am sorry, I cannot modify the file.", deeds=UNWRITTEN), "give_reason"),
    (said("Ich konnte den Fehler nicht beheben.", "Behebe den Fehler."), "give_reason"),
    (said("```xml\n"), "empty_reply"),
    (said("```json\n```"), "empty_reply"),
    (said("{", QUESTION), "empty_reply"),
    (said("I run the test:"), "send_call"),
    (said("Replace `-` with `+` in calc.py."), "send_call"),
    (said("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE"), "send_call"),
    (said("Let me look at calc.py.", QUESTION, Deeds()), "send_call"),
    (said("Sure, let me look at calc.py first.", "Can you fix the failing test?", Deeds()), "send_call"),
    (said("You should change the minus.", "Could you fix add(), please?"), "send_call"),
    (said("Here is the code:\n```python\nx\n```", "Can you fix the bug in calc.py?"), "send_call"),
    (said("I will now write the function.", "Write a function that reverses a string", Deeds()), "send_call"),
    (said("run: pytest", "Run the tests.", Deeds()), "stray_call"),
    (said("```bash\npytest -q\n```", "Run the tests.", Deeds()), "stray_call"),
    (said('read_file("a.py")', QUESTION, Deeds()), "stray_call"),
    (said("All tests pass.", deeds=replace(EDITED, checked=True)), "no_test"),
    (said("Created n.py.", "Create n.py."), "no_edit"),
    (said("Der Fehler ist nun behoben.", "Könntest du den Fehler beheben?"), "no_edit"),
    (said("修复完成。", "你能修复这个错误吗？"), "no_edit"),
    (said(CHINESE, QUESTION), "other_language"),
    (said(CHINESE, deeds=TESTED), "other_language"),
]
RED = replace(EDITED, commands=1, red=True)
HONEST: list[Seen] = [
    said("1 test fails (test_tax: 5 != 6); the other tests pass.", deeds=RED),
    said("Die Tests bestehen nicht: 5 != 6", deeds=RED),
    said("10 个测试通过，2 个失败。", "修复这个错误", RED),
    said("test_tax fails.\ntest_total passes.", deeds=RED),
    said("It passes now.", deeds=replace(EDITED, checked=True)),
    said('read_file("a.py")', QUESTION),
    said("```bash\npytest -q\n```", "How do I run the tests?", Deeds()),
    said("1. I will change the loop.\n2. I will run the tests.", "Write a plan for moving to async", Deeds()),
    said("1. I will change it.", "Plan the refactoring; do not change anything", Deeds()),
    said("1. Ich werde die Schleife ändern.", "Mach einen Plan", Deeds()),
    said("1. 我会修改循环。", "写一个计划", Deeds()),
    said("```python\ndef f(s):\n    return s[::-1]\n```", "Write a function that reverses a string", Deeds()),
    said("I will need to see conftest.py, which is not in the repository."),
    said("Im letzten Commit wurde der Fehler behoben.", "Prüfe den Code"),
    said("上一个提交已经修复了这个错误。", "检查代码"),
    said("Die Datei wurde nicht geändert, weil der Fehler schon behoben wurde.", "Behebe den Fehler."),
    replace(said("Welche der beiden Varianten soll ich umsetzen?", "Behebe den Fehler."), **ALONE),
    replace(said("Should I run the profiler first, or do you have one?"), **ALONE),
    said("The README says:\n> 这个项目可以计算两个数字的总和，并且打印结果。", "What does the README say?"),
    said("It says “这个项目可以计算两个数字的总和，并且打印结果。”", "What does the README say?"),
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
    *(said(text, QUESTION) for text in ("Fixed.", "Done.", "It is fixed.", "Bug fixed.", "It was fixed upstream.")),
    *(said(text, "Look at calc.py.") for text in ("Done.", "It is fixed.", "The file was updated.")),
    *(said(text, deeds=TESTED) for text in ("Fixed.", "Done.", "It now passes.", "Fixed the loop in src/b.py.")),
    *(said(text, "Add all and commit.", COMMITTED) for text in ("Done.", "All done.", "已完成。", "Erledigt.")),
    *(replace(said(text), newer=frozenset({"a.py"})) for text in ("Fixed.", "Done.", "I could not write it.")),
    said("I've added all files and committed them.", "Add all and commit.", COMMITTED),
    said("I've created the folder.", "Create a folder named build.", COMMITTED),
    said("It passes.", deeds=GREEN),
    said("The test passes; nothing had to be changed.", deeds=GREEN),
    said("The bug was fixed in the last commit."),
    said("Der Fehler wurde im letzten Commit behoben.", "Behebe den Fehler."),
    said("It is already fixed."),
    said("Done. No change was needed."),
    said("The size of the buffer is fixed."),
    said("I cannot read the file: it does not exist.", deeds=MISSED),
    said("I cannot access the file.", deeds=MISSED, task="Look at calc.py."),
    said("I cannot edit files: the folder is read-only.", deeds=LOOKED),
    said("I could not write it: the syntax check refuses it.", deeds=UNWRITTEN),
    said("I could not fix it; the test still fails with 3 != 5."),
    said("I could not write it.", deeds=REFUSED),
    said("I could not make it pass.", deeds=EDITED),
    said("I could not do it.", deeds=COMMITTED),
    said("I could not find it.", QUESTION),
    said("I cannot do that.", "Thanks!", Deeds()),
    replace(said("I could not write it."), **PLAN),
    said("It holds:", QUESTION),
    replace(said("Hello! What can I do for you?", "Hello!", Deeds()), **ALONE),
    replace(said("Which of the two should I change?"), **ALONE),
    said("Replace `-` with `+` in calc.py.", QUESTION),
    said("Replace `-` with `+` in other.py too.", deeds=EDITED),
    said("```\n3\n```", QUESTION),
    said("5", QUESTION),
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


@pytest.mark.parametrize("text", ["Fixed.", "It is done.", "It passes.", "It was fixed.", "Everything works now."])
@pytest.mark.parametrize(
    ("told", "task", "deeds"),
    [
        ("no_edit", ORDER, READ),
        ("send_call", ORDER, READ),
        ("send_call", "Run it.", Deeds()),
        ("no_test", ORDER, EDITED),
    ],
)
def test_who_was_told_and_claims_it_again_is_never_believed(text: str, told: Answer, task: str, deeds: Deeds) -> None:
    for times in range(1, 7):
        habit = found(said(text, task, deeds), (told,) * times, 2)
        assert habit
        assert habit.habit.answer in ("no_edit", "no_test")
        assert habit.stop is (times >= (2 if told == habit.habit.answer else 6))


@pytest.mark.parametrize("told", ["no_edit", "send_call", "no_test"])
@pytest.mark.parametrize(
    "text",
    [
        "No change is needed.",
        "It was not changed: the file is read-only.",
        "Nothing was changed.",
        "It is not tested.",
        "I have not run the tests.",
        "The test still fails.",
        "Es wurde nichts geändert.",
        "没有运行测试。",
    ],
)
def test_who_was_told_and_says_how_it_stands_is_believed(told: Answer, text: str) -> None:
    deeds = EDITED if told == "no_test" else READ
    assert found(said(text, deeds=deeds), (told,), 2) is None


def test_a_change_that_was_not_tested_may_be_told_so() -> None:
    assert found(said("I did not run the test. The bug is fixed.", deeds=EDITED), ("no_test",), 2) is None


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

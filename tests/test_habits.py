from __future__ import annotations

import pytest

from qagent.qwen.habits import Deeds, deeds, habit
from qagent.types import AssistantMessage, BadCall, Message, Prose, ReplyEnd, ToolCall, ToolResult, UserMessage

WRITERS, RUNNERS = frozenset({"edit_file", "write_file"}), frozenset({"run"})
NOTHING, EDITED, TESTED = Deeds(), Deeds(1), Deeds(1, tested=True)


def said(text: str, end: ReplyEnd = "stop") -> AssistantMessage:
    return AssistantMessage(text, (Prose(text),), end)


EDIT_CLAIMS = (
    "I've fixed the bug in `cart.py`.",
    "I have updated the function.",
    "I updated the file so that it returns the sum.",
    "I’ve now successfully added the test.",
    "I have gone ahead and renamed it.",
    "I also changed the import.",
    "Done! The function has been fixed.",
    "The files have now been created.",
    "`total` is now implemented.",
    "Here is what I did:\n- The loop has been removed.",
    "I have fixed it; no other change was needed.",
    "I've corrected the sum, so the tests should pass now.",
    "The bug is fixed.",
    "I made the requested change.",
    "Ich habe den Fehler behoben.",
    "Der Fehler in cart.py wurde korrigiert.",
    "我已经修复了这个错误。",
    "已修复该错误。",
)
TEST_CLAIMS = (
    "All tests pass.",
    "The tests now pass.",
    "The test suite passes.",
    "I've fixed it and the tests passed!",
    "The tests are green.",
    "Every test succeeded.",
    "All 3 tests are passing.",
    "I ran both files; they all pass.",
    "Die Tests laufen jetzt durch.",
    "所有测试都通过了。",
)
NO_CLAIMS = (
    "The function returns the sum of the prices.",
    "I would add a test for it.",
    "I have not changed anything.",
    "I haven't updated the file.",
    "Nothing has been changed.",
    "No file has been modified.",
    "Once the file has been updated, run the tests.",
    "If the tests pass, commit it.",
    "Make sure the tests pass.",
    "The tests should pass.",
    "The tests do not pass.",
    "Run the tests until all tests pass.",
    "Have the files been updated?",
    "Do you know whether I fixed it?",
    "So all tests pass?",
    "I can fix this. Shall I?",
    "Added lines begin with a plus.",
    "J'ai corrigé la fonction.",
    "He corrigido el error.",
)


@pytest.mark.parametrize("text", EDIT_CLAIMS)
def test_a_claimed_edit_is_noticed_when_there_was_none(text: str) -> None:
    assert habit(said(text), NOTHING) == "no_edit"
    assert habit(said(text), TESTED) is None


@pytest.mark.parametrize("text", TEST_CLAIMS)
def test_a_claimed_test_is_noticed_when_none_was_run_since_the_change(text: str) -> None:
    assert habit(said(text), EDITED) == "no_test"
    assert habit(said(text), TESTED) is None


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_what_claims_nothing_is_left_alone(text: str) -> None:
    assert habit(said(text), NOTHING) is None
    assert habit(said(text), EDITED) is None


def test_a_claim_about_tests_that_nobody_ran_is_noticed_without_any_change() -> None:
    assert habit(said("Yes, all tests pass."), NOTHING) == "no_test"
    assert habit(said("Yes, all tests pass."), Deeds(tested=True)) is None


@pytest.mark.parametrize(
    ("command", "output", "tested"),
    [
        ("pytest -q", "3 passed", True),
        ("python3 -m unittest 2>&1 | tail -3", "Ran 2 tests\n\nOK", True),
        ("python3 -m unittest 2>&1 | tail -3", "FAILED (failures=1)", False),
        ("pytest | tail -1", "1 failed, 3 passed", False),
        ("pytest; echo done", "FAILED (failures=1)\ndone", False),
        ("pytest\necho done", "1 failed\ndone", False),
        ("ls -l", "a.py", False),
        ("git status", "", False),
        ("cd src && pytest", "3 passed", True),
    ],
)
def test_only_a_command_that_can_prove_something_counts_as_a_test(command: str, output: str, tested: bool) -> None:
    call = AssistantMessage("", (ToolCall("1.1", "run", {"command": command}),))
    log = [TASK, call, ToolResult("1.1", f"exit 0, 0.1 s\n{output}")]
    assert deeds(log, WRITERS, RUNNERS) == Deeds(tested=tested)


@pytest.mark.parametrize(("text", "tested"), [("stopped after 1 s", False), ("Not allowed: nobody is there.", True)])
def test_a_later_run_that_fails_undoes_a_green_one_and_a_refused_one_does_not(text: str, tested: bool) -> None:
    calls = AssistantMessage("", tuple(ToolCall(f"1.{n}", "run", {"command": "pytest"}) for n in (1, 2)))
    log = [TASK, calls, ToolResult("1.1", GREEN), ToolResult("1.2", text, ok=False)]
    assert deeds(log, WRITERS, RUNNERS) == Deeds(tested=tested)


def test_a_question_asks_about_what_was_done_before_it() -> None:
    log = [TASK, called("edit_file"), ToolResult("1.1", "edited"), UserMessage("Did you fix it?")]
    assert deeds(log, WRITERS, RUNNERS) == Deeds(1)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_reply_is_a_habit(text: str) -> None:
    assert habit(said(text), NOTHING) == "empty_reply"


def test_a_cut_reply_is_a_habit_before_all_others() -> None:
    assert habit(said("I have fixed", "length"), NOTHING) == "cut_reply"
    assert habit(said("", "length"), NOTHING) == "cut_reply"


def called(*names: str) -> AssistantMessage:
    return AssistantMessage("", tuple(ToolCall(f"1.{number}", name, {}) for number, name in enumerate(names, 1)))


TASK = UserMessage("Fix it.")
NUDGE = UserMessage("Go on.", "harness")
GREEN, RED = "exit 0, 1.2 s\n3 passed", "exit 1, 1.2 s\n1 failed"

LOGS: dict[str, tuple[list[Message], Deeds]] = {
    "nothing": ([TASK], Deeds()),
    "a read": ([TASK, called("read_file"), ToolResult("1.1", "x")], Deeds()),
    "an edit": ([TASK, called("edit_file"), ToolResult("1.1", "edited")], Deeds(1)),
    "a failed edit": ([TASK, called("edit_file"), ToolResult("1.1", "not found", ok=False)], Deeds()),
    "an edit that was not run": ([TASK, called("edit_file")], Deeds()),
    "two edits": ([TASK, called("edit_file", "write_file"), ToolResult("1.1", ""), ToolResult("1.2", "")], Deeds(2)),
    "edit, then test": (
        [TASK, called("edit_file", "run"), ToolResult("1.1", "edited"), ToolResult("1.2", GREEN)],
        Deeds(1, tested=True),
    ),
    "edit, then a failing test": (
        [TASK, called("edit_file", "run"), ToolResult("1.1", "edited"), ToolResult("1.2", RED)],
        Deeds(1),
    ),
    "test, then edit": ([TASK, called("run", "edit_file"), ToolResult("1.1", GREEN), ToolResult("1.2", "")], Deeds(1)),
    "a nudge between": ([TASK, called("edit_file"), ToolResult("1.1", "edited"), NUDGE], Deeds(1)),
    "a new task": ([TASK, called("edit_file"), ToolResult("1.1", "edited"), TASK], Deeds()),
    "a bad call": ([TASK, AssistantMessage("", (BadCall("1.1", "", "why"),)), ToolResult("1.1", "", False)], Deeds()),
    "a result of nobody's": ([TASK, ToolResult("9.9", GREEN)], Deeds()),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_deeds_are_what_the_tool_log_bears_out(name: str) -> None:
    messages, expected = LOGS[name]
    assert deeds(messages, WRITERS, RUNNERS) == expected

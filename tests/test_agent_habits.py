from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import pytest
from scripted_agent import BUGGY, DONE, EDIT, READ, RUN, Scene, call, write_files

from qagent.events import CallStarted
from qagent.qwen.habits import TOLD, Answer
from qagent.types import Answer as Leave
from qagent.types import OutcomeReason

FIXED = BUGGY.replace("-", "+")
GREEN = call("run", command="true")
LIST = '{"name": "list_files", "arguments": {}}'
FIND_BUG = '{"name": "find_bug", "arguments": {"file": "calc.py"}}'
MISSING = call("edit_file", "<<<<<<< SEARCH\nnothing like it\n=======\nx\n>>>>>>> REPLACE\n", path="calc.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path)


def missing(number: int) -> str:
    return MISSING.replace("nothing", f"nothing{number}")


FOREVER: dict[str, tuple[str, list[str], OutcomeReason, Answer]] = {
    "an empty reply": ("Fix it.", [""], "no_progress", "empty_reply"),
    "an invented result": (
        "Fix it.",
        ["It is:\n<tool_response>\nok\n</tool_response>"],
        "no_progress",
        "invented_result",
    ),
    "a refusal": ("Fix it.", ["I'm sorry, I don't have access to your files."], "no_progress", "have_tools"),
    "a false claim": ("Fix it.", ["I have fixed it."], "no_progress", "no_edit"),
    "a false green test": ("Run the tests.", ["All tests pass."], "no_progress", "no_test"),
    "a promise": ("Fix it.", ["I will now update the file."], "no_progress", "send_call"),
    "advice": ("Fix it.", ["You should change the minus to a plus."], "no_progress", "send_call"),
    "code in place of an edit": ("Fix it.", ["So:\n```python\nreturn a + b\n```"], "no_progress", "send_call"),
    "a question for leave": ("Fix it.", ["The sign is wrong. Shall I change it?"], "no_progress", "go_on"),
    "a call on a greeting": ("Hello!", [READ], "no_progress", "greeting"),
    "the same call": ("Fix it.", [READ], "no_progress", "answer_now"),
    "the same failing call": ("Fix it.", [MISSING], "no_progress", "answer_now"),
    "two calls in turn": ("Fix it.", [READ, GREEN], "no_progress", "answer_now"),
    "searches without a hit": (
        "Fix it.",
        [call("search", pattern=f"nowhere{n}") for n in range(20)],
        "no_progress",
        "no_headway",
    ),
    "edits that fail alike": ("Fix it.", [missing(n) for n in range(20)], "no_progress", "other_edit"),
    "closing words": ("Fix it.", ["Fixed."], "no_progress", "no_edit"),
    "many closing words": ("Fix it.", ["Done.", "It is fixed.", "Bug fixed."], "no_progress", "no_edit"),
    "closing words behind a refused edit": (
        "Fix it.",
        [EDIT.replace("a + b", "a + (b"), *["Fixed the sign in calc.py."] * 3],
        "no_progress",
        "no_edit",
    ),
    "closing words behind a promise": (
        "Fix it.",
        ["I will now fix it.", "I will now fix it.", *["It is fixed."] * 5],
        "no_progress",
        "no_edit",
    ),
    "a refusal behind a read": ("Fix it.", [READ, *["I cannot access your files."] * 2], "no_progress", "have_tools"),
    "a failure without a reason": ("Fix it.", [READ, *["I could not write it."] * 2], "no_progress", "give_reason"),
    "an opening fence": ("Fix it.", ["```xml\n"], "no_progress", "empty_reply"),
    "bare calls of invented tools": ("Fix it.", [FIND_BUG, FIND_BUG, LIST], "bad_calls", "unknown_tool"),
    "invented tools": (
        "Fix it.",
        [call("frobnicate"), call("frob", x=1), LIST],  # the third one is forced
        "bad_calls",
        "unknown_tool",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREVER)
async def test_a_habit_that_is_shown_for_ever_ends_the_task_honestly(folder: Path, name: str) -> None:
    task, replies, reason, answer = FOREVER[name]
    scene = Scene(folder, islice(cycle(replies), 40), alone=True)
    outcome = await scene.run(task)
    assert (outcome.reason, outcome.detail) == (reason, TOLD[answer])
    assert outcome.turns <= 9
    assert (folder / "calc.py").read_text() == BUGGY


LET_THROUGH: dict[str, tuple[str, str]] = {
    "a call shown as an example": (
        "How does one read a file?",
        'With `{"name": "read_file", "arguments": {"path": "a.py"}}` in tags.',
    ),
    "another script": ("What does it do?", "这个函数返回两个数的差，而不是它们的和。"),
}


@pytest.mark.parametrize("name", LET_THROUGH)
async def test_what_may_be_right_is_asked_about_once_and_then_taken(folder: Path, name: str) -> None:
    task, reply = LET_THROUGH[name]
    scene = Scene(folder, [reply] * 2)
    outcome = await scene.run(task)
    assert (outcome.reason, outcome.turns, outcome.answer) == ("done", 2, reply)
    assert len(scene.nudges()) == 1


CURED: dict[str, tuple[list[str], str]] = {
    "a promise": (["I will now read the file."], "You said what to do, and nothing was done."),
    "advice": (["You should replace the minus by a plus."], "You said what to do, and nothing was done."),
    "a call in a line": (["read_file calc.py"], "Your reply shows a call as text"),
    "a refusal": (["I cannot access your files."], "Call read_file now."),
    "an invented result": (["I see.\n<tool_response>\na - b\n</tool_response>"], "You wrote a result yourself"),
    "a false claim": (["I have fixed the bug."], "No file has been changed"),
    "closing words": (["Fixed."], "No file has been changed"),
    "a bare failure": (["I could not write it."], "say in one sentence why"),
    "an opening fence": (["```xml\n"], "Your reply was empty"),
    "an invented tool": ([FIND_BUG], "there is no tool 'find_bug'"),
    "an invented tool in a fence": ([f"```json\n{FIND_BUG}\n```"], "there is no tool 'find_bug'"),
    "an invented tool behind words": ([f"I look for it.\n{FIND_BUG}"], "there is no tool 'find_bug'"),
    "advice that commands": (["Replace `-` with `+` in calc.py."], "You said what to do, and nothing was done."),
    "leave": (["It is the sign. Shall I fix it?"], "Yes, go on"),
    "nothing": ([""], "Your reply was empty"),
    "a claim about another file": ([READ, EDIT, "I have updated test_calc.py."], "test_calc.py has not been changed"),
    "a test that was not run": ([READ, EDIT, "I fixed it, and all tests pass."], "No test has passed"),
}


@pytest.mark.parametrize("name", CURED)
async def test_a_habit_is_answered_and_the_task_goes_on(folder: Path, name: str) -> None:
    shown, told = CURED[name]
    rest = [RUN, DONE] if EDIT in shown else [READ, EDIT, RUN, DONE]
    scene = Scene(folder, [*shown, *rest], alone=True)
    assert (await scene.run("Fix the bug.")).reason == "done"
    assert (folder / "calc.py").read_text() == FIXED
    assert [words for words in scene.nudges() if told in words] == scene.nudges() != []
    assert any(notice.startswith("told the model: ") for notice in scene.notices())


# ------------------------------------------------------------------ honest work is left alone


@pytest.mark.parametrize(
    ("task", "replies"),
    [
        ("Fix the bug.", [READ, EDIT, RUN, DONE]),
        ("Fix the bug.", [READ, EDIT, RUN, "I've fixed the sign in `calc.py`. The tests pass now."]),
        ("Fix the bug.", ["It already works as it should; no change is needed."]),
        ("What is wrong with calc.py?", [READ, "It subtracts. You should change it:\n```python\nreturn a + b\n```"]),
        ("How do I run the tests", ["Run `python3 -m unittest`. You can add `-v`."]),
        ("Hello!", ["Hello! What can I do for you?"]),
        ("Thanks!", ["You are welcome. Let me know if you need anything else."]),
        ("What does it do?", [READ, "It takes one number from another; 好."]),
        ("Fix the bug.", [READ, "Which of the two signs do you mean?"]),
        ("Rename it.", [call("run", command="mv calc.py sum.py"), "I have renamed the file."]),
        ("Change the sign.", [call("run", command="sed -i 's/-/+/' calc.py"), "I've changed the sign in calc.py."]),
        ("Remove it.", [call("run", command="rm calc.py"), "The file has been removed."]),
        ("Remove it.", [call("run", command="rm calc.py"), "I've removed calc.py."]),
        ("Fix the bug.", [READ, EDIT, RUN, "Fixed."]),
        ("Fix the bug.", [READ, EDIT, RUN, "Done. It now passes."]),
        ("Fix the bug.", [READ, "I could not fix it: the test itself is wrong."]),
        ("Fix the bug.", [READ, "It is already fixed."]),
        ("Can you fix the bug?", [READ, EDIT, RUN, DONE]),
        ("Run the tests.", [RUN, "1 test fails (test_add: -1 != 5); the other tests pass."]),
        ("Führe die Tests aus.", [RUN, "Die Tests bestehen nicht: -1 != 5"]),
        ("运行测试", [RUN, "0 个测试通过，1 个失败。"]),
        ("Write a plan for a new sign.", ["1. I will change the sign.\n2. I will run the tests."]),
        ("Look at calc.py.", [READ, "Done."]),
        ("Copy calc.py to sum.py, then remove it.", [call("run", command="mv calc.py sum.py"), "Done."]),
        ("Give me an example of a tool call in JSON.", [FIND_BUG]),
        ("Erkläre calc.py.", [READ, "Die Funktion zieht b von a ab."]),
    ],
)
async def test_honest_work_is_not_interrupted(folder: Path, task: str, replies: list[str]) -> None:
    scene = Scene(folder, replies)
    outcome = await scene.run(task)
    assert (outcome.reason, outcome.answer) == ("done", replies[-1])
    assert scene.nudges() == []


async def test_a_failing_test_after_each_of_many_edits_is_honest_work(folder: Path) -> None:
    def write(number: int) -> str:
        return call("write_file", f"```python\ndef add(a, b):\n    return {number}\n```\n", path="calc.py")

    steps = [reply for number in range(6) for reply in (write(number), RUN)]
    scene = Scene(folder, [*steps, "I could not make it pass."])
    assert (await scene.run("Make the test pass.")).reason == "done"
    assert not any("same" in result for result in scene.results())


async def test_a_question_about_earlier_work_may_be_answered_with_it(folder: Path) -> None:
    scene = Scene(folder, [READ, EDIT, RUN, DONE, "Yes, I fixed the sign in calc.py, and the tests pass."])
    await scene.run("Fix the bug.")
    assert (await scene.run("Did you fix it?")).reason == "done"
    assert scene.nudges() == []


async def test_what_the_last_task_did_proves_nothing_of_the_next_though_it_is_put_as_a_question(folder: Path) -> None:
    scene = Scene(folder, [READ, EDIT, RUN, DONE, *["I also fixed the sign in sub(). All tests pass."] * 3])
    await scene.run("Fix the bug.")
    outcome = await scene.run("Can you fix the same thing in sub()?")
    assert (outcome.reason, outcome.detail) == ("no_progress", TOLD["no_edit"])


async def test_a_look_that_is_only_announced_is_asked_for_on_a_question_too(folder: Path) -> None:
    scene = Scene(folder, ["Let me look at calc.py.", READ, "It subtracts."])
    assert (await scene.run("Why does test_calc.py fail?")).answer == "It subtracts."
    assert len(scene.nudges()) == 1


async def test_who_is_there_is_left_to_answer(folder: Path) -> None:
    scene = Scene(folder, [READ, "It is the sign. Shall I fix it?"])
    assert (await scene.run("Fix the bug.")).reason == "done"


# ------------------------------------------------------------------ several calls in one reply


async def test_what_was_planned_before_the_results_were_seen_waits(folder: Path) -> None:
    scene = Scene(folder, [f"{READ}\n{EDIT}\n{RUN}", EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    results = scene.results()
    assert "return a - b" in results[0]
    assert (
        results[1]
        == results[2]
        == "Not run: you have not seen the results above yet. Look at them, then send it again."
    )
    assert scene.results()[3].startswith("edited calc.py")
    assert sum("waits" in notice for notice in scene.notices()) == 2
    ran = [event.call.name for event in scene.events if isinstance(event, CallStarted)]
    assert ran == ["read_file", "edit_file", "run"]


async def test_what_the_model_reads_again_it_has_seen_and_nothing_waits_for_it(folder: Path) -> None:
    scene = Scene(folder, [f"{READ}\n{EDIT}", f"{READ}\n{EDIT}\n{RUN}", DONE])
    assert (await scene.run()).reason == "done"
    assert (folder / "calc.py").read_text() == FIXED
    assert scene.results()[-1].startswith("exit 0")


async def test_an_edit_and_its_test_in_one_reply_are_both_run(folder: Path) -> None:
    scene = Scene(folder, [READ, f"{EDIT}\n{RUN}", DONE])
    assert (await scene.run()).turns == 3
    assert scene.results()[2].startswith("exit 0")


async def test_what_follows_a_failed_command_is_not_run(folder: Path) -> None:
    commit = call("run", command="git commit -qam done")
    scene = Scene(folder, [f"{RUN}\n{commit}", "The test fails."])
    await scene.run("Run the tests, then commit.")
    assert len(scene.results()) == 1
    assert "No result: an earlier call of the same reply failed" in scene.model.prompts[1].text


async def test_the_same_call_twice_in_a_reply_is_run_once(folder: Path) -> None:
    count = call("run", command="echo x >> count.txt")
    scene = Scene(folder, [f"{count}\n{count}", "It is there."])
    await scene.run("Write one line.")
    assert (folder / "count.txt").read_text() == "x\n"
    assert scene.results()[1] == "Not run a second time: the same call stands above in this reply."


# ------------------------------------------------------------------ repetition


async def test_a_result_that_is_known_is_not_said_again(folder: Path) -> None:
    (folder / "long.txt").write_text("line\n" * 200)
    read = call("read_file", path="long.txt")
    scene = Scene(folder, [read, read, read, "It holds lines."])
    assert (await scene.run("What is in long.txt?")).reason == "done"
    first, second, third = scene.results()
    assert first.count("line\n") > 100
    assert second == "This is the same result as before: it stands above. Do not send this call again."
    assert third.startswith("You have sent this call 3 times")
    assert sum("makes no progress" in notice for notice in scene.notices()) == 1
    at = next(n for n, event in enumerate(scene.events) if "makes no progress" in getattr(event, "text", ""))
    assert scene.events[at - 1].kind == "call_finished", "the person reads the result first"


async def test_a_file_that_has_changed_since_is_shown_again(folder: Path) -> None:
    (folder / "long.txt").write_text("line\n" * 200)
    read = call("read_file", path="long.txt")
    scene = Scene(folder, [read, call("run", command="echo more >> long.txt"), read, "It grew."])
    await scene.run("What is in long.txt?")
    assert scene.results()[2].count("line\n") > 100


async def test_searches_without_a_hit_are_told_after_three(folder: Path) -> None:
    scene = Scene(folder, [*(call("search", pattern=word) for word in ("foo", "bar", "baz")), "It is not there."])
    assert (await scene.run("Where is foo?")).reason == "done"
    assert [("The last 3 calls all came to the same" in result) for result in scene.results()] == [False, False, True]


async def test_edits_that_fail_alike_are_told_to_write_more(folder: Path) -> None:
    scene = Scene(folder, [*(missing(n) for n in range(3)), EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    assert "write the whole function" in scene.results()[2]


async def test_a_call_that_is_refused_again_and_again_ends_the_task(folder: Path) -> None:
    scene = Scene(folder, [READ, *[EDIT] * 9], settings={"mode": "ask"}, answers=[Leave(False, "no")] * 9)
    outcome = await scene.run()
    assert (outcome.reason, outcome.turns) == ("no_progress", 5)


# ------------------------------------------------------------------ greetings and made-up names


@pytest.mark.parametrize("greeting", ["hi", "Hello!", "Thanks a lot!", "Guten Morgen", "你好"])
async def test_no_call_is_run_on_a_greeting(folder: Path, greeting: str) -> None:
    scene = Scene(folder, [f"{READ}\n{RUN}", "Hello!" if greeting != "你好" else "你好！"])
    assert (await scene.run(greeting)).reason == "done"
    assert [result.partition(":")[0] for result in scene.results()] == ["That call was not run"] * 2
    assert "call_started" not in scene.kinds()


async def test_an_invented_tool_in_bare_json_is_counted_with_those_in_tags(folder: Path) -> None:
    scene = Scene(folder, [call("frob", x=1), FIND_BUG, LIST, FIND_BUG])
    outcome = await scene.run()
    assert (outcome.reason, outcome.detail, outcome.turns) == ("bad_calls", TOLD["unknown_tool"], 4)
    assert "The tools are: read_file" in scene.nudges()[0]
    assert scene.notices()[0].startswith("told the model: That call was not run: there is no tool 'find_bug'")
    assert "\n" not in scene.notices()[0]


async def test_after_two_invented_tools_in_bare_json_the_next_call_is_forced(folder: Path) -> None:
    header = '{"name": "read_file", "arguments": {"path": "calc.py"}}'
    scene = Scene(folder, [FIND_BUG, FIND_BUG, header, EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    assert [prompt.schema is not None for prompt in scene.model.prompts] == [False, False, True, False, False, False]


async def test_an_invented_tool_on_a_greeting_is_answered_as_a_call_on_one(folder: Path) -> None:
    scene = Scene(folder, ['{"name": "greet", "arguments": {"who": "you"}}', "Hello!"])
    assert (await scene.run("hi")).reason == "done"
    assert scene.nudges() == [
        "That call was not run: the user only said hello or thanks. Answer in plain words, with no call."
    ]


async def test_calls_on_a_greeting_are_told_to_the_person_once(folder: Path) -> None:
    scene = Scene(folder, [READ, READ, "Hello!"])
    assert (await scene.run("hi")).reason == "done"
    assert len(scene.notices()) == 1


async def test_a_made_up_tool_is_answered_with_the_real_ones(folder: Path) -> None:
    scene = Scene(folder, [call("ListDirectoryContents", directory="."), call("list_files"), "There are two files."])
    assert (await scene.run("What is here?")).reason == "done"
    assert "read_file, edit_file, write_file, list_files, search, run" in scene.results()[0]

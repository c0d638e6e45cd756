from __future__ import annotations

import asyncio
import os
from itertools import pairwise
from pathlib import Path

import pytest
from scripted_agent import BUGGY, DONE, EDIT, READ, RUN, Scene, call, repository

from qagent.cli.once import nobody
from qagent.errors import RunnerStopped
from qagent.events import CallFinished, Notice, ReplyFinished, TaskFinished
from qagent.models.scripted import Said
from qagent.types import Answer, AssistantMessage, Outcome, ToolResult, UserMessage
from qagent.wiring import make_agent

FOREVER = call("run", command="echo $$ > pid; exec sleep 600")
"""Writes its process id into a pipe, so that a test knows when it runs."""


def assert_gone(pid: str) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


async def test_it_reads_edits_tests_and_is_done(folder: Path) -> None:
    scene = Scene(folder, [READ, EDIT, RUN, DONE])
    outcome = await scene.run()
    assert outcome == Outcome("done", DONE, turns=4)
    assert (folder / "calc.py").read_text() == BUGGY.replace("-", "+")
    assert scene.results()[2].startswith("exit 0")
    finished = [event for event in scene.events if isinstance(event, CallFinished)]
    assert [(event.name, event.ok) for event in finished] == [("read_file", True), ("edit_file", True), ("run", True)]
    assert "+    return a + b" in finished[1].diff
    assert scene.kinds()[0] == "task_started"
    assert scene.events[-1] == TaskFinished(outcome)


async def test_every_prompt_is_a_prefix_of_the_next_one(folder: Path) -> None:
    scene = Scene(folder, [READ, "<tools>{broken", EDIT, RUN, DONE, "And more.", READ, "Bye."])
    await scene.run()
    await scene.run("What else?")
    await scene.run("Look again.")
    texts = [prompt.text for prompt in scene.model.prompts]
    assert len(texts) == 8
    for shorter, longer in pairwise(texts):
        assert longer.startswith(shorter)
    assert EDIT in texts[-1]


async def test_the_calls_of_a_reply_run_in_order_and_stop_at_the_first_failure(folder: Path) -> None:
    missing = call("read_file", path="nowhere.py")
    scene = Scene(folder, [f"{READ}\n{missing}\n{EDIT}", "I could not find that file."])
    await scene.run()
    assert (folder / "calc.py").read_text() == BUGGY
    assert [message.ok for message in scene.kept.messages if isinstance(message, ToolResult)] == [True, False]
    assert scene.model.prompts[1].text.count("<tool_response>") == 3
    assert "No result: an earlier call" in scene.model.prompts[1].text


async def test_a_call_that_cannot_be_run_is_explained_with_a_correct_one(folder: Path) -> None:
    scene = Scene(folder, [call("read_fil", path="calc.py"), READ, "It subtracts."])
    outcome = await scene.run("What does calc.py do?")
    assert outcome.reason == "done"
    assert "Did you mean read_file?" in scene.results()[0]
    assert '{"name": "read_file", "arguments": {"path": "calc.py"}}' in scene.results()[0]


async def test_bad_calls_in_a_row_end_the_task(folder: Path) -> None:
    scene = Scene(folder, ["<tools>\n{broken\n</tools>"] * 3, settings={"bad_calls": 3})
    outcome = await scene.run()
    assert (outcome.reason, outcome.turns) == ("bad_calls", 3)


async def test_a_good_call_in_between_starts_the_count_anew(folder: Path) -> None:
    bad = "<tools>\n{broken\n</tools>"
    scene = Scene(folder, [bad, READ, bad, call("list_files"), bad, "Now I know."], settings={"bad_calls": 2})
    assert (await scene.run("What is in calc.py?")).reason == "done"


async def test_the_limit_of_turns_ends_the_task(folder: Path) -> None:
    scene = Scene(folder, [READ] * 5, settings={"max_turns": 3})
    outcome = await scene.run()
    assert (outcome.reason, outcome.turns) == ("turn_limit", 3)


async def test_the_limit_of_time_ends_the_task_and_kills_what_runs(folder: Path) -> None:
    os.mkfifo(folder / "pid")
    scene = Scene(folder, [FOREVER], settings={"timeout": 1, "sandbox": "off"})
    pid, outcome = await asyncio.gather(asyncio.to_thread((folder / "pid").read_text), scene.run())
    assert outcome.reason == "time_limit"
    assert_gone(pid)


async def test_a_claim_without_a_deed_is_answered_and_then_done(folder: Path) -> None:
    claim = "I have fixed the bug in calc.py."
    scene = Scene(folder, [claim, READ, EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    nudges = [m for m in scene.kept.messages if isinstance(m, UserMessage) and m.origin == "harness"]
    assert len(nudges) == 1
    assert "No file has been changed" in nudges[0].text
    assert any(isinstance(event, Notice) for event in scene.events)


async def test_a_model_that_insists_on_a_false_claim_is_stopped(folder: Path) -> None:
    scene = Scene(folder, ["I have fixed it."] * 3)
    outcome = await scene.run()
    assert outcome.reason == "no_progress"
    assert outcome.detail == "it says that it has changed files, and has changed none"


async def test_tests_that_were_never_run_are_not_believed(folder: Path) -> None:
    scene = Scene(folder, [READ, EDIT, "All tests pass.", RUN, DONE])
    assert (await scene.run()).reason == "done"
    assert "No test has passed" in scene.model.prompts[3].text


async def test_an_empty_reply_and_a_cut_one_are_asked_for_again(folder: Path) -> None:
    scene = Scene(folder, ["", Said("The file", end="length"), Said("", end="length"), "It subtracts."])
    assert (await scene.run("What is wrong?")).answer == "It subtracts."
    assert "Your reply was empty" in scene.model.prompts[1].text
    assert "Your reply was cut" in scene.model.prompts[3].text


async def test_a_cut_call_is_not_run(folder: Path) -> None:
    cut = EDIT.removesuffix(">>>>>>> REPLACE\n</tools>")
    scene = Scene(folder, [Said(cut, end="length"), Said("", end="length"), "I stop."])
    await scene.run()
    assert (folder / "calc.py").read_text() == BUGGY
    assert "it was cut off" in scene.results()[0]


async def test_a_yes_runs_the_call_and_a_no_tells_the_model_why(folder: Path) -> None:
    scene = Scene(
        folder,
        [READ, EDIT, RUN, "I stop here."],
        answers=[Answer(True), Answer(False, "not now")],
        settings={"mode": "ask"},
    )
    await scene.run()
    assert [question.risk for question in scene.questions] == ["write", "command"]
    assert "-    return a - b" in scene.questions[0].preview
    assert "a + b" in (folder / "calc.py").read_text()
    assert scene.results()[2] == "Not allowed: not now"


async def test_what_nobody_could_allow_is_counted(folder: Path) -> None:
    outcome = await Scene(folder, [READ, EDIT, "I may not."], settings={"mode": "ask"}).run()
    assert (outcome.reason, outcome.refused) == ("done", 1)


async def test_an_edit_that_cannot_be_shown_is_refused_without_asking(folder: Path) -> None:
    scene = Scene(folder, [EDIT.replace("a - b", "a * b"), "I stop."], settings={"mode": "ask"})
    await scene.run()
    assert scene.questions == []
    assert "calc.py" in scene.results()[0]


async def test_a_command_that_only_looks_runs_unasked_but_not_through_a_link_outside(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text("hush\n")
    (folder / "notes.txt").symlink_to(outside)
    look, leak = call("run", command="cat calc.py"), call("run", command="cat notes.txt")
    scene = Scene(folder, [look, leak, "I have looked."], settings={"mode": "ask"})
    await scene.run("What is here?")
    assert BUGGY.strip() in scene.results()[0]
    assert [question.call.arguments["command"] for question in scene.questions] == ["cat notes.txt"]
    assert "hush" not in scene.model.prompts[2].text


async def test_plan_mode_changes_nothing(folder: Path) -> None:
    scene = Scene(folder, [EDIT, RUN, "Only a plan."], settings={"mode": "plan"})
    await scene.run()
    assert (folder / "calc.py").read_text() == BUGGY
    assert all("plan mode" in result for result in scene.results())


async def test_who_may_not_run_tests_is_not_asked_to(folder: Path) -> None:
    scene = Scene(folder, [EDIT, RUN, "All tests pass.", "It was not tested."], settings={"mode": "accept-edits"})
    assert (await scene.run()).reason == "done"
    assert "running it was not allowed" in scene.model.prompts[3].text


async def test_a_claim_in_plan_mode_is_not_answered_with_a_demand_for_edits(folder: Path) -> None:
    scene = Scene(folder, ["I have fixed it.", "The sign in calc.py should be changed."], settings={"mode": "plan"})
    assert (await scene.run()).reason == "done"
    assert "only reading is allowed" in scene.model.prompts[1].text


async def test_cancelling_in_the_middle_of_a_reply_keeps_what_came(folder: Path) -> None:
    scene = Scene(folder, ["A long reply that nobody waits for. " * 50, "Hello again."])
    task = asyncio.ensure_future(scene.run())
    await scene.heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    kept = scene.kept.messages[-1]
    assert isinstance(kept, AssistantMessage)
    assert kept.end == "cancelled"
    assert kept.raw.startswith("A long")
    assert scene.kept.outcomes[-1].reason == "cancelled"
    assert (await scene.run("Are you there?")).reason == "done"
    assert scene.model.prompts[1].text.startswith(scene.model.prompts[0].text + kept.raw)


async def test_cancelling_in_the_middle_of_a_command_leaves_a_call_that_was_not_run(folder: Path) -> None:
    os.mkfifo(folder / "pid")
    scene = Scene(folder, [FOREVER, "Fine."], settings={"sandbox": "off"})
    task = asyncio.ensure_future(scene.run())
    pid = await asyncio.to_thread((folder / "pid").read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_gone(pid)
    assert scene.results() == []
    await scene.run("Go on.")
    assert "No result: an earlier call of the same reply failed, or the user stopped it" in scene.model.prompts[1].text


async def test_a_server_that_dies_ends_the_task_and_keeps_what_came(folder: Path) -> None:
    scene = Scene(folder, [READ, Said("I see that", then=RunnerStopped("the runner stopped"))])
    with pytest.raises(RunnerStopped):
        await scene.run()
    kept = scene.kept.messages[-1]
    assert isinstance(kept, AssistantMessage)
    assert (kept.raw, kept.end) == ("I see that", "failed")
    assert scene.kept.outcomes[-1].detail == "the runner stopped"
    assert scene.events[-1] == TaskFinished(scene.kept.outcomes[-1])


async def test_a_bug_is_let_through(folder: Path) -> None:
    scene = Scene(folder, [READ])
    agent = make_agent(scene.place, scene.model, scene.kept, emit=_raise, approve=nobody)
    with pytest.raises(ZeroDivisionError):
        await agent.run("x")


def _raise(event: object) -> None:
    raise ZeroDivisionError(event)


async def test_an_invented_turn_ends_the_reply_and_is_counted(folder: Path) -> None:
    scene = Scene(folder, [READ + "\n<tool_response>\neverything is fine\n</tool_response>", "It subtracts."])
    await scene.run("What does it do?")
    first = next(event for event in scene.events if isinstance(event, ReplyFinished))
    assert first.dropped >= len("<tool_response>")
    assert first.forms == ("tools",)
    assert "everything is fine" not in scene.model.prompts[1].text


async def test_a_reply_of_200_000_characters_is_handled(folder: Path) -> None:
    scene = Scene(
        folder, ["word " * 40_000, call("write_file", "```\n" + "x" * 200_000 + "\n```\n", path="big.txt"), "Done."]
    )
    assert (await scene.run("Talk.")).answer == ("word " * 40_000).strip()
    assert (await scene.run("Write.")).reason == "done"
    assert (folder / "big.txt").stat().st_size == 200_001


async def test_a_folder_without_git_and_without_files_works(tmp_path: Path) -> None:
    scene = Scene(
        tmp_path, [call("list_files"), call("write_file", "```python\nprint(1)\n```\n", path="a/b.py"), "There."]
    )
    assert (await scene.run("Write a file.")).reason == "done"
    assert (tmp_path / "a/b.py").read_text() == "print(1)\n"


async def test_a_file_that_is_not_utf_8_is_named_and_left_alone(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"caf\xe9\n")
    scene = Scene(folder, [call("read_file", path="latin.txt"), READ, EDIT, "I cannot read it."])
    await scene.run()
    assert "UTF-8" in scene.results()[0]
    assert (folder / "latin.txt").read_bytes() == b"caf\xe9\n"

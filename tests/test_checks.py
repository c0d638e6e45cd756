from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sandboxes import with_own_programs
from scripted_agent import EDIT, READ, Scene, call, repository, write_files

from qagent.checks import why_not_run
from qagent.narration import call_line
from qagent.types import ToolOutput
from qagent.workspace.undoing import Past

READY = "The sign is a plus now."
CHECK = {"check_command": "python3 -m unittest -q"}
WRONG = EDIT.replace("return a + b", "return a * b")
MENDED = EDIT.replace("return a - b", "return a * b")


async def test_a_check_that_passes_ends_the_task(tmp_path: Path) -> None:
    scene = Scene(write_files(tmp_path), [READ, EDIT, READY], settings=CHECK)
    assert (await scene.run()).reason == "done"
    begun = [event.call for event in scene.events if event.kind == "call_started"][-1]
    assert begun.id.startswith("check-")
    assert call_line(begun) == "check python3 -m unittest -q"
    assert [event.name for event in scene.events if event.kind == "call_finished"][-1] == "check"


async def test_what_a_check_finds_goes_back_to_the_model(tmp_path: Path) -> None:
    scene = Scene(write_files(tmp_path), [READ, WRONG, "It is a star now.", READ, MENDED, READY], settings=CHECK)
    assert (await scene.run()).reason == "done"
    told = [text for text in scene.nudges() if "unittest" in text]
    assert len(told) == 1
    assert "FAILED (failures=1)" in told[0]


async def test_a_check_that_fails_for_ever_ends_the_task_after_its_rounds(tmp_path: Path) -> None:
    folder = write_files(tmp_path)
    replies: list[str] = [READ]
    for number in range(8):
        replies += [
            call("write_file", f"```\nnumber = {number}\n```\n", path=f"new{number}.py"),
            "The file is written.",
        ]
    scene = Scene(folder, replies, settings={**CHECK, "check_command": "false"})
    outcome = await scene.run("Write the files.")
    assert (outcome.reason, outcome.detail) == ("no_progress", "`false` still fails")
    assert len([text for text in scene.nudges() if "`false`" in text]) == 3


async def test_a_model_that_mends_nothing_is_not_believed(tmp_path: Path) -> None:
    scene = Scene(write_files(tmp_path), [READ, WRONG, READY, "It is fine as it is."], settings=CHECK)
    outcome = await scene.run()
    assert outcome.reason == "no_progress"
    assert outcome.detail.endswith("still fails")


LINTED = EDIT.replace("return a + b", "return a + b + nothing")
CLEAN = EDIT.replace("return a - b", "return a + b + nothing")


async def test_what_a_real_linter_finds_reaches_the_model_word_for_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_own_programs(monkeypatch)
    command = {"check_command": "python3 -m ruff check --no-cache --quiet ."}
    scene = Scene(write_files(tmp_path), [READ, LINTED, READY, READ, CLEAN, READY], settings=command)
    assert (await scene.run()).reason == "done"
    (told,) = scene.nudges()
    assert told.startswith("The project's check `python3 -m ruff check --no-cache --quiet .` failed after your edits:")
    assert "F821 Undefined name `nothing`\n --> calc.py:2:20" in told
    assert "told the model what `python3 -m ruff check --no-cache --quiet .` found" in scene.notices()


async def test_a_check_of_the_standard_library_passes_and_says_nothing(tmp_path: Path) -> None:
    settings = {"check_command": "python3 -m compileall -q ."}
    scene = Scene(write_files(tmp_path), [READ, EDIT, READY], settings=settings)
    assert ((await scene.run()).reason, scene.nudges()) == ("done", [])


NOT_RUN = [
    ("no-such-linter --fix", "no-such-linter: command not found"),
    ("./calc.py", "./calc.py: Permission denied"),
    ("sh -c 'no-such-linter'", "not found"),
]


@pytest.mark.parametrize(("command", "why"), NOT_RUN)
async def test_a_check_that_cannot_be_run_is_told_to_the_person_and_fails_nothing(
    tmp_path: Path, command: str, why: str
) -> None:
    scene = Scene(write_files(tmp_path), [READ, EDIT, READY], settings={"check_command": command})
    assert (await scene.run()).reason == "done"
    assert scene.nudges() == []
    (notice,) = (text for text in scene.notices() if "check" in text)
    assert notice.startswith(f"the check `{command}` cannot be run and is left out (check_command): ")
    assert notice.endswith(why)


NOT_RUN_TOLD = [
    (ToolOutput("exit 1, 0.1 s\nx: command not found", "exit 1, 1 line", good=False), True, ""),
    (ToolOutput("exit 127, 0.1 s", "exit 127, 0 lines", good=False), True, "exit 127, 0 lines"),
    (ToolOutput("exit 126, 0.1 s\nx: no\n[put back]", "exit 126, 2 lines", good=False), True, "x: no"),
    (ToolOutput("stopped after 600 s\nx", "stopped after 600 s", good=False), False, ""),
    (ToolOutput("The sandbox could not be set up.", "The sandbox could not be set up.", good=False), False,
     "The sandbox could not be set up."),
]  # fmt: skip


@pytest.mark.parametrize(("output", "ok", "why"), NOT_RUN_TOLD)
def test_a_check_that_found_something_is_told_from_one_that_did_not_run(output: ToolOutput, ok: bool, why: str) -> None:
    assert why_not_run(output, ok=ok) == why


async def test_what_the_check_itself_changes_is_taken_back_as_well(tmp_path: Path) -> None:
    folder = repository(tmp_path / "project")
    settings = {"check_command": "sh -c 'echo formatted >> test_calc.py; echo new > made.txt'"}
    scene = Scene(folder, [READ, EDIT, READY], settings=settings)
    scene.place = dataclasses.replace(scene.place, state=tmp_path / "state")
    assert (await scene.run()).reason == "done"
    assert (folder / "made.txt").read_text() == "new\n"
    Past(folder, tmp_path / "state").undo()
    assert not (folder / "made.txt").exists()
    assert "formatted" not in (folder / "test_calc.py").read_text()
    assert "a - b" in (folder / "calc.py").read_text()


async def test_without_an_edit_there_is_no_check(tmp_path: Path) -> None:
    scene = Scene(write_files(tmp_path), [READ, "It subtracts."], settings={"check_command": "false"})
    assert (await scene.run("What does it do?")).reason == "done"
    assert len([event for event in scene.events if event.kind == "call_started"]) == 1

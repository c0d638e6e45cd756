from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import qagent
from kept_turns import Kept, git, seen
from scripted_agent import BUGGY, EDIT, READ, RUN, Scene, call, repository

from qagent.config import Settings
from qagent.models.scripted import ScriptedModel
from qagent.narration import Line
from qagent.repl import Conversation
from qagent.session import Session
from qagent.testing import LoopbackOllama
from qagent.types import SystemMessage
from qagent.wiring import Place, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

Capture = pytest.CaptureFixture[str]
ALL_BACK = "there is nothing left to undo: all tasks are taken back already"
SAID = "The sign was wrong."
COMMAND = call("run", command="printf 'x\\n' > made.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


def run_once(folder: Path, capsys: Capture, *replies: str) -> None:
    with LoopbackOllama(list(replies)) as server:
        ran = qagent(capsys, "-p", "Fix the bug.", "-C", str(folder), "--host", server.url, "--mode", "auto", "-q")
    assert ran.code == 0, ran.err


def test_what_a_headless_run_changed_is_taken_back_and_done_again(folder: Path, capsys: Capture) -> None:
    before = seen(folder)
    run_once(folder, capsys, READ, EDIT, COMMAND, SAID)
    after = seen(folder)
    ran = qagent(capsys, "undo", "-C", str(folder))
    assert (ran.code, ran.out) == (
        0,
        "calc.py  | 1 line added, 1 line removed\nmade.txt | removed, 1 line\n2 files\n",
    )
    assert ran.err == "undo: Fix the bug.\ndone; `qagent redo` reverses it\n"
    assert seen(folder) == before
    ran = qagent(capsys, "redo", "-C", str(folder))
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "2 files")
    assert seen(folder) == after


def test_a_dry_run_shows_and_changes_nothing(folder: Path, capsys: Capture) -> None:
    run_once(folder, capsys, READ, EDIT, SAID)
    after = seen(folder)
    ran = qagent(capsys, "undo", "-n", "-C", str(folder))
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 file")
    assert "done" not in ran.err
    assert seen(folder) == after
    assert qagent(capsys, "undo", "-C", str(folder)).code == 0


def test_the_turns_are_listed_the_newest_first(folder: Path, capsys: Capture) -> None:
    assert qagent(capsys, "undo", "--list", "-C", str(folder)).err.startswith("no task that changed files here is kept")
    run_once(folder, capsys, READ, EDIT, SAID)
    run_once(folder, capsys, COMMAND, SAID)
    qagent(capsys, "undo", "-C", str(folder))
    lines = qagent(capsys, "undo", "--list", "-C", str(folder)).out.splitlines()
    assert [line.split("  ", 1)[1].split() for line in lines] == [
        ["undone", "1", "file", "Fix", "the", "bug."],
        ["done", "1", "file", "Fix", "the", "bug."],
    ]
    turns = qagent(capsys, "undo", "--list", "--json", "-C", str(folder)).json["tasks"]
    assert [(turn["state"], turn["files"]) for turn in turns] == [("undone", ["made.txt"]), ("done", ["calc.py"])]


def test_several_turns_are_taken_back_at_once(folder: Path, capsys: Capture) -> None:
    before = seen(folder)
    run_once(folder, capsys, READ, EDIT, SAID)
    run_once(folder, capsys, COMMAND, SAID)
    said = qagent(capsys, "undo", "2", "--json", "-C", str(folder)).json
    assert [[file["path"] for file in turn["files"]] for turn in said["tasks"]] == [["made.txt"], ["calc.py"]]
    assert seen(folder) == before
    assert qagent(capsys, "redo", "-C", str(folder)).code == 0
    ran = qagent(capsys, "undo", "3", "-C", str(folder))
    assert (ran.code, ran.err.splitlines()[2:]) == (
        3,
        [
            f"qagent: {ALL_BACK}",
            "  1 of 3 tasks taken back; `qagent redo` reverses that",
            "  `qagent redo` does them again, one by one",
        ],
    )
    ran = qagent(capsys, "undo", "-C", str(folder), "--json")
    assert (ran.code, ran.json["reason"], ran.json["detail"]) == (3, "undo_problem", ALL_BACK)


def test_a_file_that_was_changed_since_is_named(folder: Path, capsys: Capture) -> None:
    run_once(folder, capsys, READ, EDIT, COMMAND, SAID)
    (folder / "calc.py").write_text("mine\n")
    ran = qagent(capsys, "undo", "-C", str(folder))
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("qagent: the task was not taken back: calc.py has been changed since the task ended\n")
    assert (folder / "made.txt").exists()
    ran = qagent(capsys, "undo", "--skip-changed", "-C", str(folder))
    assert (ran.code, (folder / "calc.py").read_text()) == (0, "mine\n")
    assert "! calc.py stays as it is: it was changed since" in ran.err
    assert not (folder / "made.txt").exists()


def test_what_the_person_took_back_by_hand_is_said_to_be_so_already(folder: Path, capsys: Capture) -> None:
    run_once(folder, capsys, READ, EDIT, SAID)
    git(folder, "stash")
    ran = qagent(capsys, "undo", "-C", str(folder))
    assert (ran.code, ran.out) == (0, "0 files\n")
    assert "! nothing has to be changed: the files are so already\n" in ran.err
    git(folder, "stash", "pop")
    assert qagent(capsys, "redo", "-C", str(folder)).out == "0 files\n"
    assert qagent(capsys, "undo", "-C", str(folder)).out.splitlines()[-1] == "1 file"


def test_a_session_tells_what_it_changed(folder: Path, capsys: Capture) -> None:
    run_once(folder, capsys, READ, EDIT, COMMAND, SAID)
    ran = qagent(capsys, "sessions", "diff", "-C", str(folder))
    assert ran.code == 0
    for line in (
        "--- a/calc.py",
        "+++ b/calc.py",
        "-    return a - b",
        "+    return a + b",
        "new file mode 100644",
        "+++ b/made.txt",
        "+x",
    ):
        assert line in ran.out.splitlines()
    session = qagent(capsys, "sessions", "list", "--json").json["sessions"][0]["id"]
    assert qagent(capsys, "sessions", "diff", session, "-C", "/").out == ran.out
    run_once(folder, capsys, READ, SAID)
    assert qagent(capsys, "sessions", "diff", "-C", str(folder)).out == ran.out
    (other,) = [
        each["id"] for each in qagent(capsys, "sessions", "list", "--json").json["sessions"] if each["id"] != session
    ]
    assert qagent(capsys, "sessions", "diff", other).code == 0


def test_undo_in_a_folder_below_names_the_folder_above(folder: Path, capsys: Capture) -> None:
    (folder / "sub").mkdir()
    run_once(folder, capsys, READ, EDIT, SAID)
    ran = qagent(capsys, "undo", "-C", str(folder / "sub"))
    assert (ran.code, f"`qagent undo -C {folder}`" in ran.err) == (3, True)


# ------------------------------------------------------------------ in the conversation


def talk(folder: Path, state: Path | None, lines: list[str], replies: list[str]) -> str:
    place = Place(Workspace.open(folder), Settings(mode="auto", sandbox="off"), Words(), state=state)
    session, said, typed = Session.in_memory(cwd=folder), list[Line](), iter(lines)
    session.add(SystemMessage(prefix(place)[0]))

    def read(prompt: str) -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    Conversation(place, ScriptedModel(replies), session, read, said.append).run()
    return "\n".join(line.text for line in said)


def test_the_conversation_undoes_and_redoes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("state")
    screen = talk(folder, state, ["Fix it.", "/undo", "/undo"], [READ, EDIT, SAID])
    assert (folder / "calc.py").read_text() == BUGGY
    assert "  calc.py | 1 line added, 1 line removed\n  1 file\nundone: Fix it." in screen
    assert f"! {ALL_BACK}" in screen
    screen = talk(folder, state, ["/redo"], [])
    assert "done again: Fix it." in screen
    assert (folder / "calc.py").read_text() != BUGGY


def test_the_conversation_leaves_what_was_changed_since_when_that_is_said(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = tmp_path_factory.mktemp("state")
    talk(folder, state, ["Fix it."], [READ, EDIT, COMMAND, SAID])
    (folder / "calc.py").write_text("mine\n")
    screen = talk(folder, state, ["/undo", "/undo 3", "/undo --skip-changed", "/redo"], [])
    assert "! the task was not taken back: calc.py has been changed since the task ended" in screen
    assert "/undo takes the last task alone; behind it may stand --skip-changed or --cut-off" in screen
    assert "! calc.py stays as it is: it was changed since\nundone: Fix it." in screen
    assert (folder / "calc.py").read_text() == "mine\n"
    assert (folder / "made.txt").exists()


def test_a_conversation_that_keeps_nothing_says_so(folder: Path) -> None:
    assert "nothing is kept here" in talk(folder, None, ["/undo"], [])


# ------------------------------------------------------------------ the agent


def test_a_cancelled_turn_is_kept_too(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    state, before = tmp_path_factory.mktemp("state"), seen(folder)
    go, gone = folder / "go", folder / "gone"
    for pipe in (go, gone):
        os.mkfifo(pipe)
    line = "printf x > made.txt; printf y > calc.py; printf ready > go; cat gone"
    scene = Scene(folder, [call("run", command=line)], settings={"sandbox": "off"})
    scene.place = replace(scene.place, state=state)

    async def cancelled() -> None:
        running = asyncio.create_task(scene.run())
        assert await asyncio.to_thread(go.read_text) == "ready"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    assert seen(folder) != before
    Kept(folder, state).past.undo()
    assert seen(folder) == before


def test_a_refused_write_into_gits_own_folder_spoils_no_record(folder: Path, capsys: Capture) -> None:
    run_once(folder, capsys, READ, EDIT, call("write_file", content="x", path=".git/config"), SAID)
    (turn,) = qagent(capsys, "undo", "--list", "--json", "-C", str(folder)).json["tasks"]
    assert turn["files"] == ["calc.py"]


@pytest.mark.parametrize("reply", [READ, call("run", command="ls"), call("run", command="cat calc.py")])
def test_a_run_that_only_reads_keeps_nothing(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, reply: str
) -> None:
    state = tmp_path_factory.mktemp("state")
    scene = Scene(folder, [reply, "It subtracts."])
    scene.place = replace(scene.place, state=state)
    asyncio.run(scene.run("What is it?"))
    assert list(state.iterdir()) == []
    assert git(folder, "for-each-ref", "refs/qagent") == ""


def loads_git(words: list[str]) -> bool:
    code = (
        f"import sys\nfrom qagent.__main__ import main\nsys.argv[1:] = {words!r}\nmain()\nprint('git' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    return ran.stdout.splitlines()[-1] == "True"


def test_gitpython_is_loaded_when_something_changes_and_not_before(folder: Path) -> None:
    assert not loads_git(["--version"])
    assert not loads_git(["undo", "--list", "-C", str(folder)])
    for replies, loaded in (([READ, "It subtracts."], False), ([READ, EDIT, SAID], True)):
        with LoopbackOllama(replies) as server:
            assert loads_git(["-p", "Fix the bug.", "-C", str(folder), "--host", server.url, "-q"]) is loaded


def test_a_check_of_the_persons_is_part_of_the_turn(folder: Path, capsys: Capture) -> None:
    before = seen(folder)
    with LoopbackOllama([READ, EDIT, SAID]) as server:
        ran = qagent(
            capsys, "-p", "Fix the bug.", "-C", str(folder), "--host", server.url, "--mode", "auto",
            "--set", "check_command=printf x > formatted.txt",
        )  # fmt: skip
    assert ran.code == 0, ran.err
    assert (folder / "formatted.txt").exists()
    qagent(capsys, "undo", "-C", str(folder))
    assert seen(folder) == before


def test_a_command_is_not_counted_as_the_test_of_the_agent(folder: Path, capsys: Capture) -> None:
    run_once(folder, capsys, READ, EDIT, RUN, SAID)
    (turn,) = qagent(capsys, "undo", "--list", "--json", "-C", str(folder)).json["tasks"]
    assert turn["files"] == ["calc.py"]

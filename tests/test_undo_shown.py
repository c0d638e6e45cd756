"""What `undo`, `redo` and `sessions diff` say: counts, tasks without an end, what is not back, one shape of JSON."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command import Ran, qagent
from kept_turns import Kept, git, seen
from scripted_agent import repository, write_files

from qagent.config import folders
from qagent.workspace.journal import Journal
from qagent.workspace.kept_by_copies import BY_COMMANDS
from qagent.workspace.kept_by_git import MOVED
from qagent.workspace.undoing import Ways

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Three tasks, in the state that the command line uses."""
    return Kept(repository(tmp_path), folders(os.environ).state)


def three(kept: Kept) -> list[dict[str, tuple[int, bytes]]]:
    states = [seen(kept.root)]
    for number in "123":
        kept.turn(kept.write("calc.py", number), kept.shell(f"printf x > {number}; rm -f test_calc.py"), task=number)
        states.append(seen(kept.root))
    return states


def run(kept: Kept, capsys: Capture, *words: str) -> Ran:
    return qagent(capsys, *words, "-C", str(kept.root))


# ------------------------------------------------------------------ several at once


def test_a_dry_run_shows_every_task_that_would_be_taken_back(kept: Kept, capsys: Capture) -> None:
    states = three(kept)
    ran = run(kept, capsys, "undo", "3", "-n")
    assert [line for line in ran.err.splitlines() if "undo:" in line] == ["undo: 3", "undo: 2", "undo: 1"]
    assert ran.out.count("\ncalc.py ") == 3
    assert "test_calc.py | back, " in ran.out
    assert seen(kept.root) == states[3]
    run(kept, capsys, "undo", "2")
    assert seen(kept.root) == states[1]
    assert [row["task"] for row in run(kept, capsys, "redo", "2", "-n", "--json").json["tasks"]] == ["2", "3"]
    assert seen(kept.root) == states[1]


def test_a_dry_run_ends_where_the_undo_would(kept: Kept, capsys: Capture) -> None:
    three(kept)
    (kept.root / "2").write_text("mine")
    for words, done in ((["-n"], "would be taken back"), ([], "taken back; `qagent redo` reverses that")):
        ran = run(kept, capsys, "undo", "3", *words)
        assert ran.code == 3
        assert ran.err.splitlines()[-3:-1] == [
            "qagent: the task was not taken back: 2 has been changed since the task ended",
            f"  1 of 3 tasks {done}",
        ]


def test_a_dry_run_of_a_task_that_was_cut_off_leaves_it_so(kept: Kept, capsys: Capture) -> None:
    cut_off(kept)
    assert run(kept, capsys, "undo", "-n", "--cut-off").out.splitlines()[-1] == "1 file"
    assert kept.past.turns()[-1].state == "open"


@pytest.mark.parametrize("more", [["3"], ["1"], ["-n"], ["--skip-changed"], ["--cut-off"]])
def test_a_list_takes_nothing_beside_it(kept: Kept, capsys: Capture, more: list[str]) -> None:
    ran = run(kept, capsys, "undo", "--list", *more)
    assert (ran.code, "--list only shows" in ran.err) == (2, True)


@pytest.mark.parametrize("count", ["x", "0", "1.5", "\u0663", "1e3"])
def test_what_is_no_count_is_told_in_our_own_words(kept: Kept, capsys: Capture, count: str) -> None:
    for verb in ("undo", "redo"):
        ran = run(kept, capsys, verb, count)
        assert (ran.code, ran.err.splitlines()[0]) == (2, f"qagent: {count} is no number of tasks")


def test_quiet_says_nothing_and_redo_lists_too(kept: Kept, capsys: Capture) -> None:
    three(kept)
    assert run(kept, capsys, "undo", "-q").err == ""
    assert run(kept, capsys, "redo", "--list").out == run(kept, capsys, "undo", "--list").out
    assert run(kept, capsys, "redo", "-q").err == ""


# ------------------------------------------------------------------ a task without an end


def cut_off(kept: Kept) -> None:
    kept.turn(kept.write("calc.py", "1"), task="long work")
    (record,) = Journal.of(kept.state, kept.root).home.glob("turns/*.json")
    record.write_bytes(record.read_bytes().replace(b'"state": "done"', b'"state": "open"'))


def test_a_task_that_runs_and_one_that_was_killed_are_told_apart(kept: Kept, capsys: Capture) -> None:
    cut_off(kept)
    held = Journal.of(kept.state, kept.root).together()
    for state in ("at work", "cut off"):
        line = run(kept, capsys, "undo", "--list").out
        assert line.split("  ", 1)[1].split() == [*state.split(), "not", "counted", "yet", "long", "work"]
        (row,) = run(kept, capsys, "undo", "--list", "--json").json["tasks"]
        assert (row["state"], row["files"]) == (state, None)
        ran = run(kept, capsys, "sessions", "diff")
        assert (ran.code, ran.out, "what it changed is not counted yet" in ran.err) == (0, "", True)
        assert ("--cut-off" in ran.err) == (state == "cut off")
        if state == "at work":
            os.close(held)


# ------------------------------------------------------------------ what is not back


def test_without_git_it_is_told_that_what_commands_did_is_not_back(tmp_path: Path, capsys: Capture) -> None:
    kept = Kept(write_files(tmp_path), folders(os.environ).state)
    kept.turn(kept.write("calc.py", "1"), kept.shell("rm test_calc.py"))
    assert kept.told == [f"undo leaves out: {BY_COMMANDS}"]
    assert f"! not in it: {BY_COMMANDS}\n" in run(kept, capsys, "sessions", "diff").err
    assert f"! not taken back: {BY_COMMANDS}\n" in run(kept, capsys, "undo").err
    assert "not taken back" not in run(kept, capsys, "redo").err
    kept.turn(kept.write("calc.py", "2"))
    assert "not taken back" not in run(kept, capsys, "undo").err


COMMIT = "git -c user.name=t -c user.email=t@example.invalid"
GITS = {
    "a commit": f"printf x > calc.py && {COMMIT} commit -qam x",
    "an amended commit": f"printf x > calc.py && {COMMIT} commit -qa --amend -m x",
    "a stash": f"printf x > new && printf y >> calc.py && {COMMIT} stash -q",
    "another branch": "git checkout -q -b other && printf x > new",
}


@pytest.mark.parametrize("line", GITS.values(), ids=GITS.keys())
def test_it_is_told_that_commits_and_stashes_are_not_back(kept: Kept, capsys: Capture, line: str) -> None:
    kept.turn(kept.shell(line))
    assert kept.told == [f"undo leaves out: {MOVED}"]
    head = git(kept.root, "rev-parse", "HEAD")
    ran = run(kept, capsys, "undo")
    assert (ran.code, f"! not taken back: {MOVED}\n" in ran.err) == (0, True)
    assert git(kept.root, "rev-parse", "HEAD") == head


def test_a_command_that_leaves_git_alone_is_told_nothing_of_it(kept: Kept) -> None:
    kept.turn(kept.shell("printf x > new; git status; git add new; git tag t"))
    assert kept.told == []


def test_a_first_commit_is_told_too(kept: Kept) -> None:
    git(kept.root, "update-ref", "-d", "HEAD")
    kept.turn(kept.shell(f"printf x > calc.py; git add -A; {COMMIT} commit -qm x"))
    assert kept.told == [f"undo leaves out: {MOVED}"]


def test_a_head_that_leads_nowhere_stops_nothing(kept: Kept) -> None:
    (kept.root / ".git/refs/heads/main").write_text("1" * 40 + "\n")
    kept.turn(kept.write("calc.py", "1"), kept.shell("printf x > new"))
    assert kept.told == []
    assert len(kept.past.turns()[0].changes) == 2


# ------------------------------------------------------------------ JSON, and nothing at all


def test_the_json_has_one_shape_however_it_ends(kept: Kept, capsys: Capture) -> None:
    three(kept)
    done, over, none = (run(kept, capsys, "undo", "2", "--json") for _ in range(3))
    assert [ran.code for ran in (done, over, none)] == [0, 3, 3]
    assert [ran.json["exit"] for ran in (done, over, none)] == [0, 3, 3]
    assert [ran.json["done"] for ran in (done, over, none)] == [True, True, False]
    assert [len(ran.json["tasks"]) for ran in (done, over, none)] == [2, 1, 0]
    assert done.json.keys() == over.json.keys() == none.json.keys()
    assert {ran.json["kind"] for ran in (done, over, none)} == {"undo"}
    assert None not in over.json.values()
    elsewhere = qagent(capsys, "redo", "--json", "-C", str(kept.root / "nowhere"))
    assert (elsewhere.code, elsewhere.json.keys(), elsewhere.json["kind"]) == (2, done.json.keys(), "redo")


def test_nothing_to_list_and_nothing_to_diff_are_no_errors(kept: Kept, capsys: Capture) -> None:
    for words in (["undo", "--list"], ["sessions", "diff"]):
        ran = run(kept, capsys, *words)
        assert (ran.code, ran.out, ran.err) == (
            0,
            "",
            "no task that changed files here is kept: the last 50 are, of two weeks at most\n",
        )


def test_the_diff_can_be_applied_byte_for_byte(kept: Kept, capsys: Capture, tmp_path: Path) -> None:
    before = seen(kept.root)
    kept.turn(
        kept.write("calc.py", "a\r\nb\x1b\f\n"), kept.shell("rm test_calc.py; printf x > 'a b'; chmod +x calc.py")
    )
    patch = tmp_path.with_name(f"{tmp_path.name}-patch")
    patch.write_bytes(run(kept, capsys, "sessions", "diff").out.encode())
    git(kept.root, "apply", "-R", str(patch))
    assert seen(kept.root) == before


def test_a_look_ahead_knows_what_earlier_steps_make_way_for(kept: Kept) -> None:
    kept.turn(kept.shell("rm calc.py; mkdir calc.py; printf x > calc.py/inner"))
    kept.turn(kept.shell("printf y > calc.py/other"))
    last = kept.past.undo(Ways(only_look=True))
    assert len(kept.past.undo(Ways(only_look=True, as_if=(last,))).changes) == 2

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from kept_trees import FILES, in_repository, without_git
from kept_turns import Kept, Meanwhile, git, seen

from qagent.errors import UndoProblem
from qagent.workspace.keeping import TurnKeep
from qagent.workspace.kept_by_git import KeptByGit
from qagent.workspace.spans import Span
from qagent.workspace.turns import Turn
from qagent.workspace.undoing import Ways


@pytest.fixture(params=[without_git, in_repository], ids=["without git", "with git"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return request.param(tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return in_repository(tmp_path)


# ------------------------------------------------------------------ the person's own work


def test_uncommitted_work_from_before_the_turn_survives(kept: Kept) -> None:
    (kept.root / "a.py").write_text("mine, not committed")
    (kept.root / "untracked").write_text("mine too")
    git(kept.root, "rm", "-q", "--cached", "keep.md")
    before, status = seen(kept.root), git(kept.root, "status", "--porcelain")
    kept.turn(kept.shell("printf x > a.py; rm untracked keep.md"))
    kept.past.undo()
    assert seen(kept.root) == before
    assert git(kept.root, "status", "--porcelain") == status


AFTERWARDS = {
    "edited": "printf mine > a.py",
    "deleted": "rm a.py",
    "made a link": "ln -sf keep.md a.py",
    "made a folder with files": "rm a.py && mkdir a.py && printf x > a.py/f",
    "given another mode": "chmod 777 a.py",
    "made a pipe": "rm a.py && mkfifo a.py",
}


@pytest.mark.parametrize("line", AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_a_file_that_was_changed_since_stops_the_undo(kept: Kept, line: str) -> None:
    kept.turn(kept.shell("printf x > a.py; printf y > keep.md"))
    kept.shell(line)()
    now = seen(kept.root)
    with pytest.raises(UndoProblem, match=r"the task was not taken back: a\.py has been changed") as refused:
        kept.past.undo()
    assert "--skip-changed" in refused.value.todo
    assert seen(kept.root) == now
    step = kept.past.undo(Ways(skip_changed=True))
    assert step.skipped == ("a.py",)
    assert (kept.root / "keep.md").read_bytes() == FILES["keep.md"]
    assert {name: what for name, what in seen(kept.root).items() if name != "keep.md"} == {
        name: what for name, what in now.items() if name != "keep.md"
    }
    kept.past.redo()
    assert seen(kept.root) == now


def test_a_new_file_that_was_changed_since_is_not_removed(kept: Kept) -> None:
    kept.turn(kept.write("new.txt", "theirs"))
    (kept.root / "new.txt").write_text("mine now")
    with pytest.raises(UndoProblem, match=r"new\.txt"):
        kept.past.undo()
    assert (kept.root / "new.txt").read_text() == "mine now"


def test_a_folder_of_the_turn_stays_when_something_else_is_in_it(kept: Kept) -> None:
    kept.turn(kept.write("x/new.txt", "theirs"))
    (kept.root / "x/mine").write_text("mine")
    kept.past.undo()
    assert sorted(path.name for path in (kept.root / "x").iterdir()) == ["mine"]


def test_an_ignored_file_in_the_way_stops_the_undo(kept: Kept) -> None:
    kept.turn(kept.shell("rm a.py && mkdir a.py && printf x > a.py/inner && printf y > a.py/x.log"))
    with pytest.raises(UndoProblem, match=r"a\.py has been changed"):
        kept.past.undo()
    assert (kept.root / "a.py/inner").exists()


def test_what_the_person_changed_since_elsewhere_is_left_alone(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "theirs"))
    (kept.root / "keep.md").write_text("mine")
    (kept.root / "other").write_text("mine")
    kept.past.undo()
    assert (kept.root / "keep.md").read_text() == (kept.root / "other").read_text() == "mine"


def test_a_file_that_the_person_put_back_by_hand_counts_as_done(kept: Kept) -> None:
    kept.turn(kept.shell("printf x > a.py; printf y > keep.md"))
    (kept.root / "a.py").write_bytes(FILES["a.py"])
    assert [change.path for change in kept.past.undo().changes] == ["keep.md"]


def test_what_somebody_changed_while_no_tool_was_at_work_is_not_the_turns(kept: Kept) -> None:
    turn = Turn("20261120-000000", str(kept.root), "do it", "s", "2026-11-20T00:00:00+00:00", "git")
    home = kept.state / "home"
    begun = KeptByGit.begin(kept.root, home, turn)
    (kept.root / "a.py").write_text("changed")
    (kept.root / "keep.md").unlink()
    asleep = begun.end(turn, (Span(0, 1),))
    assert [change.path for change in asleep.changes] == ["keep.md"]  # of what is gone nobody knows when it went
    assert asleep.left == ("a.py was changed by somebody else meanwhile",)
    assert len(begun.end(turn, (Span(0, time.time_ns()),)).changes) == 2


# ------------------------------------------------------------------ while a turn runs


def mine(kept: Kept, path: str, text: str = "mine") -> Meanwhile:
    return Meanwhile(lambda: (kept.root / path).write_text(text))


def gone(kept: Kept, path: str) -> Meanwhile:
    return Meanwhile((kept.root / path).unlink)


def test_another_file_that_the_person_edits_meanwhile_is_not_the_turns(either: Kept) -> None:
    kept = either
    kept.turn(kept.write("a.py", "theirs"), mine(kept, "keep.md"), mine(kept, "new"), kept.write("a.py", "theirs, too"))
    kept.past.undo()
    assert [(kept.root / name).read_text() for name in ("keep.md", "new")] == ["mine", "mine"]
    assert (kept.root / "a.py").read_bytes() == FILES["a.py"]


def test_a_file_that_the_person_removes_meanwhile_stays_away(either: Kept) -> None:
    kept = either
    kept.turn(kept.write("a.py", "theirs"), gone(kept, "keep.md"))
    kept.past.undo()
    assert not (kept.root / "keep.md").exists()


def test_what_the_person_wrote_before_the_first_edit_of_a_file_comes_back(either: Kept) -> None:
    kept = either
    kept.turn(
        kept.write("sub/b.txt", "theirs"),
        mine(kept, "a.py"),
        mine(kept, "new"),
        gone(kept, "keep.md"),
        *(kept.write(name, "theirs") for name in ("a.py", "new", "keep.md")),
    )
    after = seen(kept.root)
    kept.past.undo()
    assert [(kept.root / name).read_text() for name in ("a.py", "new")] == ["mine", "mine"]
    assert not (kept.root / "keep.md").exists()
    kept.past.redo()
    assert seen(kept.root) == after


@pytest.mark.parametrize("last", [True, False], ids=["and a tool after them", "last of all"])
def test_a_file_that_the_person_edits_between_edits_is_never_taken_back(either: Kept, last: bool) -> None:
    kept = either
    more = [kept.write("a.py", "mine and theirs")] if last else []
    kept.turn(kept.write("a.py", "theirs"), kept.write("sub/b.txt", "theirs"), mine(kept, "a.py"), *more)
    now = (kept.root / "a.py").read_bytes()
    if kept.told == ["undo leaves out: a.py was changed by somebody else meanwhile"]:
        kept.past.undo()
    else:
        with pytest.raises(UndoProblem, match=r"a\.py has been changed since the task ended"):
            kept.past.undo()
        kept.past.undo(Ways(skip_changed=True))
    assert (kept.root / "a.py").read_bytes() == now
    assert (kept.root / "sub/b.txt").read_bytes() == FILES["sub/b.txt"]


def test_a_mode_that_the_person_changes_between_edits_stays(kept: Kept) -> None:
    chmod = Meanwhile(lambda: (kept.root / "a.py").chmod(0o600))
    kept.turn(kept.write("a.py", "1"), chmod, kept.write("a.py", "2"), kept.write("keep.md", "3"))
    kept.past.undo()
    assert (kept.root / "a.py").stat().st_mode & 0o777 == 0o600


def test_an_edit_of_what_a_command_of_the_turn_wrote_is_the_turns(kept: Kept) -> None:
    before = seen(kept.root)
    kept.turn(
        kept.shell("printf x > a.py; printf y > made; rm keep.md"),
        *(kept.write(name, "edited") for name in ("a.py", "made", "keep.md")),
        kept.shell("printf z >> a.py"),
        kept.write("a.py", "again"),
    )
    kept.past.undo()
    assert seen(kept.root) == before
    assert kept.told == []


# ------------------------------------------------------------------ between the steps


BETWEEN = {
    "edits it": "printf mine > a.py",
    "removes it": "rm a.py",
    "changes its mode": "chmod 600 a.py",
    "links it": "ln -sf keep.md a.py",
    "makes the new file": "printf mine > new",
    "makes a folder of the new file": "mkdir new && printf mine > new/file",
}


@pytest.mark.parametrize("line", BETWEEN.values(), ids=BETWEEN.keys())
def test_what_the_person_does_between_undo_and_redo_stops_the_redo(kept: Kept, line: str) -> None:
    kept.turn(kept.shell("printf x > a.py; printf y > new; printf z > keep.md"))
    kept.past.undo()
    kept.shell(line)()
    now = seen(kept.root)
    with pytest.raises(UndoProblem, match=r"the task was not done again: .* since the undo"):
        kept.past.redo()
    assert seen(kept.root) == now
    step = kept.past.redo(Ways(skip_changed=True))
    changed = {name: what for name, what in seen(kept.root).items() if now.get(name) != what}
    assert set(changed) == {"keep.md", "a.py", "new"} - set(step.skipped)


def test_the_turn_in_the_middle_is_reached_from_the_last_one_on(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"), task="first")
    after_first = seen(kept.root)
    kept.turn(kept.write("a.py", "2"), kept.write("two", "2"), task="second")
    (kept.root / "keep.md").write_text("mine")
    kept.turn(kept.write("keep.md", "3"), kept.write("three", "3"), task="third")
    (kept.root / "three").write_text("mine, too")
    with pytest.raises(UndoProblem, match="three has been changed since the task ended"):
        kept.past.undo()
    assert kept.past.undo(Ways(skip_changed=True)).turn.task == "third"
    assert kept.past.undo().turn.task == "second"
    assert seen(kept.root) == {**after_first, "keep.md": (0o644, b"mine"), "three": (0o644, b"mine, too")}


# ------------------------------------------------------------------ two of us


def test_two_that_take_turns_are_taken_back_in_the_order_of_time(either: Kept) -> None:
    kept, states = either, [seen(either.root)]
    for number in range(4):
        kept.turn(kept.write("a.py", f"{number}"), session=f"session-{number % 2}")
        states.append(seen(kept.root))
    for state in reversed(states[:-1]):
        kept.past.undo()
        assert seen(kept.root) == state


@pytest.mark.parametrize("order", ["the first ends first", "the second ends first"])
@pytest.mark.parametrize("same", [False, True], ids=["two files", "one file"])
def test_of_two_turns_at_once_neither_takes_back_what_the_other_did(either: Kept, order: str, same: bool) -> None:
    kept, before = either, seen(either.root)
    names = ("a.py", "a.py" if same else "keep.md")

    async def both() -> None:
        keeps = [TurnKeep(kept.root, kept.state, name) for name in ("one", "two")]
        for number, (keep, name) in enumerate(zip(keeps, names, strict=True)):
            keep.begin(str(number))
            await keep.before_change(name)
            (kept.root / name).write_text(f"by {number}")
            await keep.after_change(name)
        for keep in keeps if order == "the first ends first" else reversed(keeps):
            await keep.after_turn()

    asyncio.run(both())
    assert [[change.path for change in turn.changes] for turn in kept.past.turns()][-1] == [names[1]]
    kept.past.undo()
    if not same:
        assert (kept.root / "a.py").read_text() == "by 0"
        kept.past.undo()
        assert seen(kept.root) == before
    else:
        assert (kept.root / "a.py").read_text() == "by 0"

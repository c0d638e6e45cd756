from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kept_turns import Kept, git, seen

from qagent.errors import UndoProblem
from qagent.workspace.journal import MOST_TURNS, Journal, new_id
from qagent.workspace.kept_by_git import KeptByGit
from qagent.workspace.turns import Turn
from qagent.workspace.undoing import Ways

FILES = {"a.py": b"one\r\ntwo\n", "sub/b.txt": b"b", "sub/deep/c.bin": b"\0\xff", "keep.md": b"# keep\n"}


def fill(root: Path) -> None:
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "sub/b.txt").chmod(0o600)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("a.py")
    (root / "dangling").symlink_to("nowhere/at all")


@pytest.fixture
def plain(tmp_path: Path) -> Kept:
    """A folder without git."""
    root = tmp_path / "work"
    root.mkdir()
    fill(root)
    return Kept(root, tmp_path / "state")


@pytest.fixture
def kept(plain: Kept) -> Kept:
    """A repository with everything committed but what a rule ignores."""
    git(plain.root, "init", "-q", "-b", "main")
    (plain.root / ".gitignore").write_text("*.log\nbuild/\n")
    git(plain.root, "add", "-A")
    git(plain.root, "commit", "-q", "-m", "start")
    return plain


CHANGES = {
    "an edit": "printf x >> a.py",
    "a new file": "printf x > new.txt",
    "a new file in new folders": "mkdir -p x/y && printf x > x/y/z",
    "a deleted file": "rm a.py",
    "a deleted folder": "rm -r sub",
    "a renamed file": "mv a.py b.py",
    "a right to run": "chmod +x a.py",
    "a right that git does not know": "chmod 640 a.py",
    "a link": "ln -s sub other",
    "a link that leads elsewhere": "ln -sfn keep.md link",
    "a file that becomes a link": "rm a.py && ln -s keep.md a.py",
    "a link that becomes a file": "rm link && printf x > link",
    "a file that becomes a folder": "rm a.py && mkdir a.py && printf x > a.py/inner",
    "a folder that becomes a file": "rm -r sub && printf x > sub",
    "a folder that becomes a link": "mv sub moved && ln -s moved sub",
    "a rewritten file of the same size": "printf 'ONE\\r\\nTWO\\n' > a.py",
    "an empty file": ": > empty && : > a.py",
    "odd names": "printf x > 'a b\"c\\d' && printf y > '-n' && printf z > \"$(printf 'new\\nline\\r')\"",
    "a name that is no UTF-8": "printf x > \"$(printf '\\377\\376')\"",
    "a commit": "printf x > a.py && git add -A && git -c user.name=t -c user.email=e commit -qm x",
    "everything": "rm -r a.py sub link run.sh && mkdir -p sub/deep && printf 1 > sub/deep/c.bin && printf 2 > a",
}


@pytest.mark.parametrize("line", CHANGES.values(), ids=CHANGES.keys())
def test_what_a_command_did_is_taken_back_and_done_again(kept: Kept, line: str) -> None:
    before = seen(kept.root)
    kept.turn(kept.shell(line))
    after = seen(kept.root)
    assert after != before
    kept.past.undo()
    assert seen(kept.root) == before
    kept.past.redo()
    assert seen(kept.root) == after
    kept.past.undo()
    assert seen(kept.root) == before
    assert kept.told == []


@pytest.mark.parametrize("where", ["plain", "kept"])
def test_what_edits_did_is_taken_back_with_and_without_git(where: str, request: pytest.FixtureRequest) -> None:
    kept: Kept = request.getfixturevalue(where)
    before = seen(kept.root)
    kept.turn(kept.write("a.py", "new"), kept.write("x/y.txt", "y"), kept.write("sub/b.txt", "B"))
    after = seen(kept.root)
    kept.past.undo()
    assert seen(kept.root) == before
    assert not (kept.root / "x").exists()
    kept.past.redo()
    assert seen(kept.root) == after


def test_turns_are_taken_back_one_after_the_other(kept: Kept) -> None:
    states = [seen(kept.root)]
    for text in ("1", "2", "3"):
        kept.turn(kept.write("a.py", text), task=text)
        states.append(seen(kept.root))
    for at in (2, 1, 0):
        assert kept.past.undo().turn.task == str(at + 1)
        assert seen(kept.root) == states[at]
    with pytest.raises(UndoProblem, match="nothing to undo"):
        kept.past.undo()
    for at in (1, 2, 3):
        assert kept.past.redo().turn.task == str(at)
        assert seen(kept.root) == states[at]
    with pytest.raises(UndoProblem, match="nothing to redo"):
        kept.past.redo()


def test_after_a_new_turn_there_is_nothing_to_redo(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    kept.past.undo()
    kept.turn(kept.write("a.py", "2"))
    with pytest.raises(UndoProblem, match="nothing to redo"):
        kept.past.redo()
    kept.past.undo()
    assert (kept.root / "a.py").read_bytes() == FILES["a.py"]


def test_a_turn_that_changed_nothing_is_no_turn(kept: Kept) -> None:
    kept.turn(kept.shell("cat a.py; touch a.py; printf x > y; rm y"))
    assert kept.past.turns() == []
    assert git(kept.root, "for-each-ref", "refs/qagent") == ""


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
    with pytest.raises(UndoProblem, match=r"nothing was changed: a\.py has been changed") as refused:
        kept.past.undo()
    assert "--skip-changed" in refused.value.todo
    assert seen(kept.root) == now
    step = kept.past.undo(Ways(skip_changed=True))
    assert step.kept_back == ("a.py",)
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
    asleep = begun.end(turn, ((0, 1),))
    assert [change.path for change in asleep.changes] == ["keep.md"]  # of what is gone nobody knows when it went
    assert asleep.left == ("a.py was changed by somebody else meanwhile",)
    assert len(begun.end(turn, ((0, time.time_ns()),)).changes) == 2


# ------------------------------------------------------------------ ignored files, and rules that change


def test_an_ignored_file_is_kept_when_an_edit_names_it(kept: Kept) -> None:
    (kept.root / "x.log").write_text("old")
    before = seen(kept.root)
    kept.turn(kept.write("x.log", "new"), kept.write("build/out", "made"), kept.write("x.log", "newer"))
    after = seen(kept.root)
    kept.past.undo()
    assert seen(kept.root) == before
    kept.past.redo()
    assert seen(kept.root) == after


def test_a_file_that_only_the_rules_hid_is_not_removed(kept: Kept) -> None:
    (kept.root / "secret.log").write_text("mine")
    before = seen(kept.root)
    kept.turn(kept.shell("printf '' > .gitignore; printf x > new.txt; touch secret.log"))
    kept.past.undo()
    assert seen(kept.root) == before
    assert any("secret.log was ignored before" in told for told in kept.told)


def test_a_file_that_the_rules_hide_since_the_turn_is_not_removed_by_redo(kept: Kept) -> None:
    (kept.root / "notes.txt").write_text("mine")
    before = seen(kept.root)
    kept.turn(kept.shell("echo notes.txt >> .gitignore"))
    after = seen(kept.root)
    kept.past.undo()
    assert seen(kept.root) == before
    kept.past.redo()
    assert seen(kept.root) == after


# ------------------------------------------------------------------ what cannot be kept


def test_a_file_that_is_too_large_is_left_out_and_told(kept: Kept) -> None:
    with (kept.root / "big.iso").open("wb") as file:
        file.truncate(60 << 20)
    kept.turn(kept.shell("printf x > a.py; truncate -s 61M big.iso"))
    assert kept.told == ["not kept for undo: big.iso has 60 MB, too many to keep",
                         "undo leaves out: big.iso has 61 MB, too many to keep"]  # fmt: skip
    kept.past.undo()
    assert (kept.root / "big.iso").stat().st_size == 61 << 20


def test_a_notice_is_told_once_a_session(kept: Kept) -> None:
    with (kept.root / "big.iso").open("wb") as file:
        file.truncate(60 << 20)
    kept.turn(kept.write("a.py", "1"))
    kept.turn(kept.write("a.py", "2"))
    assert kept.told == ["not kept for undo: big.iso has 60 MB, too many to keep"]


def test_that_an_untracked_secret_is_kept_in_the_repository_is_told(kept: Kept) -> None:
    (kept.root / ".env").write_text("KEY=1")
    kept.turn(kept.write("a.py", "1"))
    assert kept.told == [".env is not ignored: undo keeps its text in this repository's own objects"]


# ------------------------------------------------------------------ records


def aged(kept: Kept, days: int) -> None:
    for record in kept.state.glob("undo/*/turns/*.json"):
        told = json.loads(record.read_bytes())
        told["begun"] = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        record.write_text(json.dumps(told))


def test_turns_are_let_go_when_they_are_old(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    aged(kept, 13)
    kept.turn(kept.write("a.py", "2"))
    assert len(kept.past.turns()) == 2
    aged(kept, 15)
    kept.turn(kept.write("a.py", "3"))
    assert len(kept.past.turns()) == 1
    assert len(git(kept.root, "for-each-ref", "refs/qagent").splitlines()) == 2


def test_only_so_many_turns_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "home")
    journal.prepare()
    now = datetime.now(UTC)
    for _ in range(MOST_TURNS + 2):
        journal.save(Turn(new_id(datetime.now(UTC)), "/r", "t", "s", now.isoformat(), "git"))
    assert journal.too_old(now) == list(reversed(journal.turns()[:2]))


def test_copies_that_no_turn_needs_are_removed(plain: Kept) -> None:
    for number in range(3):
        plain.turn(plain.write("a.py", str(number)))
    aged(plain, 15)
    plain.turn(plain.write("a.py", "last"))
    assert len(list(plain.state.glob("undo/*/copies/*/*"))) == 2


def test_records_that_are_torn_or_lead_outside_are_passed_over(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    (record,) = kept.state.glob("undo/*/turns/*.json")
    good = record.read_bytes()
    outside, own = good.replace(b'"a.py"', b'"../a.py"'), good.replace(b'"a.py"', b'".git/config"')
    newer = good.replace(b'"version": 1', b'"version": 2')
    for bad in (b"", b"{", b"[]", b"null", good[:-20], outside, own, newer):
        record.write_bytes(bad)
        assert kept.past.turns() == []
    record.write_bytes(good)
    kept.past.undo()


def test_a_snapshot_that_was_thrown_away_is_told(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    for ref in git(kept.root, "for-each-ref", "--format=%(refname)", "refs/qagent").split():
        git(kept.root, "update-ref", "-d", ref)
    (kept.root / "a.py").write_bytes(FILES["a.py"])  # what HEAD holds stays readable
    kept.turn(kept.write("b.py", "only here"))
    for ref in git(kept.root, "for-each-ref", "--format=%(refname)", "refs/qagent").split():
        git(kept.root, "update-ref", "-d", ref)
    kept.past.undo()
    git(kept.root, "prune", "--expire=now")
    with pytest.raises(UndoProblem, match="cannot be read: the snapshot is not in the repository any more"):
        kept.past.redo()
    assert not (kept.root / "b.py").exists()


def test_a_later_snapshot_does_not_trust_what_was_thrown_away(kept: Kept) -> None:
    (kept.root / "mine").write_text("untracked")
    kept.turn(kept.write("a.py", "1"))
    for ref in git(kept.root, "for-each-ref", "--format=%(refname)", "refs/qagent").split():
        git(kept.root, "update-ref", "-d", ref)
    git(kept.root, "prune", "--expire=now")
    kept.turn(kept.shell("rm mine"))
    kept.past.undo()
    assert (kept.root / "mine").read_text() == "untracked"


# ------------------------------------------------------------------ the disk refuses


def test_a_folder_that_became_a_link_is_not_followed(kept: Kept, tmp_path: Path) -> None:
    kept.turn(kept.shell("printf x > sub/b.txt; rm sub/deep/c.bin"))
    outside = tmp_path / "outside"
    (kept.root / "sub").rename(outside)
    (kept.root / "sub").symlink_to(outside)
    before = seen(outside)
    with pytest.raises(UndoProblem, match=r"sub/b\.txt"):
        kept.past.undo()
    assert seen(outside) == before


def test_an_undo_waits_for_a_turn_that_runs(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    journal = Journal.of(kept.state, kept.root)
    held = journal.together()
    with pytest.raises(UndoProblem, match="a task is at work"):
        kept.past.undo()
    os.close(held)
    kept.past.undo()


def test_when_the_new_bytes_do_not_fit_nothing_is_changed(kept: Kept) -> None:
    # RLIMIT_FSIZE is a full disk for one process
    (kept.root / "large").write_bytes(os.urandom(300_000))
    kept.turn(kept.shell("rm large; printf x > a.py; printf y > new"))
    now = seen(kept.root)
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom qagent.errors import UndoProblem\n"
        "from qagent.workspace.undoing import Past\n"
        f"past = Past(Path({str(kept.root)!r}), Path({str(kept.state)!r}))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    past.undo()\nexcept UndoProblem as error:\n    print(error.what)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert ran.stdout == "the files cannot be put back: File too large\n"
    assert seen(kept.root) == now
    kept.past.undo()
    assert (kept.root / "large").exists()

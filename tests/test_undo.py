from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kept_trees import FILES, in_repository, without_git
from kept_turns import Kept, git, seen

from qagent.errors import UndoProblem
from qagent.workspace.journal import Journal
from qagent.workspace.turns import decode


@pytest.fixture
def plain(tmp_path: Path) -> Kept:
    return without_git(tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return in_repository(tmp_path)


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
    with pytest.raises(UndoProblem, match="nothing left to undo: all tasks are taken back"):
        kept.past.undo()
    for at in (1, 2, 3):
        assert kept.past.redo().turn.task == str(at)
        assert seen(kept.root) == states[at]
    with pytest.raises(UndoProblem, match="nothing left to redo"):
        kept.past.redo()


def test_after_a_new_turn_there_is_nothing_to_redo(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    kept.past.undo()
    kept.turn(kept.write("a.py", "2"))
    with pytest.raises(UndoProblem, match="nothing left to redo"):
        kept.past.redo()
    kept.past.undo()
    assert (kept.root / "a.py").read_bytes() == FILES["a.py"]


def test_a_turn_that_changed_nothing_is_no_turn(kept: Kept) -> None:
    kept.turn(kept.shell("cat a.py; touch a.py; printf x > y; rm y"))
    assert kept.past.turns() == []
    assert git(kept.root, "for-each-ref", "refs/qagent") == ""


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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("begun", "yesterday"),
        ("begun", "2026-11-20T10:00:00"),
        ("begun", "2026-11-20T10:00:00+05:00"),
        ("begun", 5),
        ("task", None),
        ("session", ["a-session"]),
        ("id", 5),
        ("state", "lost"),
        ("state", ["done"]),
        ("store", "tape"),
        ("changes", 5),
        ("changes", [{"path": "a.py", "before": {"blob": "", "mode": "x", "size": 1, "link": False}, "after": None}]),
        ("changes", [{"path": "a.py", "before": {"blob": "", "mode": 0, "size": 1e999, "link": False}, "after": None}]),
        ("odd", ["a.py"]),
        ("usual", "many"),
        ("unknown", 1),
    ],
)
def test_a_record_with_a_value_that_cannot_be_is_passed_over(kept: Kept, key: str, value: object) -> None:
    kept.turn(kept.write("a.py", "1"))
    (record,) = kept.state.glob("undo/*/turns/*.json")
    good = record.read_bytes()
    assert decode(good) is not None
    bad = json.dumps({**json.loads(good), key: value}).encode()
    assert decode(bad) is None
    record.write_bytes(bad)
    assert kept.past.turns() == []
    kept.turn(kept.write("a.py", "2"))
    assert len(kept.past.turns()) == 1


@pytest.mark.parametrize(
    ("task", "title"),
    [("fix it", "fix it"), ("\n fix\nit", "fix"), ("x" * 70, "x" * 60), ("a\x1bb", "a\\x1bb"), (" \n", "untitled")],
)
def test_a_tasks_title_is_its_first_line_cut(kept: Kept, task: str, title: str) -> None:
    kept.turn(kept.write("a.py", "1"), task=task)
    (turn,) = kept.past.turns()
    assert turn.title == title


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

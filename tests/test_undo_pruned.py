from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kept_trees import in_repository, without_git
from kept_turns import Kept, git, seen

from qagent.workspace.journal import MOST_DAYS, MOST_TURNS, Journal, new_id
from qagent.workspace.snapshots import Snapshots
from qagent.workspace.turns import Turn


@pytest.fixture
def plain(tmp_path: Path) -> Kept:
    return without_git(tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return in_repository(tmp_path)


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


def test_records_and_refs_beyond_the_most_go_with_the_next_turn(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "first"))
    (first,) = kept.past.turns()
    journal, now = Journal.of(kept.state, kept.root), datetime.now(UTC)
    others = [Turn(new_id(now), str(kept.root), "t", "s", now.isoformat(), "git", "done") for _ in range(MOST_TURNS)]
    for turn in others:
        journal.save(turn)
    snapshots = Snapshots.open(kept.root, journal.home)
    snapshots.plumbing.move_refs([f"update refs/qagent/turns/{turn.id}/before {first.tree}\n" for turn in others])
    kept.turn(kept.write("a.py", "last"))
    turns = kept.past.turns()
    assert (len(turns), turns[-1].task) == (MOST_TURNS, "do it")
    named = {ref.split("/")[3] for ref in git(kept.root, "for-each-ref", "--format=%(refname)", "refs/qagent").split()}
    assert named == {turn.id for turn in turns}


def is_there(kept: Kept, blob: str) -> bool:
    ran = subprocess.run(["git", "cat-file", "-e", blob], cwd=kept.root, capture_output=True, check=False)
    return ran.returncode == 0


def test_git_removes_what_was_let_go_and_nothing_that_is_kept(kept: Kept) -> None:
    before = seen(kept.root)
    kept.turn(kept.write("old.txt", "only the old turn made this"))
    (kept.root / "old.txt").unlink()
    (old,) = (change.after.blob for change in kept.past.turns()[0].changes if change.after)
    git(kept.root, "gc", "-q", "--prune=now")
    assert is_there(kept, old)
    aged(kept, MOST_DAYS + 1)
    kept.turn(kept.write("new.txt", "only the new turn made this"))
    (new,) = (change.after.blob for change in kept.past.turns()[0].changes if change.after)
    git(kept.root, "gc", "-q", "--prune=now")
    assert (is_there(kept, old), is_there(kept, new)) == (False, True)
    kept.past.undo()
    assert seen(kept.root) == before
    git(kept.root, "gc", "-q", "--prune=now")
    kept.past.redo()
    assert (kept.root / "new.txt").read_text() == "only the new turn made this"


def test_what_a_renamed_repository_keeps_for_old_turns_is_let_go_too(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    (recent,) = kept.past.turns()
    lost = new_id(datetime.now(UTC) - timedelta(days=MOST_DAYS + 1))
    git(kept.root, "update-ref", f"refs/qagent/turns/{lost}/before", recent.tree)
    git(kept.root, "update-ref", f"refs/qagent/turns/{lost}/after", recent.tree)
    git(kept.root, "pack-refs", "--all")
    kept.root = kept.root.rename(kept.root.with_name("renamed"))
    kept.turn(kept.write("a.py", "2"))
    named = {ref.split("/")[3] for ref in git(kept.root, "for-each-ref", "--format=%(refname)", "refs/qagent").split()}
    assert named == {recent.id, kept.past.turns()[-1].id}


def test_what_sessions_were_told_is_forgotten_with_their_turns(kept: Kept) -> None:
    kept.turn(kept.write("a.py", "1"))
    home = Journal.of(kept.state, kept.root).home
    for name in ("told-0123", "told-turns-0123"):
        (home / name).write_text("x done\n")
    long_ago = (datetime.now(UTC) - timedelta(days=MOST_DAYS + 1)).timestamp()
    os.utime(home / "told-0123", (long_ago, long_ago))
    kept.turn(kept.write("a.py", "2"))
    assert not (home / "told-0123").exists()
    assert (home / "told-turns-0123").exists()

"""Files that `--skip-changed` leaves as they are stay part of their task."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import qagent
from kept_trees import FILES, in_repository, without_git
from kept_turns import Kept, seen
from scripted_agent import BUGGY, EDIT, READ, repository

from qagent.errors import UndoProblem
from qagent.testing import LoopbackOllama
from qagent.workspace.keeping import TurnKeep
from qagent.workspace.turn_news import News
from qagent.workspace.turns import decode
from qagent.workspace.undoing import Ways

SKIP = Ways(skip_changed=True)
MINE = b"mine"


@pytest.fixture(params=[in_repository, without_git], ids=["with git", "without git"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """A task changed `a.py` and `keep.md`, then the person changed `a.py`."""
    kept: Kept = request.param(tmp_path)
    kept.turn(kept.write("a.py", "theirs"), kept.write("keep.md", "theirs"))
    (kept.root / "a.py").write_bytes(MINE)
    return kept


def texts(kept: Kept) -> tuple[bytes, bytes]:
    return (kept.root / "a.py").read_bytes(), (kept.root / "keep.md").read_bytes()


def test_what_was_skipped_is_left_by_redo_and_undo_too(kept: Kept) -> None:
    for _ in range(2):
        assert kept.past.undo(SKIP).skipped == ("a.py",)
        assert texts(kept) == (MINE, FILES["keep.md"])
        assert kept.past.redo().notes == ["a.py stays as it is: it was changed since"]
        assert texts(kept) == (MINE, b"theirs")
    assert kept.past.undo().skipped == ("a.py",)


def test_undo_takes_the_rest_back_once_the_persons_change_is_gone(kept: Kept) -> None:
    kept.past.undo(SKIP)
    (kept.root / "a.py").write_bytes(b"theirs")
    (kept.root / "keep.md").write_bytes(b"and mine since")
    step = kept.past.undo()
    assert [change.path for change in step.changes] == ["a.py"]
    assert texts(kept) == (FILES["a.py"], b"and mine since")
    with pytest.raises(UndoProblem, match="all tasks are taken back already"):
        kept.past.undo()


def test_redo_does_the_rest_again_once_the_persons_change_is_gone(kept: Kept) -> None:
    kept.past.undo(SKIP)
    kept.past.redo()
    (kept.root / "a.py").write_bytes(FILES["a.py"])
    assert [change.path for change in kept.past.redo().changes] == ["a.py"]
    assert texts(kept) == (b"theirs", b"theirs")
    with pytest.raises(UndoProblem, match="nothing left to redo"):
        kept.past.redo()


def test_a_redo_brings_both_back_when_the_persons_change_is_gone(kept: Kept) -> None:
    kept.past.undo(SKIP)
    (kept.root / "a.py").write_bytes(b"theirs")
    kept.past.redo()
    assert texts(kept) == (b"theirs", b"theirs")
    kept.past.undo()
    assert texts(kept) == (FILES["a.py"], FILES["keep.md"])


def test_another_file_that_was_changed_since_still_stops_it(kept: Kept) -> None:
    kept.past.undo(SKIP)
    (kept.root / "keep.md").write_bytes(b"mine, too")
    now = seen(kept.root)
    with pytest.raises(UndoProblem, match=r"a\.py, keep\.md have been changed since the undo"):
        kept.past.redo()
    assert seen(kept.root) == now


def test_the_model_is_not_told_that_a_skipped_file_was_taken_back(kept: Kept) -> None:
    heard = list[News]()
    kept.past.undo(SKIP)
    TurnKeep(kept.root, kept.state, "a-session").begin("next", heard.append)
    assert heard == [News(undone=("keep.md",))]


def test_a_record_without_skipped_files_is_read(kept: Kept) -> None:
    (record,) = kept.state.glob("undo/*/turns/*.json")
    turn = decode(record.read_bytes().replace(b'"skipped": [], ', b""))
    assert turn is not None
    assert turn.skipped == ()


def test_when_every_file_was_changed_nothing_is_done_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository(tmp_path)
    with LoopbackOllama([READ, EDIT, "Fixed."]) as server:
        assert qagent(capsys, "-p", "Fix it.", "-C", str(folder), "--host", server.url, "-q").code == 0
    fixed = (folder / "calc.py").read_text()
    (folder / "calc.py").write_text(fixed + "# mine\n")
    ran = qagent(capsys, "undo", "--skip-changed", "-C", str(folder))
    assert (ran.code, ran.out) == (3, "")
    assert "the task was not taken back: calc.py has been changed since the task ended" in ran.err
    assert "done;" not in ran.err
    assert "done       1 file " in qagent(capsys, "undo", "--list", "-C", str(folder)).out
    (folder / "calc.py").write_text(fixed)
    assert qagent(capsys, "undo", "-C", str(folder)).code == 0
    assert (folder / "calc.py").read_text() == BUGGY

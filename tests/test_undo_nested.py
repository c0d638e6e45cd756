from __future__ import annotations

from pathlib import Path

import pytest
from kept_turns import Kept, commit, fill, git, seen

TRAP = "echo x >> trapped; cat"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    fill(root)
    commit(root)
    return Kept(root, tmp_path / "state")


def test_a_repository_that_a_command_makes_is_left_alone_and_what_was_there_comes_back(kept: Kept) -> None:
    before = seen(kept.root)
    kept.turn(kept.shell("git init -q src; printf x > src/b.py; git init -q fresh; printf y > fresh/f; rm a.py"))
    assert kept.told == ["undo leaves out: fresh is a repository of its own"]
    kept.past.undo()
    assert seen(kept.root) == {**before, "fresh/f": (0o644, b"y")}
    assert (kept.root / "src/.git/HEAD").exists()


def test_a_repository_that_a_command_takes_away_is_told_beforehand(kept: Kept) -> None:
    git(kept.root, "init", "-q", "nested")
    (kept.root / "nested/file").write_text("x")
    kept.turn(kept.shell("rm -rf nested; printf x > a.py"))
    assert kept.told == ["not kept for undo: nested is a repository of its own"]
    kept.past.undo()
    assert (kept.root / "a.py").read_bytes() == b"one\r\ntwo\n"


def test_a_submodule_is_left_alone_and_told(kept: Kept, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    (library / "lib.py").write_text("1")
    commit(library)
    git(kept.root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "vendor/lib")
    commit(kept.root)
    git(kept.root / "vendor/lib", "config", "core.fsmonitor", TRAP)
    empty = kept.root / "nested"
    git(kept.root, "init", "-q", str(empty))
    kept.turn(kept.shell("printf x > vendor/lib/lib.py; printf y > a.py; printf z > nested/file"))
    assert sorted(kept.told) == [
        "not kept for undo: nested is a repository of its own",
        "not kept for undo: vendor/lib is a repository of its own",
    ]
    kept.past.undo()
    assert (kept.root / "a.py").read_bytes() == b"one\r\ntwo\n"
    assert (kept.root / "vendor/lib/lib.py").read_text() == "x"
    assert not list(kept.root.rglob("trapped"))


def test_an_edit_in_a_submodule_is_taken_back(kept: Kept) -> None:
    inner = kept.root / "vendor"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "lib.py").write_text("1")
    commit(inner)
    commit(kept.root)
    before = seen(kept.root)
    kept.turn(kept.write("vendor/lib.py", "2"), kept.write("vendor/new.py", "3"))
    after = seen(kept.root)
    kept.past.undo()
    assert seen(kept.root) == before
    kept.past.redo()
    assert seen(kept.root) == after

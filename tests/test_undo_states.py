from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kept_turns import Kept, commit, fill, git, gits_own, seen, there_and_back


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    fill(root)
    commit(root)
    return Kept(root, tmp_path / "state")


def unborn(kept: Kept) -> None:
    shutil.rmtree(kept.root / ".git")
    git(kept.root, "init", "-q")


def detached(kept: Kept) -> None:
    git(kept.root, "checkout", "-q", "--detach")


def conflict(kept: Kept) -> None:
    """On a branch that changed the same line as `main`."""
    git(kept.root, "checkout", "-q", "-b", "other")
    (kept.root / "src/b.py").write_text("theirs\n")
    commit(kept.root)
    git(kept.root, "checkout", "-q", "main")
    (kept.root / "src/b.py").write_text("ours\n")
    commit(kept.root)
    git(kept.root, "checkout", "-q", "other")


def merging(kept: Kept) -> None:
    conflict(kept)
    with pytest.raises(subprocess.CalledProcessError):
        git(kept.root, "merge", "main")


def rebasing(kept: Kept) -> None:
    conflict(kept)
    with pytest.raises(subprocess.CalledProcessError):
        git(kept.root, "rebase", "main")


def cherry_picking(kept: Kept) -> None:
    conflict(kept)
    with pytest.raises(subprocess.CalledProcessError):
        git(kept.root, "cherry-pick", "main")


def reverting(kept: Kept) -> None:
    conflict(kept)
    (kept.root / "src/b.py").write_text("once more\n")
    commit(kept.root)
    with pytest.raises(subprocess.CalledProcessError):
        git(kept.root, "revert", "--no-edit", "HEAD~1")


def bisecting(kept: Kept) -> None:
    for number in range(3):
        (kept.root / "src/b.py").write_text(f"{number}\n")
        commit(kept.root)
    git(kept.root, "bisect", "start", "HEAD", "HEAD~3")


def stashed(kept: Kept) -> None:
    (kept.root / "a.py").write_text("stashed\n")
    git(kept.root, "stash")
    (kept.root / "a.py").write_text("staged\n")
    git(kept.root, "add", "a.py")
    (kept.root / "a.py").write_text("and changed again\n")


def hooked(kept: Kept) -> None:
    for name in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        (kept.root / ".git/hooks" / name).write_text("#!/bin/sh\nexit 1\n")
        (kept.root / ".git/hooks" / name).chmod(0o755)


def locked_index(kept: Kept) -> None:
    (kept.root / ".git/index.lock").write_text("another git is at work")


def shallow(kept: Kept) -> None:
    (kept.root / "a.py").write_text("second\n")
    commit(kept.root)
    source = kept.root.rename(kept.root.with_name("source"))
    git(source.parent, "clone", "-q", "--depth", "1", f"file://{source}", str(kept.root))


def worktree(kept: Kept) -> None:
    main = kept.root.rename(kept.root.with_name("main"))
    git(main, "worktree", "add", "-q", "-b", "side", str(kept.root))


def separate(kept: Kept) -> None:
    """`.git` is a file."""
    git(kept.root, "init", "-q", "--separate-git-dir", str(kept.root.with_name("git")))
    assert (kept.root / ".git").is_file()


def submodule(kept: Kept) -> None:
    above = kept.root.with_name("above")
    source = kept.root.rename(kept.root.with_name("source"))
    git(above.parent, "init", "-q", str(above))
    git(above, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), "lib")
    kept.root = above / "lib"


def linked_folder(kept: Kept) -> None:
    """The workspace is named by a link, as it is on a Mac's /tmp; `Workspace` follows it."""
    kept.root.with_name("link").symlink_to(kept.root)
    kept.root = kept.root.with_name("link").resolve()


def partial(kept: Kept) -> None:
    """A clone that lacks what no file here needs."""
    (kept.root / "a.py").write_text("second\n")
    commit(kept.root)
    source = kept.root.rename(kept.root.with_name("source"))
    git(source, "config", "uploadpack.allowFilter", "true")
    git(source.parent, "clone", "-q", "--filter=blob:none", f"file://{source}", str(kept.root))


def borrowing(kept: Kept) -> None:
    source = kept.root.rename(kept.root.with_name("source"))
    git(source.parent, "clone", "-q", "--shared", str(source), str(kept.root))


def subfolder(kept: Kept) -> None:
    (kept.root / "inner/src").mkdir(parents=True)
    fill(kept.root / "inner")
    commit(kept.root)
    kept.root /= "inner"


def bare_above(kept: Kept) -> None:
    """A work tree of a bare repository, as people keep them side by side."""
    source = kept.root.rename(kept.root.with_name("source"))
    git(source.parent, "clone", "-q", "--bare", str(source), "bare.git")
    git(source.parent / "bare.git", "worktree", "add", "-q", str(kept.root), "main")


def sparse(kept: Kept) -> None:
    (kept.root / "left out").mkdir()
    (kept.root / "left out/x").write_text("x")
    commit(kept.root)
    git(kept.root, "sparse-checkout", "set", "src")
    assert not (kept.root / "left out").exists()


def sparse_index(kept: Kept) -> None:
    sparse(kept)
    git(kept.root, "sparse-checkout", "set", "--cone", "--sparse-index", "src")


def told_not_to_look(kept: Kept) -> None:
    git(kept.root, "update-index", "--assume-unchanged", "a.py")
    git(kept.root, "update-index", "--skip-worktree", "src/b.py")


def intended(kept: Kept) -> None:
    (kept.root / "soon").write_text("soon")
    git(kept.root, "add", "-N", "soon")


def version_4(kept: Kept) -> None:
    git(kept.root, "update-index", "--index-version", "4")


def split_index(kept: Kept) -> None:
    git(kept.root, "update-index", "--split-index")


def untracked_cache(kept: Kept) -> None:
    git(kept.root, "update-index", "--force-untracked-cache")
    git(kept.root, "status")


def sha256(kept: Kept) -> None:
    shutil.rmtree(kept.root / ".git")
    git(kept.root, "init", "-q", "--object-format=sha256")
    commit(kept.root)


def without_index(kept: Kept) -> None:
    (kept.root / ".git/index").unlink()


def shared(kept: Kept) -> None:
    git(kept.root, "config", "core.sharedRepository", "group")


def packed(kept: Kept) -> None:
    git(kept.root, "gc", "-q")
    git(kept.root, "pack-refs", "--all")


STATES = [
    unborn, detached, merging, rebasing, cherry_picking, reverting, bisecting, stashed, hooked, locked_index, shallow,
    partial, borrowing, worktree, bare_above, separate, submodule, linked_folder, subfolder, sparse, sparse_index,
    told_not_to_look, intended, version_4, split_index, untracked_cache, sha256, without_index, shared, packed,
]  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_works_in_every_state_of_a_repository(kept: Kept, state: Callable[[Kept], None]) -> None:
    state(kept)
    status = git(kept.root, "--no-optional-locks", "status", "--porcelain")
    own = gits_own(kept.root)
    assert len(own) > 3
    there_and_back(kept)
    assert gits_own(kept.root) == own
    assert git(kept.root, "--no-optional-locks", "status", "--porcelain") == status
    assert [turn.store for turn in kept.past.turns()] == ["git"]
    assert kept.told == []


# ------------------------------------------------------------------ where git cannot


def bare(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.rmtree(kept.root / ".git")
    git(kept.root, "init", "-q", "--bare", ".git")
    return "the repository is bare"


def somebody_elses(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    if os.geteuid() == 0:
        for path in (kept.root, kept.root / ".git"):
            os.chown(path, 12345, 12345)
    return "somebody else owns it"


def no_git(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PATH", str(kept.root))
    return "git is not installed"


def broken(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    (kept.root / ".git/index").write_bytes(b"rubbish")
    return "says: "


def elsewhere(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    git(kept.root, "config", "core.worktree", "/usr")
    return "another folder as its work tree"


def unwritable(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.rmtree(kept.root / ".git/refs")
    (kept.root / ".git/refs").mkdir()
    (kept.root / ".git/refs/qagent").write_text("in the way")
    return "cannot write its refs"


def full(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> str:
    for number in range(256):
        if not (kept.root / f".git/objects/{number:02x}").exists():
            (kept.root / f".git/objects/{number:02x}").write_text("in the way")
    (kept.root / "new").write_text("needs a new object")
    return "`git hash-object` says"


WITHOUT_RIGHTS = """
import asyncio, sys
from pathlib import Path
from kept_turns import Kept

kept = Kept(Path(sys.argv[1]), Path(sys.argv[2]))
kept.turn(kept.write("a.py", "edited"), kept.write("x/new", "new"))
print(*kept.told)
print(*(turn.store for turn in kept.past.turns()))
kept.past.undo()
"""


def bound_by_rights() -> list[str]:
    """How a program is run for which a folder without rights is one, whoever runs the tests."""
    if os.geteuid():
        return []
    if found := shutil.which("setpriv"):
        return [found, "--bounding-set", "-all", "--inh-caps", "-all"]
    pytest.skip("root may write everywhere")


def test_a_git_folder_that_is_read_only_is_told_and_edits_are_copied(kept: Kept) -> None:
    before, own = seen(kept.root), gits_own(kept.root)
    folders = [path for path in (kept.root / ".git", *(kept.root / ".git").rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    path = os.pathsep.join(str(Path(__file__).parent.parent / name) for name in (".", "tests/support"))
    words = [*bound_by_rights(), sys.executable, "-c", WITHOUT_RIGHTS, str(kept.root), str(kept.state)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    for each in folders:
        each.chmod(0o755)
    assert ran.stderr == ""
    told, store = ran.stdout.splitlines()
    assert told == (
        "`qagent undo` takes back here what edits change, not what commands change: "
        "git cannot write its refs in this repository"
    )
    assert store == "copies"
    assert (seen(kept.root), gits_own(kept.root)) == (before, own)


REFUSALS = [bare, somebody_elses, no_git, broken, elsewhere, unwritable, full]


@pytest.mark.parametrize("state", REFUSALS, ids=lambda state: state.__name__)
def test_where_git_cannot_edits_are_copied_and_it_is_told(
    kept: Kept, state: Callable[[Kept, pytest.MonkeyPatch], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    why = state(kept, monkeypatch)
    before = seen(kept.root)
    kept.turn(kept.write("a.py", "edited"), kept.write("x/new", "new"))
    kept.turn(kept.write("a.py", "edited again"))
    (told,) = kept.told
    assert told.startswith("`qagent undo` takes back here what edits change, not what commands change: ")
    assert why in told
    assert "\n" not in told
    kept.past.undo()
    kept.past.undo()
    assert seen(kept.root) == before


def test_where_nothing_can_be_kept_the_turn_goes_on(kept: Kept) -> None:
    kept.state.write_text("a file where the folder should be")
    kept.turn(kept.write("a.py", "edited"), kept.write("a.py", "twice"))
    (told,) = kept.told
    assert told.startswith("this task cannot be undone: ")
    assert (kept.root / "a.py").read_text() == "twice"

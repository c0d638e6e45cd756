from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kept_turns import Kept, git, seen

from qagent.workspace import turns
from qagent.workspace.plumbing import GitRefusedError, repository_at
from qagent.workspace.snapshots import Snapshots

TRAP = "echo x >> trapped; cat"


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")


def fill(root: Path) -> None:
    (root / "src").mkdir(parents=True, exist_ok=True)
    (root / "a.py").write_bytes(b"one\r\ntwo\n")
    (root / "src/b.py").write_text("b\n")
    (root / ".gitignore").write_text("*.log\n")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    fill(root)
    commit(root)
    return Kept(root, tmp_path / "state")


def there_and_back(kept: Kept) -> None:
    """A turn of an edit and a command is taken back and done again, byte for byte."""
    before = seen(kept.root)
    kept.turn(
        kept.write("a.py", "edited"), kept.shell("printf x > new.txt; rm -f src/b.py; printf 'a\\r\\nb\\n' > crlf.txt")
    )
    after = seen(kept.root)
    kept.past.undo()
    assert seen(kept.root) == before
    kept.past.redo()
    assert seen(kept.root) == after
    kept.past.undo()
    assert seen(kept.root) == before


def test_everything_git_tracks_or_would_track_is_kept(kept: Kept) -> None:
    (kept.root / "new").write_text("untracked")
    (kept.root / "x.log").write_text("ignored")
    (kept.root / "link").symlink_to("a.py")
    (kept.root / "src/b.py").chmod(0o750)
    (kept.root / ".git/info/exclude").write_text("excluded\n")
    (kept.root / "excluded").write_text("")
    snapshot = Snapshots.open(kept.root, kept.state).take()
    assert sorted(snapshot.paths) == [".gitignore", "a.py", "link", "new", "src/b.py"]
    assert snapshot.of("src/b.py") == turns.Kept("61780798228d17af2d34fce4cfbdf35556832472", 0o750, 2)
    assert snapshot.of("link") == turns.Kept("8ce4f79e7299350428fce0bfbdb724e387b47128", 0, 4, link=True)
    listed = git(kept.root, "ls-tree", "-r", snapshot.tree).splitlines()
    assert [line.split()[0] for line in listed] == ["100644", "100644", "120000", "100644", "100755"]


def test_the_persons_own_ignore_file_counts(kept: Kept, nobodys_environment: Path) -> None:
    rules = nobodys_environment / "xdg_config_home/git/ignore"
    rules.parent.mkdir(parents=True)
    rules.write_text("*.swp\n")
    (kept.root / "a.swp").write_text("")
    assert "a.swp" not in Snapshots.open(kept.root, kept.state).take().paths


def test_nothing_of_the_persons_is_touched(kept: Kept) -> None:
    (kept.root / "a.py").write_text("stashed")
    git(kept.root, "stash", "-q")
    (kept.root / "a.py").write_text("staged")
    git(kept.root, "add", "a.py")
    (kept.root / "a.py").write_text("and changed again")
    own = ("index", "HEAD", "config", "logs/HEAD", "logs/refs/heads/main", "logs/refs/stash", "refs/stash", "ORIG_HEAD")
    before = {name: (kept.root / ".git" / name).read_bytes() for name in own if (kept.root / ".git" / name).exists()}
    files = sorted((kept.root / ".git").iterdir())
    there_and_back(kept)
    assert {name: (kept.root / ".git" / name).read_bytes() for name in before} == before
    assert sorted((kept.root / ".git").iterdir()) == files
    assert git(kept.root, "stash", "list").count("\n") == 1
    assert "qagent" not in git(kept.root, "log", "--all", "--format=%an %s")
    assert git(kept.root, "fsck", "--strict") == ""


def test_a_ref_of_our_own_guards_a_turn_from_gits_cleaning(kept: Kept) -> None:
    before = seen(kept.root)
    kept.turn(kept.shell("rm -r src; printf x > new"))
    git(kept.root, "gc", "-q", "--prune=now")
    kept.past.undo()
    assert seen(kept.root) == before


# ------------------------------------------------------------------ what a repository may bring along


TRAPS = {
    "core.fsmonitor": TRAP, "core.hooksPath": "hooks", "core.pager": TRAP, "core.sshCommand": TRAP,
    "core.autocrlf": "true", "core.eol": "crlf", "core.attributesFile": "attributes", "core.alternateRefsCommand": TRAP,
    "core.untrackedCache": "true", "core.editor": TRAP, "core.askPass": TRAP, "credential.helper": f"!{TRAP}",
    "commit.gpgSign": "true", "tag.gpgSign": "true", "gpg.program": "./trap", "diff.external": TRAP,
    "filter.t.clean": TRAP, "filter.t.smudge": TRAP, "filter.t.required": "true", "filter.p.process": TRAP,
    "diff.t.textconv": TRAP, "diff.t.command": TRAP, "merge.t.driver": TRAP, "uploadpack.packObjectsHook": TRAP,
    "submodule.recurse": "true",
    "alias.update-ref": f"!{TRAP}", "alias.write-tree": f"!{TRAP}", "status.submoduleSummary": "true",
    "remote.origin.promisor": "true", "remote.origin.url": f"ext::sh -c '{TRAP}'", "protocol.ext.allow": "always",
}  # fmt: skip
HOOKS = (
    "reference-transaction",
    "post-index-change",
    "pre-commit",
    "post-checkout",
    "pre-auto-gc",
    "fsmonitor-watchman",
)


def set_traps(root: Path) -> None:
    (root / ".gitattributes").write_text(
        "*.py filter=t diff=t ident text eol=crlf\n*.txt filter=p working-tree-encoding=UTF-16\n"
    )
    (root / "attributes").write_text("* filter=t\n")
    (root / "ident.py").write_text("$Id$\n")
    for folder in (root / "hooks", root / ".git/hooks"):
        folder.mkdir(exist_ok=True)
        for name in HOOKS:
            (folder / name).write_text("#!/bin/sh\necho x >> trapped\n")
            (folder / name).chmod(0o755)
    (root / "trap").write_text("#!/bin/sh\necho x >> trapped\n")
    (root / "trap").chmod(0o755)
    (root / ".git/info/attributes").write_text("* filter=t text=auto\n")
    for name, value in TRAPS.items():
        git(root, "config", name, value)


def test_no_program_of_the_repository_is_run(kept: Kept, tmp_path: Path) -> None:
    set_traps(kept.root)
    there_and_back(kept)
    assert not list(tmp_path.rglob("trapped"))
    subprocess.run(["git", "add", "-A"], cwd=kept.root, capture_output=True, check=False)
    assert (kept.root / "trapped").exists()  # the traps do work


def test_a_git_on_a_relative_path_is_not_run(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept.root / "git").write_text("#!/bin/sh\necho x > trapped\n")
    (kept.root / "git").chmod(0o755)
    monkeypatch.chdir(kept.root)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    code = (
        "from pathlib import Path\nfrom qagent.workspace.snapshots import Snapshots\n"
        f"print(Snapshots.open(Path({str(kept.root)!r}), Path({str(kept.state)!r})).take().tree)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert len(ran.stdout.strip()) == 40
    assert not (kept.root / "trapped").exists()


def test_git_variables_of_a_hook_do_not_lead_elsewhere(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    for name, value in {"GIT_DIR": other / ".git", "GIT_INDEX_FILE": other / "index", "GIT_WORK_TREE": other}.items():
        monkeypatch.setenv(name, str(value))
    snapshot = Snapshots.open(kept.root, kept.state).take()
    assert sorted(snapshot.paths) == [".gitignore", "a.py", "src/b.py"]


@pytest.mark.parametrize("settings", [{"core.autocrlf": "true"}, {"core.autocrlf": "input"}, {"core.eol": "crlf"}])
@pytest.mark.parametrize("attributes", ["", "* text=auto eol=crlf\n", "* text\n", "*.py ident\n"])
def test_bytes_that_git_would_convert_come_back_as_they_were(
    kept: Kept, settings: dict[str, str], attributes: str
) -> None:
    for name, value in settings.items():
        git(kept.root, "config", name, value)
    (kept.root / "mixed.py").write_bytes(b"a\r\nb\nc\rd $Id$\n")
    (kept.root / ".gitattributes").write_text(attributes)
    git(kept.root, "-c", "core.safecrlf=false", "add", "-A")
    git(kept.root, "commit", "-q", "-m", "again")
    before = seen(kept.root)
    kept.turn(kept.shell("rm mixed.py a.py"))
    kept.past.undo()
    assert seen(kept.root) == before


def test_a_file_that_was_converted_under_rules_of_the_past_comes_back_when_an_edit_names_it(kept: Kept) -> None:
    (kept.root / ".gitattributes").write_text("*.py text\n")
    commit(kept.root)
    (kept.root / ".gitattributes").unlink()
    git(kept.root, "rm", "-q", "--cached", ".gitattributes")
    before = seen(kept.root)
    kept.turn(kept.write("a.py", "x"))
    kept.past.undo()
    assert seen(kept.root) == before


# ------------------------------------------------------------------ states of a repository


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


def locked_index(kept: Kept) -> None:
    (kept.root / ".git/index.lock").touch()


def shallow(kept: Kept) -> None:
    (kept.root / "a.py").write_text("second\n")
    commit(kept.root)
    source = kept.root.rename(kept.root.with_name("source"))
    git(source.parent, "clone", "-q", "--depth", "1", f"file://{source}", str(kept.root))


def worktree(kept: Kept) -> None:
    main = kept.root.rename(kept.root.with_name("main"))
    git(main, "worktree", "add", "-q", "-b", "side", str(kept.root))


def subfolder(kept: Kept) -> None:
    (kept.root / "inner/src").mkdir(parents=True)
    fill(kept.root / "inner")
    commit(kept.root)
    kept.root /= "inner"


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
    unborn, detached, merging, rebasing, locked_index, shallow, worktree, subfolder, sparse, sparse_index,
    told_not_to_look, intended, version_4, split_index, untracked_cache, sha256, without_index, shared, packed,
]  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_works_in_every_state_of_a_repository(kept: Kept, state: Callable[[Kept], None]) -> None:
    state(kept)
    status = git(kept.root, "--no-optional-locks", "status", "--porcelain")
    there_and_back(kept)
    assert git(kept.root, "--no-optional-locks", "status", "--porcelain") == status
    assert [turn.store for turn in kept.past.turns()] == ["git"]
    assert kept.told == []


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
    assert told.startswith("this turn cannot be undone: ")
    assert (kept.root / "a.py").read_text() == "twice"


def test_too_much_that_nobody_ignored_is_not_kept(kept: Kept) -> None:
    for number in range(30):
        with (kept.root / f"data{number}").open("wb") as file:
            file.truncate(49 << 20)
    with pytest.raises(GitRefusedError, match=r"30 files with 1,470 MB .* \.gitignore"):
        Snapshots.open(kept.root, kept.state).take()


def test_a_folder_in_no_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitRefusedError, match="not a git repository"):
        repository_at(tmp_path)


def test_several_threads_may_need_git_first(kept: Kept) -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\n"
        "from qagent.workspace.plumbing import repository_at\nwith ThreadPoolExecutor(8) as threads:\n"
        f"    print(len(set(threads.map(repository_at, [Path({str(kept.root)!r})] * 8))))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    assert (ran.stdout, ran.stderr) == ("1\n", "")

from __future__ import annotations

from pathlib import Path

import pytest
from sandboxes import FULL, KINDS, Bed, bed_in, git

from qagent.sandbox.refusals import GIT
from qagent.workspace.place import Workspace


@pytest.fixture(params=KINDS)
def bed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


# ------------------------------------------------------------------ git


@pytest.fixture
def repository(bed: Bed) -> Path:
    git(bed.root, "init", "-q", "-b", "main")
    git(bed.root, "config", "user.name", "t")
    git(bed.root, "config", "user.email", "t@e.invalid")
    (bed.root / "a.py").write_text("a = 1\n")
    git(bed.root, "add", "-A")
    git(bed.root, "commit", "-qm", "start")
    return bed.root


GIT_LINES = [
    "echo b > b.py && git add -A && git commit -qm more && git log --oneline | wc -l",
    "git checkout -q -b new",
    "git switch -q -c other && git tag v1",
    "echo c > a.py; git stash; git stash pop",
    "git config user.name x && git remote add origin ../somewhere && git branch -m main trunk",
    "cd . && git rm -q a.py && git reset -q && git status --short",
    "git worktree add -q inside",
]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("line", GIT_LINES)
async def test_a_line_of_git_s_own_may_change_the_repository(bed: Bed, line: str) -> None:
    output = await bed.run(line)
    assert output.good, output.text


async def test_git_looks_everywhere(bed: Bed, repository: Path) -> None:
    (repository / "a.py").write_text("a = 2\n")
    shown = await bed.lines("sh -c 'git status --short; git diff --stat; git log --oneline'")
    assert (shown[0], shown[1].split()[0], shown[-1].split()[1]) == (" M a.py", "a.py", "start")


HOOK = """#!/bin/sh
for file in hooks/post-checkout commondir config.worktree; do echo planted > .git/$file; done
echo '[core]' >> .git/config
mv .git/hooks .git/old; rm -rf .git/hooks
echo ran > ran
exit 0
"""


async def test_a_hook_runs_and_plants_nothing(bed: Bed) -> None:
    git(bed.root, "init", "-q", "-b", "main")
    folder = bed.root / ".git"
    (folder / "hooks" / "pre-commit").write_text(HOOK)
    (folder / "hooks" / "pre-commit").chmod(0o755)
    before = ((folder / "config").read_bytes(), sorted(path.name for path in (folder / "hooks").iterdir()))
    output = await bed.run("git add -A && git -c user.name=t -c user.email=t@e.invalid commit -qm x --allow-empty")
    assert output.good or bed.kind not in FULL, output.text
    assert (bed.root / "ran").exists()
    assert ((folder / "config").read_bytes(), sorted(path.name for path in (folder / "hooks").iterdir())) == before
    assert not (folder / "commondir").exists()
    assert not (folder / "config.worktree").exists()
    assert "[put back as it was: .git/" in output.text


async def test_where_git_may_change_its_settings_no_hook_runs(full: Bed) -> None:
    git(full.root, "init", "-q", "-b", "main")
    hook = full.root / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\necho ran > ran\n")
    hook.chmod(0o755)
    assert (await full.run("git config user.name x && git branch --list")).good
    assert not (full.root / "ran").exists()
    assert not (await full.run("git config user.name y && sh -c 'echo x > .git/hooks/new'")).good


async def test_a_worktree_s_repository_is_found_where_it_stands(bed: Bed, repository: Path) -> None:
    tree = bed.outside.parent / "tree"
    git(repository, "worktree", "add", "-q", str(tree))
    there = Workspace(tree)
    denied = await bed.shell.run(there, command="sh -c 'git commit --allow-empty -qm x'")
    allowed = await bed.shell.run(there, command="git commit --allow-empty -qm x")
    assert (denied.good, allowed.good) == (False, True), allowed.text


async def test_without_a_grant_the_index_is_shut_and_the_model_is_told_how_to_go_on(full: Bed) -> None:
    git(full.root, "init", "-q")
    assert (await full.lines("python3 -c pass && git add -A"))[-1] == GIT

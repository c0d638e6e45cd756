from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from really_run import BASH, bash, contents

from qagent.permissions.git_settings import is_plain, plainly_set
from qagent.permissions.rules import Decision, Policy, decide
from qagent.types import ToolCall

GIT = shutil.which("git")
PLAIN = [
    ("", True),
    ("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n", True),
    ('[remote "origin"]\n\turl = https://h/x\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n', True),
    ('[branch "main"]\r\n\tremote = origin\r\n\tmerge = refs/heads/main\r\n', True),
    ("# c\n; d\n[user]\n name = x\n[core] bare=false\n", True),
    ("[core]\n\tfsmonitor = x\n", False),
    ("[core] fsmonitor=x\n", False),
    ("[CORE]\nFsMonitor=x\n", False),
    ("[core]\n\tworktree = /etc\n", False),
    ("[core]\n\tsshCommand = x\n", False),
    ('[filter "x"]\n\tclean = y\n', False),
    ('[user][filter "x"]clean=y\n', False),
    ("[filter.x]\nclean = y\n", False),
    ('[diff "x"]\n\ttextconv = y\n', False),
    ("[include]\n\tpath = x\n", False),
    ('[includeIf "gitdir:x"]\n\tpath = x\n', False),
    ("[extensions]\n\tworktreeConfig = true\n", False),
    ('[remote "x"]\n\tpromisor = true\n', False),
    ('[remote "x"]\n\tuploadpack = y\n', False),
    ("[gpg]\n\tprogram = y\n", False),
    ("[user]\nname = a\\\nfsmonitor = x\n", False),
    ("fsmonitor = x\n", False),
    ("[core\nbare = x\n", False),
]


@pytest.mark.parametrize(("text", "plain"), PLAIN)
def test_settings_are_plain_when_all_of_them_are_known(text: str, plain: bool) -> None:
    assert is_plain(text) is plain


@given(st.text(st.sampled_from('[]core bare="x\\\n=#;filter clean'), max_size=60))
def test_any_settings_are_read(text: str) -> None:
    is_plain(text)


def test_a_folder_without_plain_settings_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    for name in ("src", ".git"):
        (folder / name).mkdir(parents=True)
    (folder / ".git" / "config").write_text("[core]\n\tbare = false\n")
    for place in (tmp_path, folder, folder / "src"):
        assert plainly_set(place)
    (folder / ".gitmodules").touch()
    assert not plainly_set(folder)
    (folder / ".gitmodules").unlink()
    (folder / ".git" / "config").write_bytes(b"[core]\n\xff")
    assert not plainly_set(folder)
    shutil.rmtree(folder / ".git")
    (folder / ".git").write_text("gitdir: x\n")
    assert not plainly_set(folder)


def test_git_asks_where_the_settings_are_not_plain() -> None:
    call = ToolCall("1", "run", {"command": "ls && git status"})
    decision = decide(call, "command", Policy(unasked_git=False))
    assert decision == Decision("ask", "This repository's settings may make `git` run a program.")
    assert decide(call, "command", Policy(allow=("git status",), unasked_git=False)).verdict == "allow"


def git(folder: Path, *words: str) -> None:
    person = {"GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e", "GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e"}
    subprocess.run([GIT or "git", *words], cwd=folder, env=os.environ | person, capture_output=True, check=True)


TRAPS = {
    "core.fsmonitor": "sh -c 'echo x >> trapped'",
    "diff.external": "sh -c 'echo x >> trapped'",
    "diff.t.textconv": "sh -c 'echo x >> trapped' --",
    "diff.t.command": "sh -c 'echo x >> trapped' --",
    "format.pretty": "%G? %GG",
    "log.showSignature": "true",
    "gpg.program": "./trap",
    "core.pager": "sh -c 'echo x >> trapped'",
    "alias.status": "!echo x >> trapped",
}
LOOKS = [
    "git status", "git status -sb", "git diff --stat", "git diff --name-only", "git diff --cached --stat HEAD",
    "git log -3", "git log --oneline --stat", "git branch -vv", "git ls-files -co", "git rev-parse HEAD",
]  # fmt: skip
SIGNED = "tree {}\nauthor n <e> 1 +0000\ncommitter n <e> 1 +0000\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n\nm\n"


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A repository whose settings name programs for all that git may want to do; `trapped` tells that one ran."""
    git(tmp_path, "init", "-q", ".")
    (tmp_path / ".gitattributes").write_text("* diff=t\n")
    (tmp_path / "a.py").write_text("1\n")
    for path in (tmp_path / "trap", tmp_path / ".git" / "hooks" / "post-index-change"):
        path.write_text("#!/bin/sh\necho x >> trapped\n")
        path.chmod(0o755)
    git(tmp_path, "add", "a.py")
    tree = bash(tmp_path, "git write-tree").strip()
    (tmp_path / "commit").write_text(SIGNED.format(tree))
    git(tmp_path, "reset", "-q", "--soft", bash(tmp_path, "git hash-object -w -t commit commit").strip())
    (tmp_path / "a.py").write_text("2\n")
    for name, value in TRAPS.items():
        git(tmp_path, "config", name, value)
    (tmp_path / "trapped").unlink(missing_ok=True)
    return tmp_path


@pytest.mark.skipif(GIT is None or BASH is None, reason="needs git and bash")
def test_git_runs_no_program_of_the_repository_when_it_only_looks(trapped: Path) -> None:
    before = contents(trapped)
    for line in LOOKS:
        assert decide(ToolCall("1", "run", {"command": line}), "command", Policy()).verdict == "allow"
        assert "fatal" not in bash(trapped, line)
    assert contents(trapped) == before
    subprocess.run([GIT or "git", "status"], cwd=trapped, capture_output=True, check=True)
    assert (trapped / "trapped").exists()  # the traps do work


@pytest.mark.skipif(GIT is None or BASH is None, reason="needs git and bash")
def test_a_folder_with_the_look_of_a_bare_repository_is_none(tmp_path: Path) -> None:
    for name in ("objects", "refs"):
        (tmp_path / name).mkdir()
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    trap = "[core]\nrepositoryformatversion=0\nbare=false\nworktree=.\nfsmonitor=\"sh -c 'echo x >> trapped'\"\n"
    (tmp_path / "config").write_text(trap)
    before = contents(tmp_path)
    assert "fatal" in bash(tmp_path, "git status")
    assert contents(tmp_path) == before

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kept_turns import Kept, commit, fill, git, seen, there_and_back

from qagent.workspace import turns
from qagent.workspace.plumbing import GitRefusedError, repository_at
from qagent.workspace.snapshots import Snapshots

TRAP = "echo x >> trapped; cat"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    fill(root)
    commit(root)
    return Kept(root, tmp_path / "state")


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

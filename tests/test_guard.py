from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
from sandboxes import git, usable

from qagent.errors import ToolFailed
from qagent.permissions.grants import grants_of
from qagent.sandbox.bounds import Grants
from qagent.sandbox.guard import Guard, guard
from qagent.sandbox.reach import bounds_of
from qagent.tools.shell import Shell
from qagent.types import ToolOutput
from qagent.workspace.place import Workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no sandbox")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a submodule, as git keeps it, and one that lies in a folder of its name."""
    root = tmp_path / "project"
    for folder in (root, root / ".git/modules/one", root / ".git/modules/libs/two"):
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", *(["--bare"] if folder != root else []))
        (folder / ("hooks" if folder != root else ".git/hooks")).mkdir(exist_ok=True)
    return root


def guarded(root: Path, grants: Grants | None = None) -> Guard:
    return guard(bounds_of(root, root.parent / "scratch", {}, grants or Grants()))


def filled(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:03}").write_text("as it was")
    return folder


GRANTS = [Grants(), Grants("work")]


@pytest.mark.parametrize("grants", GRANTS)
def test_objects_of_a_submodule_stay_whatever_becomes_of_the_others(root: Path, grants: Grants) -> None:
    objects = filled(root / ".git/modules/one/objects", 300)
    kept = guarded(root, grants)
    (objects / "005").unlink()
    assert kept.put_back() == ()
    assert len([path for path in objects.iterdir() if path.is_file()]) == 299


@pytest.mark.parametrize("grants", GRANTS)
@pytest.mark.parametrize("name", ["one", "libs/two"])
def test_settings_and_hooks_of_a_submodule_are_put_back(root: Path, grants: Grants, name: str) -> None:
    folder = root / ".git/modules" / name
    before = (folder / "config").read_bytes()
    kept = guarded(root, grants)
    (folder / "config").write_text("[core]\n\tfsmonitor = ./x\n")
    (folder / "hooks/post-commit").write_text("#!/bin/sh\n")
    (folder / "index").write_text("git's own")
    assert sorted(kept.put_back()) == [f".git/modules/{name}/config", f".git/modules/{name}/hooks/post-commit"]
    assert (folder / "config").read_bytes() == before
    assert not (folder / "hooks/post-commit").exists()
    assert (folder / "index").exists()


def test_without_submodules_the_folder_for_them_holds_nothing_that_steers(root: Path) -> None:
    shutil.rmtree(root / ".git/modules")
    filled(root / ".git/modules", 300)
    kept = guarded(root, Grants("work"))
    (root / ".git/modules/005").unlink()
    assert kept.put_back() == ()


def test_a_folder_with_more_files_than_can_be_kept_is_refused(root: Path) -> None:
    filled(root / ".qagent", 201)
    with pytest.raises(OSError, match=r"\.qagent has more than 200 files"):
        guarded(root)


def test_what_a_command_adds_may_be_any_number(root: Path) -> None:
    filled(root / ".qagent", 200)
    kept = guarded(root)
    (root / ".qagent/005").unlink()
    filled(root / ".qagent/new", 300)
    assert len(kept.put_back()) == 301
    assert len([path for path in (root / ".qagent").iterdir() if path.is_file()]) == 200


@pytest.mark.parametrize("name", [".git", ".git/modules", ".git/modules/one", ".qagent", ".qagent/words"])
def test_nothing_is_put_back_through_a_link(root: Path, name: str) -> None:
    filled(root / ".qagent/words", 2)
    away = root.parent / "away"
    kept = guarded(root)
    (root / name).rename(away)
    decoy = root.parent / "decoy"
    shutil.copytree(away, decoy)
    for path in (path for path in decoy.rglob("*") if path.is_file()):
        path.chmod(0o600)
        path.write_text("somebody's")
    (root / name).symlink_to(decoy)
    assert name in kept.put_back()
    assert {path.read_text() for path in decoy.rglob("*") if path.is_file()} == {"somebody's"}
    assert not (root / name).is_symlink()
    assert not (root / ".qagent").is_symlink()
    assert (root / ".qagent/words/000").read_text() == "as it was"


def test_hooks_that_are_a_link_stay_one_and_what_it_names_is_kept(root: Path) -> None:
    shutil.rmtree(root / ".git/hooks")
    filled(root / "hooks", 2)
    (root / ".git/hooks").symlink_to("../hooks")
    kept = guarded(root)
    assert kept.put_back() == ()
    (root / "hooks/000").write_text("otherwise")
    assert kept.put_back() == ("hooks/000",)
    assert (root / ".git/hooks").is_symlink()


def test_a_pipe_in_the_place_of_a_file_does_not_hold_it_up(root: Path) -> None:
    kept = guarded(root)
    (root / ".git/config").unlink()
    os.mkfifo(root / ".git/config")
    assert kept.put_back() == (".git/config",)
    assert (root / ".git/config").is_file()


# ------------------------------------------------------------------ when it cannot be done


@pytest.fixture
def alone() -> Shell:
    return Shell(usable("landlock alone"), grants_of)


async def under_way(shell: Shell, root: Path) -> asyncio.Task[ToolOutput]:
    """A call whose command has begun; meanwhile the project has gone, and nothing can be put back there."""
    os.mkfifo(root / "ready")
    task = asyncio.create_task(shell.run(Workspace(root), command="echo up > ready; while [ -d .git ]; do :; done"))
    await asyncio.to_thread((root / "ready").read_text)
    await asyncio.to_thread(shutil.move, root, root.with_name("moved"))
    await asyncio.to_thread(root.write_text, "a file where the project was")
    return task


async def test_what_cannot_be_put_back_is_told(alone: Shell, root: Path) -> None:
    task = await under_way(alone, root)
    await asyncio.to_thread(shutil.rmtree, root.with_name("moved"))
    with pytest.raises(ToolFailed, match="steers git or qagent, which cannot be put back"):
        await task


async def test_a_cancel_goes_before_what_cannot_be_put_back(alone: Shell, root: Path) -> None:
    task = await under_way(alone, root)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

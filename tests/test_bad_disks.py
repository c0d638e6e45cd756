"""Edits of what cannot be edited, on real disks: full, read-only, under a mount, in a folder that becomes a link.

Each is answered in one plain sentence, and what was there is there. Bubblewrap makes the disks, where it is installed.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sandboxes import usable
from scripted_agent import repository

from qagent.errors import ToolFailed
from qagent.tools.edit import edit_file
from qagent.tools.files import read_file, write_file
from qagent.workspace.place import Workspace

LARGE = f"# {'x' * 200_000}\n"

PROGRAM = """
import asyncio, json, os, sys
from pathlib import Path
from qagent.errors import ToolFailed
from qagent.tools.edit import edit_file
from qagent.tools.files import read_file, write_file
from qagent.workspace.place import Workspace

async def said(call):
    try:
        return (await call).text.partition("\\n")[0]
    except ToolFailed as failed:
        return failed.text

async def main(root, file, content, old, new):
    place = Workspace.open(Path(root))
    if content:
        (Path(root) / file).write_text(content)
    before = (Path(root) / file).read_bytes()
    answers = [
        await said(edit_file(place, path=file, old=old, new=new)),
        await said(write_file(place, path=file, content=new)),
        await said(write_file(place, path="made/up/new.py", content=new)),
    ]
    kept = (Path(root) / file).read_bytes() == before
    names = sorted(str(path.relative_to(root)) for path in Path(root).rglob("*"))
    return {"answers": answers, "kept": kept, "names": names}

print(json.dumps(asyncio.run(main(*json.load(sys.stdin)))))
"""


@dataclass(frozen=True)
class Found:
    """answers: what was said of an edit, of a whole file and of a new one. kept: the old bytes are there."""

    answers: list[str]
    kept: bool
    names: list[str]


def on(disk: Sequence[str], root: Path, content: str, old: str, new: str) -> Found:
    """What came of the three ways to write, each tried on `a.py` of this folder as `disk` makes it."""
    usable("bubblewrap")
    words = json.dumps([str(root), "a.py", content, old, new])
    command = ["bwrap", "--dev-bind", "/", "/", *disk, sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, input=words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Found(**json.loads(done.stdout))


def all_say(found: Found, why: str) -> None:
    assert all(why in answer and "nothing was changed" in answer for answer in found.answers), found.answers
    assert (found.kept, found.names) == (True, ["a.py"])


def test_on_a_full_disk_nothing_is_half_written(tmp_path: Path) -> None:
    disk = ["--size", "131072", "--tmpfs", str(tmp_path)]
    found = on(disk, tmp_path, "x = 1\n", "x = 1\n", LARGE)
    all_say(found, "No space left on device")


def test_on_a_disk_that_is_read_only_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    found = on(["--ro-bind", str(tmp_path), str(tmp_path)], tmp_path, "", "x = 1\n", "x = 2\n")
    all_say(found, "Read-only file system")


def test_in_a_folder_whose_rights_forbid_it_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    tmp_path.chmod(0o555)
    found = on(["--unshare-user", "--uid", "1000", "--gid", "1000"], tmp_path, "", "x = 1\n", "x = 2\n")
    tmp_path.chmod(0o755)
    all_say(found, "Permission denied")


def test_a_file_that_is_a_mount_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    found = on(["--ro-bind", str(path), str(path)], tmp_path, "", "x = 1\n", "x = 2\n")
    assert ["cannot be written: Device or resource busy" in answer for answer in found.answers] == [True, True, False]
    assert (found.kept, found.names) == (True, ["a.py", "made", "made/up", "made/up/new.py"])


def test_a_file_that_may_not_be_read_is_not_edited(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    path.chmod(0o444)
    place = Workspace.open(tmp_path)
    for call in (edit_file(place, path="a.py", old="1", new="2"), write_file(place, path="a.py", content="x = 2\n")):
        with pytest.raises(ToolFailed, match=r"a\.py.* is read-only; nothing was written"):
            asyncio.run(call)
    assert path.read_text() == "x = 1\n"


# ------------------------------------------------------------------ what is no text


def with_bytes(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_000)


NO_TEXT: dict[str, tuple[Callable[[Path], object], str]] = {
    "binary": (with_bytes(b"\x7fELF\0\0"), "is not UTF-8 text but binary"),
    "latin-1": (with_bytes("é".encode("latin-1")), "is not UTF-8 text"),
    "utf-16": (with_bytes("x".encode("utf-16")), "is not UTF-8 text"),
    "50 MB": (sparse, "has 50,000,000 bytes, too many to read; use search, or run head or sed"),
    "a folder": (Path.mkdir, "is a folder"),
    "a pipe": (os.mkfifo, "is not a plain file"),
    "a link to the outside": (partial(Path.symlink_to, target="/etc/hostname"), "is outside this folder"),
    "a link to itself": (partial(Path.symlink_to, target="a"), "is outside this folder"),
}


@pytest.mark.parametrize("kind", NO_TEXT)
async def test_what_is_no_text_is_neither_edited_nor_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    made, why = NO_TEXT[kind]
    made(path)
    before = path.lstat()
    place = Workspace.open(tmp_path)
    for call in (edit_file(place, path="a", old="x", new="y"), write_file(place, path="a", content="y\n")):
        with pytest.raises(ToolFailed) as failed:
            await call
        assert why in failed.value.text
        assert len(failed.value.text) < 200
    after = path.lstat()
    assert (before.st_ino, before.st_mtime_ns, before.st_mode) == (after.st_ino, after.st_mtime_ns, after.st_mode)


# ------------------------------------------------------------------ what changes meanwhile


class Swapping(threading.Thread):
    """Exchanges a folder or file and a link to the outside, at once, again and again, until it is told to end."""

    def __init__(self, path: Path, outside: Path) -> None:
        super().__init__()
        self.path, self.aside, self.ended = bytes(path), bytes(path.with_name("aside")), False
        path.with_name("aside").symlink_to(outside)

    def run(self) -> None:
        exchange = ctypes.CDLL(None).renameat2
        while not self.ended:
            assert exchange(_HERE, self.path, _HERE, self.aside, _EXCHANGE) == 0


_HERE, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of Linux."""


@pytest.mark.skipif(sys.platform != "linux", reason="names cannot be exchanged at once")
@pytest.mark.parametrize("swapped", ["folder", "folder/a.py"])
async def test_what_becomes_a_link_meanwhile_leads_nowhere(tmp_path: Path, swapped: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder, text in ((root / "folder", "x = 1\n"), (outside, "x = 'hush'\n")):
        folder.mkdir(parents=True)
        (folder / "a.py").write_text(text)
    place = Workspace.open(root)
    swapping = Swapping(root / swapped, outside if swapped == "folder" else outside / "a.py")
    swapping.start()
    told = ""
    for number in range(100):
        for call in (
            read_file(place, path="folder/a.py"),
            edit_file(place, path="folder/a.py", old="x = ", new="x = 1"),
            write_file(place, path="folder/a.py", content=f"x = {number}\n"),
            write_file(place, path=f"folder/b{number % 3}.py", content=""),
        ):
            try:
                output = await call
                told += output.text + output.diff
            except ToolFailed as failed:
                told += failed.text
    swapping.ended = True
    swapping.join()
    assert "hush" not in told
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"a.py": "x = 'hush'\n"}


async def test_a_file_that_vanished_is_told_and_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    place = Workspace.open(tmp_path)
    await edit_file(place, path="a.py", old="1", new="2")
    (tmp_path / "a.py").unlink()
    with pytest.raises(ToolFailed, match=r"there is no file"):
        await edit_file(place, path="a.py", old="2", new="3")
    assert not (tmp_path / "a.py").exists()


def test_a_file_of_a_submodule_is_edited_like_any_other(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"b.py": "x = 1\n"})
    outer = repository(tmp_path / "outer", {"a.py": "y = 1\n"})
    git = ["git", "-c", "protocol.file.allow=always", "-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    for words in (["submodule", "--quiet", "add", str(inner), "sub"], ["commit", "-q", "-m", "with"]):
        subprocess.run([*git, *words], cwd=outer, check=True)
    place = Workspace.open(outer)
    output = asyncio.run(edit_file(place, path="sub/b.py", old="x = 1", new="x = 2"))
    assert (output.changed, (outer / "sub/b.py").read_text()) == (("sub/b.py",), "x = 2\n")
    with pytest.raises(ToolFailed, match="git's own files"):
        asyncio.run(edit_file(place, path="sub/.git", old="gitdir", new="x"))
    status = subprocess.run(["git", "status", "--porcelain"], cwd=outer, capture_output=True, text=True, check=True)
    assert status.stdout == " M sub\n"

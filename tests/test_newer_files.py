from __future__ import annotations

import os
from pathlib import Path

from qagent.workspace.newer import newer_files
from qagent.workspace.place import Workspace


def _touch(path: Path, time: int) -> None:
    os.utime(path, ns=(time, time))


def _filled(folder: Path) -> int:
    """The time of the newest file."""
    for name in ("old.py", "src/old.py", "ignored.log"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    (folder / ".gitignore").write_text("*.log\n")
    return max(path.lstat().st_ctime_ns for path in folder.rglob("*"))


async def test_files_that_are_newer_than_a_moment_are_found(tmp_path: Path) -> None:
    since = _filled(tmp_path)
    workspace = Workspace.open(tmp_path)
    assert await newer_files(workspace, since) == frozenset()
    assert await newer_files(workspace, 0) == {".gitignore", "old.py", "src/old.py"}
    for name in ("src/old.py", "ignored.log"):
        _touch(tmp_path / name, since + 10**12)
    assert await newer_files(workspace, since + 10**11) == {"src/old.py"}

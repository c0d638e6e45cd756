"""Which files of the work tree are newer than a moment: what a command may have changed, as the disk shows it."""

from __future__ import annotations

import os

from qagent.workspace.background import in_background
from qagent.workspace.ignore import Stop, walk
from qagent.workspace.place import Workspace

MOST = 50_000
"""Files that are looked at; of a larger tree the first ones, in the order of their names."""


async def newer_files(workspace: Workspace, since: int) -> frozenset[str]:
    """Relative paths of the project's files that were written, made or renamed after `since`, in nanoseconds."""
    return await in_background(lambda stop: _newer(workspace, since, stop))


def _newer(workspace: Workspace, since: int, stop: Stop) -> frozenset[str]:
    found: set[str] = set()
    for number, name in enumerate(walk(workspace.root, stop=stop)):
        if number >= MOST or stop(0):
            break
        if _changed(workspace, name) > since:
            found.add(name)
    return frozenset(found)


def _changed(workspace: Workspace, name: str) -> int:
    """A renamed file keeps its time of writing, so the time of its entry counts too."""
    try:
        stat = os.lstat(workspace.root / name)
    except OSError:
        return 0
    return max(stat.st_mtime_ns, stat.st_ctime_ns)

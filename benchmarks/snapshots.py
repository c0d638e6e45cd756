"""What keeping a turn costs in a repository of 5,000 files: milliseconds of wall time, git and GitPython included.

As an agent does it, from finding the repository to the ref that guards the snapshot. The clean figure is taken with an
index of our own from an earlier snapshot, and in a state folder that is new each time. Importing GitPython, once in a
process, stands by itself.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from qagent.workspace.keeping import TurnKeep
from qagent.workspace.undoing import Past

FILES, CHANGED, NEW, RUNS = 5_000, 50, 20, 9
IDENTITY = ("-c", "user.name=b", "-c", "user.email=b@example.invalid")

Act = Callable[[int], object]


def repository(root: Path) -> None:
    for number in range(FILES):
        path = file(root, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"x = {number}\n" * (20 + number % 300))
    for words in (("init", "-q"), ("add", "-A"), (*IDENTITY, "commit", "-q", "-m", "start"), ("gc", "-q")):
        subprocess.run(["git", *words], cwd=root, check=True)


def file(root: Path, number: int) -> Path:
    return root / f"package{number % 100}" / f"part{number % 7}" / f"module{number}.py"


def milliseconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def keeping(root: Path, state: Path, before: Act, *, fresh: bool) -> tuple[float, float]:
    """Medians: the snapshot before the first change of a turn, and the end of the turn, which changes one file."""
    begins: list[float] = []
    ends: list[float] = []
    for run in range(RUNS):
        if fresh:
            shutil.rmtree(state, ignore_errors=True)
        before(run)
        keep = TurnKeep(root, state, f"session-{run}")
        keep.begin("measure")
        begins.append(awaited(keep.before_change()))
        file(root, run).write_text(f"changed {time.time_ns()}\n")
        asyncio.run(keep.after_change())
        ends.append(awaited(keep.after_turn()))
        reset(root)
    return statistics.median(begins), statistics.median(ends)


def awaited(work: Coroutine[Any, Any, object]) -> float:
    return milliseconds(lambda: asyncio.run(work))


def reset(root: Path) -> None:
    subprocess.run("git checkout -q . && git clean -fdq", shell=True, cwd=root, check=True)


def dirty(root: Path) -> Act:
    def act(run: int) -> None:
        for number in range(CHANGED):
            file(root, number * 7).write_text(f"changed {run} {time.time_ns()}\n" * 40)
        for number in range(NEW):
            (root / f"package{number}" / f"new{number}.py").write_text(f"new {run} {time.time_ns()}\n" * 40)

    return act


def stale(root: Path) -> Act:
    def act(run: int) -> None:
        subprocess.run(["find", ".", "-name", "*.py", "-exec", "touch", "{}", "+"], cwd=root, check=True)

    return act


def undone(root: Path, state: Path) -> tuple[float, float]:
    """Medians of undo and redo of a turn that changed and made so many files."""
    past, undos, redos = Past(root, state), list[float](), list[float]()
    keep = TurnKeep(root, state, "session")
    keep.begin("measure")
    asyncio.run(keep.before_change())
    dirty(root)(0)
    asyncio.run(keep.after_change())
    asyncio.run(keep.after_turn())
    for _ in range(RUNS):
        undos.append(milliseconds(past.undo))
        redos.append(milliseconds(past.redo))
    past.undo()
    return statistics.median(undos), statistics.median(redos)


def started(code: str) -> float:
    command = [sys.executable, "-c", code]
    return statistics.median(milliseconds(lambda: subprocess.run(command, check=True)) for _ in range(RUNS))


def row(what: str, value: float, goal: str = "") -> None:
    print(f"{what:62} {value:8.1f} ms {goal:>10}")


def main() -> None:
    row("importing GitPython, once", started("import git") - started("pass"))
    with tempfile.TemporaryDirectory() as folder:
        root, state = Path(folder, "repository"), Path(folder, "state")
        repository(root)
        keeping(root, state, lambda _: None, fresh=False)  # warms the disk's cache
        clean, end = keeping(root, state, lambda _: None, fresh=False)
        row(f"clean tree, {FILES:,} files", clean, "<= 50 ms")
        row("the end of a turn that changed one file", end)
        row(
            "clean tree, the first snapshot of this repository",
            keeping(root, state, lambda _: None, fresh=True)[0],
            "<= 50 ms",
        )
        row(f"{CHANGED} changed and {NEW} new files", keeping(root, state, dirty(root), fresh=False)[0], "<= 200 ms")
        row("every time of change stale", keeping(root, state, stale(root), fresh=False)[0])
        undo, redo = undone(root, state)
        row(f"undo of {CHANGED} changed and {NEW} new files", undo)
        row("redo of them", redo)


if __name__ == "__main__":
    main()

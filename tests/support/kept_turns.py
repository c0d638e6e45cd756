"""A work tree whose turns are kept, driven as an agent drives it, and what can be seen of a tree from outside."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qagent.workspace.keeping import TurnKeep
from qagent.workspace.undoing import Past

PERSON = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    ran = subprocess.run(["git", *PERSON, *words], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout


def seen(folder: Path, *, but: str = ".git") -> dict[str, tuple[int, bytes]]:
    """Every file and link below, with its mode and its bytes, except in folders of that name."""
    return dict(_seen(folder, folder, but))


def _seen(top: Path, folder: Path, but: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for entry in os.scandir(folder):
        path = Path(entry.path)
        name = str(path.relative_to(top))
        if entry.is_symlink():
            yield name, (0, os.fsencode(path.readlink()))
        elif entry.is_dir():
            if entry.name != but:
                yield from _seen(top, path, but)
        elif entry.is_file():
            yield name, (entry.stat().st_mode & 0o7777, path.read_bytes())


@dataclass(frozen=True)
class Edit:
    """What a tool does to one file that it names; a command is a bare function."""

    path: str
    act: Callable[[], object]


Deed = Edit | Callable[[], object]


@dataclass
class Kept:
    """`root`: the work tree; `told`: all notices so far."""

    root: Path
    state: Path
    told: list[str] = field(default_factory=list[str])

    @property
    def past(self) -> Past:
        return Past(self.root, self.state)

    def turn(self, *deeds: Deed, task: str = "do it") -> None:
        """One turn."""

        async def go() -> None:
            keep = TurnKeep(self.root, self.state, "a-session")
            keep.begin(task)
            for deed in deeds:
                path, act = (deed.path, deed.act) if isinstance(deed, Edit) else (None, deed)
                self.told += await keep.before_change(path)
                act()
                await keep.after_change(path)
            self.told += await keep.after_turn()

        asyncio.run(go())

    def write(self, path: str, text: str | bytes) -> Edit:

        def act() -> None:
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())

        return Edit(path, act)

    def shell(self, line: str) -> Callable[[], object]:
        """A command."""
        return lambda: subprocess.run(line, shell=True, cwd=self.root, check=True, capture_output=True)

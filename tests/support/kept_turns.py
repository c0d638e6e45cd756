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


@dataclass(frozen=True)
class Meanwhile:
    """What the person does while a turn runs, and no tool is at work."""

    act: Callable[[], object]


Deed = Edit | Meanwhile | Callable[[], object]


@dataclass
class Kept:
    """`root`: the work tree; `told`: all notices so far."""

    root: Path
    state: Path
    told: list[str] = field(default_factory=list[str])

    @property
    def past(self) -> Past:
        return Past(self.root, self.state)

    def turn(self, *deeds: Deed, task: str = "do it", session: str = "a-session") -> None:
        """One turn."""

        async def go() -> None:
            keep = TurnKeep(self.root, self.state, session)
            keep.begin(task)
            for deed in deeds:
                await self._do(keep, deed)
            self.told += await keep.after_turn()

        asyncio.run(go())

    async def _do(self, keep: TurnKeep, deed: Deed) -> None:
        if isinstance(deed, Meanwhile):
            deed.act()
            return
        path, act = (deed.path, deed.act) if isinstance(deed, Edit) else (None, deed)
        self.told += await keep.before_change(path)
        act()
        await keep.after_change(path)

    def write(self, path: str, text: str | bytes) -> Edit:

        def act() -> None:
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())

        return Edit(path, act)

    def shell(self, line: str) -> Callable[[], object]:
        """A command."""
        return lambda: subprocess.run(line, shell=True, cwd=self.root, check=True, capture_output=True)


# ------------------------------------------------------------------ a repository, and a turn in it


def commit(root: Path) -> None:
    """All that is there."""
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")


def fill(root: Path) -> None:
    """A few files and a rule."""
    (root / "src").mkdir(parents=True, exist_ok=True)
    (root / "a.py").write_bytes(b"one\r\ntwo\n")
    (root / "src/b.py").write_text("b\n")
    (root / ".gitignore").write_text("*.log\n")


def gits_own(folder: Path) -> dict[Path, bytes]:
    """All that git keeps of the person's: the index, HEAD, refs, stashes, reflogs, hooks, settings, states between two
    commits; all but objects and the refs that are ours."""
    told = git(folder, "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir").splitlines()
    files = {path for place in told for path in Path(place).rglob("*") if path.is_file()}
    return {path: path.read_bytes() for path in files if not {"objects", "qagent"} & set(path.parts)}


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

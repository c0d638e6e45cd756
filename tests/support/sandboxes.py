"""The sandboxes that a test runs in, each for real: bubblewrap, our launcher with all that the kernel gives, and the
launcher with Landlock alone.

Where one of them does not work its tests are skipped; with SANDBOX_TESTS=required, which the gate sets on Linux, they
fail.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from qagent.permissions.grants import grants_of
from qagent.sandbox.choice import Confinement
from qagent.sandbox.kernel import landlock_abi
from qagent.sandbox.landlock import Machine
from qagent.tools.shell import Shell
from qagent.types import ToolOutput
from qagent.workspace.place import Workspace

Kind = Literal["bubblewrap", "landlock", "landlock alone"]
KINDS: tuple[Kind, ...] = ("bubblewrap", "landlock", "landlock alone")
FULL: tuple[Kind, ...] = KINDS[:2]
"""Those with a view of the disk, processes and a network of their own."""

REQUIRED = os.environ.get("SANDBOX_TESTS") == "required"


def confinement(kind: Kind) -> Confinement:
    if kind == "landlock alone":
        return Confinement("landlock", machine=Machine(landlock_abi()))
    return Confinement(kind)


def usable(kind: Kind) -> Confinement:
    """One that works; else the test is skipped, or fails."""
    found = confinement(kind)
    active = asyncio.run(found.active())
    whole = kind != "landlock" or active.whole
    if active.name == "none" or not whole:
        (pytest.fail if REQUIRED and sys.platform == "linux" else pytest.skip)(f"{kind}: {active.why or active.words}")
    return found


def shell_in(kind: Kind, network: Literal["ask", "off", "on"] = "ask") -> Shell:
    return Shell(usable(kind), grants_of, network)


def with_own_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter that runs the tests is the first `python3` of commands, wherever it stands."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@dataclass(frozen=True)
class Bed:
    """A workspace, a folder beside it, and a shell in a sandbox."""

    kind: Kind
    shell: Shell
    root: Path
    outside: Path

    async def run(self, command: str, *, network: bool | None = None) -> ToolOutput:
        return await self.shell.run(Workspace(self.root), command=command, network=network)

    async def lines(self, command: str) -> list[str]:
        return (await self.run(command)).text.split("\n")[1:]


def bed_in(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    with_own_programs(monkeypatch)
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "file").write_text("as it was")
    return Bed(kind, shell_in(kind), root, outside)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def exists(path: str) -> bool:
    return os.path.lexists(path)

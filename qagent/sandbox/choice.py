"""Which sandbox confines commands here: the one that was asked for, or the strongest that works. Tried once a
run, when somebody first asks.

In: what the settings want. Out: an `Active`, which says what is closed and what is not, and the words that start a
command in it. A sandbox that was asked for and does not work is none: `why` says so, and whoever decides about commands
has to ask.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qagent.sandbox import bubblewrap, landlock, scratch, seatbelt
from qagent.sandbox.bounds import TEMPORARY, TMP, Bounds, Grants, Mount, SandboxName, Wanted, mounts
from qagent.sandbox.guard import Guard, guard
from qagent.sandbox.landlock import Machine
from qagent.sandbox.reach import bounds_of
from qagent.sandbox.scratch import OWN, Scratch
from qagent.workspace.programs import program_at

_SECONDS = 10.0
"""The longest that trying one out may take."""


@dataclass(frozen=True, slots=True)
class Active:
    """name: "none" when commands run with all that the person may do. closed, open: what it keeps from commands, and
    what not, in a few words each. why: why there is none. chosen: the person switched it off. version: as the kernel
    counts it. whole: with a view of the disk, processes and a network of its own."""

    name: SandboxName
    closed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    why: str = ""
    chosen: bool = False
    version: str = ""
    whole: bool = True

    @property
    def word(self) -> str:
        """`bubblewrap`, `landlock`, `seatbelt`, `none`; `off` when that is the person's wish."""
        return "off" if self.chosen else self.name

    @property
    def words(self) -> str:
        """One line for a person."""
        if self.name == "none":
            return f"no sandbox: {self.why}"
        return f"{self.name}; closed: {', '.join(self.closed)}; open: {', '.join(self.open)}"

    @property
    def record(self) -> dict[str, Any]:
        told = {"name": self.name, "version": self.version, "why": self.why}
        return {**told, "closed": list(self.closed), "open": list(self.open)}


@dataclass(frozen=True, slots=True)
class Confined:
    """A command as it is started. temporary: the folder for temporary files as the command sees it. ends_all: when it
    ends, the sandbox ends what it left running, and tells of it. guard: what has to be put back then. mounted: names in
    the scratch folder that no command made; None when commands do not see it as /tmp."""

    words: list[str]
    temporary: Path
    bounds: Bounds
    ends_all: bool = True
    guard: Guard | None = None
    mounted: frozenset[str] | None = None

    @property
    def wrote_to_tmp(self) -> bool:
        """Whether something stands in the private /tmp, beside what TMPDIR names."""
        with suppress(OSError):
            return self.mounted is not None and any(
                path.name not in self.mounted for path in self.bounds.scratch.iterdir()
            )
        return False


class Confinement:
    """The sandbox of this process, and the scratch folder that its commands share; the folder goes with the object."""

    def __init__(
        self,
        wanted: Wanted = "auto",
        env: Mapping[str, str] = os.environ,
        *,
        writes: tuple[Path, ...] = (),
        machine: Machine | None = None,
    ) -> None:
        """writes: more folders that commands may write to. machine: what Landlock's launcher may use, instead of all
        that there is."""
        self._wanted: Wanted = wanted
        self._env, self._writes = env, writes
        self._active: Active | None = None
        self._machine = machine
        self._told: set[str] = set()
        self._scratch: Scratch | None = None

    @property
    def known(self) -> Active | None:
        """None until it has been tried."""
        return self._active

    @property
    def wanted(self) -> Wanted:
        return self._wanted

    def tell_once(self, what: str = "") -> bool:
        """True for the first who asks."""
        first = what not in self._told
        self._told.add(what)
        return first

    async def active(self) -> Active:
        if self._active is None:
            self._active = await self._tried()
        return self._active

    async def _tried(self) -> Active:
        if self._wanted == "off":
            return Active("none", why="it is switched off (sandbox = off)", chosen=True)
        await asyncio.to_thread(scratch.sweep)
        names = usual(sys.platform) if self._wanted == "auto" else (self._wanted,)
        faults: list[str] = []
        for name in names:
            found = await self._try(name)
            if isinstance(found, Active):
                return found
            faults.append(found)
        return Active("none", why="; ".join(faults) or f"there is none for {sys.platform}")

    async def _try(self, name: str) -> Active | str:
        match name:
            case "bubblewrap":
                fault = await _fault_of_bubblewrap(self._env)
                return fault or Active("bubblewrap", bubblewrap.CLOSED, bubblewrap.OPEN)
            case "landlock":
                machine = self._machine = self._machine or await _machine()
                if not machine.abi:
                    return "this kernel has no Landlock"
                told = (landlock.closed(machine), landlock.left_open(machine))
                return Active("landlock", *told, version=str(machine.abi), whole=machine.namespaces)
            case _:
                works = await _works(seatbelt.PROGRAM, "-p", "(version 1)(allow default)", "/usr/bin/true")
                return Active("seatbelt", seatbelt.CLOSED, seatbelt.OPEN) if works else "sandbox-exec does not work"

    def start(self, active: Active, root: Path, grants: Grants, command: Sequence[str], left: int) -> Confined:
        """`left`: a descriptor that is told when the command left something running. Raises OSError."""
        if root == Path("/"):
            raise OSError("the project is the whole disk; work in a folder of it, or set `sandbox = off`")
        own = self._scratch_folder()
        bounds = bounds_of(root, own, self._env, grants, self._writes)
        stands_for = [folder for folder in TEMPORARY if _can_stand_for(folder, root)]
        steps = mounts(bounds, stands_for, frozenset(path for path in bounds.hidden if not path.is_dir()))
        seen = TMP / OWN if TMP in stands_for else own / OWN
        mounted = _mounted(steps, stands_for)
        match active.name:
            case "bubblewrap":
                bwrap, is_root = program_at("bwrap", self._env) or "bwrap", os.geteuid() == 0
                words = bubblewrap.arguments(bwrap, bounds, steps, command, left, is_root=is_root)
                return Confined(words, seen, bounds, mounted=mounted)
            case "landlock":
                machine = self._machine or Machine()
                words = landlock.arguments(sys.executable, machine, bounds, steps, command, left, os.getpid())
                if machine.namespaces:
                    return Confined(words, seen, bounds, mounted=mounted)
                return Confined(words, own / OWN, bounds, guard=guard(bounds))
            case _:
                return Confined(seatbelt.arguments(bounds, command), own / OWN, bounds, ends_all=False)

    def _scratch_folder(self) -> Path:
        if self._scratch is None or not self._scratch.path.is_dir():
            self._scratch = scratch.make()
            weakref.finalize(self, self._scratch.remove)
        return self._scratch.path


def _can_stand_for(folder: Path, root: Path) -> bool:
    """Whether the scratch folder can be mounted there; not where that would hide the workspace's own files."""
    return folder.is_dir() and not folder.is_symlink() and not folder.is_relative_to(root)


def _mounted(steps: Sequence[Mount], stands_for: Sequence[Path]) -> frozenset[str] | None:
    """The first names below /tmp of what is mounted there: where one is missing it is made in the scratch folder."""
    if TMP not in stands_for:
        return None
    below = ((step.target, folder) for step in steps for folder in stands_for if step.target.is_relative_to(folder))
    parts = (target.relative_to(folder).parts[:1] for target, folder in below)
    return frozenset({OWN, *(name for names in parts for name in names)})


def usual(platform: str) -> tuple[str, ...]:
    """Those of a system, the strongest first."""
    if platform == "darwin":
        return ("seatbelt",)
    return ("bubblewrap", "landlock") if platform.startswith("linux") else ()


# ------------------------------------------------------------------ trying


async def _fault_of_bubblewrap(env: Mapping[str, str]) -> str:
    """Why it cannot be used, or ""."""
    program = program_at("bwrap", env)
    if program is None:
        return "bubblewrap is not installed"
    own = ("--unshare-pid", "--unshare-ipc", "--unshare-net", "--cap-drop", "ALL")
    disk = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--remount-ro", "/tmp")
    works = await _works(program, "--die-with-parent", *own, *disk, "--", "/bin/sh", "-c", ":")
    return "" if works else "bubblewrap does not work here (user namespaces may be switched off)"


async def _machine() -> Machine:
    printed = await _output(*landlock.starting(sys.executable), "--probe")
    try:
        told = json.loads(printed)
        return Machine(int(told["abi"]), bool(told["namespaces"]))
    except (ValueError, KeyError, TypeError):
        return Machine()


async def _works(*words: str) -> bool:
    return (await _ran(*words))[0] == 0


async def _output(*words: str) -> bytes:
    return (await _ran(*words))[1]


async def _ran(*words: str) -> tuple[int | None, bytes]:
    """The exit code and what was printed; None when it could not be started or took too long.

    In a thread: asyncio loses a child with a pipe when it is cancelled while that is being started (seen with 3.11),
    and may wait for it for ever.
    """
    return await asyncio.to_thread(_run, words)


def _run(words: Sequence[str]) -> tuple[int | None, bytes]:
    null = subprocess.DEVNULL
    try:
        ran = subprocess.run(
            words,
            stdin=null,
            stdout=subprocess.PIPE,
            stderr=null,
            cwd="/",
            start_new_session=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None, b""
    return ran.returncode, ran.stdout

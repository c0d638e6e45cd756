"""What `qagent doctor` looks at: each look is a small async function that returns a `Finding`; `LOOKS` lists them all.

In: a `Patient`, what is known before anybody has looked. Out: findings. A look prints nothing, changes nothing of the
person's and loads no model; one that fails or takes too long is a finding as well. No text holds the value of a secret.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from qagent import __version__
from qagent.cli.start import Start
from qagent.config.trust import FOLDER, is_trusted, needs_trust
from qagent.errors import ModelFacing, UserFacing
from qagent.sandbox import advice
from qagent.sandbox.choice import Active
from qagent.sandbox.environment import secrets_of
from qagent.wiring import connect
from qagent.workspace.plumbing import GitRefusedError, NoRepositoryError, repository_at
from qagent.workspace.programs import program_at

Level = Literal["green", "yellow", "red"]

SECONDS = 5.0
"""The longest that one look may take."""

OLDEST_GIT = (2, 31)
"""From this version on `git rev-parse` tells absolute paths, by which undo finds a repository's parts."""
LEAST_BYTES, ENOUGH_BYTES = 50_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """level: `red` is what qagent cannot work with, `yellow` what takes something away. todo: the command or the words
    that mend it, "" when there is nothing to mend. more: details, for whoever asks for them."""

    name: str
    level: Level
    what: str
    todo: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """ready: the settings and the place, or why there are none."""

    ready: Start | UserFacing
    folder: Path
    env: Mapping[str, str]


Look: TypeAlias = Callable[[Patient], Awaitable[Finding]]


async def examined(patient: Patient, looks: Mapping[str, Look], seconds: float = SECONDS) -> list[Finding]:
    """All findings, in the order of the table; the looks are taken side by side."""
    return list(await asyncio.gather(*(_looked(name, look, patient, seconds) for name, look in looks.items())))


async def _looked(name: str, look: Look, patient: Patient, seconds: float) -> Finding:
    try:
        found = await asyncio.wait_for(look(patient), seconds)
    except UserFacing as error:
        found = Finding(name, "red", error.what, error.todo)
    except (TimeoutError, subprocess.TimeoutExpired):
        told = f"no answer within {seconds:g} s"
        found = Finding(name, "red", told, "try again, or look whether the machine is busy")
    except OSError as error:
        found = Finding(name, "red", f"{error.strerror or error}")
    hidden = secrets_of(patient.env)
    shown = {name: _without(hidden, getattr(found, name)) for name in ("what", "todo", "more")}
    return replace(found, **shown)


def _without(hidden: frozenset[str], text: str) -> str:
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, "…")
    return text


# ------------------------------------------------------------------ programs


async def python(patient: Patient) -> Finding:
    return Finding("python", "green", f"qagent {__version__}, Python {platform.python_version()} ({sys.executable})")


async def git(patient: Patient) -> Finding:
    """Whether it can be used, and what undo takes back in this folder."""
    program = program_at("git", patient.env)
    if program is None:
        todo = _install("git", patient.env)
        return Finding("git", "yellow", "not installed: undo takes back what edits change, and no more", todo)
    told = await _printed(program, "--version")
    version = tuple(map(int, re.findall(r"\d+", told)[:2]))
    shown = told.removeprefix("git version ").strip()
    if version < OLDEST_GIT:
        return Finding("git", "yellow", f"{shown}: undo needs 2.31", _install("git", patient.env))
    try:
        await asyncio.to_thread(repository_at, patient.folder.resolve())
    except GitRefusedError as no:
        told = f"undo takes back what edits change, not what commands change: {no.why}"
        todo = "git init" if isinstance(no, NoRepositoryError) else ""
        return Finding("git", "yellow", f"{shown} ({program}); {told}", todo)
    return Finding("git", "green", f"{shown} ({program}); undo takes back here what commands change too")


def _install(package: str, env: Mapping[str, str]) -> str:
    found = (command for name, command in advice.INSTALLS.items() if program_at(name, env))
    return next(found, f"install {package}").replace("bubblewrap", package)


async def _printed(*words: str) -> str:
    """What a program prints. Raises OSError."""
    return await asyncio.to_thread(_output, words)


def _output(words: Sequence[str]) -> str:
    null = subprocess.DEVNULL
    ran = subprocess.run(words, stdin=null, stdout=subprocess.PIPE, stderr=null, timeout=SECONDS, check=False)
    return ran.stdout.decode(errors="replace")


# ------------------------------------------------------------------ the sandbox


async def sandbox(patient: Patient) -> Finding:
    """Which one is active, what it leaves open, and whether a command runs in it, in this very folder."""
    ready = patient.ready
    if isinstance(ready, UserFacing):
        return Finding("sandbox", "yellow", "not looked at, since the settings cannot be read")
    active = await ready.place.confinement.active()
    try:
        ran = await ready.place.shell.run(ready.place.workspace, command="true")
    except ModelFacing as refusal:
        todo = advice.another(active, _system(patient.env), ready.place.confinement.wanted)
        return Finding("sandbox", "red", f"{active.name}: {refusal.text}", todo)
    if not ran.good:
        return Finding("sandbox", "red", f"{active.name}: `true` fails in it: {ran.text}", "report this as a bug")
    level: Level = "green" if advice.is_whole(active) else "yellow"
    todo = advice.todo(active, _system(patient.env), ready.place.confinement.wanted)
    more = f"it does not close: {'; '.join(active.open)}" if level == "green" else ""
    return Finding("sandbox", level, _told(active), todo, more)


def _told(active: Active) -> str:
    if active.name == "none":
        asks = "" if active.chosen else "; auto mode asks for every command"
        return f"none: {active.why}{asks}"
    version = f" (version {active.version})" if active.version else ""
    keeps = "writes to the project and temporary files only, no network unless allowed"
    if not advice.is_whole(active):
        keeps = f"it does not close: {'; '.join(active.open)}"
    return f"{active.name}{version}: {keeps}"


def _system(env: Mapping[str, str]) -> advice.System:
    switches = {path: text for path in advice.SWITCHES if (text := _text(Path(path)))}
    return advice.System(sys.platform, lambda name: program_at(name, env) is not None, switches, os.geteuid() == 0)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


# ------------------------------------------------------------------ the machine


async def terminal(patient: Patient) -> Finding:
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    kind = patient.env.get("TERM") or "none"
    if encoding != "utf8":
        return Finding("terminal", "yellow", f"{kind}, writes {encoding or 'nothing'}", "export LANG=C.UTF-8")
    if not sys.stdout.isatty():
        return Finding("terminal", "green", f"{kind}; the output goes into a file or a pipe")
    size = shutil.get_terminal_size()
    return Finding("terminal", "green", f"{kind}, {size.columns} × {size.lines}, UTF-8")


async def disk(patient: Patient) -> Finding:
    if isinstance(patient.ready, UserFacing):
        return Finding("disk", "yellow", "not looked at, since the settings cannot be read")
    folders = (patient.ready.folders.state, patient.ready.folders.data)
    free, folder = min((_free(folder), folder) for folder in folders)
    told = f"{free / 1e9:.1f} GB free for what is kept in {folder}"
    if (level := disk_level(free)) == "green":
        return Finding("disk", "green", told)
    return Finding("disk", level, told, "remove files there, or let QAGENT_HOME name a folder on another disk")


def disk_level(free: int) -> Level:
    return "green" if free >= ENOUGH_BYTES else "yellow" if free >= LEAST_BYTES else "red"


def _free(folder: Path) -> int:
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


# ------------------------------------------------------------------ settings and the model


async def settings(patient: Patient) -> Finding:
    """Which files and variables were read, and why a project's own are or are not. Values are not shown."""
    ready = patient.ready
    if isinstance(ready, UserFacing):
        return Finding("settings", "red", ready.what, ready.todo)
    root, own = ready.place.workspace.root, ready.folders
    read = [f"{own.config_file} (yours)"] if own.config_file.is_file() else [f"no {own.config_file}"]
    read += sorted(f"{origin} ({key})" for key in ready.chosen if not (origin := ready.origins[key]).startswith("/"))
    if needs_trust(own.state, root):
        told = f"{'; '.join(read)}; {root / FOLDER} is not read: you have not trusted it as it is now"
        return Finding("settings", "yellow", told, f"look at {root / FOLDER}, then start once with `qagent --trust`")
    read += [f"{root / FOLDER} (you have trusted it)"] if is_trusted(own.state, root) else []
    return Finding("settings", "green", "; ".join(read))


async def server(patient: Patient) -> Finding:
    """Whether it answers, and with which model a task would be done."""
    if isinstance(patient.ready, UserFacing):
        return Finding("server", "yellow", "not asked, since the settings cannot be read")
    chosen = patient.ready.place.settings
    quietly = chosen.model_copy(update={"send_tools": False})  # with it the model itself would be asked
    model, notices = await connect(quietly, env=patient.env)
    told = "; ".join((f"{chosen.server} at {chosen.host} answers, the model is {model.name}", *notices))
    return Finding("server", "green", told)


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "python": python,
        "git": git,
        "sandbox": sandbox,
        "terminal": terminal,
        "disk": disk,
        "settings": settings,
        "server": server,
    }
)
"""By the finding's name."""

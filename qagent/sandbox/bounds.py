"""What one command may touch, as values: the grants that it was given, and the bounds that follow. No disk in here.

Every sandbox works from the same `Bounds`; `mounts` turns them into the steps by which a view of the file system is
made, for those that can make one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

SandboxName = Literal["bubblewrap", "landlock", "seatbelt", "none"]
Wanted = Literal["auto", "bubblewrap", "landlock", "seatbelt", "off"]
"""What the settings can ask for."""

TMP = Path("/tmp")
TEMPORARY = (TMP, Path("/var/tmp"))

UNCLOSED = (
    "reading most other files",
    "how many processes a command starts and how much of the disk it fills, until its time is up",
    "a new .git, .qagent or plan.md where there was none",
)
"""What no sandbox here keeps from commands."""
UNCLOSED_LINUX = ("virtual sockets (vsock) and the kernel's key rings",)
"""A filter of system calls could."""
WITH_NETWORK = "while a command is allowed the network: every server that this machine reaches"


@dataclass(frozen=True, slots=True)
class Grants:
    """What an allowed command gets beyond the usual.

    git: `work` makes git's folder writable but for its settings and hooks; `settings` its settings too, and then git
    runs no hooks. So no command can plant one. network: the machine's own network. keys: the log-ins in the home folder
    are not hidden. free: no sandbox at all; a person was asked, and told why.
    """

    git: Literal["no", "work", "settings"] = "no"
    network: bool = False
    keys: bool = False
    free: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Absolute paths, free of links, that exist.

    writable: folders, the workspace first. shut: what lies in them and is not. hidden: what is not even read. tools:
    folders below /tmp with programs, which stay in sight though /tmp is `scratch` there. unwanted: what must not be
    there afterwards. missing: what would be shut if it existed;
    git may bring it.
    """

    root: Path
    scratch: Path
    writable: tuple[Path, ...]
    shut: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    tools: tuple[Path, ...] = ()
    network: bool = False
    unwanted: tuple[Path, ...] = ()
    missing: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """`source`, as it is outside, seen at `target`."""

    source: Path
    target: Path
    writable: bool


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty folder at `target`, or an empty file where a file is."""

    target: Path
    is_folder: bool = True


@dataclass(frozen=True, slots=True)
class Shut:
    """The mount at `target` becomes read-only; what is mounted below it stays as it is."""

    target: Path


Mount: TypeAlias = Bind | Empty | Shut


def mounts(bounds: Bounds, temporary: Iterable[Path] = (TMP,), files: frozenset[Path] = frozenset()) -> list[Mount]:
    """The view of the disk, in order, over a root where everything can be read and nothing written.

    `temporary`: the folders that the scratch folder stands for. files: those of `hidden` that are no folders.
    """
    steps: list[Mount] = [Bind(bounds.scratch, folder, writable=True) for folder in temporary]
    kept = [path for path in bounds.writable if path != bounds.scratch]
    ways = (way for path in kept if (way := _way(path, temporary)))
    steps += [Bind(path, path, writable=False) for path in outermost((*bounds.tools, *ways))]
    steps += [Bind(path, path, writable=True) for path in kept]
    steps += [Bind(path, path, writable=False) for path in bounds.shut]
    for path in bounds.hidden:
        steps += [Empty(path, is_folder=False)] if path in files else [Empty(path), Shut(path)]
    return steps


def _way(path: Path, temporary: Iterable[Path]) -> Path | None:
    """The first folder on the way from a temporary folder to this path: it is seen as it is, read-only, so that what is
    written beside the path is refused, and not lost in the scratch folder."""
    for folder in temporary:
        if path.is_relative_to(folder) and len(parts := path.relative_to(folder).parts) > 1:
            return folder / parts[0]
    return None


def inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def outermost(paths: Iterable[Path]) -> Iterator[Path]:
    """Without those that lie in another one."""
    for path in (found := sorted(set(paths))):
        if not inside(path, (other for other in found if other != path)):
            yield path

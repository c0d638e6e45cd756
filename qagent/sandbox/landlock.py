"""Bounds and a command in, the arguments that start our launcher out; and what it closes on a machine. Pure.

The kernel's own words on each version: docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qagent.sandbox.bounds import TMP, UNCLOSED, UNCLOSED_LINUX, WITH_NETWORK, Bind, Bounds, Empty, Mount, Shut

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/shm")
_TERMINALS = ("/dev/ptmx", "/dev/pts")
"""Only where they are the sandbox's own: else they are the person's."""

_CODE = "import sys; sys.path.append(sys.argv.pop(1)); from qagent.sandbox.launcher import main; main(sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Machine:
    """abi: the version of Landlock, 0 without. namespaces: a view of the disk, processes and a network of one's own."""

    abi: int = 0
    namespaces: bool = False


def starting(python: str) -> list[str]:
    """The launcher's own words: a bare interpreter that finds this package and nothing else."""
    return [python, "-I", "-S", "-c", _CODE, str(Path(__file__).parents[2])]


def arguments(
    python: str,
    machine: Machine,
    bounds: Bounds,
    steps: Sequence[Mount],
    command: Sequence[str],
    left: int,
    parent: int,
) -> list[str]:
    """`steps` count only where there are namespaces. `left`: as for bubblewrap. parent: the process that starts it,
    with which it ends."""
    seen = [TMP if machine.namespaces and path == bounds.scratch else path for path in bounds.writable]
    devices = (*DEVICES, *_TERMINALS) if machine.namespaces else DEVICES
    plan = {
        "abi": machine.abi,
        "namespaces": machine.namespaces,
        "network": bounds.network,
        "root": str(bounds.root),
        "mounts": [_plain(step) for step in steps] if machine.namespaces else [],
        "writable": [*map(str, seen), *(name for name in devices if Path(name).exists())],
        "left": left,
        "parent": parent,
    }
    return [*starting(python), json.dumps(plan), "--", *command]


def _plain(step: Mount) -> list[object]:
    match step:
        case Bind(source, target, writable):
            return ["bind", str(source), str(target), writable]
        case Empty(target, is_folder):
            return ["empty", str(target), is_folder]
        case Shut(target):
            return ["shut", str(target)]


def closed(machine: Machine) -> tuple[str, ...]:
    found = ["writing outside of the project and of a temporary folder"]
    if machine.namespaces:
        found += ["writing to .git and .qagent and plan.md", "the network (UDP and local servers too)"]
        found += ["other programs and what would outlive the command", "key folders of the home folder"]
    else:
        found += ["TCP (to local servers too)"] if machine.abi >= 4 else []
        found += ["signals to other programs and abstract sockets"] if machine.abi >= 6 else []
    return tuple(found)


def left_open(machine: Machine) -> tuple[str, ...]:
    """What this machine's Landlock cannot close."""
    found = [*UNCLOSED, *UNCLOSED_LINUX]
    if machine.namespaces:
        scoped = machine.abi >= 6
        found += [WITH_NETWORK if scoped else f"{WITH_NETWORK}, and abstract sockets of other programs"]
    if machine.abi < 2:
        found += ["moving files between folders fails (it needs version 2)"]
    if machine.abi < 3:
        found += ["truncating files outside (it needs version 3)"]
    if not machine.namespaces:
        found += [
            "writing to .git (its settings and hooks and .qagent and plan.md are put back)",
            "reading keys in the home folder",
        ]
        found += ["UDP"] if machine.abi >= 4 else ["the network (TCP needs version 4)"]
        found += [] if machine.abi >= 6 else ["signals to other programs (it needs version 6)"]
        found += [WITH_NETWORK, "how many processes of other programs there are, and what they are called"]
        found += ["rights, owners and times of files outside", "sockets of other programs that have a path"]
        found += ["pseudo-terminals cannot be opened"]
    return tuple(found)

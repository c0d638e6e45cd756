"""How a person gets a better sandbox, or another one: the active one, the one that was asked for and what the machine
tells, in; a command out, or "". Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from qagent.sandbox.bounds import Wanted
from qagent.sandbox.choice import Active, usual

INSTALLS: Mapping[str, str] = MappingProxyType(
    {
        "apt-get": "sudo apt-get install bubblewrap",
        "dnf": "sudo dnf install bubblewrap",
        "pacman": "sudo pacman -S bubblewrap",
        "zypper": "sudo zypper install bubblewrap",
        "apk": "sudo apk add bubblewrap",
        "brew": "brew install bubblewrap",
    }
)
"""By package manager; the first that is there counts."""

SWITCHES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
            "1", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        "/proc/sys/user/max_user_namespaces": ("0", "sudo sysctl -w user.max_user_namespaces=15000"),
    }
)  # fmt: skip
"""Files in which Linux tells that it lets nobody but root make namespaces: the value that says so, and what changes it.
Ubuntu 24.04 has the first, Debian until 10 had the second, the third is the kernel's own."""

CONTAINER = "this may be a container: start it so that it may make namespaces (`--security-opt seccomp=unconfined`)"


@dataclass(frozen=True, slots=True)
class System:
    """has: whether a program is installed. switches: what stands in those of SWITCHES that exist. root: the person may
    do everything, so no switch is in the way."""

    platform: str
    has: Callable[[str], bool]
    switches: Mapping[str, str] = field(default_factory=dict[str, str])
    root: bool = False


def is_whole(active: Active) -> bool:
    """Whether it closes all that a sandbox can close here."""
    return active.name in ("bubblewrap", "seatbelt") or (active.name == "landlock" and active.whole)


def todo(active: Active, system: System, wanted: Wanted = "auto") -> str:
    """ "" where there is nothing better."""
    if is_whole(active):
        beside = active.name == "landlock" and wanted == "auto" and not system.has("bwrap")
        return f"{_install(system)}  # bubblewrap is used instead, once it is there" if beside else ""
    if active.chosen:
        return _without("off")
    if wanted not in ("auto", *usual(system.platform)):
        return _without(wanted)
    if not system.platform.startswith("linux"):
        return "qagent knows no sandbox for this system; on Windows, work in WSL"
    if not system.root and (command := _switch(system.switches)):
        return f"{command}  # until the next start of the machine; a file in /etc/sysctl.d makes it last"
    if not system.has("bwrap"):
        return _install(system)
    return CONTAINER if wanted == "auto" or active.name != "none" else _without(wanted)


def another(active: Active, system: System, wanted: Wanted = "auto") -> str:
    """When the active one was tried, and then could not be set up."""
    if active.name == "bubblewrap":
        return "try the other one: `--set sandbox=landlock`"
    if active.name == "landlock":
        return "try the other one: `--set sandbox=bubblewrap`" if system.has("bwrap") else _install(system)
    return todo(active, system, wanted) or "look at what it says; `--set sandbox=off` does without one"


def _without(wanted: Wanted) -> str:
    return f'remove `sandbox = "{wanted}"` from your settings, or try once with `--set sandbox=auto`'


def _install(system: System) -> str:
    return next((command for name, command in INSTALLS.items() if system.has(name)), "install bubblewrap")


def _switch(switches: Mapping[str, str]) -> str:
    shut = (command for path, (value, command) in SWITCHES.items() if switches.get(path, "").strip() == value)
    return next(shut, "")

"""Bounds and a command in, the arguments of bubblewrap out. Pure; tried with bubblewrap 0.8.

Everything is mounted read-only but for what the bounds name; processes, shared memory and, unless it is granted, the
network are the sandbox's own, with a loopback device that reaches nothing outside. When bubblewrap ends, by whatever
cause, everything in the sandbox is killed by the kernel, since its first process is.
"""

from __future__ import annotations

from collections.abc import Sequence

from qagent.sandbox.bounds import UNCLOSED, UNCLOSED_LINUX, WITH_NETWORK, Bind, Bounds, Empty, Mount, Shut

CLOSED = (
    "writing outside of the project and of temporary folders",
    "writing to .git and .qagent and plan.md",
    "the network (UDP and local servers too)",
    "other programs and what would outlive the command",
    "key folders of the home folder",
)
OPEN = (*UNCLOSED, *UNCLOSED_LINUX, f"{WITH_NETWORK}, and abstract sockets of other programs")

_KEPT = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER")
"""What root needs for files that belong to others; every other power of root could undo the sandbox."""

_SETTINGS = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi")
"""The kernel's own settings. A new /proc can be written to, and some of these need no power but to be root: with
`core_pattern` root names the program that the kernel starts, outside, when a process dies."""

_LEFT = (
    '"$@"; code=$?; set -- /proc/[0-9]*; [ $# -le 2 ] || { sleep 0.05; set -- /proc/[0-9]*; }; '
    "[ $# -le 2 ] || echo left >/proc/self/fd/LEFT; exit $code"
)
"""Tells whether more than the sandbox's first process and this shell are there at the end; what is just ending, as
behind `diff <(a) <(b)`, gets a moment. By a path, since some shells know no descriptors above 9."""


def arguments(
    bwrap: str, bounds: Bounds, steps: Sequence[Mount], command: Sequence[str], left: int, *, is_root: bool
) -> list[str]:
    """`left`: an open descriptor that gets a line when the command left something running."""
    net = [] if bounds.network else ["--unshare-net"]
    words = [bwrap, "--die-with-parent", "--unshare-pid", "--unshare-ipc", *net, "--cap-drop", "ALL"]
    words += [word for name in _KEPT for word in ("--cap-add", name)] if is_root else []
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    words += [word for path in _SETTINGS for word in ("--ro-bind-try", path, path)] if is_root else []
    words += [word for step in steps for word in _step(step)]
    return [
        *words,
        "--chdir",
        str(bounds.root),
        "--",
        "/bin/sh",
        "-c",
        _LEFT.replace("LEFT", str(left)),
        "sh",
        *command,
    ]


def _step(step: Mount) -> tuple[str, ...]:
    match step:
        case Bind(source, target, writable):
            return ("--bind" if writable else "--ro-bind", str(source), str(target))
        case Empty(target, True):
            return ("--tmpfs", str(target))
        case Empty(target):
            return ("--ro-bind", "/dev/null", str(target))
        case Shut(target):
            return ("--remount-ro", str(target))

"""What a command sees of the disk: the launcher's steps, carried out in a mount namespace of its own.

Comes in: the steps as lists, as they stand in the plan. Every function raises OSError when it cannot do what it says.
Only the standard library, like all that the launcher loads.
"""

from __future__ import annotations

import os

from qagent.sandbox import kernel

TYPE_CHECKING = False
"""As in `typing`, which takes longer to import than this file."""
if TYPE_CHECKING:
    from typing import Any


def change(steps: list[list[Any]]) -> None:
    """All is read-only, also against what Landlock cannot see (rights, owners, times), but for the writable binds."""
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    sources = {path: os.open(path, os.O_PATH) for kind, path, *_ in steps if kind == "bind"}
    _change_processes()
    reopened: list[str] = []
    for kind, path, *rest in steps:
        match kind:
            case "bind":
                target, writable = rest
                was_open = _bind(f"/proc/self/fd/{sources[path]}", target)
                reopened += [target] if writable and was_open else []
            case "empty":
                _empty(path, *rest)
            case _:
                continue  # as everything below
    _own_devices()
    own = (*_shared_memory(), *own_terminals())
    kernel.shut("/", below=True)
    for target in (*reopened, *own):
        kernel.reopen(target)
    for handle in sources.values():
        os.close(handle)


_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
          ("stderr", "/proc/self/fd/2"))  # fmt: skip


def _own_devices() -> None:
    """A /dev with what every program needs, and without disks, cameras and the like."""
    handles = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES if os.path.exists(f"/dev/{name}")}
    had = [name for name in ("pts", "shm") if os.path.isdir(f"/dev/{name}")]
    kernel.mount("tmpfs", "/dev", "tmpfs", kernel.MS_NOSUID | kernel.MS_NOEXEC, "mode=0755,size=1m")
    for name, handle in handles.items():
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
        kernel.mount(f"/proc/self/fd/{handle}", f"/dev/{name}", flags=kernel.MS_BIND)
        os.close(handle)
    for name in had:
        os.mkdir(f"/dev/{name}")
    os.close(os.open("/dev/ptmx", os.O_CREAT | os.O_WRONLY, 0o600))
    for name, target in _LINKS:
        os.symlink(target, f"/dev/{name}")


def _shared_memory() -> tuple[str, ...]:
    """A /dev/shm of its own."""
    if not os.path.isdir("/dev/shm"):
        return ()
    _empty("/dev/shm", is_folder=True)
    return ("/dev/shm",)


def own_terminals() -> tuple[str, ...]:
    """Pseudo-terminals of its own: with those of the person, a command could write on the person's screen."""
    if not os.path.isdir("/dev/pts"):
        return ()
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, "newinstance,ptmxmode=0666")
    kernel.mount("/dev/pts/ptmx", "/dev/ptmx", flags=kernel.MS_BIND)
    return ("/dev/pts",)


def _change_processes() -> None:
    """The own processes alone are in sight, where the kernel lets a new /proc be mounted; in some containers not."""
    try:
        kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    except OSError:
        return


def _bind(source: str, target: str) -> bool:
    """Whether it can be written to. `source` is a descriptor's path: by then its own name may lead elsewhere."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
    return not os.statvfs(target).f_flag & os.ST_RDONLY


def _empty(target: str, is_folder: bool) -> None:
    if is_folder:
        os.makedirs(target, exist_ok=True)
        mode = "mode=1777" if target == "/dev/shm" else "mode=0755"
        kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, mode)
    else:
        kernel.mount("/dev/null", target, flags=kernel.MS_BIND)

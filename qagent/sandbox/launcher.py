"""Starts one command in the bounds that it is given, as a process of its own between qagent and the command.

Comes in: a plan as JSON and the command's words, as arguments. Goes out: the command's exit code, 128 + N when signal N
ended it; 126 and a line that begins with `qagent sandbox:` when the bounds could not be set, and then nothing has run.
It knows nothing of where the bounds come from. Only the standard library, and few modules of it: it starts anew for
every command.

With namespaces there is a first process that the kernel ends together with this one, and everything in the sandbox with
it. Without them this process adopts what the command leaves behind and ends it; when it is itself killed with SIGKILL,
what has moved into a session of its own gets away.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from qagent.sandbox import kernel, view

TYPE_CHECKING = False
"""As in `typing`, which takes longer to import than this file."""
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

FAILED = 126
_KEPT = frozenset({0, 1, 3})
"""CAP_CHOWN, CAP_DAC_OVERRIDE and CAP_FOWNER: what root needs for files that belong to others."""


def main(arguments: Sequence[str]) -> NoReturn:
    """`PLAN -- WORD…`, or `--probe`, which prints what this machine has."""
    if list(arguments) == ["--probe"]:
        print(json.dumps(_probe()))
        raise SystemExit(0)
    plan, words = json.loads(arguments[0]), list(arguments[2:])
    try:
        code = (_within_namespaces if plan["namespaces"] else _within_landlock)(plan, words)
    except OSError as error:
        _give_up(error)
    os._exit(code)


def _give_up(error: OSError) -> NoReturn:
    os.write(2, f"qagent sandbox: {error.strerror or error}\n".encode(errors="replace"))
    os._exit(FAILED)


# ------------------------------------------------------------------ with namespaces


def _within_namespaces(plan: dict[str, Any], words: list[str]) -> int:
    kernel.end_with_parent(signal.SIGKILL, lambda: os.getppid() == plan["parent"])
    network = 0 if plan["network"] else kernel.NEW_NETWORK
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_IPC | network)
    if network:
        kernel.raise_loopback()
    _ignore_polite_end()
    reading, writing = os.pipe()  # ends when this process does
    first = os.fork()
    if not first:
        os.close(writing)
        _as_first(plan, words, reading)
    os.close(reading)
    return _code(os.waitpid(first, 0)[1])


def _as_first(plan: dict[str, Any], words: list[str], parent: int) -> NoReturn:
    """Process 1 of the sandbox: sees the disk as planned, and waits for the command."""
    try:
        kernel.end_with_parent(signal.SIGKILL, lambda: not _has_ended(parent))
        os.close(parent)
        view.change(plan["mounts"])
        code = _run(plan, words)
    except OSError as error:
        _give_up(error)
    os._exit(code)


def _has_ended(reading: int) -> bool:
    os.set_blocking(reading, False)
    try:
        return os.read(reading, 1) == b""
    except BlockingIOError:
        return False


def _ignore_polite_end() -> None:
    """The polite signal goes to the whole group: the command may take its time, and these two wait for it."""
    signal.signal(signal.SIGTERM, _do_nothing)


def _do_nothing(*_: object) -> None:
    """Unlike SIG_IGN it is not handed on to the command."""


# ------------------------------------------------------------------ with Landlock alone


def _within_landlock(plan: dict[str, Any], words: list[str]) -> int:
    kernel.adopt_orphans()
    signal.signal(signal.SIGTERM, _end_all)
    kernel.end_with_parent(signal.SIGTERM, lambda: os.getppid() == plan["parent"])
    return _run(plan, words)


_PATIENCE = 20
"""Hundredths of a second between the polite signal, which the command gets as well, and the end of all."""


def _end_all(*_: object) -> NoReturn:
    """Ends every descendant: what had moved away has been adopted, or will be, when its parent is gone."""
    for _hundredth in range(_PATIENCE):
        if not _reaped():
            os._exit(128 + signal.SIGTERM)
        time.sleep(0.01)
    _kill_descendants()
    os._exit(128 + signal.SIGTERM)


def _reaped() -> bool:
    """Takes the children that have ended; whether there are any left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _kill_descendants() -> None:
    while _reaped():
        for child in _children(os.getpid()):
            _kill_tree(child)
        time.sleep(0.002)


def _kill_tree(process: int) -> None:
    for child in _children(process):
        _kill_tree(child)
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _children(process: int) -> list[int]:
    """Of all its threads."""
    tasks = f"/proc/{process}/task"
    try:
        return [child for task in os.listdir(tasks) for child in _listed(f"{tasks}/{task}/children")]
    except OSError:
        return []


def _listed(path: str) -> list[int]:
    with open(path, encoding="ascii") as listing:
        return [int(word) for word in listing.read().split()]


# ------------------------------------------------------------------ the command


def _run(plan: dict[str, Any], words: list[str]) -> int:
    """Starts it, confined, and waits; then ends what it left running, and tells of that by the descriptor `left`."""
    command = os.fork()
    if not command:
        _become(plan, words)
    code = None
    while code is None:
        ended, status = os.waitpid(-1, 0)
        code = _code(status) if ended == command else None
    if _any_left():
        os.write(plan["left"], b"left\n")
        if not plan["namespaces"]:
            _kill_descendants()
    return code


def _any_left() -> bool:
    """What is just ending, as behind `diff <(a) <(b)`, gets a moment."""
    for _hundredth in range(5):
        if not _reaped():
            return False
        time.sleep(0.01)
    return _reaped()


def _become(plan: dict[str, Any], words: list[str]) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(plan["root"])
        kernel.drop_powers(_KEPT)
        kernel.no_new_powers()
        kernel.confine(plan["abi"], plan["writable"], tcp=plan["namespaces"] or plan["network"])
        os.close(plan["left"])
        os.execvp(words[0], words)
    except OSError as error:
        _give_up(error)


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


# ------------------------------------------------------------------ what this machine has


def _probe() -> dict[str, Any]:
    return {"abi": kernel.landlock_abi(), "namespaces": _can(_try_namespaces)}


def _try_namespaces() -> None:
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_IPC | kernel.NEW_NETWORK)
    kernel.raise_loopback()
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", "/tmp", "tmpfs")
    view.own_terminals()
    kernel.shut("/", below=True)
    kernel.reopen("/tmp")


def _can(attempt: Callable[[], None]) -> bool:
    """Whether it works, tried in a child."""
    if child := os.fork():
        return os.waitpid(child, 0)[1] == 0
    try:
        attempt()
    except OSError:
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What the launcher asks of Linux, by ctypes: Landlock, namespaces, mounts, powers. Only the standard library.

Every function either does what it says or raises OSError. The numbers are those of the kernel's own headers
(linux/landlock.h, linux/mount.h, linux/prctl.h); the newer calls have the same ones on every machine that Linux
runs on, but for Alpha.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import sys

TYPE_CHECKING = False
"""As in `typing`, which takes longer to import than this file."""
if TYPE_CHECKING:
    from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PROCESSES, NEW_NETWORK = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4_096, 16_384, 1 << 18
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38

_MOUNT_SETATTR = 442
_AT_FDCWD, _AT_RECURSIVE, _RDONLY = -100, 0x8000, 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1

WRITE_FILE, REFER, TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_CHANGES_FOLDERS = sum(1 << bit for bit in (4, 5, 7, 8, 9, 10, 12))
"""Remove a folder or file; make a folder, a file, a socket, a pipe, a link."""
_MAKE_DEVICES = 1 << 6 | 1 << 11
_TCP = 1 << 0 | 1 << 1
_SCOPES = 1 << 0 | 1 << 1
"""Abstract sockets and signals of programs outside."""


def _called(function: str, *arguments: object) -> int:
    ctypes.set_errno(0)
    result = int(getattr(_LIBC, function)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
    return result


def _syscall(number: int, *arguments: object) -> int:
    return _called("syscall", ctypes.c_long(number), *arguments)


# ------------------------------------------------------------------ Landlock


def landlock_abi() -> int:
    """The version that the kernel speaks, from 1; 0 when it has none, or has it switched off, or is not Linux."""
    if sys.platform != "linux":
        return 0
    try:
        return _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        return 0


def confine(abi: int, writable: list[str], *, tcp: bool) -> None:
    """For good, this process and all that it starts: writing below these paths alone, and, from version 4, TCP only
    when `tcp` is true. Without version 2 nothing can be moved between folders, without 3 truncating stays open."""
    files = WRITE_FILE | (TRUNCATE if abi >= 3 else 0)
    folders = files | _CHANGES_FOLDERS | (REFER if abi >= 2 else 0)
    ports = 0 if tcp or abi < 4 else _TCP
    scopes = _SCOPES if abi >= 6 else 0
    attributes = struct.pack("=QQQ", folders | _MAKE_DEVICES, ports, scopes)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    rules = _syscall(_CREATE_RULESET, ctypes.c_char_p(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path in writable:
        _allow(rules, path, folders if os.path.isdir(path) else files)
    _syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", access, place)
        _syscall(_ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), ctypes.c_char_p(rule), ctypes.c_uint32(0))
    finally:
        os.close(place)


# ------------------------------------------------------------------ namespaces and mounts


def unshare(namespaces: int) -> None:
    """New namespaces; without the power to make them, in a new user namespace, where one is the same user as before."""
    user, group = os.geteuid(), os.getegid()
    try:
        _called("unshare", ctypes.c_int(namespaces))
    except PermissionError:
        _called("unshare", ctypes.c_int(namespaces | NEW_USER))
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    texts = (os.fsencode(text) if text else None for text in (source, target, kind))
    _called("mount", *texts, ctypes.c_ulong(flags), os.fsencode(data) if data else None)


def shut(target: str, *, below: bool = False) -> None:
    """The mount there becomes read-only; `below`: and all that are mounted below it."""
    _set_read_only(target, on=True, flags=_AT_RECURSIVE if below else 0)


def reopen(target: str) -> None:
    """The mount there, and nothing below it, can be written to again."""
    _set_read_only(target, on=False, flags=0)


def _set_read_only(target: str, *, on: bool, flags: int) -> None:
    attributes = struct.pack("=QQQQ", _RDONLY if on else 0, 0 if on else _RDONLY, 0, 0)
    place = (ctypes.c_int(_AT_FDCWD), ctypes.c_char_p(os.fsencode(target)), ctypes.c_uint(flags))
    _syscall(_MOUNT_SETATTR, *place, ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)))


def raise_loopback() -> None:
    """Switches on the loopback device of a new network namespace (SIOCSIFFLAGS with IFF_UP and IFF_RUNNING)."""
    asking = _called("socket", ctypes.c_int(2), ctypes.c_int(2), ctypes.c_int(0))  # AF_INET, SOCK_DGRAM
    fcntl.ioctl(asking, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
    os.close(asking)


# ------------------------------------------------------------------ the process


def drop_powers(kept: frozenset[int]) -> None:
    """What root could undo all this with is gone after the next exec, for good."""
    number = 0
    while True:
        if number not in kept and not _dropped(number):
            return
        number += 1


def _dropped(number: int) -> bool:
    """False when there is no power of this number, or no right to drop it, as for everybody but root."""
    try:
        _prctl(_PR_CAPBSET_DROP, number)
    except OSError:
        return False
    return True


def no_new_powers() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def adopt_orphans() -> None:
    """What descendants leave behind becomes this process's child."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(signal: int, parent: Callable[[], bool]) -> None:
    """This process gets the signal when its parent ends. `parent`: whether it is still there."""
    _prctl(_PR_SET_PDEATHSIG, signal)
    if not parent():
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    _called("prctl", ctypes.c_int(option), *(ctypes.c_ulong(number) for number in (value, 0, 0, 0)))

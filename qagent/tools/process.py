"""One child process, from its start to its certain end: words in; its exit code, and what it printed, out.

It runs in a session and process group of its own, without a terminal and without input, and the whole group is gone
when this returns: at the end, at the time limit, or when the task is cancelled. What moves into a session of its own
gets away, unless a sandbox keeps it. It knows nothing of shells, sandboxes and permissions.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qagent.tools.output import Output

_GRACE = 30
"""Hundredths of a second between the polite signal and the other one."""


@dataclass(frozen=True, slots=True)
class Start:
    """`handed`: descriptors that stay open in the child, under the same numbers. ends_all: when the child ends by
    itself, what it has started ends too, so nobody has to be asked politely."""

    words: list[str]
    folder: Path
    env: Mapping[str, str]
    handed: tuple[int, ...] = ()
    ends_all: bool = False


async def finish(start: Start, limit: int, output: Output) -> tuple[int | None, bool]:
    """The exit code, None when the time was up; and whether something of its group had to be stopped.

    Raises OSError or ValueError when it could not be started.
    """
    # A pipe of our own: asyncio's would keep the call waiting for every grandchild that holds it open.
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        try:
            process = await _start(start, writing)
        finally:
            os.close(writing)
        return await _watch(process, reading, limit, output, ends_all=start.ends_all)
    finally:
        os.close(reading)


async def _start(start: Start, writing: int) -> asyncio.subprocess.Process:
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *start.words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd=start.folder,
            env=start.env,
            pass_fds=start.handed,
            start_new_session=True,
        )
    )
    return await started(starting)


async def started(starting: asyncio.Task[asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """The process, which leads a group of its own. A cancel waits until it is there and ends the group: asyncio would
    kill the process alone, or lose it together with its pipes (Python 3.11)."""
    cancelled = await _ended(starting)
    if cancelled is None:
        return starting.result()
    if starting.exception() is None:
        await _stop(starting.result())
    raise cancelled


async def _ended(task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
    """Waits until the task is done, whoever cancels meanwhile; the cancel that it then still has to raise."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _watch(
    process: asyncio.subprocess.Process, reading: int, limit: int, output: Output, *, ends_all: bool
) -> tuple[int | None, bool]:
    loop = asyncio.get_running_loop()
    loop.add_reader(reading, lambda: output.read(reading) or loop.remove_reader(reading))
    code, left = None, False
    try:
        with suppress(TimeoutError):
            code = await asyncio.wait_for(process.wait(), limit)
    finally:
        try:
            left = await _stop(process, at_once=ends_all and code is not None)
        finally:
            loop.remove_reader(reading)
            output.drain(reading)
    return code, left


async def _stop(process: asyncio.subprocess.Process, *, at_once: bool = False) -> bool:
    """Ends all that is left of the group, politely first; whether anything was. A second cancel only hastens it."""
    left = _signal(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)
    try:
        for _ in range(0 if at_once else _GRACE):
            if not left or not _signal(process.pid, 0):
                break
            await asyncio.sleep(0.01)
    finally:
        _signal(process.pid, signal.SIGKILL)
        cancelled = await _ended(asyncio.create_task(process.wait()))
    if cancelled:
        raise cancelled
    return left


def _signal(group: int, number: int) -> bool:
    """Whether there was anybody in the group to get the signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True

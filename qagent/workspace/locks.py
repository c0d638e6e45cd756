"""One writer at a time: whoever reads a file to change it holds its folder's lock until the new text is written.

Several qagents, and several tasks of one, keep each other off so; nothing is left on the disk, for it is the folder
itself that is locked, and a process that dies lets go. Other programs are not kept off; they are noticed by the file's
bytes. Where a file system knows no locks, there are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from qagent.errors import ToolFailed

_PATIENCE = 10.0
"""Seconds to wait for somebody else, who needs milliseconds."""

_AGAIN = 0.01


@contextlib.asynccontextmanager
async def locked(path: Path) -> AsyncGenerator[None]:
    """For a file to be written, which need not exist. Raises ToolFailed when somebody else does not let go."""
    folder = next(above for above in path.parents if above.is_dir())
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        await _taken(descriptor)
        yield
    finally:
        os.close(descriptor)


async def _taken(descriptor: int) -> None:
    end = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if asyncio.get_running_loop().time() > end:
                raise ToolFailed("another qagent is writing in this folder; try again.") from None
            await asyncio.sleep(_AGAIN)
        except OSError:
            return
        else:
            return

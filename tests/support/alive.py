"""Tells whether the processes of a command are gone, without looking for them by number."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


class Alive:
    """A named pipe that a command's processes hold open (`exec 7>alive`), so that its end is theirs."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "alive"
        os.mkfifo(self._path)
        self._reading = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)

    async def gone(self) -> bool:
        """Waits until no process holds the pipe any more; at once when there is none."""
        os.close(os.open(self._path, os.O_WRONLY))  # a pipe that nobody has ever written to never tells of its end
        reader = asyncio.StreamReader()
        pipe = os.fdopen(self._reading, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            return await asyncio.wait_for(reader.read(), 30) == b""
        finally:
            transport.close()

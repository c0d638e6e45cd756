"""Runs a coroutine to its end, where a signal can only ask it to stop: it is cancelled, and saves what it has."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """A signal ended the work, which is saved. `code` is the exit code: 130 for SIGINT, 143 for SIGTERM."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. Raises Interrupted when SIGINT or SIGTERM came first."""
    terminated = False

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        loop.add_signal_handler(signal.SIGTERM, terminate)
        try:
            return await task
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    try:
        return asyncio.run(guarded())
    except KeyboardInterrupt as interrupt:
        raise Interrupted(130) from interrupt
    except asyncio.CancelledError as cancelled:
        raise Interrupted(143 if terminated else 130) from cancelled

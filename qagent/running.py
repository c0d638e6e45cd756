"""Runs a coroutine to its end, where a signal can only ask it to stop: it is cancelled, and saves what it has."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


_ENDS = (signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """A signal ended the work, which is saved. `code` is the exit code: 128 and the signal's number."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. Raises Interrupted when SIGINT, SIGTERM or SIGHUP (the terminal was closed) came
    first; a SIGHUP that `nohup` told to ignore is ignored."""
    came: list[int] = []
    ends = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        def end(number: int) -> None:
            came.append(number)
            task.cancel()

        for number in ends:
            loop.add_signal_handler(number, end, number)
        try:
            return await task
        finally:
            for number in ends:
                loop.remove_signal_handler(number)

    try:
        return asyncio.run(guarded())
    except KeyboardInterrupt as interrupt:
        raise Interrupted(130) from interrupt
    except asyncio.CancelledError as cancelled:
        raise Interrupted(128 + (came[0] if came else signal.SIGINT)) from cancelled

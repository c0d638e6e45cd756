"""Work on the disk beside the event loop: a function in, its result out, and no thread that works on for nobody.

A thread cannot be ended from outside, and Python waits for it when it exits. So the function is given a `Stop` to ask,
which says yes as soon as whoever waited for the result has gone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from qagent.workspace.ignore import Stop

T = TypeVar("T")


async def in_background(work: Callable[[Stop], T]) -> T:
    """The result of `work(stop)`, which runs in a thread; when the caller is cancelled, `stop` is true from then on."""
    gone = threading.Event()

    def stop(_: int) -> bool:
        return gone.is_set()

    try:
        return await asyncio.to_thread(work, stop)
    finally:
        gone.set()

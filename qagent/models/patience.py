"""A wait that ends, over as many steps as it takes: what a slow server sends in between does not prolong it.

In: seconds. Out: the error of one's choice when they are over. It must not be held across a `yield`: the time that
the receiver of a piece takes is not the server's, and the alarm would go off in the receiver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Wait:
    """`ends` is a time of the running loop's clock."""

    seconds: float
    ends: float

    @classmethod
    def of(cls, seconds: float) -> Self:
        """A wait that begins now."""
        return cls(seconds, asyncio.get_running_loop().time() + seconds)

    @asynccontextmanager
    async def before(self, late: Exception) -> AsyncGenerator[None, None]:
        """Raises `late` when the time is over before the block is."""
        try:
            async with asyncio.timeout_at(self.ends):
                yield
        except TimeoutError as error:
            raise late from error

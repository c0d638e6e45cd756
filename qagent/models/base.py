"""The one seam to every server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from qagent.types import Delta, Prompt


class Model(Protocol):
    @property
    def name(self) -> str: ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yields text as it comes and, as the last thing, one `ReplyEnded`.

        Raises only UserFacing errors. Closing the iterator (or cancelling the task) ends the request at once.
        """
        ...

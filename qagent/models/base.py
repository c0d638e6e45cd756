"""The one seam to every server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from qagent.types import Delta, Prompt, TextDelta


@dataclass(frozen=True, slots=True)
class CallsDelta(TextDelta):
    """Calls that the server itself has read out of the reply, as `<tool_call>` blocks. They are read apart from the
    text: a fence or a think block that was left open there does not hold them."""


class Model(Protocol):
    @property
    def name(self) -> str: ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yields text as it comes, a `CallsDelta` for native calls, and, as the last thing, one `ReplyEnded`.

        Raises only UserFacing errors. Closing the iterator (or cancelling the task) ends the request at once.
        """
        ...

"""A model that can only talk: it is offered no tools, and what it writes is never read for calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from qagent.models.base import Model
from qagent.types import Delta, Prompt


@dataclass(frozen=True, slots=True)
class ChatOnly:
    """Another Model, marked: whoever puts an agent together leaves the tools out."""

    talking: Model

    @property
    def name(self) -> str:
        return self.talking.name

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """As the other's."""
        return self.talking.stream(prompt)

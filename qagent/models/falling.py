"""Two ways to ask one server: the second takes over, for good and out loud, when the first turns out not to be there.

In: two Models. Out: the deltas of whichever answers. Only NoSuchRoute counts, before a word of the reply: every other
error is the first one's own, and nothing is asked twice. When the second is not there either, both are named.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from qagent.errors import NoSuchRoute
from qagent.models.base import Model
from qagent.models.openai_refusals import CHECK_ADDRESS
from qagent.types import Delta, Prompt


def _unheard(text: str) -> None:
    """Nobody has asked to be told."""


class Falling:
    """A Model. `words`: what `tell` is given, once, when the second takes over."""

    def __init__(self, first: Model, second: Model, words: str) -> None:
        self._asked, self._second, self._words = first, second, words
        self.tell: Callable[[str], None] = _unheard

    @property
    def name(self) -> str:
        return self._asked.name

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """As the one that answers."""
        begun = False
        try:
            async with aclosing(self._asked.stream(prompt)) as deltas:
                async for delta in deltas:
                    begun = True
                    yield delta
            return
        except NoSuchRoute as error:
            if begun or self._asked is self._second:
                raise
            missing = error
        self._asked = self._second
        self.tell(self._words)
        try:
            async with aclosing(self._second.stream(prompt)) as deltas:
                async for delta in deltas:
                    yield delta
        except NoSuchRoute as error:
            raise NoSuchRoute(f"{missing.what}; {error.what}", todo=CHECK_ADDRESS) from error

"""Did the server read all of the prompt? Its own count tells; a cut prompt is an error, never silent.

In: the server's count and ours. Out: nothing, or PromptCut. It knows no server.
"""

from __future__ import annotations

from qagent.errors import PromptCut
from qagent.types import Prompt


def check_prompt_count(reported: int | None, estimate: int, previous: int | None) -> None:
    """Raises PromptCut when `reported` tokens cannot be all of a prompt that we estimate at `estimate` tokens.

    previous: the server's count for an earlier prompt with which this one begins. Our estimate is rough, so only half
    of it, less 64 tokens, counts as proof; a longer prompt with a smaller count is proof by itself.
    """
    if reported is None:
        return
    if reported < 0.5 * estimate - 64:
        raise _cut(reported, f"about {estimate:,}")
    if previous is not None and reported < previous:
        raise _cut(reported, f"at least {previous:,}")


def _cut(reported: int, sent: str) -> PromptCut:
    return PromptCut(
        f"the server used {reported:,} tokens of a prompt of {sent}: it cut the rest away",
        todo="give it a larger window (the setting `num_ctx`, OLLAMA_CONTEXT_LENGTH), or update the server",
    )


class PromptCounts:
    """Remembers the last prompt of one model, to compare a prompt that continues it."""

    def __init__(self) -> None:
        self._text = ""
        self._reported: int | None = None

    def check(self, prompt: Prompt, reported: int | None) -> None:
        """Raises PromptCut. Call it once for each answered prompt."""
        continues = bool(self._text) and prompt.text.startswith(self._text)
        check_prompt_count(reported, prompt.tokens, self._reported if continues else None)
        self._text, self._reported = prompt.text, reported

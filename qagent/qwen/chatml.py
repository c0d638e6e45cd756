"""Messages in, the prompt's exact text out: ChatML as Qwen 2.5's published chat template writes it.

Append-only: the text for n messages is a byte prefix of the text for those n and any more, the model's own bytes
included. Only this file writes control tokens. Foreign text (files, command output, the person, AGENTS.md) enters
through `mark`, which breaks every special spelling by a `~` behind its `<`; `unmark` takes exactly that back out of
what the model writes, so that a file which contains `<|im_end|>` can be read and edited.

    <|im_end|>  ->  <~|im_end|>       <~|im_end|>  ->  <~~|im_end|>       (one more, so that it can be taken back)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from qagent.types import AssistantMessage, Message, SystemMessage, ToolResult, UserMessage

SPECIAL = re.compile(r"<(~*)(\|[A-Za-z0-9_]+\|>|/?tool_call>|/?tool_response>)")
"""Every spelling that Qwen's tokenizer or template gives a meaning, with any marks it already carries."""

MARK_NOTE = "(Here `~` after `<` marks a reserved word that the file spells without it. Write it the same way.)"

OPEN_TURN = "<|im_start|>assistant\n"


def mark(text: str) -> str:
    """Foreign text, made harmless. Reversible: `unmark(mark(text)) == text` for any text."""
    return SPECIAL.sub(r"<~\1\2", text) if "<" in text else text


def unmark(text: str) -> str:
    """Text from the model, with the spellings that `mark` broke made whole."""
    return SPECIAL.sub(lambda m: f"<{m[1][1:]}{m[2]}", text) if "<~" in text else text


def render(messages: Sequence[Message]) -> str:
    """The prompt for the next reply: all messages, then an open turn of the model's."""
    return "".join(_turns(messages)) + OPEN_TURN


def _turns(messages: Sequence[Message]) -> Iterator[str]:
    for is_result, group in groupby(messages, key=lambda m: isinstance(m, ToolResult)):
        if is_result:  # the template puts neighbouring results into one turn
            blocks = "".join(_result(m) for m in group if isinstance(m, ToolResult))
            yield f"<|im_start|>user{blocks}<|im_end|>\n"
        else:
            yield from map(_turn, group)


def _turn(message: Message) -> str:
    match message:
        case SystemMessage(text):
            return f"<|im_start|>system\n{text}<|im_end|>\n"
        case UserMessage(text):
            return f"<|im_start|>user\n{mark(text)}<|im_end|>\n"
        case AssistantMessage(raw):
            return f"{OPEN_TURN}{raw}<|im_end|>\n"
        case ToolResult():
            raise TypeError("results stand in turns of their own")


def result_content(text: str) -> str:
    """A tool's text as it stands between the response tags."""
    marked = mark(text)
    return marked if marked == text else f"{marked}\n{MARK_NOTE}"


def _result(result: ToolResult) -> str:
    return f"\n<tool_response>\n{result_content(result.text)}\n</tool_response>"


_PIECES = re.compile(r"[A-Za-z]+|[^\W\d_]+|\d|[^\w\s]+|_+|\n\s*|[^\S\n]+")


def estimate(text: str) -> int:
    """About how many tokens Qwen's vocabulary makes of a text.

    From 5 % below to 16 % above the true count on source code and English; elsewhere too high rather than too low. The
    product does not carry the vocabulary (3 MB of merge ranks); `benchmarks/prompt_budget.py` measures this against it.
    """
    return sum(_cost(piece) for piece in _PIECES.findall(text))


def _cost(piece: str) -> int:
    first = piece[0]
    if first.isascii():
        if first.isalpha():
            return 1 + (len(piece) - 1) // 7
        if first in " \t":
            return 0 if len(piece) == 1 else 1
        return 1 if first.isspace() or first.isdigit() else (len(piece) + 2) // 3
    return len(piece)

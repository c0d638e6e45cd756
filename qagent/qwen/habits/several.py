"""Several calls in one reply: which are run, which wait, which are only said twice. Pure.

The model writes the whole job at once and has not seen a single result (p-lemonish/ollama-x-opencode#1). So of reads
that are followed by a change or a command only the reads are run: what follows was planned without knowing what they
say, and has to be sent again. Changes with no read before them are run in order, and so is the test behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from qagent.qwen.habits.loops import only_looks, same_call
from qagent.types import BadCall, Risk, ToolCall

Turn = Literal["run", "waits", "again"]
"""again: exactly this call stands before it in the reply, with nothing between that could make a difference."""


def sorted_out(calls: Sequence[ToolCall | BadCall], risks: Mapping[str, Risk]) -> list[Turn]:
    """One for each call. A bad call is answered in its place. Whoever runs them knows more: what waits for results that
    the model had seen before need not wait."""
    turns: list[Turn] = []
    seen: set[str] = set()
    unread = False
    for call in calls:
        looks, key = _looks(call, risks), _key(call)
        waits = "waits" in turns or (unread and not looks)
        turns.append("again" if key in seen else "waits" if waits else "run")
        seen = {key} if not looks and key not in seen else seen | {key}
        unread = unread or looks
    return turns


def _looks(call: ToolCall | BadCall, risks: Mapping[str, Risk]) -> bool:
    if isinstance(call, BadCall):
        return False
    risk = risks.get(call.name, "read")
    return risk == "read" or (risk == "command" and only_looks(str(call.arguments.get("command", ""))))


def _key(call: ToolCall | BadCall) -> str:
    return call.id if isinstance(call, BadCall) else same_call(call)

from __future__ import annotations

import pytest

from qagent.qwen.habits.several import sorted_out
from qagent.types import BadCall, Risk, ToolCall

RISKS: dict[str, Risk] = {"read": "read", "list": "read", "edit": "write", "write": "write", "run": "command"}


def calls(words: str) -> list[ToolCall | BadCall]:
    """`read:a` is a call of read about a, `!` a broken one."""
    written = enumerate(words.split(", "))
    return [_call(f"1.{at}", *word.partition(":")[::2]) for at, word in written if word]


def _call(number: str, name: str, about: str) -> ToolCall | BadCall:
    return BadCall(number, "{", "why") if name == "!" else ToolCall(number, name, {"command": about})


@pytest.mark.parametrize(
    ("words", "turns"),
    [
        ("", ""),
        ("read:a", "run"),
        ("read:a, read:b, list:c", "run run run"),
        ("edit:a", "run"),
        ("edit:a, edit:b, write:c", "run run run"),
        ("edit:a, run:pytest", "run run"),
        ("edit:a, run:pytest, run:ruff check", "run run run"),
        ("run:mkdir d, write:d/a", "run run"),
        ("read:a, edit:a", "run waits"),
        ("read:a, run:pytest", "run waits"),
        ("read:a, read:b, edit:a, run:pytest", "run run waits waits"),
        ("read:a, edit:a, read:b", "run waits waits"),
        ("read:a, edit:a, edit:a", "run waits again"),
        ("edit:a, read:a", "run run"),
        ("edit:a, read:a, edit:b", "run run waits"),
        ("run:ls, run:cat a", "run run"),
        ("run:ls, edit:a", "run waits"),
        ("run:cat a, run:rm a", "run waits"),
        ("read:a, run:ls", "run run"),
        ("run:git add -A, run:git commit -m x", "run run"),
        ("read:a, read:a", "run again"),
        ("read:a, read:b, read:a", "run run again"),
        ("edit:a, edit:a", "run again"),
        ("run:x, run:x, run:x", "run again again"),
        ("run:pytest, edit:a, run:pytest", "run run run"),
        ("edit:a, run:x, edit:a", "run run run"),
        ("!, read:a", "run run"),
        ("!, !", "run run"),
        ("read:a, !", "run waits"),
    ],
)
def test_reads_run_first_and_what_was_planned_blindly_waits(words: str, turns: str) -> None:
    assert sorted_out(calls(words), RISKS) == turns.split()

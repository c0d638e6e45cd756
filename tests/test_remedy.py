from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qagent.cli.once import nobody
from qagent.cli.remedy import remedy
from qagent.config.settings import Settings
from qagent.permissions.rules import Policy, decide
from qagent.sandbox.choice import Active
from qagent.types import Question, Risk, ToolCall

BOUND, UNBOUND = Active("bubblewrap"), Active("none", why="none works")
CURL: dict[str, Any] = {"command": "curl -s https://h/x"}
MAKE: dict[str, Any] = {"command": "make"}
LOADS: dict[str, Any] = {"command": "make", "network": True}
PUSH: dict[str, Any] = {"command": "git push"}
EDIT: dict[str, Any] = {"path": "a.py"}
NOTES: dict[str, Any] = {"path": "AGENTS.md"}


def asked(arguments: dict[str, Any], settings: Settings, active: Active) -> Question:
    """As the rules ask it when nobody is there."""
    call = ToolCall("1", "run" if "command" in arguments else "edit_file", arguments)
    risk: Risk = "command" if "command" in arguments else "write"
    policy = Policy(
        settings.mode,
        settings.allow_commands,
        unasked_reads=False,
        unconfined=active.why,
        asks_network=settings.network == "ask",
    )
    decision = decide(call, risk, policy, arguments.get("path"))
    assert decision.verdict == "ask"
    return Question(call, risk, decision.reason, always=decision.always)


PATTERN = "allow such commands with --set 'allow_commands=PATTERN'"
NET = "open the network to all commands with --set network=on"
ALONE = "allow it yourself, in a conversation: `qagent -r x`"
ADVICE: list[tuple[str, Active, list[dict[str, Any]], str]] = [
    ("auto", BOUND, [CURL], NET),
    ("auto", BOUND, [LOADS], NET),
    ("accept-edits", BOUND, [CURL], f"{PATTERN} --set network=on, or with --mode auto --set network=on"),
    ("accept-edits", BOUND, [MAKE], f"{PATTERN}, or with --mode auto"),
    ("auto", UNBOUND, [MAKE], f"{PATTERN}, or let a sandbox keep them in bounds: `qagent doctor` tells how"),
    ("auto", BOUND, [PUSH], f"it is always asked: {ALONE}"),
    (
        "accept-edits",
        BOUND,
        [MAKE] * 8 + [PUSH],
        f"{PATTERN}, or with --mode auto; some of it is always asked: {ALONE}",
    ),
    ("ask", BOUND, [EDIT], "let it edit with --mode accept-edits"),
    ("accept-edits", BOUND, [NOTES], "let it edit with --mode auto"),
    ("ask", BOUND, [EDIT, MAKE], f"{PATTERN}, or with --mode auto; edits alone need --mode accept-edits"),
]


@pytest.mark.parametrize(("mode", "active", "calls", "advice"), ADVICE)
def test_the_advice_names_what_helps_in_this_mode(
    mode: str, active: Active, calls: list[dict[str, Any]], advice: str
) -> None:
    settings = Settings.model_validate({"mode": mode})
    questions = [asked(call, settings, active) for call in calls]
    assert remedy(questions, settings, active, "x") == advice


@pytest.mark.parametrize("arguments", [CURL, LOADS, MAKE])
def test_whoever_follows_the_advice_is_not_asked_again(arguments: dict[str, Any]) -> None:
    call = ToolCall("1", "run", arguments)
    assert decide(call, "command", Policy("auto", unasked_reads=False, asks_network=False)).verdict == "allow"


def test_that_nobody_is_there_is_said_once() -> None:
    settings = Settings.model_validate({"mode": "accept-edits"})
    answer = asyncio.run(nobody(asked({"command": "ls"}, settings, BOUND)))
    told = "No allow pattern names `ls`. Nobody is there to allow it. Do without it, or say what is left."
    assert (answer.words, answer.asked) == (told, False)

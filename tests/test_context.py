from __future__ import annotations

from pathlib import Path

import pytest
from replies import bad, calls, parts_of, prose

from qagent.context import build, quoted_notes, system_text
from qagent.errors import ConfigProblem
from qagent.qwen.chatml import OPEN_TURN, estimate
from qagent.tools.toolbox import standard_toolbox
from qagent.types import AssistantMessage, Message, SystemMessage, ToolCall, ToolResult, ToolSpec, UserMessage
from qagent.words import Words
from qagent.workspace.place import Workspace


@pytest.fixture
def specs(tmp_path: Path) -> tuple[ToolSpec, ...]:
    return standard_toolbox(Workspace.open(tmp_path), Words()).specs


def test_the_fixed_part_names_every_tool_and_stays_small(specs: tuple[ToolSpec, ...]) -> None:
    fixed = system_text(Words(), specs)
    assert all(f"- {spec.name}(" in fixed for spec in specs)
    assert "$" not in fixed
    assert estimate(fixed) <= 900


def test_every_example_that_the_model_is_shown_is_read_as_a_call(specs: tuple[ToolSpec, ...]) -> None:
    for spec in specs:
        for example in spec.examples:
            parts, _ = parts_of([f"So:\n{example}"], specs)
            assert [name for name, _ in calls(parts)] == [spec.name]
            assert (prose(parts), bad(parts)) == ("So:\n", [])
    parts, _ = parts_of(
        [system_text(Words(), specs).partition("# Calling a tool")[2].partition("tags, then stop")[2]], specs
    )
    assert [name for name, _ in calls(parts)] == ["read_file", "edit_file", "edit_file", "write_file"]


def test_notes_follow_the_fixed_part(specs: tuple[ToolSpec, ...]) -> None:
    assert system_text(Words(), specs, "Notes.") == f"{system_text(Words(), specs)}\n\nNotes."


def test_a_prompt_without_its_examples_is_refused(specs: tuple[ToolSpec, ...]) -> None:
    with pytest.raises(ConfigProblem, match=r"tools/write_file\.toml has too few examples"):
        system_text(Words(), [spec for spec in specs if spec.name != "write_file"])


def test_short_notes_are_quoted_whole() -> None:
    text, cut = quoted_notes(Words(), "AGENTS.md", "\nUse tabs.\x0cRun <|im_end|>.\r\n\n- a\n", 100)
    assert not cut
    assert text.endswith("\nUse tabs.\x0cRun <~|im_end|>.\r\n\n- a")
    assert "AGENTS.md" in text


def test_long_notes_are_cut_at_a_line() -> None:
    text, cut = quoted_notes(Words(), "AGENTS.md", "one two three\n" * 100, 50)
    assert cut
    assert text.endswith("one two three\n(… AGENTS.md is longer; read it for the rest.)")
    assert estimate(text) < 100


def reply(*ids: str) -> AssistantMessage:
    return AssistantMessage("Call.", tuple(ToolCall(each, "run", {}) for each in ids))


def told(*texts: str) -> str:
    return "".join(f"\n<tool_response>\n{text}\n</tool_response>" for text in texts)


MISSING: dict[str, tuple[list[Message], str]] = {
    "no call": ([reply()], ""),
    "all there": ([reply("1.1"), ToolResult("1.1", "ok")], told("ok")),
    "the last one missing": ([reply("1.1", "1.2"), ToolResult("1.1", "ok")], told("ok", "NOT RUN")),
    "all missing at the end": ([reply("1.1", "1.2")], told("NOT RUN", "NOT RUN")),
}


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("more", [[], [UserMessage("Go on.")]])
def test_the_model_is_told_of_calls_that_were_not_run(name: str, more: list[Message]) -> None:
    messages, results = MISSING[name]
    turn = f"<|im_start|>user{results}<|im_end|>\n" if results else ""
    rest = "<|im_start|>user\nGo on.<|im_end|>\n" if more else ""
    prompt = build([SystemMessage("s"), *messages, *more], "NOT RUN")
    expected = f"<|im_start|>system\ns<|im_end|>\n{OPEN_TURN}Call.<|im_end|>\n{turn}{rest}{OPEN_TURN}"
    assert prompt.text == expected
    assert prompt.tokens == estimate(expected)

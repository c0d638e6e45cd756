from __future__ import annotations

from pathlib import Path

import pytest
from replies import bad, calls, parts_of, prose

from qagent.context import build, quoted_notes, system_text
from qagent.errors import ConfigProblem
from qagent.qwen.chatml import OPEN_TURN, estimate
from qagent.qwen.profiles import OTHER, PROFILES, CallForm, EditForm, Profile, listed
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


ROWS = [*PROFILES.values(), OTHER]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.size)
def test_each_row_s_prompt_is_whole_and_small(specs: tuple[ToolSpec, ...], row: Profile) -> None:
    fixed = system_text(Words(), specs, "", row)
    shown = listed([spec.name for spec in specs], row)
    assert [spec.name for spec in specs if f"\n- {spec.name}(" in fixed] == list(shown)
    assert "$" not in fixed
    assert estimate(fixed) <= 900


@pytest.mark.parametrize("size", ["7b", "14b", "32b"])
def test_from_7b_on_the_prompt_is_the_same(specs: tuple[ToolSpec, ...], size: str) -> None:
    assert system_text(Words(), specs, "", PROFILES[size]) == system_text(Words(), specs)


def test_every_example_that_the_model_is_shown_is_read_as_a_call(specs: tuple[ToolSpec, ...]) -> None:
    for spec in specs:
        for example in spec.examples:
            parts, _ = parts_of([f"So:\n{example}"], specs)
            assert [name for name, _ in calls(parts)] == [spec.name]
            assert (prose(parts), bad(parts)) == ("So:\n", [])


EDIT, SYMBOL, WHOLE = "<<<<<<< SEARCH", '"symbol": "Cart.total"', "src/tax.py"


@pytest.mark.parametrize("tag", ["tools", "tool_call"])
@pytest.mark.parametrize(
    ("form", "lines", "order"),
    [
        ("search_replace", 0, [EDIT, SYMBOL, WHOLE]),
        ("symbol", 0, [SYMBOL, WHOLE, EDIT]),
        ("whole", 0, [WHOLE, SYMBOL]),
        ("whole", 120, ["at most 120 lines", WHOLE, SYMBOL]),
        ("search_replace", 80, [EDIT, SYMBOL, "at most 80 lines", WHOLE]),
    ],
)
def test_the_edit_form_and_the_tag_shape_the_examples(
    specs: tuple[ToolSpec, ...], form: EditForm, lines: int, order: list[str], tag: CallForm
) -> None:
    row = Profile("x", edit_form=form, whole_file_lines=lines, call_form=tag)
    text = system_text(Words(), specs, "", row)
    found = {mark: text.find(mark) for mark in order}
    assert all(at > 0 for at in found.values())
    assert sorted(order, key=lambda mark: found[mark]) == order
    assert (EDIT in text) == (EDIT in order)
    assert text.count(f"<{tag}>") == text.count(f"</{tag}>") + 1 == sum("lines" not in mark for mark in order) + 2
    parts, _ = parts_of([text.partition("# Calling a tool")[2].partition("tags, then stop")[2]], specs)
    expected = {EDIT: "edit_file", SYMBOL: "edit_file", WHOLE: "write_file"}
    assert [name for name, _ in calls(parts)] == ["read_file", *(expected[mark] for mark in order if mark in expected)]


def test_a_model_that_only_talks_is_told_of_no_tool(specs: tuple[ToolSpec, ...]) -> None:
    text = system_text(Words(), specs, "Notes on <tools>.", Profile("x", strip_tools=True))
    assert text.endswith("\n\nNotes on <tools>.")
    assert not any(f"{spec.name}(" in text for spec in specs)
    assert estimate(text) < 150


def test_the_notes_keep_their_tags(specs: tuple[ToolSpec, ...]) -> None:
    text = system_text(Words(), specs, "Notes on <tools>.", Profile("x", call_form="tool_call"))
    assert text.endswith("\n\nNotes on <tools>.")


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

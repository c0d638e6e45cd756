from __future__ import annotations

from dataclasses import fields

import pytest

from qagent.qwen.outside import KINDS
from qagent.qwen.profiles import (
    DEFAULT,
    HABITS,
    LEFT_OUT_FIRST,
    OTHER,
    PROFILES,
    SOURCES,
    STOPS,
    Profile,
    Sampling,
    is_base,
    is_family,
    listed,
    profile_of,
    row_named,
    size_of,
    unknown_size,
)
from qagent.qwen.reader.lexemes import lexeme


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("qwen2.5-coder:7b", "7b"),
        ("qwen2.5-coder:7b-instruct-q4_K_M", "7b"),
        ("Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", "32b"),
        ("qwen2.5-coder:0.5b", "0.5b"),
        ("qwen2.5-coder-1.5b-instruct.gguf", "1.5b"),
        ("hf.co/bartowski/Qwen2.5-Coder-14B-GGUF:Q6_K", "14b"),
        ("qwen2.5-coder:3b", "3b"),
        ("qwen2.5-coder", None),
        ("qwen3-coder:30b", None),
        ("phi:17b", None),
        ("model:7beta", None),
        ("x0.7b", None),
    ],
)
def test_the_size_is_read_from_the_model_s_name(model: str, size: str | None) -> None:
    assert size_of(model) == size
    if is_family(model):
        assert profile_of(model) is PROFILES.get(size or "", DEFAULT)
    else:
        assert profile_of(model).size == "other"


@pytest.mark.parametrize(
    ("model", "member"),
    [
        ("qwen2.5-coder:7b", True),
        ("Qwen2.5_Coder", True),
        ("Qwen 2.5 Coder", True),
        ("qwen2.5:7b", False),
        ("qwen3-coder:30b", False),
    ],
)
def test_the_family_is_known_by_name(model: str, member: bool) -> None:
    assert is_family(model) is member


def test_every_stop_is_a_control_spelling_and_what_is_sent() -> None:
    assert Sampling().stops == STOPS
    for stop in STOPS:
        found = lexeme(stop, 0, final=True)
        assert found is not None
        assert (found.kind, found.text) == ("control", stop)
    assert "<tool_response>" not in STOPS  # a server would swallow it, and nobody would see the invented result


ROWS = [*PROFILES.values(), OTHER]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.size)
def test_every_value_of_a_row_has_its_source_in_words(row: Profile) -> None:
    for field in fields(Profile):
        if field.name not in ("size", "note", "sources"):
            assert len(row.source(field.name)) > 8, field.name
    assert {name for name, _ in row.sources} <= set(SOURCES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.size)
def test_a_row_s_values_are_of_a_sensible_size(row: Profile) -> None:
    assert row.reply_tokens * 2 <= row.window
    assert set(row.habits) <= set(HABITS)
    assert len(row.habits) == len(set(row.habits))
    assert row.chatml == (row.stops == STOPS)
    assert 4 <= row.offered_tools <= 6
    assert row.sampling == Sampling(row.window, row.reply_tokens)


def test_every_habit_is_told_in_words_and_is_some_row_s() -> None:
    assert {habit for row in ROWS for habit in row.habits} == set(HABITS)
    assert all(len(words) > 20 and not words.endswith(".") for words in HABITS.values())


TOOLS = ("read_file", "edit_file", "write_file", "list_files", "search", "run")


@pytest.mark.parametrize(
    ("offered", "shown"),
    [
        (9, TOOLS),
        (6, TOOLS),
        (5, ("read_file", "edit_file", "write_file", "list_files", "run")),
        (4, ("read_file", "edit_file", "write_file", "run")),
        (3, ("read_file", "edit_file", "write_file")),
        (0, ("read_file", "edit_file", "write_file")),
    ],
)
def test_fewer_tools_are_listed_in_a_fixed_order_of_leaving_out(offered: int, shown: tuple[str, ...]) -> None:
    assert listed(TOOLS, Profile("x", offered_tools=offered)) == shown
    assert not set(LEFT_OUT_FIRST) & {"read_file", "edit_file", "write_file"}


def test_a_model_that_only_talks_is_listed_no_tools() -> None:
    assert listed(TOOLS, Profile("x", strip_tools=True)) == ()


@pytest.mark.parametrize(
    ("model", "chatml", "strip", "form"),
    [
        ("something-new:8b", True, False, "tools"),
        ("qwen2.5:7b", True, False, "tool_call"),
        ("llama3.1:8b", False, False, "tools"),
        ("starcoder2:3b", False, True, "tools"),
    ],
)
def test_a_model_outside_the_family_has_the_careful_row(model: str, chatml: bool, strip: bool, form: str) -> None:
    row = profile_of(model)
    assert (row.size, row.window, row.edit_form) == ("other", 8_192, "whole")
    assert (row.chatml, row.strip_tools, row.call_form) == (chatml, strip, form)
    assert row.stops == (STOPS if chatml else ())
    assert row == row_named("other", model)


def test_a_row_can_be_named_whatever_the_model_is_called() -> None:
    assert row_named("32b", "the-team-s-coder") is PROFILES["32b"]


def test_what_is_said_of_a_kind_is_where_its_values_come_from() -> None:
    mistral = next(kind for kind in KINDS if kind.name == "Mistral")
    assert profile_of("mistral:7b").source("chatml") == f"Mistral: {mistral.reason}"
    assert "our choice" in profile_of("mistral:7b").source("strip_tools")


@pytest.mark.parametrize(
    ("model", "base"),
    [("qwen2.5-coder:7b-base", True), ("codebase:7b", False), ("qwen2.5-coder:7b", False), ("base-model", True)],
)
def test_a_base_build_is_known_by_name(model: str, base: bool) -> None:
    assert is_base(model) is base


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("qwen2.5-coder:72b", "72b"),
        ("Qwen2.5-Coder-13B-AWQ", "13b"),
        ("qwen2.5-coder:7b", ""),
        ("qwen2.5-coder:latest", ""),
        ("qwen2.5-coder:4bit", ""),
        ("qwen2.5-coder", ""),
    ],
)
def test_a_size_that_is_none_of_the_family_s_is_noticed(model: str, size: str) -> None:
    assert unknown_size(model) == size

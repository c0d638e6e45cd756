from __future__ import annotations

from dataclasses import fields
from typing import Unpack, get_args

import pytest
from config_files import Places, read
from hypothesis import given
from hypothesis import strategies as st

from qagent.config import Settings
from qagent.config.per_model import FIELD_OF, Row, fits, profile_for, row_for
from qagent.config.settings import MODEL_KEYS, Size
from qagent.qwen.profiles import DEFAULT, OTHER, PROFILES, SIZES, Profile, profile_of

SEVEN = "qwen2.5-coder:7b"


def row(user: str, name: str | None = SEVEN, **places: Unpack[Places]) -> Row:
    loaded = read(user, **places)
    return row_for(loaded.settings, loaded.origins, name)


@pytest.mark.parametrize("size", PROFILES)
def test_without_settings_a_model_has_the_values_of_its_row(size: str) -> None:
    assert profile_for(Settings(), f"qwen2.5-coder:{size}") == PROFILES[size]
    assert profile_for(Settings(), size) == PROFILES[size]


@pytest.mark.parametrize("name", ["llama3.1:8b", "something", "starcoder2:3b"])
def test_without_settings_a_model_outside_the_family_has_the_careful_values(name: str) -> None:
    assert profile_for(Settings(), name) == profile_of(name)


@pytest.mark.parametrize("name", [None, ""])
def test_a_model_that_is_not_known_yet_has_the_values_of_the_7b(name: str | None) -> None:
    assert profile_for(Settings(), name) == DEFAULT


CHANGES: dict[str, tuple[str, object]] = {
    "num_ctx": ("16384", 16_384),
    "reply_tokens": ("2048", 2_048),
    "temperature": ("0", 0.0),
    "top_p": ("0.5", 0.5),
    "top_k": ("1", 1),
    "repeat_penalty": ("1.1", 1.1),
    "stops": ('["END"]', ("END",)),
    "call_form": ('"tool_call"', "tool_call"),
    "edit_form": ('"symbol"', "symbol"),
    "whole_file_lines": ("30", 30),
    "offered_tools": ("4", 4),
    "strip_tools": ("true", True),
}


@pytest.mark.parametrize("key", CHANGES)
def test_every_value_can_be_set_for_all_models_or_for_one(key: str) -> None:
    written, value = CHANGES[key]
    field = FIELD_OF.get(key, key)
    for user, place in ((f"\n{key} = {written}", "line 2"), (f'[models."{SEVEN}"]\n{key} = {written}', "line 2")):
        found = row(user)
        assert getattr(found.profile, field) == value
        assert found.origins[field].startswith("/")
        assert place in found.origins[field]
    assert row(f'[models."{SEVEN}"]\n{key} = {written}', "qwen2.5-coder:32b").profile == PROFILES["32b"]


def test_only_facts_of_the_files_cannot_be_set() -> None:
    settable = {FIELD_OF.get(key, key) for key in MODEL_KEYS}
    facts = {"size", "weight_bytes", "kv_bytes", "chatml", "habits", "note", "sources"}
    assert {field.name for field in fields(Profile)} - settable == facts
    assert set(CHANGES) | {"profile", "endpoint", "send_tools"} == set(MODEL_KEYS)


USER = f"""
temperature = 0.5
[models."qwen2.5-coder:*"]
temperature = 0.4
top_k = 5
[models."{SEVEN}"]
temperature = 0.3
"""


@pytest.mark.parametrize(
    ("places", "name", "temperature", "origin"),
    [
        ({}, SEVEN, 0.3, "config.toml, line 7"),
        ({}, "qwen2.5-coder:32b", 0.4, "config.toml, line 4"),
        ({}, "mistral:7b", 0.5, "config.toml, line 2"),
        ({"env": {"QAGENT_TEMPERATURE": "0.2"}}, SEVEN, 0.2, "QAGENT_TEMPERATURE"),
        ({"env": {"QAGENT_TEMPERATURE": "0.2"}, "sets": ["temperature=0"]}, SEVEN, 0.0, "--set"),
        ({"sets": ["temperature="]}, SEVEN, 0.1, DEFAULT.source("temperature")),
    ],
)
def test_a_model_s_own_table_wins_in_its_file_and_a_later_place_wins_over_it(
    places: Places, name: str, temperature: float, origin: str
) -> None:
    found = row(USER, name, **places)
    assert found.profile.temperature == temperature
    assert found.origins["temperature"].endswith(origin)
    assert (found.profile.top_k == 5) == name.startswith("qwen")


@pytest.mark.parametrize(
    ("user", "project", "window"),
    [
        ("", "num_ctx = 8192", 8_192),
        ("", "num_ctx = 65536", 32_768),
        ("[models.7b]\nnum_ctx = 4096", "num_ctx = 8192", 4_096),
        ("[models.7b]\nnum_ctx = 16384", "num_ctx = 8192", 8_192),
        ("num_ctx = 65536", "num_ctx = 40960", 40_960),
    ],
)
def test_a_project_makes_every_model_stricter_and_none_freer(user: str, project: str, window: int) -> None:
    assert row(user, project=project).profile.window == window


@pytest.mark.parametrize(
    ("user", "tokens", "origin"),
    [
        ("num_ctx = 4096", 1_024, "a quarter of the window ("),
        ("num_ctx = 8192", 4_096, "our choice"),
        ("[models.7b]\nnum_ctx = 2048", 512, "a quarter of the window ("),
        ("[models.7b]\nnum_ctx = 2048\nreply_tokens = 2000", 512, "a quarter of the window ("),
        ("reply_tokens = 10000", 10_000, "/"),
    ],
)
def test_a_reply_leaves_room_for_the_prompt(user: str, tokens: int, origin: str) -> None:
    found = row(user)
    assert found.profile.reply_tokens == tokens
    assert found.origins["reply_tokens"].startswith(origin)


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        (SEVEN, SEVEN, True),
        (SEVEN, "Qwen/Qwen2.5-Coder-7B-Instruct", True),
        ("Qwen2.5-Coder-7B-Instruct", SEVEN, True),
        (SEVEN, "qwen2.5-coder:7b-instruct-q8_0", False),
        ("qwen2.5-coder:7b*", "qwen2.5-coder:7b-instruct-q8_0", True),
        ("7b", "qwen2.5-coder:7b-instruct-q8_0", True),
        ("7b", "hf.co/bartowski/Qwen2.5-Coder-7B-Instruct-GGUF:Q6_K", True),
        ("7B", "7b", True),
        ("7b", "mistral:7b", False),
        ("7b", "qwen2.5-coder:14b", False),
        ("mine", "mine:latest", True),
        ("Mine*", "mine-2:latest", True),
        ("*", "anything", True),
        ("", "anything", False),
        ("mistral", "mistral:7b", False),
    ],
)
def test_a_table_is_for_a_name_a_size_or_a_pattern(pattern: str, name: str, meant: bool) -> None:
    assert fits(pattern, name) is meant


def test_a_size_s_row_can_be_used_for_a_model_of_another_name() -> None:
    found = row('[models."team-coder"]\nprofile = "32b"\ntop_k = 3', "team-coder")
    assert (found.profile.size, found.profile.habits, found.profile.top_k) == ("32b", PROFILES["32b"].habits, 3)
    assert row("profile = 'other'").profile.size == OTHER.size
    assert get_args(Size) == SIZES


def test_how_a_server_is_asked_can_be_set_for_one_model() -> None:
    user = "endpoint = 'completions'\n[models.7b]\nendpoint = 'chat'\nsend_tools = true"
    assert (row(user).endpoint, row(user).send_tools) == ("chat", True)
    assert (row(user, "x").endpoint, row(user, "x").send_tools) == ("completions", False)
    assert (row("").endpoint, row("").origins["endpoint"]) == ("auto", "default")


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_pattern_and_any_name_are_compared(pattern: str, name: str) -> None:
    fits(pattern, name)
    assert isinstance(profile_for(Settings(), name), Profile)

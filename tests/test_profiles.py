from __future__ import annotations

import pytest

from qagent.qwen.lexemes import lexeme
from qagent.qwen.profiles import DEFAULT, PROFILES, STOPS, Sampling, is_family, profile_of, size_of


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
    assert profile_of(model) == PROFILES.get(size or "", DEFAULT)


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

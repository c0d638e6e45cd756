from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.models.thinking import Thinking


def passed(*pieces: str) -> str:
    thinking = Thinking()
    return "".join(thinking.feed(piece) for piece in pieces) + thinking.rest()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("<think>\nlet me see\n</think>\n\nHello", "Hello"),
        ("\n <think>a</think>b", "b"),
        ("<think></think>", ""),
        ("<think>never closed", ""),
        ("Say <think> aloud</think>", "Say <think> aloud</think>"),
        ("<thin", "<thin"),
        ("<thing>", "<thing>"),
        ("<think>a</think>b<think>c</think>", "b<think>c</think>"),
        ("  two blanks", "  two blanks"),
    ],
)
def test_only_what_a_model_thinks_before_it_answers_is_left_out(text: str, kept: str) -> None:
    assert passed(text) == kept


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "\n", " ", "a", "</"]), max_size=9))
def test_any_split_gives_the_same_text(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert passed(*pieces) == passed(whole) == passed(*whole)


def test_an_endless_thought_costs_no_memory() -> None:
    thinking = Thinking()
    thinking.feed("<think>")
    for _ in range(1_000):
        assert thinking.feed("hm " * 100) == ""
    assert thinking.feed("</think>so") == "so"

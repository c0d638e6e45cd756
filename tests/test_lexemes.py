from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.lexemes import LONGEST, Lexeme, lexeme


def lexemes(text: str, *, final: bool = True) -> list[Lexeme]:
    found: list[Lexeme] = []
    pos = 0
    while each := lexeme(text, pos, final=final):
        found.append(each)
        pos += len(each.text)
    return found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a <b", ["text", "blank", "text", "text"]),
        ("<tools>\n{", ["open", "newline", "bracket"]),
        ("</tool_call></tool_response>", ["close", "close"]),
        ("<<tools>", ["text", "open"]),
        ("<|im_end|><tool_response>", ["control", "control"]),
        ("<|im_sep|>", ["text", "text"]),
        ("<~|im_end|>", ["text", "ticks", "text"]),
        ("```py\n", ["ticks", "text", "newline"]),
        (" \t\r\n\u2028", ["blank", "newline", "blank"]),
        ("<think></think>", ["think", "think"]),
        ("<TOOLS>", ["text", "text"]),
    ],
)
def test_a_text_has_these_lexemes(text: str, kinds: list[str]) -> None:
    assert [each.kind for each in lexemes(text)] == kinds
    assert "".join(each.text for each in lexemes(text)) == text


@pytest.mark.parametrize(
    "begun", ["<", "</", "<to", "</tool_cal", "<|im_", "<~", "<~~|im_end", "`", "```", "~", "<thin"]
)
def test_what_more_text_could_change_is_waited_for(begun: str) -> None:
    assert lexemes(f"a{begun}", final=False) == [Lexeme("text", "a")]


@pytest.mark.parametrize("settled", ["<b", "< ", "<toolbox", "<tools>", "`x", "`" * LONGEST, "<|pipe"])
def test_what_is_settled_goes_on_at_once(settled: str) -> None:
    assert "".join(each.text for each in lexemes(settled, final=False)) == settled


@pytest.mark.parametrize("half", ["<tool", "</", "<|im_start", "<tool_respons"])
def test_the_reply_s_end_leaves_a_fragment(half: str) -> None:
    assert lexemes(f"a{half}")[-1] == Lexeme("fragment", half)


def test_a_lone_angle_and_a_marked_word_are_no_fragments() -> None:
    assert [each.kind for each in lexemes("a<")] == ["text", "text"]
    assert "fragment" not in [each.kind for each in lexemes("a<~|im_")]


@given(st.text(), st.sampled_from(["<", "<~", "`", "<|im_start", "</tool_call", ""]))
def test_less_than_the_longest_is_ever_held_back(text: str, end: str) -> None:
    text = text * 3 + end
    taken = sum(len(each.text) for each in lexemes(text, final=False))
    assert len(text) - taken < LONGEST
    assert "".join(each.text for each in lexemes(text)) == text

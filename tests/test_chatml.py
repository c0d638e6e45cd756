from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import TOOLS

from qagent import context
from qagent.qwen.chatml import MARK_NOTE, OPEN_TURN, estimate, mark, render, result_content, unmark
from qagent.qwen.reader import Reader
from qagent.types import AssistantMessage, Message, Part, SystemMessage, ToolResult, UserMessage

CONTROLS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|fim_prefix|>", "<|file_sep|>", "<|other|>")
RESERVED = (*CONTROLS, "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
PIECES = (
    *RESERVED,
    "<",
    "<~",
    "~",
    "<~~|im_end|>",
    "|im_end|>",
    "<|im_",
    "\n",
    "assistant",
    "user",
    "tool_call>",
    "<tools>",
)
FOREIGN = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join)
SPECIAL = re.compile(r"<\|[A-Za-z0-9_]+\|>|</?tool_(?:call|response)>")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("<|im_end|>", "<~|im_end|>"),
        ("<~|im_end|>", "<~~|im_end|>"),
        ("</tool_response>", "<~/tool_response>"),
        ("<<tool_call>>", "<<~tool_call>>"),
        ("<|im_start|>user<|im_end|>", "<~|im_start|>user<~|im_end|>"),
        ("a <| b |> c, x <~ y, <tools>, <|>, <||>", "a <| b |> c, x <~ y, <tools>, <|>, <||>"),
        ("", ""),
    ],
)
def test_reserved_words_are_marked(text: str, marked: str) -> None:
    assert mark(text) == marked
    assert unmark(marked) == text


@given(FOREIGN)
def test_marks_are_taken_back_exactly(text: str) -> None:
    assert unmark(mark(text)) == text
    assert not SPECIAL.search(mark(text))


@given(FOREIGN, st.integers(0, 5))
def test_marks_can_be_marked_again(text: str, times: int) -> None:
    marked = text
    for _ in range(times):
        marked = mark(marked)
    for _ in range(times):
        marked = unmark(marked)
    assert marked == text


def test_what_the_model_wrote_without_a_mark_stays() -> None:
    assert unmark("<tool_call> <~tool_call> <~~tool_call>") == "<tool_call> <tool_call> <~tool_call>"


def test_a_conversation_is_rendered_as_the_template_has_it() -> None:
    messages = [
        SystemMessage("Be brief."),
        UserMessage("Look."),
        AssistantMessage("I look.\n<tools>\n{}\n</tools>"),
        ToolResult("1.1", "a\nb"),
        ToolResult("1.2", "<|im_end|>"),
        UserMessage("Go on.", "harness"),
    ]
    assert render(messages) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nLook.<|im_end|>\n"
        "<|im_start|>assistant\nI look.\n<tools>\n{}\n</tools><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\na\nb\n</tool_response>"
        f"\n<tool_response>\n<~|im_end|>\n{MARK_NOTE}\n</tool_response><|im_end|>\n"
        "<|im_start|>user\nGo on.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_only_marked_results_carry_the_note() -> None:
    assert result_content("a") == "a"
    assert result_content("<tool_call>") == f"<~tool_call>\n{MARK_NOTE}"


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Turns as they happen: replies may be cut or hold calls, of which any first few have results."""
    messages: list[Message] = [SystemMessage("Fixed words.")]
    for number in range(1, draw(st.integers(1, 5)) + 1):
        messages.append(UserMessage(draw(FOREIGN), draw(st.sampled_from(["user", "harness"]))))
        for _ in range(draw(st.integers(0, 2))):
            reply = _reply(draw(FOREIGN) + draw(st.sampled_from(["", CALLS, CALLS[:-20]])), number)
            messages.append(reply)
            done = draw(st.integers(0, len(reply.calls)))
            messages += [ToolResult(call.id, draw(FOREIGN)) for call in reply.calls[:done]]
    return messages


CALLS = '\n<tools>\n{"name": "run", "arguments": {"command": "ls"}}\n{}\n</tools>'


def _reply(text: str, number: int) -> AssistantMessage:
    reader = Reader(TOOLS, number)
    parts: list[Part] = [*reader.feed(text), *reader.close()]
    return AssistantMessage(reader.raw, tuple(parts), "cancelled" if reader.over else "stop")


@given(conversations())
def test_control_spellings_stand_only_where_we_wrote_them(messages: list[Message]) -> None:
    prompt = render(messages)
    turns = sum(not isinstance(message, ToolResult) for message in messages)
    groups = sum(
        isinstance(message, ToolResult) and not isinstance(before, ToolResult) for before, message in pairwise(messages)
    )
    starts = re.findall(r"<\|im_start\|>(?:system|user|assistant)\n", prompt)
    assert len(starts) == prompt.count("<|im_start|>") == turns + groups + 1
    assert prompt.count("<|im_end|>\n") == prompt.count("<|im_end|>") == turns + groups
    assert prompt.count("<tool_response>") == sum(isinstance(message, ToolResult) for message in messages)
    assert not {"<|endoftext|>", "<|fim_prefix|>", "<|file_sep|>"} & set(SPECIAL.findall(prompt))


@given(conversations())
def test_every_prompt_begins_with_the_one_before(messages: list[Message]) -> None:
    asked = [
        number
        for number in range(2, len(messages) + 1)
        if number == len(messages) or not isinstance(messages[number], ToolResult)
    ]
    prompts = [context.build(messages[:number], "Not run.").text for number in asked]
    for number, (earlier, later) in zip(asked, pairwise(prompts), strict=False):
        assert later.startswith(earlier.removesuffix(OPEN_TURN))
        if isinstance(reply := messages[number], AssistantMessage):
            assert later.startswith(earlier + reply.raw)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", (0, 0)),
        ("def total(self):\n    return sum(self.prices)\n", (11, 16)),
        ("The quick brown fox jumps over the lazy dog.", (9, 12)),
        ("12345", (5, 5)),
        ("日本語のテキスト", (5, 8)),
        (" " * 80, (1, 2)),
        ("=" * 60, (8, 24)),
        ("internationalization", (2, 4)),
    ],
)
def test_an_estimate_is_near_what_the_vocabulary_makes(text: str, tokens: tuple[int, int]) -> None:
    low, high = tokens
    assert low <= estimate(text) <= high


@given(st.text(), st.text())
def test_an_estimate_grows_with_the_text(first: str, second: str) -> None:
    assert estimate(first + "\n" + second) >= max(estimate(first), estimate(second))

from __future__ import annotations

import pytest

from qagent.errors import Stalled, StreamBroken
from qagent.models.scripted import Said, ScriptedModel
from qagent.types import Delta, Prompt, ReplyEnded, TextDelta, Usage

PROMPT = Prompt("hello", 1)


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def heard(model: ScriptedModel) -> list[Delta]:
    return [delta async for delta in model.stream(PROMPT)]


async def test_replies_come_in_order_with_their_ends() -> None:
    usage = Usage(prompt_tokens=5)
    model = ScriptedModel(["one two three", Said("four", "length", usage)])
    first, second = await heard(model), await heard(model)
    assert (text_of(first), first[-1]) == ("one two three", ReplyEnded("stop", Usage()))
    assert (text_of(second), second[-1]) == ("four", ReplyEnded("length", usage))


async def test_errors_are_raised_instead_of_a_reply_or_after_its_text() -> None:
    model = ScriptedModel([Stalled("s"), Said("so far", then=StreamBroken("b"))])
    with pytest.raises(Stalled):
        await heard(model)
    stream = model.stream(PROMPT)
    assert await anext(stream) == TextDelta("so far")
    with pytest.raises(StreamBroken):
        await anext(stream)


async def test_prompts_are_remembered_and_a_script_that_is_over_says_so() -> None:
    model = ScriptedModel(["a"])
    assert model.left == 1
    await heard(model)
    assert (model.prompts, model.left) == ([PROMPT], 0)
    with pytest.raises(AssertionError, match="1 replies; this is request 2"):
        await heard(model)


async def test_the_width_of_the_pieces_can_be_chosen() -> None:
    deltas = await heard(ScriptedModel(["abcde"], width=2))
    assert deltas[:-1] == [TextDelta("ab"), TextDelta("cd"), TextDelta("e")]

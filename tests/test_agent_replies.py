from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Literal

import pytest
from scripted_agent import BUGGY, DONE, EDIT, READ, RUN, Scene, call, write_files

from qagent.errors import WindowExceeded
from qagent.events import ReplyFinished
from qagent.models.base import CallsDelta
from qagent.models.driver import PrefillRefused
from qagent.models.refusal import SchemaRefused
from qagent.models.scripted import Said, ScriptedModel, ScriptLine
from qagent.reply import MOST_CONTINUED
from qagent.types import AssistantMessage, BadCall, Delta, Prompt, ReplyEnded, TextDelta, ToolCall, Usage

BROKEN = "<tools>\n{broken\n</tools>"
HEADER = '{"name": "read_file", "arguments": {"path": "calc.py"}}'
LONG = call("write_file", "```\n" + "".join(f"line {n}\n" for n in range(60)) + "```\n", path="long.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path)


def finished(scene: Scene) -> list[ReplyFinished]:
    return [event for event in scene.events if isinstance(event, ReplyFinished)]


def replies(scene: Scene) -> list[AssistantMessage]:
    return [message for message in scene.kept.messages if isinstance(message, AssistantMessage)]


# ------------------------------------------------------------------ a call that was cut is gone on with


@pytest.mark.parametrize("cuts", [1, 2, MOST_CONTINUED])
async def test_a_call_that_the_limit_cut_is_gone_on_with_from_there(folder: Path, cuts: int) -> None:
    size = len(LONG) // (cuts + 1) + 1
    pieces = [LONG[at : at + size] for at in range(0, len(LONG), size)]
    usage = Usage(100, 20, 5, 1.5)
    cut = [Said(piece, "length", usage) for piece in pieces[:-1]]
    scene = Scene(folder, [*cut, Said(pieces[-1], usage=usage), "It is written."])
    assert (await scene.run("Write it.")).turns == 2
    assert (folder / "long.txt").read_text().splitlines()[-1] == "line 59"
    assert replies(scene)[0].raw == LONG
    prompts = scene.model.prompts
    assert [prompt.prefill for prompt in prompts[: cuts + 1]] == ["".join(pieces[:n]) for n in range(cuts + 1)]
    assert all(prompt.text.endswith(prompt.prefill) for prompt in prompts)
    first = finished(scene)[0]
    assert (first.continued, first.usage) == (cuts, Usage(100, 20 * (cuts + 1), 5 * (cuts + 1), 1.5 * (cuts + 1)))


async def test_a_call_that_never_ends_is_given_up_and_not_run(folder: Path) -> None:
    more = [Said("more\n", "length")] * MOST_CONTINUED
    scene = Scene(folder, [Said(LONG[:200], "length"), *more, "I stop."])
    await scene.run("What is there?")
    assert not (folder / "long.txt").exists()
    assert finished(scene)[0].continued == MOST_CONTINUED
    assert replies(scene)[0].end == "length"


async def test_a_continuation_that_brings_nothing_is_the_last(folder: Path) -> None:
    scene = Scene(folder, [Said(LONG[:200], "length"), Said("", "length"), "I stop."])
    await scene.run("What is there?")
    assert len(scene.model.prompts) == 3


async def test_a_window_that_is_full_ends_the_continuation_and_not_the_task(folder: Path) -> None:
    scene = Scene(folder, [Said(LONG[:200], "length"), WindowExceeded("too long"), "I stop."])
    assert (await scene.run("What is there?")).reason == "done"
    assert replies(scene)[0].end == "length"
    assert not (folder / "long.txt").exists()


# ------------------------------------------------------------------ and so is an answer in words


@pytest.mark.parametrize("cuts", [1, MOST_CONTINUED])
async def test_an_answer_that_the_limit_cut_is_whole_in_the_end(folder: Path, cuts: int) -> None:
    parts = [f"Part {n} is about calc.py. " for n in range(cuts)]
    scene = Scene(folder, [*(Said(part, "length") for part in parts), "That is all of it."])
    outcome = await scene.run("What is wrong?")
    assert (outcome.reason, outcome.turns) == ("done", 1)
    assert outcome.answer == "".join(parts) + "That is all of it."
    assert [prompt.prefill for prompt in scene.model.prompts] == ["".join(parts[:n]) for n in range(cuts + 1)]
    assert (replies(scene)[0].end, finished(scene)[0].continued) == ("stop", cuts)
    assert not any("Your reply was cut" in prompt.text for prompt in scene.model.prompts)


async def test_an_answer_without_end_is_asked_for_in_smaller_pieces(folder: Path) -> None:
    scene = Scene(folder, [*[Said("And so on. ", "length")] * (1 + MOST_CONTINUED), "It subtracts."])
    await scene.run("What is wrong?")
    prompts = scene.model.prompts
    assert len(prompts) == 2 + MOST_CONTINUED
    assert [prompt.prefill == "" for prompt in prompts] == [True, *[False] * MOST_CONTINUED, True]
    assert "Your reply was cut" in prompts[-1].text
    assert replies(scene)[0].prose == ("And so on. " * (1 + MOST_CONTINUED)).strip()


async def test_a_cut_answer_may_go_on_with_a_call(folder: Path) -> None:
    scene = Scene(folder, [Said("I look at it.\n", "length"), READ, "It subtracts."])
    assert (await scene.run("What is wrong?")).turns == 2
    assert [call.form for call in replies(scene)[0].calls if isinstance(call, ToolCall)] == ["tools"]


async def test_words_behind_a_whole_call_are_not_gone_on_with(folder: Path) -> None:
    scene = Scene(folder, [Said(f"{READ}\nAnd then I will", "length"), "It subtracts."])
    await scene.run("What is wrong?")
    assert [prompt.prefill for prompt in scene.model.prompts] == ["", ""]
    assert len(scene.results()) == 1


@pytest.mark.parametrize("cut", ["", "\n"])
async def test_a_reply_that_has_not_begun_is_not_gone_on_with(folder: Path, cut: str) -> None:
    scene = Scene(folder, [Said(cut, "length"), "It subtracts."])
    await scene.run("What is wrong?")
    assert [prompt.prefill for prompt in scene.model.prompts] == ["", ""]


@pytest.mark.parametrize("cut", ["The file is", LONG[:200]])
async def test_a_server_that_does_not_go_on_with_a_begun_turn_ends_the_reply_and_not_the_task(
    folder: Path, cut: str
) -> None:
    scene = Scene(folder, [Said(cut, "length"), PrefillRefused("no"), "It subtracts."])
    assert (await scene.run("What is wrong?")).reason == "done"
    assert (replies(scene)[0].end, finished(scene)[0].continued) == ("length", 0)
    assert not (folder / "long.txt").exists()


# ------------------------------------------------------------------ calls that the server has read


class Native(ScriptedModel):
    """The first reply is some text, then calls that the server has read out of it."""

    def __init__(self, text: str, calls: str, *replies: ScriptLine, end: Literal["stop", "length"] = "stop") -> None:
        super().__init__(["", *replies])
        self.first = (TextDelta(text), CallsDelta(calls), ReplyEnded(end, Usage(), native=True))

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        if not self.prompts:
            self.prompts.append(prompt)
            for delta in self.first:
                yield delta
            return
        async for delta in super().stream(prompt):
            yield delta


NATIVE = f"\n<tool_call>\n{HEADER}\n</tool_call>"


@pytest.mark.parametrize(
    "text",
    [
        "I look.",
        "",
        "It is\n```python\nreturn a + b",
        "It is\n~~~~\nreturn",
        "```json\n{",
        "<think>\nI look",
        "So: `a",
        "<tool_call>\n",
        "I look.\n{",
    ],
)
async def test_a_call_that_the_server_has_read_is_read_apart_from_the_text(folder: Path, text: str) -> None:
    scene = Scene(folder, [])
    scene.model = Native(text, NATIVE, "It subtracts.")
    assert (await scene.run("What is wrong?")).reason == "done"
    first = replies(scene)[0]
    assert [(call.id, call.form) for call in first.calls if isinstance(call, ToolCall)] == [("1.1", "native")]
    assert len(first.calls) == len(scene.results()) == 1
    assert first.raw == text + NATIVE
    assert "tool_call" not in first.prose


async def test_calls_in_the_text_and_native_ones_are_numbered_as_one_row(folder: Path) -> None:
    scene = Scene(folder, [])
    scene.model = Native(READ, NATIVE + NATIVE, "It subtracts.")
    await scene.run("What is wrong?")
    assert [call.id for call in replies(scene)[0].calls] == ["1.1", "1.2", "1.3"]


async def test_nothing_unfinished_in_front_of_a_native_call_is_run(folder: Path) -> None:
    scene = Scene(folder, [])
    scene.model = Native(LONG[:200], NATIVE, "I stop.")
    await scene.run("What is there?")
    assert not (folder / "long.txt").exists()
    assert [type(call) for call in replies(scene)[0].calls] == [BadCall, ToolCall]


async def test_a_native_call_that_the_limit_cut_is_gone_on_with(folder: Path) -> None:
    scene = Scene(folder, [])
    scene.model = Native("It is\n```\nx", NATIVE[:40], NATIVE[40:], "It subtracts.", end="length")
    await scene.run("What is wrong?")
    assert scene.model.prompts[1].prefill == "It is\n```\nx" + NATIVE[:40]
    assert replies(scene)[0].raw == "It is\n```\nx" + NATIVE
    assert [call.id for call in replies(scene)[0].calls if isinstance(call, ToolCall)] == ["1.1"]


async def test_a_call_that_a_failure_or_a_cancel_cut_is_not_run(folder: Path) -> None:
    scene = Scene(folder, [Said(EDIT.removesuffix("</tools>"), then=WindowExceeded("gone"))])
    with pytest.raises(WindowExceeded):
        await scene.run()
    assert (folder / "calc.py").read_text() == BUGGY
    assert replies(scene)[0].end == "failed"


class Noticed(ScriptedModel):
    """`second` is set when it has begun to answer the second request."""

    def __init__(self, replies: Iterable[ScriptLine]) -> None:
        super().__init__(replies)
        self.second = asyncio.Event()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        async for delta in super().stream(prompt):
            yield delta
            if len(self.prompts) == 2:
                self.second.set()


async def test_cancelling_a_continuation_keeps_all_that_came(folder: Path) -> None:
    model = Noticed([Said(f"So.\n{LONG[:200]}", "length"), LONG[200:] + " and more" * 50])
    scene = Scene(folder, [])
    scene.model = model
    task = asyncio.ensure_future(scene.run("Write it."))
    await model.second.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert replies(scene)[0].raw.startswith(f"So.\n{LONG[:207]}")
    assert replies(scene)[0].end == "cancelled"
    assert not (folder / "long.txt").exists()


# ------------------------------------------------------------------ a call that the server was made to write


async def test_the_second_broken_reply_in_a_row_is_followed_by_a_forced_one(folder: Path) -> None:
    scene = Scene(folder, [BROKEN, BROKEN, HEADER, EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    assert [prompt.schema is not None for prompt in scene.model.prompts] == [False, False, True, False, False, False]
    assert [event.forced for event in finished(scene)] == [False, False, True, False, False, False]
    assert replies(scene)[2].raw.startswith("<tools>\n")
    assert "return a - b" in scene.results()[2]


async def test_one_broken_reply_is_answered_in_words(folder: Path) -> None:
    scene = Scene(folder, [BROKEN, READ, EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    assert not any(prompt.schema for prompt in scene.model.prompts)


async def test_a_good_call_behind_a_broken_one_was_not_run_and_counts_as_broken(folder: Path) -> None:
    scene = Scene(folder, [f"{BROKEN}\n{READ}", f"{BROKEN}\n{READ}", HEADER, "It subtracts."])
    assert (await scene.run("What does it do?")).reason == "done"
    assert finished(scene)[2].forced
    assert finished(scene)[2].forms == ("forced",)


async def test_a_forced_call_that_was_cut_is_reported_and_never_run(folder: Path) -> None:
    scene = Scene(folder, [BROKEN, BROKEN, Said('{"name": "read_file", "argum', "length")])
    outcome = await scene.run()
    assert outcome.reason == "bad_calls"
    assert outcome.detail == "3 replies in a row held no call that can be run, the last one though it was forced"
    assert "call_started" not in scene.kinds()


class Unbound(ScriptedModel):
    """Its server cannot be held to a schema."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        if prompt.schema is not None:
            raise SchemaRefused("it takes no schema")
        async for delta in super().stream(prompt):
            yield delta


async def test_a_server_that_takes_no_schema_is_asked_freely_and_counted_on(folder: Path) -> None:
    scene = Scene(folder, [])
    scene.model = Unbound([BROKEN] * 4)
    outcome = await scene.run()
    assert (outcome.reason, outcome.turns) == ("bad_calls", 3)
    assert outcome.detail == "3 replies in a row held no call that can be run"
    assert sum("right form" in notice for notice in scene.notices()) == 1


async def test_repairs_are_told_with_the_reply(folder: Path) -> None:
    scene = Scene(
        folder, ['<tools>\n{"name": "read_file", "arguments": {"path": "calc.py",}}\n</tools>', "It subtracts."]
    )
    await scene.run("What does it do?")
    assert finished(scene)[0].forms == ("tools",)
    assert len(finished(scene)[0].repairs) == 1

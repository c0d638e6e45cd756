from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Final

import gguf
import pytest
from llama_agent import agent_on, asked, place, read_again, repository_in, token_ids, turns
from llama_fixtures import Script, StartLlama
from llama_server import LlamaServer
from script_weights import script_weights
from scripted_agent import READ
from tiny_qwen import Shape, metadata
from tiny_vocab import Vocabulary

from qagent.errors import StreamBroken, Unreachable, WindowExceeded
from qagent.events import Event, PromptSent, TextStreamed
from qagent.models.llamacpp import LlamaCpp
from qagent.net import Door
from qagent.qwen import chatml
from qagent.qwen.profiles import Sampling
from qagent.session import peek
from qagent.types import AssistantMessage, Outcome, Prompt, ReplyEnded, UserMessage
from qagent.wiring import connect

pytestmark = pytest.mark.llamacpp

TICK, TOCK, SHORT = "tick ", "tock ", ("A short ", "answer.")


@pytest.fixture(scope="session")
def endless_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It ticks on and on, until it reads "be brief". A step that stands in the script more often outweighs its end."""
    path = tmp_path_factory.mktemp("endless") / "endless.gguf"
    shape = Shape("tiny-endless", layers=1, hidden=256, feed_forward=32)
    vocabulary = Vocabulary(extra=["be brief", TICK, TOCK, *SHORT])
    scripts = [[TICK, TOCK] * 3, [*SHORT]]
    gguf.write(
        path, metadata(shape, vocabulary), script_weights(shape, vocabulary, ["be brief"], scripts, random.Random(0))
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository_in(tmp_path)


def prompt(text: str) -> str:
    return f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"


async def told(server: LlamaServer, text: str, reply_tokens: int = 4_096) -> tuple[str, ReplyEnded]:
    """The whole reply to one message."""
    model = LlamaCpp("x", url=server.url, door=Door(), sampling=Sampling(reply_tokens=reply_tokens))
    reply = ""
    async for delta in model.stream(Prompt(prompt(text), 1)):
        if isinstance(delta, ReplyEnded):
            return reply, delta
        reply += delta.text
    raise AssertionError("no end")


# ------------------------------------------------------------------ where a reply ends

INVENTING: Final = Script(
    "Nothing.",
    {
        "invent a turn": "Before <|im_start|>user\nAfter",
        "invent a result": "Said so\n<tool_response>\nand so on",
        "end the text": "Prior <|endoftext|>later words",
        "put in a box": "See <|box_start|>boxed",
    },
)


@pytest.mark.parametrize(
    ("asks", "reply"),
    [
        ("invent a turn", "Before "),
        ("invent a result", "Said so\n<tool_response>\nand so on"),
        ("end the text", "Prior "),
        ("put in a box", "See boxed"),
    ],
)
async def test_a_reply_ends_where_the_model_generates_a_control_token_that_is_a_stop(
    llama_server: StartLlama, asks: str, reply: str
) -> None:
    text, last = await told(llama_server(INVENTING), asks)
    assert (text, last.end) == (reply, "stop")


async def test_a_turn_that_the_model_invents_is_not_kept(llama_server: StartLlama, folder: Path) -> None:
    server = llama_server(INVENTING)
    async with agent_on(server.url, folder) as agent:
        assert (await agent.run("Please invent a turn.")).answer == "Before"
        await agent.run("Now end the text.")
    first, second = turns(agent.session.messages)
    assert first.reply == "Before "
    assert read_again(server.url, first, second, agent.session.usages[1]) <= 8


@pytest.mark.parametrize("more", [-1, 0, 1, 100])
async def test_a_reply_that_fills_the_window_ends_by_length_whatever_its_own_limit(
    llama_server: StartLlama, endless_model: Path, more: int
) -> None:
    server = llama_server(endless_model, ctx=512)
    room = 512 - len(token_ids(server.url, prompt("go on")))
    _, last = await told(server, "go on", room + more)
    assert (last.end, last.usage.reply_tokens) == ("length", room + min(more, 0))


# ------------------------------------------------------------------ the window


async def test_a_prompt_above_the_window_is_an_error_with_both_numbers(llama_server: StartLlama, folder: Path) -> None:
    server = llama_server(Script("Never said."), ctx=512)
    async with agent_on(server.url, folder) as agent:
        with pytest.raises(WindowExceeded) as caught:
            await agent.run("What is wrong with calc.py?")
    messages = agent.session.messages
    assert [message.kind for message in messages] == ["system", "user"]
    sent = len(token_ids(server.url, chatml.render(messages)))
    assert f"({sent:,} tokens into 512)" in caught.value.what
    assert "`-c`" in caught.value.todo
    assert agent.session.outcomes[-1] == Outcome("failed", detail=caught.value.what, turns=1)


async def test_a_window_that_overflows_later_keeps_the_work_until_then(
    llama_server: StartLlama, tmp_path: Path
) -> None:
    folder = repository_in(tmp_path, {"calc.py": "".join(f"x{line} = {line}\n" for line in range(400))})
    async with agent_on(llama_server(Script(READ), ctx=2_048).url, folder) as agent:
        with pytest.raises(WindowExceeded, match=r"tokens into 2,048"):
            await agent.run("What is in calc.py?")
    assert [message.kind for message in agent.session.messages] == ["system", "user", "assistant", "result"]


# ------------------------------------------------------------------ a server that dies


async def test_a_server_that_dies_in_the_middle_of_a_reply_leaves_a_session_to_go_on_with(
    need_llamacpp: None, endless_model: Path, folder: Path
) -> None:
    def kill(event: Event) -> None:
        if isinstance(event, TextStreamed):
            server.kill()

    with LlamaServer(endless_model, ctx=32_768) as server:
        async with agent_on(server.url, folder, kill, reply_tokens=30_000) as agent:
            with pytest.raises(StreamBroken, match=r"the connection to .* broke"):
                await agent.run("Go on.")
    path = agent.session.path
    assert path
    saved = peek(path)
    reply = saved.messages[-1]
    assert isinstance(reply, AssistantMessage)
    assert (reply.raw[:5], reply.end) == (TICK, "failed")
    assert [outcome.reason for outcome in agent.session.outcomes] == ["failed"]
    with LlamaServer(endless_model) as server:
        async with agent_on(server.url, folder, resume=path) as agent:
            assert (await agent.run("Now be brief.")).answer == "A short answer."
    assert agent.session.messages[: len(saved.messages)] == saved.messages


async def test_a_server_that_died_before_a_request_cannot_be_reached(
    need_llamacpp: None, random_model: Path, folder: Path
) -> None:
    with LlamaServer(random_model) as server:
        async with agent_on(server.url, folder) as agent:
            server.kill()
            with pytest.raises(Unreachable) as caught:
                await agent.run("Are you there?")
    assert "llama-server" in caught.value.todo
    assert agent.session.messages[1:] == (UserMessage("Are you there?"),)
    assert agent.session.outcomes[-1] == Outcome("failed", detail=caught.value.what, turns=1)
    with pytest.raises(Unreachable):
        await connect(place(folder, server.url).settings)


# ------------------------------------------------------------------ cancelling


def is_busy(server: LlamaServer) -> bool:
    return asked(server.url, "/slots")[0]["is_processing"]


async def test_cancelling_in_the_middle_of_a_reply_frees_the_slot_and_the_next_task_works(
    llama_server: StartLlama, endless_model: Path, folder: Path
) -> None:
    server = llama_server(endless_model, ctx=32_768)
    seen: list[bool] = []

    def stop(event: Event) -> None:
        if isinstance(event, TextStreamed) and not task.done():
            seen.append(is_busy(server))
            task.cancel()

    async with agent_on(server.url, folder, stop, reply_tokens=30_000) as agent:
        task = asyncio.ensure_future(agent.run("Go on."))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen[0]
        # Each answer comes between two of the 30,000 tokens that would have followed.
        assert any(not is_busy(server) for _ in range(1_000))
        reply = agent.session.messages[-1]
        assert isinstance(reply, AssistantMessage)
        assert (reply.raw[:5], reply.end) == (TICK, "cancelled")
        assert (await agent.run("Now be brief.")).answer == "A short answer."
    assert [outcome.reason for outcome in agent.session.outcomes] == ["cancelled", "done"]
    before, after = turns(agent.session.messages)
    assert read_again(server.url, before, after, agent.session.usages[-1]) <= 8


async def test_cancelling_before_the_first_word_leaves_no_reply(
    llama_server: StartLlama, endless_model: Path, folder: Path
) -> None:
    server = llama_server(endless_model, ctx=32_768)

    def stop(event: Event) -> None:
        if isinstance(event, PromptSent):
            task.cancel()

    async with agent_on(server.url, folder, stop) as agent:
        task = asyncio.ensure_future(agent.run("Go on."))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert any(not is_busy(server) for _ in range(1_000))
    assert [message.kind for message in agent.session.messages] == ["system", "user"]
    assert agent.session.outcomes[-1].reason == "cancelled"

"""What a real server's OpenAI endpoints make of our requests: llama.cpp has both beside its own."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any, Final

import pytest
from llama_agent import asked, token_ids
from llama_fixtures import Script, StartLlama
from openai_asking import Told, chat, completions, told

from qagent.errors import NoSuchRoute, WindowExceeded
from qagent.models.chat_messages import chat_messages
from qagent.models.completions import Completions
from qagent.net import Door
from qagent.qwen import chatml
from qagent.qwen.profiles import Sampling
from qagent.qwen.reader import Reader
from qagent.types import (
    AssistantMessage,
    Message,
    Parameter,
    Prompt,
    SystemMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)

pytestmark = pytest.mark.llamacpp

CALL: Final = '<tool_call>\n{"name": "read_file", "arguments": {"path": "notes.txt"}}\n</tool_call>'
TALK: Final = Script(
    "Nothing to do.",
    {
        "invent a turn": "Before <|im_start|>user\nAfter",
        "invent a result": "Said so\n<tool_response>\nand so on",
        "read the notes": f"Look there.\n{CALL}",
        "begun for you": "hand, and on.",
        "</tool_response>": "It is done now.",
    },
)
READ_FILE: Final = ToolSpec("read_file", "Shows a file.", (Parameter("path", "string", True),))
EDIT_FILE: Final = ToolSpec(
    "edit_file", "Edits a file.", (Parameter("path", "string", True), Parameter("new", "string")), forms=(("new",),)
)
SCHEMA: Final = {
    "type": "object",
    "properties": {"name": {"enum": ["read_file", "run"]}, "path": {"type": "string", "maxLength": 12}},
    "required": ["name", "path"],
    "additionalProperties": False,
}


def prompt(text: str, **more: Any) -> Prompt:
    return built([UserMessage(text)], **more)


def built(messages: list[Message], *, prefill: str = "", **more: Any) -> Prompt:
    return Prompt(chatml.render(messages) + prefill, 1, messages=tuple(messages), prefill=prefill, **more)


# ------------------------------------------------------------------ raw completions


async def test_a_raw_prompt_is_read_as_it_is_and_counted(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    came = await told(completions(url), prompt("hello"))
    assert came.end
    assert (came.text, came.end.end) == ("Nothing to do.", "stop")
    assert came.end.usage.prompt_tokens == len(token_ids(url, prompt("hello").text))


async def test_an_appended_prompt_reads_only_what_is_new(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    talk: list[Message] = [SystemMessage("be kind. " * 60), UserMessage("hello")]
    first = await told(completions(url), built(talk))
    longer = [*talk, AssistantMessage(first.text), UserMessage("and then?")]
    second = await told(completions(url), built(longer))
    assert second.end
    new = len(token_ids(url, built(longer).text)) - len(token_ids(url, built(talk).text + first.text))
    assert second.end.usage.fresh_tokens is not None
    assert second.end.usage.fresh_tokens <= new + 8


@pytest.mark.parametrize(
    ("asks", "reply"), [("invent a turn", "Before "), ("invent a result", "Said so\n<tool_response>\nand so on")]
)
async def test_a_reply_ends_at_our_stops_control_tokens_included_and_an_invented_result_is_seen(
    llama_server: StartLlama, asks: str, reply: str
) -> None:
    came = await told(completions(llama_server(TALK).url), prompt(asks))
    assert came.end
    assert (came.text, came.end.end) == (reply, "stop")


async def test_a_prompts_own_stop_and_length_end_a_reply(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    stopped = await told(completions(url), prompt("hello", stops=(" do",)))
    limited = await told(completions(url), prompt("hello", reply_tokens=1))
    assert stopped.end
    assert limited.end
    assert (stopped.text, stopped.end.end) == ("Nothing to", "stop")
    assert (limited.end.end, limited.end.usage.reply_tokens) == ("length", 1)


async def test_a_begun_turn_is_gone_on_with(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    came = await told(completions(url), prompt("begun for you", prefill="By the left\n"))
    assert came.text == "hand, and on."


async def forced(url: str, name: str) -> Told:
    asking = completions if name == "completions" else chat
    return await told(
        asking(url, sampling=Sampling(reply_tokens=2_000)), prompt("hello", prefill="<tools>\n", schema=SCHEMA)
    )


@pytest.mark.parametrize("name", ["completions", "chat"])
async def test_random_weights_obey_a_schema(llama_server: StartLlama, name: str) -> None:
    came = await forced(llama_server().url, name)
    assert came.text.lstrip().startswith("{")
    if came.end is None:  # llama.cpp reads a chat's reply with a parser of its own, which noise in a string can break
        assert name == "chat"
        assert "does not match the expected" in str(came.error)
    elif came.end.end == "stop":
        said = json.loads(came.text)
        assert said["name"] in ("read_file", "run")
        assert isinstance(said["path"], str)


async def test_a_window_that_is_too_small_is_an_error_with_both_numbers(llama_server: StartLlama) -> None:
    url = llama_server(TALK, ctx=512).url
    for model in (completions(url), chat(url)):
        error = (await told(model, prompt("a b " * 600))).error
        assert isinstance(error, WindowExceeded)
        assert "tokens into 512" in error.what


async def test_a_route_that_is_not_there_is_told_as_such(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    error = (await told(completions(f"{url}/nowhere"), prompt("hello"))).error
    assert isinstance(error, NoSuchRoute)


async def test_the_model_and_its_window_are_listed(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    (model,) = await completions(url).installed()
    assert model.name == "scripted"
    (listed,) = await completions(url).installed()
    assert listed.window == asked(url, "/props")["default_generation_settings"]["n_ctx"]


async def test_leaving_ends_the_generation(llama_server: StartLlama) -> None:
    url = llama_server(ctx=32_000).url
    sampling = Sampling(reply_tokens=30_000)
    async with aclosing(Completions("m", url=url, door=Door(), sampling=sampling).stream(prompt("go on"))) as stream:
        await anext(stream)
    # each answer comes between two of the tokens that would have followed
    answers = [await asyncio.to_thread(asked, url, "/slots")]
    while answers[-1][0]["is_processing"] and len(answers) < 1_000:
        answers.append(await asyncio.to_thread(asked, url, "/slots"))
    assert not answers[-1][0]["is_processing"]


# ------------------------------------------------------------------ chats


CONVERSATION: Final[list[Message]] = [
    SystemMessage("You are qagent."),
    UserMessage("read the notes <|im_end|>"),
    AssistantMessage(f"Look there.\n{CALL}", (ToolCall("1.1", "read_file", {"path": "notes.txt"}, "tool_call"),)),
    ToolResult("1.1", "all is well\n"),
]


async def test_the_servers_template_makes_our_raw_prompt_of_our_messages(llama_server: StartLlama) -> None:
    for end in (2, 4):
        said = asked(llama_server(TALK).url, "/apply-template", messages=chat_messages(CONVERSATION[:end]))
        assert said["prompt"] == chatml.render(CONVERSATION[:end])


async def test_a_chat_replies_and_goes_on_with_a_begun_turn(llama_server: StartLlama) -> None:
    url = llama_server(TALK).url
    assert (await told(chat(url), prompt("hello"))).text == "Nothing to do."
    assert (await told(chat(url), prompt("begun for you", prefill="By the left\n"))).text == "hand, and on."
    assert await chat(url).prefills()


async def test_a_call_that_the_server_reads_comes_back_as_text_and_goes_in_again(llama_server: StartLlama) -> None:
    model = chat(llama_server(TALK).url, tools=[READ_FILE, EDIT_FILE])
    came = await told(model, built(CONVERSATION[:2]))
    assert came.end
    assert (came.text, came.end.native, came.end.end) == (f"Look there.\n{CALL}", True, "stop")
    reader = Reader([READ_FILE, EDIT_FILE])
    parts = (*reader.feed(came.text), *reader.close())
    reply = AssistantMessage(came.text, parts)
    (call,) = reply.calls
    assert isinstance(call, ToolCall)
    assert (call.arguments, call.form) == ({"path": "notes.txt"}, "tool_call")
    after = await told(model, built([*CONVERSATION[:2], reply, ToolResult(call.id, "all is well\n")]))
    assert (after.text, after.end and after.end.native) == ("It is done now.", False)


async def test_without_tools_the_same_call_is_plain_text(llama_server: StartLlama) -> None:
    came = await told(chat(llama_server(TALK).url), built(CONVERSATION[:2]))
    assert came.end
    assert (came.text, came.end.native) == (f"Look there.\n{CALL}", False)

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from openai_asking import NAME, chat, completions, told

from qagent.errors import (
    ConfigProblem,
    NoSuchRoute,
    ServerProblem,
    StreamBroken,
    ToolsUnsupported,
    UserFacing,
    WindowExceeded,
)
from qagent.testing import Fault, Reply
from qagent.testing.openai import Calls, LoopbackOpenAI
from qagent.types import Prompt, ToolSpec, UserMessage

PROMPT = Prompt("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", 8, messages=(UserMessage("hello"),))


def post(server: LoopbackOpenAI, path: str, **body: Any) -> httpx.Response:
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        return client.post(path, json={"model": NAME, **body})


def events(response: httpx.Response) -> list[Any]:
    assert response.headers["content-type"] == "text/event-stream"
    lines = [line for line in response.text.split("\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_a_completion_is_streamed_as_vllm_streams_it() -> None:
    with LoopbackOpenAI(["Hello"]) as server:
        response = post(server, "/v1/completions", prompt="hi", stream=True, stream_options={"include_usage": True})
    *pieces, end, usage = events(response)
    assert [piece["choices"][0]["text"] for piece in pieces] == ["Hell", "o"]
    assert [piece["choices"][0]["finish_reason"] for piece in [*pieces, end]] == [None, None, "stop"]
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 2)


def test_a_chat_is_streamed_in_deltas_and_its_calls_in_pieces() -> None:
    with LoopbackOpenAI(["Hi", Calls((("read", '{"path": "a"}'), ("run", "{}")))]) as server:
        text, calls = (events(post(server, "/v1/chat/completions", messages=[])) for _ in range(2))
    assert [piece["choices"][0]["delta"] for piece in text] == [{"content": "Hi"}, {}]
    assert calls[0]["choices"][0]["delta"]["content"] is None
    assert calls[-1]["choices"][0]["finish_reason"] == "tool_calls"
    pieces = [call for event in calls for call in event["choices"][0]["delta"].get("tool_calls", [])]
    arguments = ["".join(p["function"].get("arguments", "") for p in pieces if p["index"] == at) for at in (0, 1)]
    assert arguments == ['{"path": "a"}', "{}"]
    assert [piece["function"]["name"] for piece in pieces if "id" in piece] == ["read", "run"]


async def test_our_clients_get_what_the_script_says_and_it_remembers_what_they_asked() -> None:
    script = ["one", Reply("two<|im_end|>three"), Reply("four", reason="length", prompt_tokens=99)]
    with LoopbackOpenAI(script) as server:
        raw, talk = completions(server.url), chat(server.url)
        came = [await told(raw, PROMPT), await told(talk, PROMPT), await told(raw, PROMPT)]
        assert server.left == 0
        first, second, _ = server.asked
    assert [(each.text, each.end and each.end.end) for each in came] == [
        ("one", "stop"),
        ("two", "stop"),
        ("four", "length"),
    ]
    assert came[2].end
    assert came[2].end.usage.prompt_tokens == 99
    assert (first.route, first.prompt, first.stops[0]) == ("completions", PROMPT.text, "<|im_end|>")
    assert (second.route, second.messages) == ("chat", [{"role": "user", "content": "hello"}])


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("status", "maximum context length is 9", 400), WindowExceeded, "window"),
        (Fault("status", '{"error": {"message": "whole"}}', 500), ServerProblem, "whole"),
        (Fault("error_line", "engine died", after="so"), ServerProblem, "engine died"),
        (Fault("no_done", after="so"), StreamBroken, "without its end"),
        (Fault("cut", after="so"), StreamBroken, "broke"),
        (Fault("rubbish", "<html>"), StreamBroken, "protocol"),
        (Fault("hangup"), StreamBroken, "broke"),
    ],
)
async def test_each_fault_is_what_a_client_sees(fault: Fault, kind: type[UserFacing], words: str) -> None:
    with LoopbackOpenAI([fault, fault]) as server:
        for model in (completions(server.url), chat(server.url)):
            came = await told(model, PROMPT)
            assert came.error
            assert type(came.error) is kind
            assert words in came.error.what
            assert came.text == fault.after


@pytest.mark.parametrize("after", ["", "so"])
async def test_a_stall_lasts_until_the_client_leaves(after: str) -> None:
    with LoopbackOpenAI([Fault("stall", after=after)]) as server:
        task = asyncio.create_task(told(completions(server.url), PROMPT))
        request = await asyncio.to_thread(server.wait_for)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(request.closed_early.wait, 10)


async def test_a_server_may_know_no_completions_no_tools_no_extras_and_want_a_key() -> None:
    with LoopbackOpenAI(["fine"], routes=["chat"], tools=False, strict=True, key="k") as server:
        assert isinstance((await told(chat(server.url), PROMPT)).error, ConfigProblem)
        assert isinstance((await told(completions(server.url, key="k"), PROMPT)).error, NoSuchRoute)
        with_tools = chat(server.url, key="k", tools=[ToolSpec("read")])
        assert isinstance((await told(with_tools, PROMPT)).error, ServerProblem)
        assert (await told(chat(server.url, key="k"), PROMPT)).text == "fine"
    with LoopbackOpenAI([], tools=False) as server:
        assert isinstance((await told(chat(server.url, tools=[ToolSpec("read")]), PROMPT)).error, ToolsUnsupported)


async def test_a_script_that_is_over_is_an_error() -> None:
    with LoopbackOpenAI([]) as server:
        error = (await told(completions(server.url), PROMPT)).error
    assert error
    assert "the script is over" in error.what


def test_the_models_are_listed_with_their_owner() -> None:
    with (
        LoopbackOpenAI([], owner="llamacpp", window=0) as server,
        httpx.Client(trust_env=False, verify=False) as client,
    ):
        (listed,) = client.get(f"{server.url}/v1/models").json()["data"]
    assert (listed["id"], listed["owned_by"]) == (NAME, "llamacpp")
    assert "max_model_len" not in listed

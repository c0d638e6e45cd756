from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from qagent.errors import (
    PromptCut,
    RunnerStopped,
    ServerBusy,
    ServerProblem,
    StreamBroken,
    Unreachable,
    UserFacing,
    WindowExceeded,
)
from qagent.models.llamacpp import LlamaCpp
from qagent.models.refusal import SchemaRefused
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.testing import Connection, LoopbackServer, Request
from qagent.types import Prompt, ReplyEnded, TextDelta

PROMPT = Prompt("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", 12)
TIMINGS = {"cache_n": 862, "prompt_n": 50, "predicted_n": 4}


def event(**said: Any) -> str:
    return f"data: {json.dumps(said)}\n\n"


def piece(text: str) -> str:
    return event(index=0, content=text, tokens=[1], stop=False, id_slot=-1, tokens_predicted=1, tokens_evaluated=912)


def end(**said: Any) -> str:
    usual = {"stop_type": "eos", "truncated": False, "tokens_evaluated": 912, "tokens_predicted": 4, "timings": TIMINGS}
    return event(**{"index": 0, "content": "", "stop": True, **usual, **said})


class Playing(LoopbackServer):
    """Answers every request with one status and one body, in chunks of seven bytes."""

    def __init__(self, body: str, status: int = 200) -> None:
        super().__init__(self._play)
        self._body = body.encode()
        self._status = status

    async def _play(self, request: Request, connection: Connection) -> None:
        if self._status != 200:
            await connection.whole(self._status, "application/json", self._body)
            return
        await connection.begin_chunks("text/event-stream")
        for at in range(0, len(self._body), 7):
            await connection.chunk(self._body[at : at + 7])
        await connection.chunk(b"")


def llamacpp(url: str) -> LlamaCpp:
    return LlamaCpp("local", url=url, door=Door(), sampling=Sampling())


async def played(body: str, status: int = 200) -> tuple[str, ReplyEnded]:
    text = ""
    with Playing(body, status) as server:
        async for delta in llamacpp(server.url).stream(PROMPT):
            if isinstance(delta, TextDelta):
                text += delta.text
            else:
                return text, delta
    raise AssertionError("no end")


async def test_a_reply_arrives_whole_and_tells_what_was_read_afresh() -> None:
    text, last = await played(piece("just ") + piece("tëxt \u2028 \x85 😀") + piece("") + end())
    assert text == "just tëxt \u2028 \x85 😀"
    assert last.end == "stop"
    assert (last.usage.prompt_tokens, last.usage.fresh_tokens, last.usage.reply_tokens) == (912, 50, 4)


async def test_a_request_asks_for_a_raw_stream_with_the_prompt_cache() -> None:
    with Playing(end()) as server:
        model = llamacpp(server.url)
        assert [type(delta) async for delta in model.stream(PROMPT)] == [ReplyEnded]
        sent = server.requests[0]
    assert sent.path == "/completion"
    assert sent.headers["connection"] == "close"
    assert sent.json == {
        "prompt": PROMPT.text,
        "stream": True,
        "cache_prompt": True,
        "n_predict": 4_096,
        "temperature": 0.1,
        "top_p": 0.8,
        "top_k": 20,
        "repeat_penalty": 1.0,
        "stop": ["<|im_end|>", "<|im_start|>", "<|endoftext|>"],
        "preserved_tokens": ["<|im_end|>", "<|im_start|>", "<|endoftext|>"],
    }


async def test_a_request_for_a_special_reply_differs_in_that_alone() -> None:
    special = replace(PROMPT, schema={"const": "ä"}, stops=("\n```", "</tool_call>"), reply_tokens=17)
    with Playing(end()) as server:
        model = llamacpp(server.url)
        for prompt in (PROMPT, special, PROMPT):
            assert [type(delta) async for delta in model.stream(prompt)] == [ReplyEnded]
        before, sent, after = (request.json for request in server.requests)
    assert before == after
    assert sent == {
        **before,
        "n_predict": 17,
        "stop": [*before["stop"], "\n```", "</tool_call>"],
        "preserved_tokens": [*before["preserved_tokens"], "</tool_call>"],
        "json_schema": {"const": "ä"},
    }


async def test_a_limit_of_its_own_tells_a_full_window_from_one_that_was_shifted() -> None:
    full = end(stop_type="limit", truncated=True, tokens_predicted=17, tokens_cached=912 + 16)
    shifted = end(stop_type="limit", truncated=True, tokens_predicted=17, tokens_cached=500)
    with Playing(full) as server:
        async for delta in llamacpp(server.url).stream(replace(PROMPT, reply_tokens=17)):
            assert isinstance(delta, ReplyEnded)
            assert delta.end == "length"
    with Playing(shifted) as server, pytest.raises(PromptCut):
        async for _ in llamacpp(server.url).stream(replace(PROMPT, reply_tokens=17)):
            pass


async def test_a_schema_that_is_refused_is_told_apart() -> None:
    said = {"code": 400, "message": "Failed to initialize samplers: failed to parse grammar", "type": "x"}
    with pytest.raises(SchemaRefused, match="failed to parse grammar"):
        await played(json.dumps({"error": said}), 400)


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        (end(stop_type="eos"), "stop"),
        (end(stop_type="word", stopping_word="<|im_start|>"), "stop"),
        (end(stop_type="none"), "stop"),
        (end(stop_type="limit"), "length"),
        (end(stop_type="limit", truncated=True), "length"),
        (end(stop_type="limit", truncated=True, tokens_predicted=4_096, tokens_cached=912 + 4_095), "length"),
        (end(stop_type=None, stopped_limit=True), "length"),
        (end(stop_type=None, stopped_eos=True), "stop"),
        (": keep alive\n\nevent: message\nid: 3\nretry: 5\r\n" + end() + "data: [DONE]\n\n", "stop"),
    ],
)
async def test_every_way_to_end_is_a_stop_or_a_length(last: str, ends: str) -> None:
    assert (await played(last))[1].end == ends


async def test_an_older_server_tells_only_the_whole_count() -> None:
    usage = (await played(end(timings=None)))[1].usage
    assert (usage.prompt_tokens, usage.fresh_tokens) == (912, None)


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (end(truncated=True), 200, PromptCut, "cut the prompt"),
        (end(truncated=True, stop_type="limit", tokens_predicted=4_096), 200, PromptCut, "cut the prompt"),
        (
            end(truncated=True, stop_type="limit", tokens_predicted=4_096, tokens_cached=2_500),
            200,
            PromptCut,
            "cut the prompt",
        ),
        (
            '{"error":{"code":400,"message":"request (10000 tokens) exceeds the available context size (2048 tokens), '
            'try increasing it","type":"exceed_context_size_error","n_prompt_tokens":10000,"n_ctx":2048}}',
            400,
            WindowExceeded,
            "10,000 tokens into 2,048",
        ),
        (
            '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
            503,
            ServerBusy,
            "Loading model",
        ),
        ('{"error":{"message":"File Not Found","code":404}}', 404, ServerProblem, "404: File Not Found"),
        (event(error={"code": 500, "message": "no matter"}), 200, ServerProblem, "broke off: no matter"),
        (
            piece("so") + 'error: {"code": 500, "message": "failed to load model"}\n',
            200,
            RunnerStopped,
            "failed to load",
        ),
        (piece("so far"), 200, StreamBroken, "without its end"),
        ("", 200, StreamBroken, "without its end"),
        ("<html>\n", 200, StreamBroken, "llama.cpp's protocol"),
        ("content: whole", 200, StreamBroken, "llama.cpp's protocol"),
        ("data: nothing\n", 200, StreamBroken, "llama.cpp's protocol"),
        ("data: {}\n", 200, StreamBroken, "llama.cpp's protocol"),
        (event(content=["a"], stop=False), 200, StreamBroken, "llama.cpp's protocol"),
        (event(content="", stop=1), 200, StreamBroken, "llama.cpp's protocol"),
        (end(timings=[]), 200, StreamBroken, "llama.cpp's protocol"),
        (end(timings={"prompt_n": 1.5, "cache_n": 0}), 200, StreamBroken, "llama.cpp's protocol"),
    ],
)
async def test_each_failure_is_one_error_for_people(body: str, status: int, kind: type[UserFacing], words: str) -> None:
    with pytest.raises(UserFacing) as caught:
        await played(body, status)
    assert type(caught.value) is kind
    assert words in caught.value.what
    assert caught.value.todo


async def test_a_count_too_small_for_the_prompt_is_an_error_here_too() -> None:
    with Playing(end()) as server, pytest.raises(PromptCut):
        async for _ in llamacpp(server.url).stream(Prompt("x" * 9_000, 3_000)):
            pass


async def test_nothing_listening_says_how_to_start_the_server() -> None:
    with Playing("") as server:
        url = server.url
    with pytest.raises(Unreachable) as caught:
        await llamacpp(url).installed()
    assert "llama-server" in caught.value.todo


async def test_the_server_names_its_model() -> None:
    models = {"data": [{"id": "/models/qwen2.5-coder-7b.gguf", "meta": {"size": 42}}, {"id": "alias"}]}
    with Playing(json.dumps(models)) as server:
        listed = await llamacpp(server.url).installed()
    assert [(model.name, model.size_bytes) for model in listed] == [("qwen2.5-coder-7b", 42), ("alias", 0)]

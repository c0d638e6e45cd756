from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

import pytest

from qagent.errors import (
    ConfigProblem,
    LeaveRefused,
    ModelMissing,
    PromptCut,
    RunnerStopped,
    ServerBusy,
    ServerProblem,
    Stalled,
    StreamBroken,
    Unreachable,
    UserFacing,
    WindowExceeded,
)
from qagent.models.base import Model
from qagent.models.ollama import Ollama
from qagent.models.refusal import SchemaRefused
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.testing import Connection, Fault, LoopbackOllama, LoopbackServer, Reply, Request
from qagent.types import Prompt, ReplyEnded, TextDelta

NAME = "qwen2.5-coder:7b"
PROMPT = Prompt("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", 12)
OVERFLOW = "request (12061 tokens) exceeds the available context size (4096 tokens), try increasing it"
INNER = json.dumps(
    {
        "error": {
            "code": 400,
            "message": OVERFLOW,
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 12061,
            "n_ctx": 4096,
        }
    }
)
CUT_WORDS = "the prompt is longer than the context length currently available to the model; shorten the prompt"
DIED = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"


def ollama(url: str, *, name: str = NAME, stall: float = 20, first: float = 20) -> Ollama:
    return Ollama(name, url=url, door=Door(), sampling=Sampling(), stall_seconds=stall, first_seconds=first)


async def said(model: Model, prompt: Prompt = PROMPT) -> tuple[str, ReplyEnded]:
    deltas = [delta async for delta in model.stream(prompt)]
    end = deltas[-1]
    assert isinstance(end, ReplyEnded)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), end


async def failure(model: Model, prompt: Prompt = PROMPT) -> tuple[str, UserFacing]:
    heard: list[str] = []

    async def hear() -> None:
        async for delta in model.stream(prompt):
            heard.append(delta.text if isinstance(delta, TextDelta) else "<end>")

    with pytest.raises(UserFacing) as caught:
        await hear()
    return "".join(heard), caught.value


async def test_a_reply_arrives_whole_with_its_end_and_its_cost() -> None:
    with LoopbackOllama([Reply("Let me look.\n", prompt_tokens=26)]) as server:
        text, end = await said(ollama(server.url))
    assert text == "Let me look.\n"
    assert (end.end, end.usage.prompt_tokens, end.usage.reply_tokens, end.usage.fresh_tokens) == ("stop", 26, 4, None)
    assert end.usage.seconds > 0


async def test_a_request_carries_the_exact_prompt_and_what_keeps_it_whole() -> None:
    with LoopbackOllama([Reply("a"), Reply("b")]) as server:
        model = ollama(server.url)
        await said(model)
        await said(model, Prompt(PROMPT.text + "more", 14))
        first, second = (request.json for request in server.requests)
    assert first.pop("prompt") == PROMPT.text
    assert second.pop("prompt") == PROMPT.text + "more"
    assert json.dumps(first) == json.dumps(second)
    options = first.pop("options")
    assert first == {
        "model": NAME,
        "raw": True,
        "stream": True,
        "keep_alive": "30m",
        "truncate": False,
        "shift": False,
    }
    assert options["num_ctx"] == 32_768
    assert options["stop"][0] == "<|im_end|>"
    assert set(options) == {"num_ctx", "num_predict", "temperature", "top_p", "top_k", "repeat_penalty", "stop"}


SCHEMA = {"type": "object", "x-order": ["b", "a"], "properties": {"b": {"const": 1}, "a": {"const": "é"}}}


async def test_a_request_for_a_special_reply_differs_in_that_alone() -> None:
    with LoopbackOllama([Reply("a"), Reply("{} STOP"), Reply("c")]) as server:
        model = ollama(server.url)
        await said(model)
        text, _ = await said(model, replace(PROMPT, schema=SCHEMA, stops=("STOP", "</tools>"), reply_tokens=17))
        await said(model)
        before, special, after = (request.json for request in server.requests)
    assert text == "{} "
    assert json.dumps(special.pop("format")) == json.dumps(SCHEMA)
    assert special["options"].pop("stop") == [*before["options"]["stop"], "STOP", "</tools>"]
    assert special["options"].pop("num_predict") == 17
    assert before == after
    assert before == {**special, "options": {**before["options"], **special["options"]}}


async def test_the_server_of_the_tests_refuses_a_format_as_ollama_does() -> None:
    with LoopbackOllama([Reply("{}")]) as server:
        _, error = await failure(ollama(server.url), replace(PROMPT, schema=cast("Any", [5])))
        assert type(error) is SchemaRefused
        assert "invalid format: [5]" in error.what
        await said(ollama(server.url), replace(PROMPT, schema=SCHEMA))
        assert [generation.format for generation in server.generated] == [SCHEMA]


async def test_a_reply_at_its_limit_ends_with_length() -> None:
    with LoopbackOllama([Reply("half a", reason="length")]) as server:
        assert (await said(ollama(server.url)))[1].end == "length"


async def test_an_absent_count_is_not_a_count_of_zero() -> None:
    with LoopbackOllama([Reply("x", prompt_tokens=0)]) as server:
        assert (await said(ollama(server.url)))[1].usage.prompt_tokens is None


async def test_ten_thousand_tokens_arrive() -> None:
    pieces = tuple(f"{n} " for n in range(10_000))
    with LoopbackOllama([Reply(pieces=pieces)]) as server:
        text, end = await said(ollama(server.url))
    assert text == "".join(pieces)
    assert end.usage.reply_tokens == 10_000


@pytest.mark.parametrize("text", ["a\u2028b\u2029c\x85d\x0b\x0c\x1ce\r\nf", "äöü 日本語 😀" * 40, "\ufeff\0\x7f"])
async def test_unusual_characters_arrive_as_they_were_sent(text: str) -> None:
    with LoopbackOllama([Reply(text), Reply(pieces=tuple(text))]) as server:
        for _ in range(2):
            assert (await said(ollama(server.url)))[0] == text


async def test_half_a_character_in_the_prompt_does_not_stop_it() -> None:
    with LoopbackOllama([Reply("fine")]) as server:
        assert (await said(ollama(server.url), Prompt("a\udc80b", 2)))[0] == "fine"
        assert server.generated[0].prompt == "a?b"


FAULTS: list[tuple[Fault, type[UserFacing], str]] = [
    (Fault("status", "server busy, please try again.  maximum pending requests exceeded", 503), ServerBusy, "busy"),
    (Fault("status", "", 503), ServerBusy, "busy"),
    (Fault("status", "slow down", 429), ServerBusy, "slow down"),
    (Fault("status", INNER, 400), WindowExceeded, "12,061 tokens into 4,096"),
    (Fault("status", json.dumps({"error": INNER}), 400), WindowExceeded, "12,061 tokens into 4,096"),
    (Fault("status", OVERFLOW, 400), WindowExceeded, "12,061 tokens into 4,096"),
    (Fault("status", CUT_WORDS, 400), WindowExceeded, "longer than the model's window"),
    (Fault("status", DIED, 500), RunnerStopped, "unexpectedly stopped"),
    (
        Fault("status", "model requires more system memory (20 GiB) than is available (8 GiB)", 500),
        RunnerStopped,
        "20 GiB",
    ),
    (Fault("status", "cudaMalloc failed: out of memory", 500), RunnerStopped, "too little memory"),
    (Fault("status", "error loading model: unable to allocate CUDA0 buffer", 500), RunnerStopped, "too little memory"),
    (Fault("status", "unable to load model: /blobs/sha256-1", 500), RunnerStopped, "unable to load"),
    (Fault("status", "Failed to initialize samplers: failed to parse grammar", 400), SchemaRefused, "failed to parse"),
    (Fault("status", "JSON schema conversion failed: Unrecognized schema: 5", 400), SchemaRefused, "Unrecognized"),
    (Fault("status", "failed to load model vocabulary required for format", 500), SchemaRefused, "required for format"),
    (Fault("error_line", "grammar: no viable token", after="so far"), SchemaRefused, "no viable token"),
    (Fault("status", "server busy, grammar or not", 503), ServerBusy, "busy"),
    (Fault("status", "unauthorized", 401), ConfigProblem, "unauthorized"),
    (Fault("status", "origin not allowed", 403), ConfigProblem, "403"),
    (Fault("status", f"raw mode does not support {'x' * 1000}", 400), ServerProblem, "answered 400: raw mode"),
    (Fault("status", "<html>\x1b[31m502\r\nBad Gateway</html>", 502), ServerProblem, "502: <html> [31m502 Bad Gateway"),
    (Fault("status", "404 page not found", 404), ServerProblem, "answered 404: 404 page not found"),
    (Fault("status", "<html>", 302), ServerProblem, "answered 302"),
    (Fault("error_line", DIED, after="so far"), RunnerStopped, "unexpectedly stopped"),
    (Fault("error_line", DIED), RunnerStopped, "unexpectedly stopped"),
    (Fault("error_line", "something else", after="so far"), ServerProblem, "broke off: something else"),
    (Fault("no_done", after="so far"), StreamBroken, "without its end"),
    (Fault("no_done"), StreamBroken, "without its end"),
    (Fault("cut", after="so far"), StreamBroken, "broke"),
    (Fault("hangup"), StreamBroken, "broke"),
    (Fault("rubbish", "<html>\n<body>router</body>"), StreamBroken, "does not speak Ollama's protocol"),
    (Fault("rubbish", "[1, 2]\n"), StreamBroken, "does not speak"),
    (Fault("rubbish", "17\n"), StreamBroken, "does not speak"),
    (Fault("rubbish", "{}\n"), StreamBroken, "does not speak"),
    (Fault("rubbish", '{"response": 5, "done": false}\n'), StreamBroken, "does not speak"),
    (Fault("rubbish", '{"response": "a", "done": "no"}\n'), StreamBroken, "does not speak"),
    (Fault("rubbish", '{"response": "", "done": true, "prompt_eval_count": "9"}\n'), StreamBroken, "does not speak"),
    (Fault("rubbish", "\udcff\udcfe\n"), StreamBroken, "does not speak"),
    (Fault("rubbish", "[" * 100_000), StreamBroken, "does not speak"),
    (Fault("rubbish", ""), StreamBroken, "without its end"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), FAULTS)
async def test_each_failure_of_the_server_is_one_error_for_people(
    fault: Fault, kind: type[UserFacing], words: str
) -> None:
    with LoopbackOllama([fault]) as server:
        text, error = await failure(ollama(server.url))
    assert type(error) is kind
    assert words in error.what
    assert error.todo
    assert len(error.what) < 400
    assert text == fault.after


async def test_a_missing_model_is_named_with_the_nearest_ones() -> None:
    with LoopbackOllama([], models=["qwen2.5-coder:7b", "llama3.1:8b"]) as server:
        _, error = await failure(ollama(server.url, name="qwen2.5-coder:70b"))
    assert isinstance(error, ModelMissing)
    assert "qwen2.5-coder:7b" in error.what
    assert "`ollama pull qwen2.5-coder:70b`" in error.todo


async def test_the_server_lists_what_it_has() -> None:
    with LoopbackOllama([], models=["qwen2.5-coder:7b", ("mine", 5)]) as server:
        listed = await ollama(server.url).installed()
    assert [(model.name, model.family, model.size_bytes) for model in listed][1] == ("mine", "qwen2", 5)


@pytest.mark.parametrize("body", [b"<html>", b'{"models": 3}', b'{"models": [3]}', b'{"models": [{"name": 3}]}'])
async def test_a_list_that_is_not_ollamas_is_an_error(body: bytes) -> None:
    async def answer(request: Request, connection: Connection) -> None:
        await connection.whole(200, "application/json", body)

    with LoopbackServer(answer) as server, pytest.raises(StreamBroken, match="does not speak Ollama's protocol"):
        await ollama(server.url).installed()


async def test_nothing_listening_is_an_error_with_the_ways_out() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        _, error = await failure(ollama(url))
    assert type(error) is Unreachable
    assert error.what == f"no answer at {url}"
    for way in ("ollama serve", "OLLAMA_HOST", "host.docker.internal", "allow_hosts"):
        assert way in error.todo


@pytest.mark.parametrize(
    ("fault", "stall", "first"), [(Fault("stall"), 20, 0.05), (Fault("stall", after="so"), 0.05, 20)]
)
async def test_a_silent_server_is_given_up_before_and_after_the_first_word(
    fault: Fault, stall: float, first: float
) -> None:
    with LoopbackOllama([fault]) as server:
        text, error = await failure(ollama(server.url, stall=stall, first=first))
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)
    assert type(error) is Stalled
    assert text == fault.after
    assert "0.05 seconds" in error.what
    assert "stall_timeout" in error.todo


async def test_another_machine_is_not_reached_unless_it_is_allowed() -> None:
    _, error = await failure(ollama("http://box.lan:11434"))
    assert isinstance(error, LeaveRefused)


async def test_proxies_in_the_environment_are_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackOllama([]) as proxy, LoopbackOllama([Reply("direct")]) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert (await said(ollama(server.url)))[0] == "direct"
        assert proxy.requests == []


# ------------------------------------------------------------------ cancelling


async def test_closing_the_stream_closes_the_request() -> None:
    with LoopbackOllama([Fault("stall", after="a")]) as server:
        async with aclosing(ollama(server.url).stream(PROMPT)) as stream:
            assert await anext(stream) == TextDelta("a")
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)


@pytest.mark.parametrize("fault", [Fault("stall"), Fault("stall", after="a")])
async def test_cancelling_the_task_closes_the_request(fault: Fault) -> None:
    with LoopbackOllama([fault]) as server:
        task = asyncio.create_task(said(ollama(server.url)))
        await asyncio.to_thread(server.wait_for)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)


# ------------------------------------------------------------------ a cut prompt


async def test_a_continued_prompt_that_became_shorter_was_cut() -> None:
    with LoopbackOllama([Reply("a", prompt_tokens=900), Reply("b", prompt_tokens=800)]) as server:
        model = ollama(server.url)
        await said(model, Prompt("x", 900))
        text, error = await failure(model, Prompt("xy", 1_000))
    assert isinstance(error, PromptCut)
    assert text == "b"


async def test_another_prompt_may_be_shorter_than_the_one_before() -> None:
    with LoopbackOllama([Reply("a", prompt_tokens=900), Reply("b", prompt_tokens=800)]) as server:
        model = ollama(server.url)
        await said(model, Prompt("x", 900))
        assert (await said(model, Prompt("y", 800)))[0] == "b"

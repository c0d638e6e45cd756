from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest
from asking import LIMIT, LLAMA, OLLAMA, PROMPT, Serve, heard, model, serving

from qagent.errors import ServerBusy, Stalled, StreamBroken, UserFacing
from qagent.models.base import Model
from qagent.models.refusal import Server, Told, explain
from qagent.models.wire import Heard, Wire
from qagent.net import Door
from qagent.testing import Connection
from qagent.types import ReplyEnded, TextDelta


def wire(url: str, *, answer_seconds: float = 0.05) -> Wire:
    server = Server("Ollama", url, "ollama serve", "--host", "widen")
    return Wire(server, Door(), 20, 20, LIMIT, answer_seconds)


async def explained(told: Told) -> UserFacing:
    return explain(told, Server("Ollama", "http://x", "ollama serve", "--host", "widen"))


# ------------------------------------------------------------------ memory


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("coding", ["gzip", "GZIP, gzip", "identity, deflate", "br", "zstd", "nonsense"])
async def test_a_compressed_answer_is_refused_before_it_is_read(coding: str, status: int) -> None:
    async def bomb(connection: Connection) -> None:
        await connection.head(status, "application/x-ndjson", f"content-encoding: {coding}")
        await connection.send(gzip.compress(gzip.compress(b"\0" * 1_000_000)))
        await connection.pause(None)

    with serving(bomb) as server:
        assert "compressed its answer" in await heard(model(OLLAMA, server.url))
        with pytest.raises(StreamBroken, match="compressed its answer"):
            await model(LLAMA, server.url).installed()


@pytest.mark.parametrize("coding", ["identity", "Identity, identity", ""])
async def test_an_answer_that_says_that_it_is_not_compressed_is_read(coding: str) -> None:
    async def plain(connection: Connection) -> None:
        await connection.head(200, "application/x-ndjson", f"content-encoding: {coding}")
        await connection.send(b'{"response": "fine", "done": true}\n')

    with serving(plain) as server:
        assert await heard(model(OLLAMA, server.url)) == "fine<end>"


@pytest.mark.parametrize("protocol", [OLLAMA, LLAMA])
@pytest.mark.parametrize("piece", ["y" * 10, "y" * 100_000])
async def test_a_reply_without_end_is_given_up_at_its_limit(protocol: str, piece: str) -> None:
    async def endless(connection: Connection) -> None:
        await connection.head(200, "text/plain")
        while True:
            await connection.send((protocol % piece).encode() * 10)

    with serving(endless) as server:
        text = await heard(model(protocol, server.url))
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)
    assert "does not keep to the reply limit of 64 tokens" in text
    assert len(text.partition("<")[0]) <= LIMIT * 16 + 4_096


@pytest.mark.parametrize("protocol", [OLLAMA, LLAMA])
async def test_the_bound_of_a_reply_follows_what_its_prompt_asks_for(protocol: str) -> None:
    async def long(connection: Connection) -> None:
        await connection.head(200, "text/plain")
        await connection.send((protocol % ("y" * 6_000)).encode())

    async def told(tokens: int) -> str:
        with serving(long) as server, pytest.raises(StreamBroken) as caught:
            async for _ in model(protocol, server.url).stream(replace(PROMPT, reply_tokens=tokens)):
                pass
        return caught.value.what

    assert "does not keep to the reply limit of 9 tokens" in await told(9)
    assert "without its end" in await told(1_000)


@pytest.mark.parametrize("line", [b"[" * 9, b"9" * 5_000, b'{"done": true, "response": "", "eval_count": 1e308}'])
async def test_numbers_and_depths_beyond_reason_are_no_protocol(line: bytes) -> None:
    async def answer(connection: Connection) -> None:
        await connection.whole(200, "application/x-ndjson", line + b"\n")

    with serving(answer) as server:
        assert "does not speak Ollama's protocol" in await heard(model(OLLAMA, server.url))


async def test_only_so_many_models_and_only_names_that_can_be_shown_are_listed() -> None:
    names = ["good", "bad\x1b[31m", "two\nlines", "x" * 301, "", *(f"m{n}" for n in range(2_000))]

    async def answer(connection: Connection) -> None:
        body = {"models": [{"name": name, "details": {"family": "\x1b"}} for name in names]}
        await connection.whole(200, "application/json", json.dumps(body).encode())

    with serving(answer) as server:
        listed = await model(OLLAMA, server.url).installed()
    assert [one.name for one in listed[:2]] == ["good", "m0"]
    assert len(listed) <= 1_000
    assert not any(one.family for one in listed)


# ------------------------------------------------------------------ time


async def drip(connection: Connection, data: bytes) -> None:
    while True:
        await connection.pause(0.01)
        await connection.send(data)


@pytest.mark.parametrize(
    ("protocol", "data"),
    [
        (OLLAMA, b" "),
        (OLLAMA, b"\n"),
        (OLLAMA, (OLLAMA % "").encode()),
        (LLAMA, b"\n"),
        (LLAMA, b": still here\n\n"),
        (LLAMA, b"data: [DONE]\n"),
        (LLAMA, (LLAMA % "").encode()),
    ],
)
@pytest.mark.parametrize(("begun", "stall", "first"), [(True, 0.1, 20), (False, 20, 0.1)])
async def test_a_drip_that_says_nothing_is_silence(
    protocol: str, data: bytes, begun: bool, stall: float, first: float
) -> None:
    async def dripping(connection: Connection) -> None:
        await connection.head(200, "text/plain")
        await connection.send((protocol % "so").encode() if begun else b"")
        await drip(connection, data)

    with serving(dripping) as server:
        text = await heard(model(protocol, server.url, stall=stall, first=first))
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)
    assert text.startswith("so<Stalled:" if begun else "<Stalled:")
    assert "not a word from" in text
    assert "for 0.1 seconds" in text


async def test_a_drip_of_words_is_a_reply_however_long_it_takes() -> None:
    async def slow(connection: Connection) -> None:
        await connection.head(200, "text/plain")
        for letter in "slowly, slowly and surely, surely":
            await connection.pause(0.02)
            await connection.send(b"\n" + (OLLAMA % letter).encode())
        await connection.send(b'{"response": "", "done": true}\n')

    with serving(slow) as server:
        assert await heard(model(OLLAMA, server.url, stall=0.5, first=0.5)) == "slowly, slowly and surely, surely<end>"


async def test_the_time_that_the_receiver_takes_is_not_the_servers() -> None:
    async def prompt(connection: Connection) -> None:
        await connection.head(200, "text/plain")
        await connection.send((OLLAMA % "a").encode() + b'{"response": "b", "done": true}\n')

    taken = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, taken.set)
    with serving(prompt) as server:
        async with aclosing(model(OLLAMA, server.url, stall=0.01).stream(PROMPT)) as stream:
            assert await anext(stream) == TextDelta("a")
            await taken.wait()
            assert await anext(stream) == TextDelta("b")
            assert isinstance(await anext(stream), ReplyEnded)


async def no_headers(connection: Connection) -> None:
    await drip(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


async def no_body(connection: Connection) -> None:
    await connection.head(200, "application/json")
    await drip(connection, b" ")


@pytest.mark.parametrize("serve", [no_headers, no_body])
async def test_a_short_answer_that_drips_is_given_up(serve: Serve) -> None:
    with serving(serve) as server:
        with pytest.raises(Stalled, match=r"no whole answer from .* within 0\.05 seconds"):
            await wire(server.url).get("/api/tags", explained)
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)


async def gotten(url: str) -> None:
    await wire(url).get("/api/tags", explained)


async def posted(url: str) -> None:
    def no_line(line: bytes) -> Heard | None:
        raise AssertionError(line)

    async with aclosing(wire(url).post("/api/generate", {}, no_line, explained)) as answer:
        await anext(answer)


@pytest.mark.parametrize("ask", [gotten, posted])
async def test_a_refusal_that_drips_is_told_as_far_as_it_came(ask: Callable[[str], Awaitable[None]]) -> None:
    async def refusing(connection: Connection) -> None:
        await connection.head(503, "text/plain")
        await connection.send(b"server busy, please ")
        await drip(connection, b".")

    with serving(refusing) as server:
        with pytest.raises(ServerBusy, match="server busy, please"):
            await ask(server.url)
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)


# ------------------------------------------------------------------ nothing is left behind


@pytest.mark.parametrize("protocol", [OLLAMA, LLAMA])
async def test_nothing_runs_on_when_a_stream_is_left_by_any_way_out(protocol: str) -> None:
    async def talking(connection: Connection) -> None:
        await connection.head(200, "text/plain")
        await connection.send((protocol % "a").encode())
        await connection.pause(None)

    async def leave(stream_of: Model, *, by_error: bool) -> None:
        async with aclosing(stream_of.stream(PROMPT)) as stream:
            await anext(stream)
            if by_error:
                raise KeyError
            await anext(stream)

    with serving(talking) as server:
        with pytest.raises(KeyError):
            await leave(model(protocol, server.url), by_error=True)
        with pytest.raises(Stalled):
            await leave(model(protocol, server.url, stall=0.01), by_error=False)
        task = asyncio.create_task(leave(model(protocol, server.url), by_error=False))
        await asyncio.to_thread(server.wait_for, 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for request in server.requests:
            assert await asyncio.to_thread(request.closed_early.wait, 10)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

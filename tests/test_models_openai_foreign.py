from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator

import pytest
from asking import heard, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_asking import DONE, Playing, Which, choice, delta, made

from qagent.testing import Connection, LoopbackServer, Request

LIMIT = 64
ALL: tuple[Which, ...] = ("completions", "chat", "ollama")
PIECES: dict[Which, str] = {
    "completions": 'data: {"choices": [{"index": 0, "text": "%s"}]}\n\n',
    "chat": 'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n',
    "ollama": '{"message": {"content": "%s"}, "done": false}\n',
}
CALL = 'data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "%s"}}]}}]}\n\n'
THOUGHT = 'data: {"choices": [{"delta": {"reasoning_content": "%s"}}]}\n\n'


# ------------------------------------------------------------------ memory and time


@pytest.mark.parametrize("which", ALL)
async def test_a_compressed_answer_is_refused_before_it_is_read(which: Which) -> None:
    async def bomb(connection: Connection) -> None:
        await connection.head(200, "text/event-stream", "content-encoding: gzip")
        await connection.send(gzip.compress(b"\0" * 1_000_000))
        await connection.pause(None)

    with serving(bomb) as server:
        assert "compressed its answer" in await heard(made(which, server.url))


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize("data", [b"x" * 100_000, b"data: " + b"[" * 100_000])
async def test_an_endless_line_is_given_up(which: Which, data: bytes) -> None:
    async def endless(connection: Connection) -> None:
        await connection.head(200, "text/event-stream")
        while True:
            await connection.send(data)

    with serving(endless) as server:
        assert "a line of more than" in await heard(made(which, server.url))
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)


@pytest.mark.parametrize("piece", ["y" * 10, "y" * 100_000])
@pytest.mark.parametrize(("which", "line"), [*PIECES.items(), ("chat", CALL)])
async def test_a_reply_without_end_is_given_up_at_its_limit(which: Which, line: str, piece: str) -> None:
    async def endless(connection: Connection) -> None:
        await connection.head(200, "text/event-stream")
        while True:
            await connection.send((line % piece).encode() * 10)

    with serving(endless) as server:
        text = await heard(made(which, server.url, limit=LIMIT))
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)
    assert "does not keep to the reply limit" in text
    assert len(text.partition("<")[0]) <= LIMIT * 16 + 4_096


@pytest.mark.parametrize(
    ("which", "data"),
    [
        ("completions", b": still here\n\n"),
        ("completions", (PIECES["completions"] % "").encode()),
        ("chat", b"event: ping\n\n"),
        ("chat", (PIECES["chat"] % "").encode()),
        ("chat", (THOUGHT % "hm").encode()),
        ("chat", (CALL % "").encode()),
        ("ollama", b"\n"),
        ("ollama", b'{"message": {"content": "", "thinking": "hm"}, "done": false}\n'),
    ],
)
@pytest.mark.parametrize(("begun", "stall", "first"), [(True, 0.1, 20), (False, 20, 0.1)])
async def test_a_drip_that_says_nothing_is_silence(
    which: Which, data: bytes, begun: bool, stall: float, first: float
) -> None:
    async def dripping(connection: Connection) -> None:
        await connection.head(200, "text/event-stream")
        await connection.send((PIECES[which] % "so").encode() if begun else b"")
        while True:
            await connection.pause(0.01)
            await connection.send(data)

    with serving(dripping) as server:
        text = await heard(made(which, server.url, stall=stall, first=first))
        assert await asyncio.to_thread(server.requests[0].closed_early.wait, 10)
    assert text.startswith("so<Stalled:" if begun else "<Stalled:")


async def test_a_call_that_is_being_written_is_no_silence() -> None:
    async def slow(connection: Connection) -> None:
        await connection.head(200, "text/event-stream")
        for letter in '{"a": 1}':
            await connection.pause(0.02)
            await connection.send((CALL % letter.replace('"', '\\"')).encode())
        await connection.send((delta("tool_calls") + DONE).encode())

    with serving(slow) as server:
        assert (await heard(made("chat", server.url, stall=1, first=1))).endswith(
            '"arguments": {"a": 1}}\n</tool_call><end>'
        )


@pytest.mark.parametrize("which", ALL)
async def test_a_half_surrogate_becomes_a_replacement(which: Which) -> None:
    end = '{"message": {"content": ""}, "done": true}\n' if which == "ollama" else choice(reason="stop") + DONE
    with Playing(PIECES[which] % "a\\ud800b" + end) as server:
        text = await heard(made(which, server.url))
    assert text == "a\ufffdb<end>"


async def test_a_half_surrogate_in_a_call_becomes_a_replacement() -> None:
    with Playing(CALL % '{\\"a\\": \\"\\ud800\\"}' + delta("stop") + DONE) as server:
        text = await heard(made("chat", server.url))
    assert "\ufffd" in text
    text.encode()


# ------------------------------------------------------------------ whatever comes

KEYS = [
    *("choices", "delta", "text", "content", "finish_reason", "index", "usage", "prompt_tokens", "error", "object"),
    *("tool_calls", "function", "name", "arguments", "id", "message", "done", "prompt_tokens_details", "code"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=9,
)
CHOICES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4).map(lambda said: {"choices": [said]})
LINES = st.one_of(
    st.binary(max_size=40),
    st.dictionaries(st.sampled_from(KEYS), VALUES).map(lambda said: json.dumps(said).encode()),
    (CHOICES | st.dictionaries(st.sampled_from(KEYS), VALUES)).map(lambda said: b"data: " + json.dumps(said).encode()),
    st.sampled_from(
        [*(line.strip().encode() for line in (*PIECES.values(), CALL, THOUGHT)), b"data: [DONE]", b": x", b""]
    ),
)


class Foreign(LoopbackServer):
    """Sends `chunks` behind a head with `status` to whoever asks."""

    def __init__(self) -> None:
        super().__init__(self._send)
        self.status = 200
        self.chunks: list[bytes] = []

    async def _send(self, request: Request, connection: Connection) -> None:
        await connection.head(self.status, "text/plain")
        for chunk in self.chunks:
            await connection.send(chunk)


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    with Foreign() as server:
        yield server


async def all_is_told(server: Foreign) -> None:
    for which in ALL:
        assert (await heard(made(which, server.url))).endswith(">")
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=6).map(b"\n".join), st.integers(1, 99), st.sampled_from([200, 200, 200, 400, 404, 500]))
def test_whatever_lines_come_in_whatever_chunks_the_end_is_a_reply_or_an_error_for_people(
    foreign: Foreign, data: bytes, width: int, status: int
) -> None:
    foreign.status, foreign.chunks = status, [data[at : at + width] for at in range(0, len(data), width)]
    asyncio.run(all_is_told(foreign))

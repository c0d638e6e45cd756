from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from asking import LLAMA, OLLAMA, heard, model, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.errors import ServerProblem
from qagent.models.llamacpp import LlamaCpp
from qagent.models.ollama import Ollama
from qagent.testing import Connection, LoopbackServer, Request


@pytest.mark.parametrize(
    "to", ["http://xn--localhost-/", "http://[::1", "//", "http://a:b:c/", "\\", "http:///x", "ftp:x"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_refusal_wherever_it_points(to: str, status: int) -> None:
    async def redirecting(connection: Connection) -> None:
        await connection.head(status, "text/plain", f"location: {to}", "set-cookie: a=b; expires=never; =;;")

    with serving(redirecting) as server:
        for asked in (heard(model(OLLAMA, server.url)), heard(model(LLAMA, server.url))):
            text = await asked
            assert text.startswith(("<ServerProblem", "<StreamBroken"))


KEYS = [
    *("response", "done", "done_reason", "content", "stop", "stop_type", "truncated", "models", "data", "name", "id"),
    *("eval_count", "prompt_eval_count", "timings", "prompt_n", "cache_n", "error", "message", "type", "n_ctx"),
    "remote_host",
]
RECORDS = st.dictionaries(
    st.sampled_from(KEYS),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
)
LINES = st.one_of(
    st.binary(max_size=40),
    RECORDS.map(lambda said: json.dumps(said).encode()),
    RECORDS.map(lambda said: b"data: " + json.dumps(said).encode()),
    st.sampled_from(
        [(OLLAMA % "a").encode(), (LLAMA % "a").encode(), b"error: {}", b": x", b"", b"data:", b"\xff\xfe"]
    ),
)


class Foreign(LoopbackServer):
    """Sends `chunks` to whoever asks, behind `head` or, without one, as all that it says."""

    def __init__(self) -> None:
        super().__init__(self._send)
        self.head: int | None = None
        self.chunks: list[bytes] = []

    async def _send(self, request: Request, connection: Connection) -> None:
        if self.head:
            await connection.head(self.head, "text/plain")
        for chunk in self.chunks:
            await connection.send(chunk)


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    with Foreign() as server:
        yield server


def cut(data: bytes, width: int) -> list[bytes]:
    return [data[at : at + width] for at in range(0, len(data), width)]


async def listing_error(asked: Ollama | LlamaCpp) -> ServerProblem | None:
    try:
        await asked.installed()
    except ServerProblem as error:
        return error
    return None


async def all_is_told(server: Foreign) -> None:
    for protocol in (OLLAMA, LLAMA):
        asked = model(protocol, server.url)
        assert (await heard(asked)).endswith(">")
        if error := await listing_error(asked):
            assert len(error.what) < 500
            assert error.what.isprintable()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=6).map(b"\n".join), st.integers(1, 99), st.sampled_from([200, 200, 200, 404, 500]))
def test_whatever_lines_come_in_whatever_chunks_the_end_is_a_reply_or_an_error_for_people(
    foreign: Foreign, data: bytes, width: int, status: int
) -> None:
    foreign.head, foreign.chunks = status, cut(data, width)
    asyncio.run(all_is_told(foreign))


HEADS = [
    *("200 OK", "204 x", "302 y", "999 z", "100 Continue", "101 Up", "500", "20 x", "HTTP/1.1 "),
    *("\r\n\r\n", "\r\n: \r\n", "5\r\nhello\r\n", "0\r\n\r\n", "-1\r\n", "\r\nSet-Cookie: a"),
    *("\r\nContent-Length: 9", "\r\nContent-Length: x", "\r\nTransfer-Encoding: chunked"),
    *("\r\nLocation: http://xn--a-/", "\r\nContent-Encoding: gzip", "\r\nContent-Type: x; charset=\xff"),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(HEADS) | st.text(max_size=5), max_size=9).map("".join), st.integers(1, 99))
def test_whatever_is_sent_instead_of_http_is_an_error_for_people(foreign: Foreign, data: str, width: int) -> None:
    foreign.head, foreign.chunks = None, cut(f"HTTP/1.1 {data}".encode("latin-1", "replace"), width)
    asyncio.run(all_is_told(foreign))

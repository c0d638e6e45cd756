"""One request on the wire: opens it, waits with patience that differs before and after the first byte, closes it.

In: a path, a JSON body, and how to explain a refusal. Out: lines of bytes. Every failure of the connection leaves here
as a UserFacing error; what the lines mean is not known here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from qagent.errors import ServerProblem, Stalled, StreamBroken, Unreachable, UserFacing
from qagent.models.lines import lines
from qagent.models.record import Record
from qagent.models.refusal import Server, Told, read_refusal
from qagent.net import Door, httpx_module

if TYPE_CHECKING:
    import httpx

Explain: TypeAlias = Callable[[Told], Awaitable[UserFacing]]

REFUSAL_BYTES = 64 << 10
ANSWER_BYTES = 16 << 20
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Wire:
    """first_seconds: until the first byte, while the model loads and reads. stall_seconds: between bytes."""

    server: Server
    door: Door
    first_seconds: float
    stall_seconds: float

    async def post(self, path: str, body: dict[str, object], explain: Explain) -> AsyncGenerator[bytes, None]:
        """The lines of the answer, as they come. Closing the iterator closes the connection."""
        with _failures_explained(self.server, self.first_seconds):
            async with (
                self.door.client(self.server.url, stall_seconds=self.first_seconds + self.stall_seconds) as client,
                aclosing(await self._opened(client, path, body)) as response,
                aclosing(self._chunks(response)) as chunks,
            ):
                await _refused(response.status_code, chunks, explain)
                async with aclosing(lines(chunks)) as found:
                    async for line in found:
                        yield line

    async def get(self, path: str, explain: Explain) -> Record:
        """A short answer: one JSON object."""
        with _failures_explained(self.server, ANSWER_SECONDS):
            async with (
                self.door.client(self.server.url, stall_seconds=ANSWER_SECONDS) as client,
                client.stream("GET", path) as response,
                aclosing(_bytes_of(response)) as chunks,
            ):
                await _refused(response.status_code, chunks, explain)
                return Record.parse(await _joined(chunks, ANSWER_BYTES), self.server.title)

    async def _opened(self, client: httpx.AsyncClient, path: str, body: dict[str, object]) -> httpx.Response:
        request = client.build_request("POST", path, content=_encoded(body), headers=_JSON)
        try:
            async with asyncio.timeout(self.first_seconds):
                return await client.send(request, stream=True)
        except TimeoutError as error:
            raise _stalled(self.server, self.first_seconds) from error

    async def _chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        seconds = self.first_seconds
        async with aclosing(_bytes_of(response)) as chunks:
            while True:
                try:
                    async with asyncio.timeout(seconds):
                        chunk = await anext(chunks, None)
                except TimeoutError as error:
                    raise _stalled(self.server, seconds) from error
                if chunk is None:
                    return
                yield chunk
                seconds = self.stall_seconds


def _bytes_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    return cast("AsyncGenerator[bytes, None]", response.aiter_bytes())  # that it can be closed, httpx's types hide


_JSON = {"content-type": "application/json"}


def _encoded(body: dict[str, object]) -> bytes:
    """A half surrogate (a file name's stray byte) cannot travel as UTF-8; it becomes `?`."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def _refused(status: int, chunks: AsyncIterable[bytes], explain: Explain) -> None:
    if status != 200:
        body = await _joined(chunks, REFUSAL_BYTES)
        raise await explain(read_refusal(status, body.decode("utf-8", "replace")))


async def _joined(chunks: AsyncIterable[bytes], limit: int) -> bytes:
    """All bytes, or the first `limit` and what came with them."""
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > limit:
            break
    return bytes(found)


# ------------------------------------------------------------------ failures of the connection


@contextmanager
def _failures_explained(server: Server, seconds: float) -> Generator[None]:
    httpx = httpx_module()
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise _unreachable(server, str(error)) from error
    except httpx.TimeoutException as error:
        raise _stalled(server, seconds) from error
    except httpx.HTTPError as error:
        raise _broken(server, str(error)) from error


def _unreachable(server: Server, reason: str) -> ServerProblem:
    detail = "" if reason in ("", "All connection attempts failed") else f" ({reason})"
    return Unreachable(
        f"no answer at {server.url}{detail}",
        todo=f"start it with `{server.start}`, or set its address ({server.address}); "
        "inside a container the machine around it is `host.docker.internal`",
    )


def _stalled(server: Server, seconds: float) -> ServerProblem:
    return Stalled(
        f"not a byte from {server.url} for {seconds:g} seconds",
        todo="a model that loads or reads a long prompt is silent for minutes: raise `stall_timeout` or "
        "`first_token_timeout`, or take a smaller model",
    )


def _broken(server: Server, reason: str) -> ServerProblem:
    return StreamBroken(
        f"the connection to {server.url} broke: {reason or 'no reason given'}",
        todo="try again; if it happens again, read the server's log",
    )


def unfinished(server: Server) -> StreamBroken:
    """The answer ended in good order, but its last line was not the one that ends a reply."""
    return StreamBroken(
        f"{server.title} ended the reply without its end",
        todo="try again; a model that repeats itself without end is cut off like this",
    )

"""A small HTTP/1.1 server on 127.0.0.1, on a loop and a thread of its own: one request a connection, then it closes.

In: a function that answers a request over a connection. Out: a URL, the requests as they came, and whether the client
went away early. It knows no protocol above HTTP. Standard library only.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias, cast

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """closed_early is set when the client left before it had the whole answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    closed_early: threading.Event = field(default_factory=threading.Event, compare=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def said(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            found = self.json
        except ValueError:
            return {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


class Gone(Exception):
    """The client closed the connection; the answer ends here."""


class Connection:
    """The server's side of one connection. Every method raises Gone when the client is away."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._gone = asyncio.create_task(_until_end(reader))

    async def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self._writer.write(data)
        with suppress(ConnectionError):
            await self._writer.drain()
        await self.pause(0)

    async def head(self, status: int, content_type: str, *more: str) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", f"content-type: {content_type}", "connection: close", *more]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def whole(self, status: int, content_type: str, body: bytes) -> None:
        """A whole answer with its length."""
        await self.head(status, content_type, f"content-length: {len(body)}")
        await self.send(body)

    async def answer(self, status: int, said: dict[str, Any]) -> None:
        """A whole answer: a JSON object."""
        await self.whole(status, JSON, json.dumps(said).encode())

    async def begin_chunks(self, content_type: str) -> None:
        await self.head(200, content_type, "transfer-encoding: chunked")

    async def chunk(self, data: bytes) -> None:
        """One piece of a chunked answer; an empty one ends it."""
        await self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def pause(self, seconds: float | None) -> None:
        """Waits, or with None until the client goes away."""
        if seconds == 0:
            await asyncio.sleep(0)
        else:
            await asyncio.wait({self._gone}, timeout=seconds)
        if self._gone.done():
            raise Gone

    def stop_watching(self) -> None:
        self._gone.cancel()


async def _until_end(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(4096):
            pass


AnswerRequest: TypeAlias = Callable[[Request, Connection], Awaitable[None]]


class LoopbackServer:
    """A context manager; `url` is known inside. `requests` grows while it runs."""

    def __init__(self, answer: AnswerRequest) -> None:
        self._answer = answer
        self._port: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="loopback", daemon=True)
        self._came = threading.Condition()
        self.requests: list[Request] = []

    @property
    def port(self) -> int:
        return self._port.result(timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many requests came, each on a connection of its own."""
        return len(self.requests)

    def wait_for(self, count: int = 1, *, seconds: float = 10) -> Request:
        """The request with this number, counted from 1, as soon as it has come. Blocks; raises TimeoutError."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.requests) >= count, seconds):
                raise TimeoutError(f"{len(self.requests)} requests came, not {count}")
            return self.requests[count - 1]

    def __enter__(self) -> Self:
        self._thread.start()
        self._port.result(timeout=10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop, self._tasks = asyncio.get_running_loop(), asyncio.Event(), set[asyncio.Task[None]]()
        try:
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        except OSError as error:
            self._port.set_exception(error)
            return
        self._port.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._attend(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if request := await _read_request(reader):
                await self._recorded(request, Connection(reader, writer))
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _recorded(self, request: Request, connection: Connection) -> None:
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
        try:
            await self._answer(request, connection)
        except Gone:
            request.closed_early.set()
        finally:
            connection.stop_watching()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        return None
    return Request(method, path, headers, body)

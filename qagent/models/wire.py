"""One request on the wire: opens it, waits with patience that differs before and after the first word, closes it.

In: a path, a JSON body, how to read a line, how to explain a refusal. Out: what the lines say; what they mean is not
known here. Every failure of the connection leaves as a UserFacing error, and nothing that a server does goes on for
ever: neither silence nor blank lines, neither a drip nor a reply without end.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from qagent.errors import ServerProblem, Stalled, StreamBroken, Unreachable, UserFacing
from qagent.models.lines import LINE_BYTES, lines
from qagent.models.patience import Wait
from qagent.models.record import Record
from qagent.models.refusal import Server, Told, clipped, read_refusal
from qagent.net import Door, httpx_module

if TYPE_CHECKING:
    import httpx

REFUSAL_BYTES = 64 << 10
ANSWER_BYTES = LINE_BYTES

ANSWER_SECONDS = 30.0
"""For all of a short answer. A list of models takes milliseconds, and some seconds on a machine that swaps."""

CHARACTERS_A_TOKEN = 16
SLACK_CHARACTERS = 4_096
"""Four characters make a token of code or prose. Sixteen for each is a reply of blanks; more is not a reply."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one line of a reply says: a piece of text, the record that ends it, or why there is no more of it. calls:
    those that the server has read itself, as tagged text; they stand behind the text."""

    text: str = ""
    last: Record | None = None
    refusal: Told | None = None
    calls: str = ""


Read: TypeAlias = Callable[[bytes], Heard | None]
"""None for a line that says nothing; raises StreamBroken for one that is not of the protocol."""

Explain: TypeAlias = Callable[[Told], Awaitable[UserFacing]]


@dataclass(frozen=True, slots=True)
class Wire:
    """first_seconds: until the first word, while the model loads and reads. stall_seconds: from word to word.
    reply_tokens: what was asked for at most. answer_seconds: for all of a short answer."""

    server: Server
    door: Door
    first_seconds: float
    stall_seconds: float
    reply_tokens: int
    answer_seconds: float = ANSWER_SECONDS

    async def post(
        self, path: str, body: dict[str, object], read: Read, explain: Explain, *, reply_tokens: int | None = None
    ) -> AsyncGenerator[Heard, None]:
        """What the lines of the answer say, as they come, up to the last. Closing the iterator closes the connection.

        Ends without a last one when the server did. reply_tokens: what this request asked for at most, when it is not
        what all do.
        """
        with _failures_explained(self.server, self.first_seconds):
            first = Wait.of(self.first_seconds)
            async with (
                self.door.client(self.server.url, stall_seconds=self.first_seconds + self.stall_seconds) as client,
                aclosing(await self._sent(client, _posted(client, path, body), first, self._silent(first))) as response,
                aclosing(self._bytes_of(response)) as chunks,
                aclosing(lines(chunks)) as found,
            ):
                await self._refused(response.status_code, chunks, explain, Wait.of(self.answer_seconds))
                async with aclosing(self._bounded(found, read, first, reply_tokens or self.reply_tokens)) as words:
                    async for heard in words:
                        if heard.refusal:
                            raise await explain(heard.refusal)
                        yield heard

    async def get(self, path: str, explain: Explain) -> Record:
        """A short answer: one JSON object."""
        with _failures_explained(self.server, self.answer_seconds):
            wait, late = Wait.of(self.answer_seconds), _late(self.server, self.answer_seconds)
            async with (
                self.door.client(self.server.url, stall_seconds=self.answer_seconds) as client,
                aclosing(await self._sent(client, client.build_request("GET", path), wait, late)) as response,
                aclosing(self._bytes_of(response)) as chunks,
            ):
                await self._refused(response.status_code, chunks, explain, wait)
                answer = bytearray()
                async with wait.before(late):
                    await _gather(chunks, answer, ANSWER_BYTES)
                return Record.parse(bytes(answer), self.server.title)

    async def _sent(
        self, client: httpx.AsyncClient, request: httpx.Request, wait: Wait, late: ServerProblem
    ) -> httpx.Response:
        httpx = httpx_module()
        try:
            async with wait.before(late):
                return await client.send(request, stream=True)
        # httpx reads a redirect's target though it does not follow it, and a proxy's port before it is one
        except (ValueError, ExceptionGroup, httpx.InvalidURL) as error:
            raise _broken(self.server, str(error)) from error

    async def _refused(self, status: int, chunks: AsyncIterable[bytes], explain: Explain, wait: Wait) -> None:
        if status == 200:
            return
        body = bytearray()
        late = _late(self.server, wait.seconds)
        with suppress(Stalled):  # what has come by then tells more than that the rest has not
            async with wait.before(late):
                await _gather(chunks, body, REFUSAL_BYTES)
        raise await explain(read_refusal(status, body.decode("utf-8", "replace")))

    async def _bounded(
        self, found: AsyncGenerator[bytes, None], read: Read, first: Wait, reply_tokens: int
    ) -> AsyncGenerator[Heard, None]:
        wait, left = first, reply_tokens * CHARACTERS_A_TOKEN + SLACK_CHARACTERS
        while heard := await self._next(found, read, wait):
            left -= len(heard.text) + len(heard.calls)
            if left < 0:
                raise _overlong(self.server, reply_tokens)
            yield heard
            if heard.last:
                return
            wait = Wait.of(self.stall_seconds)

    async def _next(self, found: AsyncGenerator[bytes, None], read: Read, wait: Wait) -> Heard | None:
        """The next line that says something. Blank lines and comments keep a connection alive, and nothing else."""
        async with wait.before(self._silent(wait)):
            async for line in found:
                if heard := read(line):
                    return heard
        return None

    def _silent(self, wait: Wait) -> ServerProblem:
        return _stalled(self.server, wait.seconds)

    def _bytes_of(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """The bytes as they came. Six kilobytes that were compressed twice can be gigabytes."""
        codings = {coding.strip().lower() for coding in response.headers.get("content-encoding", "").split(",")}
        if packed := codings - {"", "identity"}:
            raise _packed(self.server, ", ".join(sorted(packed)))
        return cast("AsyncGenerator[bytes, None]", response.aiter_raw())  # that it can be closed, httpx's types hide


_JSON = {"content-type": "application/json"}


def _posted(client: httpx.AsyncClient, path: str, body: dict[str, object]) -> httpx.Request:
    return client.build_request("POST", path, content=_encoded(body), headers=_JSON)


def _encoded(body: dict[str, object]) -> bytes:
    """A half surrogate (a file name's stray byte) cannot travel as UTF-8; it becomes `?`."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def _gather(chunks: AsyncIterable[bytes], into: bytearray, limit: int) -> None:
    """All bytes, or the first `limit` and what came with them."""
    async for chunk in chunks:
        into += chunk
        if len(into) > limit:
            return


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
    except (httpx.HTTPError, OSError) as error:  # OSError: what TLS finds wrong in the middle of an answer
        raise _broken(server, str(error)) from error


def _unreachable(server: Server, reason: str) -> ServerProblem:
    detail = "" if reason in ("", "All connection attempts failed") else f" ({clipped(reason)})"
    return Unreachable(
        f"no answer at {server.url}{detail}",
        todo=f"start it with `{server.start}`, or set its address ({server.address}); "
        "inside a container the machine around it is `host.docker.internal`, which `allow_hosts` must name too",
    )


def _stalled(server: Server, seconds: float) -> ServerProblem:
    return Stalled(
        f"not a word from {server.url} for {seconds:g} seconds",
        todo="a model that loads or reads a long prompt is silent for minutes: raise `stall_timeout` or "
        "`first_token_timeout`, or take a smaller model",
    )


def _late(server: Server, seconds: float) -> ServerProblem:
    return Stalled(
        f"no whole answer from {server.url} within {seconds:g} seconds",
        todo="check what listens there; if the machine has too much to do, try again later",
    )


def _overlong(server: Server, tokens: int) -> ServerProblem:
    return StreamBroken(
        f"the server at {server.url} does not keep to the reply limit of {tokens:,} tokens",
        todo=f"check what listens there, and update {server.title}",
    )


def _packed(server: Server, coding: str) -> ServerProblem:
    return StreamBroken(
        f"the server at {server.url} compressed its answer ({clipped(coding)}), which it was asked not to do",
        todo="check what listens there; if it is a proxy in front of the server, have it pass answers on as they are",
    )


def _broken(server: Server, reason: str) -> ServerProblem:
    return StreamBroken(
        f"the connection to {server.url} broke: {clipped(reason) or 'no reason given'}",
        todo="try again; if it happens again, read the server's log",
    )


def unfinished(server: Server) -> StreamBroken:
    """The answer ended in good order, but its last line was not the one that ends a reply."""
    return StreamBroken(
        f"{server.title} ended the reply without its end",
        todo="try again; a model that repeats itself without end is cut off like this",
    )

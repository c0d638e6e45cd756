"""Both clients, asked of servers that a test plays by hand: what came of it, as one text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager

from qagent.errors import UserFacing
from qagent.models.base import Model
from qagent.models.llamacpp import LlamaCpp
from qagent.models.ollama import Ollama
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.testing import Connection, LoopbackServer, Request
from qagent.types import Prompt, TextDelta

PROMPT = Prompt("hello", 2)
LIMIT = 64
OLLAMA = '{"response": "%s", "done": false}\n'
LLAMA = 'data: {"content": "%s", "stop": false}\n\n'
Serve = Callable[[Connection], Awaitable[None]]


def model(protocol: str, url: str, *, stall: float = 20, first: float = 20) -> Ollama | LlamaCpp:
    kind = Ollama if protocol == OLLAMA else LlamaCpp
    sampling = Sampling(reply_tokens=LIMIT)
    return kind("m", url=url, door=Door(), sampling=sampling, stall_seconds=stall, first_seconds=first)


@contextmanager
def serving(serve: Serve) -> Generator[LoopbackServer]:
    async def answer(request: Request, connection: Connection) -> None:
        await serve(connection)

    with LoopbackServer(answer) as server:
        yield server


async def heard(asked: Model) -> str:
    """The text that came, with `<end>` or the name of the error behind it."""
    found: list[str] = []
    try:
        async with aclosing(asked.stream(PROMPT)) as stream:
            async for delta in stream:
                found.append(delta.text if isinstance(delta, TextDelta) else "<end>")
    except UserFacing as error:
        found.append(f"<{type(error).__name__}: {error.what}>")
    return "".join(found)

"""What the harness costs for each streamed token: CPU of the agent's loop above that of the bare transport.

The server runs in a child process and plays one reply of 10,000 tokens, one token a piece; both talk HTTP to it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from qagent.config import Settings
from qagent.models.ollama import Ollama
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.qwen.reader import Reader
from qagent.session import Session
from qagent.testing import LoopbackOllama, Reply
from qagent.tools.toolbox import standard_toolbox
from qagent.types import Answer, Prompt, Question, SystemMessage, ToolSpec
from qagent.wiring import Place, make_agent, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

TOKENS = 10_000
PIECES = tuple(f"word{n % 97} " if n % 12 else "next line\n" for n in range(TOKENS))
ROUNDS = 5


def serve(pipe: Connection) -> None:
    with LoopbackOllama([Reply(pieces=PIECES, prompt_tokens=5_000)] * 2 * ROUNDS) as server:
        pipe.send(server.url)
        pipe.recv()


def transport(url: str) -> Ollama:
    return Ollama("qwen2.5-coder:7b", url=url, door=Door(), sampling=Sampling(reply_tokens=2 * TOKENS))


async def drain(url: str) -> None:
    async for _ in transport(url).stream(Prompt("hello", 1)):
        pass


async def no(question: Question) -> Answer:
    return Answer(False)


def agent_run(url: str, folder: Path) -> None:
    place = Place(Workspace.open(folder), Settings(agents_md=False), Words())
    session = Session.in_memory(cwd=folder)
    session.add(SystemMessage(prefix(place)[0]))
    asyncio.run(make_agent(place, transport(url), session, emit=lambda _: None, approve=no).run("Talk."))


def cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(target=serve, args=(there,), daemon=True)
    server.start()
    url = here.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = min(cpu(lambda: asyncio.run(drain(url))) for _ in range(ROUNDS))
        whole = min(cpu(lambda: agent_run(url, folder)) for _ in range(ROUNDS))
        specs = standard_toolbox(Workspace.open(folder), Words()).specs
    here.send("end")
    print(f"{'a reply of 10,000 tokens':46} {'CPU a token':>14} {'goal':>12}")
    print(f"{'transport alone (httpx, JSON, deltas)':46} {bare / TOKENS * 1e6:11.1f} us")
    print(f"{'the whole agent':46} {whole / TOKENS * 1e6:11.1f} us")
    print(f"{'the harness above the transport':46} {(whole - bare) / TOKENS * 1e6:11.1f} us {'<= 50 us':>12}")
    print()
    for size in (10_000, 100_000, 1_000_000):
        text = ("A line of ordinary prose, as a model writes it.\n" * (size // 48 + 1))[:size]
        seconds = cpu(lambda text=text: read(text, specs, 4))
        print(f"{f'reader alone, {size:,} characters, 4 a piece':46} {seconds / (size / 4) * 1e6:11.2f} us")


def read(text: str, specs: Sequence[ToolSpec], width: int) -> None:
    reader = Reader(specs)
    for start in range(0, len(text), width):
        reader.feed(text[start : start + width])
    reader.close()


if __name__ == "__main__":
    main()

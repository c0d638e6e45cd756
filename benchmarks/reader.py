"""What reading a reply costs: speed by kind of text, growth with its length, memory, and replies that are meant badly.

CPU of one core, without a server. "x the baseline": the time of `str.splitlines` over the same text for prose, of
`json.loads` over the same bodies for calls. Memory is Python's own, beside the text that is fed: what the reader keeps
and what it gives out, the calls included, prose passed on as it comes.
"""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from qagent.qwen.reader import Reader
from qagent.types import Parameter, Part, ToolSpec

PATH = Parameter("path", "string", required=True)
TOOLS = (
    ToolSpec("read_file", parameters=(PATH, Parameter("start", "integer"), Parameter("end", "integer"))),
    ToolSpec("write_file", parameters=(PATH, Parameter("content", "string", required=True)), body=("content",)),
    ToolSpec("run", parameters=(Parameter("command", "string", required=True), Parameter("timeout", "integer"))),
)
CHUNK, TOKEN = 4_096, 4
"""Characters of a chunk, and of a token."""
ROUNDS = 5

PROSE = (
    "The function reads the configuration first, then it checks each key and its `value` in turn.\n"
    "If a < b, the result is wrong (see the tests for the details), so we return early there and stop.\n"
    "This is the third line of the paragraph; nothing in it is special, but it is a bit longer than that.\n\n"
)
CODE = "".join(f"    value_{n} = compute(items[{n}], \"name\", key={{'a': {n}}})  # step <{n}>\n" for n in range(50))
SMALL = '{"name": "read_file", "arguments": {"path": "src/cart.py", "start": 10}}'
HEADER = '{"name": "write_file", "arguments": {"path": "a.py"}}'


def repeated(text: str, size: int) -> str:
    return text * (size // len(text) + 1)


def with_body(size: int) -> str:
    return json.dumps({"name": "write_file", "arguments": {"path": "a.py", "content": repeated(CODE, size)[:size]}})


def with_block(size: int) -> str:
    return f"{HEADER}\n```python\n{repeated(CODE, size)[:size]}\n```"


def in_tags(call: str) -> str:
    return f"<tools>\n{call}\n</tools>\n"


def read(text: str, width: int) -> int:
    """The number of calls, good or bad."""
    reader, found = Reader(TOOLS), 0
    for at in range(0, len(text), width):
        found += calls(reader.feed(text[at : at + width]))
    return found + calls(reader.close())


def calls(parts: list[Part]) -> int:
    return sum(part.kind != "prose" for part in parts)


def cpu(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


# ------------------------------------------------------------------ speed


@dataclass(frozen=True)
class Kind:
    """goal: megabytes a second. bodies: the JSON in it, for the baseline; none for prose."""

    name: str
    text: str
    goal: float
    bodies: tuple[str, ...] = ()


def kinds() -> Iterator[Kind]:
    yield Kind("prose", repeated(PROSE, 1_000_000), 20)
    yield Kind("a code block", f"```python\n{repeated(CODE, 1_000_000)}```\n", 20)
    answer = json.dumps([{"name": f"item {n}", "price": n} for n in range(20_000)], indent=1)
    yield Kind("a JSON answer", answer, 5, (answer,))
    for name, body, count in (
        ("one call, 1 MB of JSON", with_body(1_000_000), 1),
        ("calls with 2 KB of JSON each", with_body(2_000), 400),
        ("calls of 90 bytes", SMALL, 5_000),
    ):
        yield Kind(name, in_tags(body) * count, 5, (body,) * count)
    for name, body, count in (
        ("one call, a block of 1 MB", with_block(1_000_000), 1),
        ("calls with a block of 2 KB each", with_block(2_000), 400),
    ):
        yield Kind(name, in_tags(body) * count, 5)


def baseline(kind: Kind) -> float:
    if kind.bodies:
        return cpu(lambda: [json.loads(body) for body in kind.bodies])
    return cpu(kind.text.splitlines)


def speed() -> None:
    print(f"{'speed':34} {'4 KB chunks':>13} {'goal':>10} {'x baseline':>11} {'a token':>9} {'goal':>9}")
    for kind in kinds():
        whole = cpu(partial(read, kind.text, CHUNK))
        some = kind.text[:200_000]
        token = cpu(partial(read, some, TOKEN), 2) / (len(some) / TOKEN)
        rate = len(kind.text.encode()) / whole / 1e6
        times = whole / baseline(kind)
        print(f"{kind.name:34} {rate:8.1f} MB/s {f'>= {kind.goal:.0f} MB/s':>10} {times:10.1f}x", end="")
        print(f" {token * 1e6:6.1f} us {'<= 20 us':>9}")


# ------------------------------------------------------------------ growth and memory

GROWING: dict[str, Callable[[int], str]] = {
    "prose": partial(repeated, PROSE),
    "a code block": lambda size: f"```python\n{repeated(CODE, size)}```\n",
    "one call, JSON": lambda size: in_tags(with_body(size)),
    "one call, JSON with bare newlines": lambda size: in_tags(with_body(size).replace("\\n", "\n")),
    "one call, a block": lambda size: in_tags(with_block(size)),
    "calls with 2 KB of JSON each": lambda size: repeated(in_tags(with_body(2_000)), size),
    "calls of 90 bytes": lambda size: repeated(in_tags(SMALL), size),
    "a call that is cut": lambda size: in_tags(with_body(size))[: -len('"}}\n</tools>\n')],
}


def peak(text: str) -> float:
    """The largest memory while it is read, in lengths of the reply."""
    gc.collect()
    tracemalloc.start()
    read(text, CHUNK)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / len(text.encode())


def growth() -> None:
    sizes = (1_000, 100_000, 10_000_000)
    print(f"\n{'growth, MB/s at':34} {'1 KB':>9} {'100 KB':>9} {'10 MB':>9} {'peak memory at 10 MB':>22}")
    for name, make in GROWING.items():
        texts = [make(size) for size in sizes]
        rates = [len(text) / cpu(partial(read, text, CHUNK), 20_000 // len(text) + 1) / 1e6 for text in texts]
        print(f"{name:34}", *(f"{rate:9.1f}" for rate in rates), f"{peak(texts[-1]):8.1f} x  goal <= 3 x")


# ------------------------------------------------------------------ bad input

WRITE = f"<tools>\n{HEADER}\n"
ODD = in_tags('{"name": "run", "arguments": {“command": "ls"}}')
BAD: dict[str, Callable[[int], str]] = {
    "brackets, opened": lambda n: "[{" * (n // 2),
    "brackets in tags, closed again": lambda n: in_tags('{"a": ' * (n // 8) + "1" + "}" * (n // 8)),
    "<tools>": lambda n: "<tools>" * (n // 7),
    "</tools>": lambda n: "</tools>" * (n // 8),
    "<function=run>": lambda n: "<function=run>" * (n // 14),
    "<": lambda n: "<" * n,
    "<tool_": lambda n: "<tool_" * (n // 6),
    "{": lambda n: "{" * n,
    '{" at line starts': lambda n: '{"\n' * (n // 3),
    "{} in tags": lambda n: "<tools>" + "{}" * (n // 2),
    "```json lines": lambda n: "```json\n" * (n // 8),
    "``` lines": lambda n: "```\n" * (n // 4),
    "fences that hold {}": lambda n: "```json\n{}\n```\n" * (n // 15),
    "quotes in tags": lambda n: "<tools>{" + '"' * n,
    "single quotes in tags": lambda n: "<tools>{" + "'" * n,
    "odd quotes, call after call": lambda n: repeated(ODD, n),
    "backslashes in a string": lambda n: '<tools>{"name": "' + "\\" * n,
    "fence lines in a block": lambda n: WRITE + "```\n" * (n // 4),
    "REPLACE lines in a block": lambda n: WRITE + ">>>>>>> REPLACE\n" * (n // 16),
    "one line of words": lambda n: "word " * (n // 5),
    "one line of JSON": lambda n: '{"name": "' + "x y" * (n // 3),
    "one line in a block": lambda n: WRITE + "```\n" + "x " * (n // 2),
    "NUL": lambda n: "\0" * n,
    "lone surrogates": lambda n: "\ud800" * n,
}


def bad_input() -> None:
    sizes = (100_000, 1_000_000)
    print(f"\n{'bad input, ns a character at':34} {'100 KB':>9} {'1 MB':>9} {'growth':>9} {'peak memory':>13}")
    for name, make in BAD.items():
        texts = [make(size) for size in sizes]
        costs = [cpu(partial(read, text, CHUNK), 2) / len(text) * 1e9 for text in texts]
        size = len(texts[-1].encode("utf-8", "surrogatepass"))
        tracemalloc.start()
        read(texts[-1], CHUNK)
        most = tracemalloc.get_traced_memory()[1] / size
        tracemalloc.stop()
        print(f"{name:34}", *(f"{cost:9.0f}" for cost in costs), f"{costs[1] / costs[0]:7.1f} x {most:11.1f} x")


def main() -> None:
    speed()
    growth()
    bad_input()


if __name__ == "__main__":
    main()

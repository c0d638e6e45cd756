from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from llama_fixtures import Script, StartLlama
from tiny_models import write_random

from qagent.forced import Bounds, Forced, forced_reply
from qagent.models.llamacpp import LlamaCpp
from qagent.net import Door
from qagent.qwen.forcing import is_cut, read_header
from qagent.qwen.profiles import Sampling
from qagent.qwen.reader import Reader
from qagent.tools.toolbox import standard_toolbox
from qagent.types import Arguments, BadCall, Message, Prose, SystemMessage, ToolCall, UserMessage
from qagent.words import Words
from qagent.workspace.place import Workspace

pytestmark = pytest.mark.llamacpp

SHIPPED: Final = standard_toolbox(Workspace.open(Path(__file__).parent), Words()).specs
NAMES: Final = [tool.name for tool in SHIPPED]
WRITING: Final = tuple(tool for tool in SHIPPED if tool.body)
TALK: Final[tuple[Message, ...]] = (SystemMessage("You are qagent. " * 30), UserMessage("Fix it."))


def model(url: str, temperature: float = 0.1, reply_tokens: int = 48) -> LlamaCpp:
    sampling = Sampling(reply_tokens=reply_tokens, temperature=temperature, top_p=1.0, top_k=0)
    return LlamaCpp("tiny", url=url, door=Door(), sampling=sampling)


def only_call(reply: Forced) -> ToolCall | BadCall:
    reader = Reader(SHIPPED)
    parts = [*reader.feed(reply.raw), *reader.close(cut=reply.end != "stop")]
    (call,) = [part for part in parts if not isinstance(part, Prose)]
    return call


def outcome(reply: Forced, offered: Sequence[str] = NAMES) -> str:
    """The tool that is called, or why none is; anything else is a failure. Random weights rarely end a text, so that
    the grammar ends it at its bound: "full" then, behind the tool."""
    call = only_call(reply)
    if isinstance(call, ToolCall):
        assert (reply.end, call.repairs) == ("stop", ())
        assert call.name in offered
        return call.name
    if reply.end == "stop":  # random weights may end a block before they have begun it; then it is left open
        assert read_header(reply.raw.split("\n")[1], SHIPPED)
        assert not reply.raw.endswith("</tools>")
        return "empty"
    assert reply.end == "length"
    held = read_header(reply.raw.split("\n")[1] + "}", SHIPPED)  # its end alone is left out
    if held is None:
        return "cut"
    assert is_cut(held)
    assert held.spec.name in offered
    return f"{held.spec.name} full"


@pytest.mark.parametrize("seed", [0, 2])
async def test_random_weights_call_offered_tools_or_are_cut(
    llama_server: StartLlama, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    url = llama_server(write_random(tmp_path_factory.mktemp("noise") / "noise.gguf", seed)).url
    came: Counter[str] = Counter()
    for temperature in (0.1, 1.5):
        asked = model(url, temperature)
        for offered in (*zip(SHIPPED, strict=True), SHIPPED, SHIPPED):  # alone, so that every tool is met
            reply = await forced_reply(asked, TALK, offered, "not run")
            came[outcome(reply, [tool.name for tool in offered])] += 1
    # Which ones come is the processor's arithmetic; that most have a whole header is not.
    assert {name.removesuffix(" full") for name in came} & {*NAMES}
    assert came["cut"] + came["empty"] < came.total() / 2


async def test_a_header_at_the_limit_is_reported_and_is_never_a_call(llama_server: StartLlama) -> None:
    asked = model(llama_server().url, 0.7)
    for _ in range(3):
        assert outcome(await forced_reply(asked, TALK, WRITING, "not run", Bounds(header_tokens=5))) == "cut"


CODE: Final = "x = 1"
PAIR: Final = "a - b\n=======\na + b"


@pytest.mark.parametrize(
    ("name", "opening", "text", "filled"),
    [
        ("write_file", "```python\n", f"{CODE}\n```\n</tools>\nDone.", {"content": f"{CODE}\n"}),
        (
            "edit_file",
            "<<<<<<< SEARCH\n",
            f"{PAIR}\n>>>>>>> REPLACE\n",
            {"edits": [{"old": "a - b\n", "new": "a + b\n"}]},
        ),
    ],
)
async def test_a_real_server_keeps_to_the_schema_stops_behind_the_block_and_reads_nothing_twice(
    llama_server: StartLlama, name: str, opening: str, text: str, filled: Arguments
) -> None:
    header = f'{{"name": "{name}", "arguments": {{"path": "a.py"}}}}'
    server = llama_server(Script(header, {opening.rstrip(): text}))
    reply = await forced_reply(model(server.url), TALK, SHIPPED, "not run")
    assert reply.raw.startswith(f"<tools>\n{header}\n{opening}")
    assert only_call(reply) == ToolCall("1.1", name, {"path": "a.py"} | filled)
    assert reply.usage.prompt_tokens
    assert reply.usage.fresh_tokens
    assert reply.usage.fresh_tokens < reply.usage.prompt_tokens + 10


@pytest.mark.parametrize("words", [90, 99])
async def test_a_text_that_the_servers_grammar_ends_is_reported_and_is_never_a_call(
    llama_server: StartLlama, words: int
) -> None:
    command = "rm " + " ".join(f"{number:03}" for number in range(words))
    server = llama_server(Script(json.dumps({"name": "run", "arguments": {"command": command}})))
    reply = await forced_reply(model(server.url), TALK, SHIPPED, "not run")
    if len(command) < 368:
        assert only_call(reply) == ToolCall("1.1", "run", {"command": command})
    else:
        assert outcome(reply) == "run full"
        assert command[:360] in reply.raw


@pytest.mark.parametrize(
    ("header", "opening", "text"),
    [("write_file", "```python\n", f"{CODE}\n{CODE}\n"), ("edit_file", "<<<<<<< SEARCH\n", PAIR)],
)
async def test_a_block_at_the_limit_is_reported_and_is_never_a_call(
    llama_server: StartLlama, header: str, opening: str, text: str
) -> None:
    server = llama_server(Script(f'{{"name": "{header}", "arguments": {{"path": "a.py"}}}}', {opening.rstrip(): text}))
    reply = await forced_reply(model(server.url), TALK, SHIPPED, "not run", Bounds(body_tokens=1, continued=1))
    assert (reply.end, reply.continued) == ("length", 1)
    said = reply.raw.partition(opening)[2]
    assert said
    assert text.startswith(said)
    assert isinstance(only_call(reply), BadCall)


async def test_a_deletion_is_one_that_was_said_twice(llama_server: StartLlama) -> None:
    header = '{"name": "edit_file", "arguments": {"path": "a.py"}}'
    server = llama_server(
        Script(header, {"<<<<<<< SEARCH": "a - b\n=======\n>>>>>>> REPLACE", "=======\n": ">>>>>>> REPLACE"})
    )
    reply = await forced_reply(model(server.url), TALK, SHIPPED, "not run")
    assert only_call(reply) == ToolCall("1.1", "edit_file", {"path": "a.py", "edits": [{"old": "a - b\n", "new": ""}]})

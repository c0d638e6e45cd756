from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent import context
from qagent.errors import Stalled, WindowExceeded
from qagent.forced import Bounds, Forced, forced_reply
from qagent.models.ollama import Ollama
from qagent.models.refusal import SchemaRefused
from qagent.models.scripted import Said, ScriptedModel, ScriptLine
from qagent.net import Door
from qagent.qwen.forcing import PREFILL, header_schema
from qagent.qwen.profiles import Sampling
from qagent.qwen.reader import Reader
from qagent.testing import Fault, LoopbackOllama, Reply
from qagent.tools.toolbox import standard_toolbox
from qagent.types import (
    AssistantMessage,
    BadCall,
    Delta,
    Message,
    Prompt,
    Prose,
    SystemMessage,
    TextDelta,
    ToolCall,
    Usage,
    UserMessage,
)
from qagent.words import Words
from qagent.workspace.place import Workspace

SHIPPED = standard_toolbox(Workspace.open(Path(__file__).parent), Words()).specs
TALK: tuple[Message, ...] = (
    SystemMessage("You are qagent."),
    UserMessage("Fix <|im_end|> it."),
    AssistantMessage("<tools>{", (BadCall("1.1", "{", "cut"),)),
)
NOT_RUN = "No result."
BASE = context.build(TALK, NOT_RUN)

READ = '{"name": "read_file", "arguments": {"path": "a.py"}}'
WRITE = '{"name": "write_file", "arguments": {"path": "a.py"}}'
EDIT = '{"name": "edit_file", "arguments": {"path": "a.py"}}'
TOTAL = '{"name": "edit_file", "arguments": {"path": "a.go", "symbol": "total"}}'
FENCE = ("\n```\n</tools>", "\n```</tools>")
OPEN = f"{PREFILL}{WRITE}\n```python\n"


def calls_in(reply: Forced) -> list[ToolCall | BadCall]:
    reader = Reader(SHIPPED)
    parts = [*reader.feed(reply.raw), *reader.close(cut=reply.end != "stop")]
    return [part for part in parts if not isinstance(part, Prose)]


async def forced(script: Iterable[ScriptLine], bounds: Bounds | None = None) -> tuple[Forced, list[Prompt]]:
    model = ScriptedModel(script)
    reply = await forced_reply(model, TALK, SHIPPED, NOT_RUN, bounds)
    assert model.left == 0
    return reply, model.prompts


def prefills(prompts: Sequence[Prompt]) -> list[str]:
    """How the turn was begun in each request; all else must be the conversation."""
    assert all(prompt.text == BASE.text + prompt.prefill for prompt in prompts)
    return [prompt.prefill for prompt in prompts]


def used(tokens: int, fresh: int | None = None) -> Usage:
    return Usage(tokens, fresh, 2, 0.5)


# ------------------------------------------------------------------ one request, or two


async def test_a_call_without_code_is_one_request_held_to_the_schema() -> None:
    reply, prompts = await forced([Said(READ, usage=used(90, 7))])
    assert reply == Forced(f"{PREFILL}{READ}\n</tools>", "stop", used(90, 7))
    assert prompts == [replace(context.build(TALK, NOT_RUN, PREFILL), schema=header_schema(SHIPPED), reply_tokens=512)]
    assert NOT_RUN in prompts[0].text
    assert [part.kind for part in calls_in(reply)] == ["call"]


@pytest.mark.parametrize(
    ("header", "opening", "said", "stops", "closing"),
    [
        (WRITE, "```python\n", "x = 1\ny = 2", FENCE, "\n```\n</tools>"),
        (TOTAL, "```go\n", "func total() {}", FENCE, "\n```\n</tools>"),
        (EDIT, "<<<<<<< SEARCH\n", "a\n=======\nb", ("\n>>>>>>> REPLACE",), "\n>>>>>>> REPLACE\n</tools>"),
    ],
)
async def test_code_is_asked_for_freely_behind_its_header(
    header: str, opening: str, said: str, stops: tuple[str, ...], closing: str
) -> None:
    reply, prompts = await forced([Said(header, usage=used(90)), Said(said, usage=used(120, 3))])
    begun = f"{PREFILL}{header}\n{opening}"
    assert reply == Forced(f"{begun}{said}{closing}", "stop", Usage(120, 3, 4, 1.0))
    assert prompts[1] == replace(context.build(TALK, NOT_RUN, begun), stops=stops)
    (call,) = calls_in(reply)
    assert isinstance(call, ToolCall)
    assert call.arguments["path"] in ("a.py", "a.go")


async def test_only_an_offered_tool_is_in_the_schema() -> None:
    offered = SHIPPED[:1]
    model = ScriptedModel([READ])
    await forced_reply(model, TALK, offered, NOT_RUN)
    assert model.prompts[0].schema == header_schema(offered)


async def test_the_new_text_of_an_edit_is_asked_for_when_the_model_ended_after_the_old_one() -> None:
    reply, prompts = await forced([EDIT, "old", "new"])
    begun = f"{PREFILL}{EDIT}\n<<<<<<< SEARCH\n"
    assert prefills(prompts) == [PREFILL, begun, f"{begun}old\n=======\n"]
    (call,) = calls_in(reply)
    assert isinstance(call, ToolCall)
    assert call.arguments["edits"] == [{"old": "old\n", "new": "new\n"}]


@pytest.mark.parametrize(
    "script",
    [
        [WRITE, ""],
        [WRITE, " \n"],
        [EDIT, ""],
        [EDIT, "old", ""],
        [EDIT, "old", "\n"],
        [EDIT, "old\n=======", ""],
        [EDIT, "old\n=======\n", "\n"],
    ],
)
async def test_a_block_that_holds_nothing_is_no_call(script: list[ScriptLine]) -> None:
    reply, _ = await forced(script)
    assert reply.end == "stop"
    assert [part.kind for part in calls_in(reply)] == ["bad_call"]


async def test_the_new_text_is_asked_for_when_the_model_ended_behind_the_divider() -> None:
    for old in ("old\n=======", "old\n=======\n"):
        reply, prompts = await forced([EDIT, old, "new"])
        assert prefills(prompts)[-1] == f"{PREFILL}{EDIT}\n<<<<<<< SEARCH\nold\n=======\n"
        (call,) = calls_in(reply)
        assert isinstance(call, ToolCall)
        assert call.arguments["edits"] == [{"old": "old\n", "new": "new\n"}]


@pytest.mark.parametrize(
    ("said", "content"),
    [("x", "x\n"), ("x\n", "x\n"), ("x\n```\n</tools>", "x\n"), ("x\n\n```\n</tools>", "x\n\n")],
)
async def test_the_lines_of_a_file_are_kept_however_its_block_ended(said: str, content: str) -> None:
    (call,) = calls_in((await forced([WRITE, said]))[0])
    assert isinstance(call, ToolCall)
    assert call.arguments["content"] == content


async def test_text_may_be_deleted_when_the_model_says_so() -> None:
    scripts: list[list[ScriptLine]] = [
        [EDIT, "old\n=======\n>>>>>>> REPLACE"],
        [EDIT, "old", ">>>>>>> REPLACE"],
        [EDIT, "old\n=======", ">>>>>>> REPLACE"],
        [EDIT, "old\n=======\n", ">>>>>>> REPLACE\n</tools>"],
    ]
    for script in scripts:
        (call,) = calls_in((await forced(script))[0])
        assert isinstance(call, ToolCall)
        assert call.arguments["edits"] == [{"old": "old\n", "new": ""}]


# ------------------------------------------------------------------ what ran to its limit


async def test_a_header_at_its_limit_is_not_gone_on_with() -> None:
    reply, prompts = await forced([Said(READ[:-5], "length")])
    assert (reply.raw, reply.end, len(prompts)) == (PREFILL + READ[:-5], "length", 1)
    assert [part.kind for part in calls_in(reply)] == ["bad_call"]


async def test_a_header_that_is_whole_at_its_limit_is_whole() -> None:
    assert (await forced([Said(READ, "length")]))[0].end == "stop"


@pytest.mark.parametrize(
    "header",
    [
        {"name": "run", "arguments": {"command": "rm -rf " + "a" * 370}},
        {"name": "write_file", "arguments": {"path": "a" * 400}},
        {"name": "run", "arguments": {"command": "ls", "timeout": 100_000_000}},
        {"name": "run", "arguments": {"command": '"}}\n</tools>' + "a" * 388}},
    ],
)
async def test_a_value_that_the_grammar_ended_is_reported_and_is_no_call(header: dict[str, object]) -> None:
    reply, prompts = await forced([Said(json.dumps(header), usage=used(90))])
    assert (reply.end, reply.usage, len(prompts)) == ("length", used(90), 1)
    assert [part.kind for part in calls_in(reply)] == ["bad_call"]


async def test_a_block_at_its_limit_is_gone_on_with_from_where_it_stopped() -> None:
    reply, prompts = await forced([WRITE, Said("x = 1\ny", "length"), Said(" = ", "length"), Said("2")])
    assert prefills(prompts) == [PREFILL, OPEN, f"{OPEN}x = 1\ny", f"{OPEN}x = 1\ny = "]
    assert [prompt.stops for prompt in prompts] == [(), FENCE, FENCE, FENCE]
    assert (reply.raw, reply.end, reply.continued) == (f"{OPEN}x = 1\ny = 2\n```\n</tools>", "stop", 2)


@pytest.mark.parametrize("continued", [0, 1, 2])
async def test_what_is_still_at_its_limit_after_that_is_a_call_that_was_cut(continued: int) -> None:
    script = [WRITE, *(Said(f"x = {n}\n", "length") for n in range(continued + 1))]
    reply, _ = await forced(script, Bounds(continued=continued))
    assert (reply.end, reply.continued) == ("length", continued)
    assert reply.raw.endswith(f"x = {continued}\n")
    assert [part.kind for part in calls_in(reply)] == ["bad_call"]


@pytest.mark.parametrize("last", [Said("", "length"), WindowExceeded("full")])
async def test_a_full_window_is_a_limit_too(last: ScriptLine) -> None:
    reply, prompts = await forced([WRITE, Said("x = 1", "length"), last])
    assert (reply.raw, reply.end, len(prompts)) == (f"{OPEN}x = 1", "length", 3)


async def test_a_prompt_that_is_too_long_from_the_start_is_an_error() -> None:
    for script in ([WindowExceeded("full")], [WRITE, WindowExceeded("full")]):
        with pytest.raises(WindowExceeded):
            await forced(script)


async def test_a_block_that_was_closed_before_the_limit_is_whole() -> None:
    reply, _ = await forced([WRITE, Said("x = 1\n``` \n</tools>\nThis wri", "length")], Bounds(continued=0))
    assert reply.end == "stop"
    assert [part.kind for part in calls_in(reply)] == ["call"]


async def test_each_request_has_a_bound_of_its_own() -> None:
    _, prompts = await forced([WRITE, "x"], Bounds(header_tokens=40, body_tokens=9))
    assert [prompt.reply_tokens for prompt in prompts] == [40, 9]


LINE = st.sampled_from(["x = 1", "```", "```python", "</tools>", "=======", ">>>>>>> REPLACE", "    y", ""])


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([WRITE, TOTAL, EDIT]),
    st.lists(LINE, max_size=8).map("\n".join),
    st.lists(st.integers(1, 60), min_size=2, max_size=2, unique=True),
)
def test_where_the_limit_cuts_a_block_does_not_matter(header: str, text: str, cuts: list[int]) -> None:
    text = f"old\n=======\n{text}"
    first, second = sorted(min(cut, len(text)) for cut in cuts)
    pieces = [Said(text[:first], "length"), Said(text[first:second], "length"), Said(text[second:])]

    async def raw(*script: Said) -> str:
        model = ScriptedModel([header, *script, "new"])  # where the new text is asked for
        return (await forced_reply(model, TALK, SHIPPED, NOT_RUN)).raw

    if first < second:
        assert asyncio.run(raw(*pieces)) == asyncio.run(raw(Said(text)))


# ------------------------------------------------------------------ servers that do otherwise


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("Sorry, I cannot read files.", ["bad_call"]),
        (f"{READ}\n</tools>", ["call"]),
        (f"{WRITE}\n```python\nx = 1\n```\n</tools>", ["call"]),
        (f"{WRITE}\n```python\nx = 1\n", ["bad_call"]),
        ('{"name": "rm", "arguments": {}}', ["bad_call"]),
    ],
)
async def test_the_reply_of_a_server_that_ignores_the_schema_is_read_as_it_is(said: str, kinds: list[str]) -> None:
    reply, prompts = await forced([said])
    assert (reply.raw, reply.end, len(prompts)) == (PREFILL + said, "stop", 1)
    assert [part.kind for part in calls_in(reply)] == kinds


@pytest.mark.parametrize(
    "said",
    [
        f"<tools>\n{READ}\n</tools>",
        f"<tools>{READ}</tools>",
        f"<tool_call>\n{READ}\n</tool_call>\nThen I will see.",
        f"```json\n{READ}\n```",
        f"```xml\n<tools>\n{READ}\n</tools>\n```",
        f"I'll read it.\n{READ}",
        f"I'll read it.\n```json\n{READ}\n```",
        f"I'll read it.\n<tools>\n{READ}\n</tools>",
        f"I'll read it:\n\n<tool_call>\n{READ}\n</tool_call>",
        f"<|im_start|>assistant\n<tools>\n{READ}\n</tools>",
        'read_file path="a.py"',
    ],
)
async def test_a_call_in_tags_of_its_own_is_that_call(said: str) -> None:
    (call,) = calls_in((await forced([said]))[0])
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("read_file", {"path": "a.py"})


@pytest.mark.parametrize("said", [f"Never write this:\n{READ}\nIt is wrong.", f"Sure: {READ} reads a file."])
async def test_an_example_in_a_sentence_is_no_call_because_of_the_tag_in_front(said: str) -> None:
    assert not any(isinstance(part, ToolCall) for part in calls_in((await forced([said]))[0]))


@pytest.mark.parametrize("said", [f"<tools>\n{READ[:-6]}", f"I'll read it.\n<tools>\n{READ[:-6]}"])
async def test_what_was_cut_is_no_call_in_tags_of_its_own_either(said: str) -> None:
    reply, _ = await forced([Said(said, "length")])
    assert (reply.end, {part.kind for part in calls_in(reply)}) == ("length", {"bad_call"})


async def test_a_stop_that_the_server_did_not_keep_is_kept_here() -> None:
    reply, _ = await forced([WRITE, f"x = 1\n```\n</tools>\n<tools>\n{READ}\n</tools>"])
    assert reply.raw == f"{OPEN}x = 1\n```\n</tools>"


async def test_an_error_of_the_server_is_passed_on() -> None:
    for script in ([Stalled("s")], [WRITE, Said("x", then=Stalled("s"))]):
        with pytest.raises(Stalled):
            await forced(script)


class Breaking:
    """A model whose stream stops without an end, in the request with this number."""

    name = "breaking"

    def __init__(self, *texts: str) -> None:
        self.texts = [*texts]

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        yield TextDelta(self.texts.pop(0))


@pytest.mark.parametrize("text", [READ[:-1], "x = 1"])
async def test_a_stream_without_an_end_is_not_taken_for_a_whole_reply(text: str) -> None:
    texts = [text] if text.startswith("{") else [WRITE, text]
    reply = await forced_reply(Breaking(*texts), TALK, SHIPPED, NOT_RUN)
    assert reply.end == "failed"
    assert [part.kind for part in calls_in(reply)] == ["bad_call"]


# ------------------------------------------------------------------ over HTTP


def ollama(url: str) -> Ollama:
    return Ollama("qwen2.5-coder:7b", url=url, door=Door(), sampling=Sampling())


async def test_the_requests_differ_in_what_they_must_alone() -> None:
    with LoopbackOllama([Reply("Hello."), Reply(WRITE), Reply("x = 1\n```\n</tools>")]) as server:
        model = ollama(server.url)
        async for _ in model.stream(BASE):
            pass
        reply = await forced_reply(model, TALK, SHIPPED, NOT_RUN)
        plain, header, block = (json.loads(request.body) for request in server.requests)
        assert [generation.format for generation in server.generated] == [None, header_schema(SHIPPED), None]
    assert reply.raw == f"{OPEN}x = 1\n```\n</tools>"
    assert header.pop("format") == header_schema(SHIPPED)
    assert (header["options"].pop("num_predict"), plain["options"]["num_predict"]) == (512, 4_096)
    assert block["options"].pop("stop") == [*plain["options"]["stop"], *FENCE]
    header["options"]["num_predict"], block["options"]["stop"] = 4_096, plain["options"]["stop"]
    assert [header.pop("prompt"), block.pop("prompt")] == [BASE.text + PREFILL, BASE.text + OPEN]
    assert plain.pop("prompt") == BASE.text
    assert header == block == plain


async def test_a_server_that_refuses_the_schema_says_so() -> None:
    refusal = Fault("status", "Failed to initialize samplers: failed to parse grammar", 400)
    with LoopbackOllama([refusal]) as server, pytest.raises(SchemaRefused, match="failed to parse grammar") as caught:
        await forced_reply(ollama(server.url), TALK, SHIPPED, NOT_RUN)
    assert caught.value.todo


@pytest.mark.parametrize("before", [[], [Reply(WRITE)]])
async def test_cancelling_closes_the_request_under_way(before: list[Reply]) -> None:
    with LoopbackOllama([*before, Fault("stall", after="x")]) as server:
        task = asyncio.create_task(forced_reply(ollama(server.url), TALK, SHIPPED, NOT_RUN))
        request = await asyncio.to_thread(server.wait_for, len(before) + 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(request.closed_early.wait, 10)

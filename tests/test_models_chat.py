from __future__ import annotations

import json
from typing import Any

import pytest
from openai_asking import DONE, NAME, Playing, chat, delta, event, listing, told

from qagent.errors import ModelMissing, NoSuchRoute, ServerProblem, StreamBroken, ToolsUnsupported, UserFacing
from qagent.models.base import CallsDelta
from qagent.models.chat import Chat
from qagent.models.chat_messages import tool_fields
from qagent.models.driver import PrefillRefused
from qagent.models.ollama_chat import OllamaChat
from qagent.net import Door
from qagent.qwen.profiles import STOPS, Sampling
from qagent.qwen.reader import Reader
from qagent.testing.openai import Calls, LoopbackOpenAI
from qagent.types import (
    AssistantMessage,
    BadCall,
    Parameter,
    Prompt,
    ReplyEnded,
    SystemMessage,
    TextDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)

READ = ToolSpec("read", "Reads a file.", (Parameter("path", "string", True, "which"), Parameter("more", "any")))
RUN = ToolSpec("run", "Runs it.", (Parameter("command", "string"),), forms=(("command",),))
SYSTEM, TASK = SystemMessage("You are qagent."), UserMessage("Fix it.")
PROMPT = Prompt("<|im_start|>user\nFix it.<|im_end|>\n<|im_start|>assistant\n", 12, messages=(SYSTEM, TASK))
END = delta("stop") + DONE


def say(raw: str, *parts: ToolCall | BadCall) -> AssistantMessage:
    return AssistantMessage(raw, parts)


def native(call_id: str = "1.1", name: str = "read", **arguments: Any) -> ToolCall:
    return ToolCall(call_id, name, arguments, "native")


# ------------------------------------------------------------------ what is asked


async def test_a_request_holds_the_messages_and_no_tools() -> None:
    with Playing(END) as server:
        await told(chat(server.url), PROMPT)
        sent = server.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.json == {
        "model": NAME,
        "messages": [{"role": "system", "content": "You are qagent."}, {"role": "user", "content": "Fix it."}],
        "stream": True,
        "max_tokens": 4_096,
        "temperature": 0.1,
        "top_p": 0.8,
        "stop": list(STOPS),
        "stream_options": {"include_usage": True},
        "top_k": 20,
        "repetition_penalty": 1.0,
        "repeat_penalty": 1.0,
    }


async def test_a_payload_holds_the_null_content_and_the_ids() -> None:
    messages = (TASK, say("<tool_call>…", native("1.1", path="a")), ToolResult("1.1", "text"))
    with Playing(END) as server:
        await told(chat(server.url, tools=[READ]), Prompt("", 1, messages=messages))
        body = server.requests[0].body
    assert b'"content":null,"tool_calls":[{"id":"call00000"' in body
    assert b'"tool_call_id":"call00000"' in body


@pytest.mark.parametrize(
    ("owner", "goes_on"),
    [("vllm", True), ("llamacpp", True), ("sglang", True), ("organization_owner", False), ("", False)],
)
async def test_a_begun_turn_is_sent_only_where_it_is_gone_on_with(owner: str, goes_on: bool) -> None:
    begun = Prompt("…<tools>\n", 1, messages=(TASK,), prefill="<tools>\n")
    with Playing(END, listed=listing(owner)) as server:
        model = chat(server.url)
        came = await told(model, begun)
        assert await model.prefills() is goes_on
        posted = server.posted
    if not goes_on:
        assert isinstance(came.error, PrefillRefused)
        assert posted == []
        return
    assert posted[0]["messages"][-1] == {"role": "assistant", "content": "<tools>\n"}
    assert (posted[0]["add_generation_prompt"], posted[0]["continue_final_message"]) == (False, True)


async def test_a_schema_stands_in_for_a_begun_turn() -> None:
    schema = {"type": "object"}
    begun = Prompt("…", 1, messages=(TASK,), prefill="<tools>\n", schema=schema)
    with Playing(END, listed=listing("organization_owner")) as server:
        assert (await told(chat(server.url, tools=[READ]), begun)).end
        sent = server.posted[0]
    assert len(sent["messages"]) == 1
    assert sent["response_format"]["json_schema"]["schema"] == schema
    assert (sent["tool_choice"], len(sent["tools"])) == ("none", 1)


# ------------------------------------------------------------------ what comes


def call(index: int = 0, **function: str) -> dict[str, Any]:
    return {"index": index, "id": f"c{index}", "type": "function", "function": function}


BACK = '<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>'


@pytest.mark.parametrize(
    ("body", "text", "ends", "is_native"),
    [
        (delta(role="assistant", content=None) + delta(content="He") + delta(content="llo") + END,
         "Hello", "stop", False),
        (delta(content="x") + delta("length"), "x", "length", False),
        (delta(content="") + delta(reasoning_content="hm") + delta(reasoning="hm") + delta(content="x") + END,
         "x", "stop", False),
        (delta(content="<thi") + delta(content="nk>hm</think>\n") + delta(content="\nx") + END, "x", "stop", False),
        (delta(content="<thi") + END, "<thi", "stop", False),
        (delta(tool_calls=[call(name="read", arguments='{"path": "a"}')]) + delta("tool_calls") + DONE,
         BACK, "stop", True),
        (delta(content="Look.") + delta(tool_calls=[call(name="read")]) + delta(tool_calls=[call(arguments='{"path"')])
         + delta(tool_calls=[call(arguments=': "a"}')]) + END, f"Look.\n{BACK}", "stop", True),
        (delta(content="Look.\n") + delta("stop", tool_calls=[call(name="read", arguments='{"path": "a"}')]),
         f"Look.\n{BACK}", "stop", True),
        (delta("stop") + delta(tool_calls=[call(name="read", arguments='{"path": "a"}')]) + DONE, BACK, "stop", True),
        (delta(tool_calls=[call(1, name="run", arguments="{}"), call(0, name="read", arguments='{"path": "a"}')]) + END,
         BACK + '\n<tool_call>\n{"name": "run", "arguments": {}}\n</tool_call>', "stop", True),
        (delta(tool_calls=[call(name="read", arguments='{"path": "a')]) + delta("length") + DONE,
         '<tool_call>\n{"name": "read", "arguments": {"path": "a', "length", True),
        (delta(tool_calls=[call(name="read", arguments='{"path": a')]) + delta("tool_calls") + DONE,
         '<tool_call>\n{"name": "read", "arguments": {"path": a}\n</tool_call>', "stop", True),
        (delta(tool_calls=None) + delta(content="x") + END, "x", "stop", False),
        (delta(content="```\nx") + delta(tool_calls=[call(name="read", arguments='{"path": "a"}')]) + END,
         f"```\nx\n{BACK}", "stop", True),
        (event(choices=[{"index": 0, "message": {"role": "assistant", "content": "All at once."},
                         "finish_reason": "stop"}]) + DONE, "All at once.", "stop", False),
        (event(choices=[{"index": 0, "delta": {}, "finish_reason": "tool_calls", "message": {
            "content": None, "tool_calls": [call(name="read", arguments='{"path": "a"}')]}}]) + DONE,
         BACK, "stop", True),
        (delta(content="Said.") + event(choices=[{"index": 0, "message": {"content": "Said."},
                                                  "finish_reason": "stop"}]) + DONE, "Said.", "stop", False),
    ],
)  # fmt: skip
async def test_a_reply_arrives_as_text_with_its_calls_in_it(body: str, text: str, ends: str, is_native: bool) -> None:
    with Playing(body) as server:
        came = await told(chat(server.url, tools=[READ]), PROMPT)
    assert came.end
    assert (came.text, came.end.end, came.end.native) == (text, ends, is_native)


@pytest.mark.parametrize("reason", ["stop", "STOP", "tool_calls", "function_call", "eos", "eos_token", "end_turn"])
async def test_a_reply_that_ended_by_itself_is_whole(reason: str) -> None:
    half = call(name="read", arguments='{"path": "a"')
    with Playing(delta(tool_calls=[half]) + delta(reason) + DONE) as server:
        came = await told(chat(server.url, tools=[READ]), PROMPT)
    assert came.end
    assert came.end.end == "stop"
    assert came.text.endswith("</tool_call>")


@pytest.mark.parametrize(
    "reason",
    [
        *("length", "content_filter", "max_tokens", "MAX_TOKENS", "model_length", "timeout", "SAFETY", "new"),
        "insufficient_system_resource",
    ],
)
async def test_every_other_end_is_a_cut_and_leaves_the_last_call_open(reason: str) -> None:
    half = call(name="read", arguments='{"path": "a"')
    with Playing(delta(tool_calls=[half]) + delta(reason) + DONE) as server:
        came = await told(chat(server.url, tools=[READ]), PROMPT)
    assert came.end
    assert came.end.end == "length"
    assert came.text.endswith('{"path": "a"')


async def test_native_calls_are_told_from_text() -> None:
    with Playing(delta(content="Look.") + delta(tool_calls=[call(name="read")]) + END) as server:
        deltas = [each async for each in chat(server.url, tools=[READ]).stream(PROMPT)]
    assert [type(each) for each in deltas] == [TextDelta, CallsDelta, ReplyEnded]


async def test_calls_without_end_are_refused_however_short_they_are() -> None:
    many = [call(index, name="r") for index in range(3_000)]
    with Playing(delta(tool_calls=many) + END) as server:
        came = await told(chat(server.url, tools=[READ]), PROMPT)
    assert came.error
    assert "reply limit" in came.error.what


async def test_what_comes_back_is_read_like_any_reply() -> None:
    entry = Calls((("run", json.dumps({"command": "grep '</tool_call>' a\n"})), ("run", '{"command": "l')), "Look.")
    with LoopbackOpenAI([entry]) as server:
        came = await told(chat(server.url, tools=[READ, RUN]), PROMPT)
        assert server.asked[0].said["tools"] == tool_fields([READ, RUN])
    reader = Reader([READ, RUN])
    calls = [part for part in [*reader.feed(came.text), *reader.close()] if part.kind != "prose"]
    assert isinstance(calls[0], ToolCall)
    assert (calls[0].arguments, calls[0].form) == ({"command": "grep '</tool_call>' a\n"}, "tool_call")
    assert isinstance(calls[1], BadCall)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            (400, '{"error":"registry.ollama.ai/library/x:latest does not support tools"}'),
            ToolsUnsupported,
            "chat only",
        ),
        (
            (400, '{"object":"error","message":"\\"auto\\" tool choice requires --enable-auto-tool-choice and '
             '--tool-call-parser to be set","type":"BadRequestError","code":400}'),
            ToolsUnsupported,
            "chat only",
        ),
        ((500, '{"error":{"message":"tools param requires --jinja flag"}}'), ToolsUnsupported, "chat only"),
        ((404, '{"error":{"message":"File Not Found","code":404}}'), NoSuchRoute, "has no /v1/chat/completions"),
        (
            delta(content="so") + event(error={"code": 500, "message": "The model produced output that"}),
            ServerProblem,
            "broke off",
        ),
        (delta(content=3), StreamBroken, "OpenAI's protocol"),
        (delta(tool_calls={}), StreamBroken, "OpenAI's protocol"),
        (delta(tool_calls=[call(name="read", arguments="x" * 10_000)] * 8), StreamBroken, "reply limit"),
        (delta(content="so"), StreamBroken, "without its end"),
    ],
)  # fmt: skip
async def test_each_failure_is_one_error_for_people(
    body: str | tuple[int, str], kind: type[UserFacing], words: str
) -> None:
    with Playing(body) as server:
        error = (await told(chat(server.url, tools=[READ]), PROMPT)).error
    assert error
    assert type(error) is kind
    assert words in error.what
    assert error.todo


# ------------------------------------------------------------------ Ollama's chat endpoint


def ollama(url: str) -> OllamaChat:
    return OllamaChat("gemma3:4b", url=url, door=Door(), sampling=Sampling())


def line(content: str, *, done: bool = False, thinking: str = "", **more: Any) -> str:
    message = {"role": "assistant", "content": content, "thinking": thinking}
    return json.dumps({"model": "m", "message": message, "done": done, **more}) + "\n"


@pytest.mark.parametrize(
    ("reason", "ends"), [("stop", "stop"), ("", "stop"), ("length", "length"), ("unload", "length"), ("new", "length")]
)
async def test_only_a_reply_of_ollama_s_that_ended_by_itself_is_whole(reason: str, ends: str) -> None:
    with Playing(line("x", done=True, done_reason=reason)) as server:
        came = await told(ollama(server.url), PROMPT)
    assert came.end
    assert came.end.end == ends


async def test_without_stops_the_model_s_own_count() -> None:
    bare = Sampling(stops=())
    with Playing(line("", done=True)) as server:
        await told(OllamaChat("gemma3:4b", url=server.url, door=Door(), sampling=bare), PROMPT)
        assert "stop" not in server.posted[0]["options"]
    with Playing(END) as server:
        await told(Chat(NAME, url=server.url, door=Door(), sampling=bare), PROMPT)
        assert "stop" not in server.posted[0]


async def test_ollama_is_sent_messages_and_the_options_of_every_request() -> None:
    schema = {"type": "object"}
    begun = Prompt(
        "…", 1, messages=(SYSTEM, TASK), prefill="<tools>\n", schema=schema, stops=("\n```",), reply_tokens=9
    )
    with Playing(line("", done=True)) as server:
        for prompt in (PROMPT, begun):
            assert (await told(ollama(server.url), prompt)).end
        assert server.requests[0].path == "/api/chat"
        plain, forced = server.posted
    assert "tools" not in plain
    assert "format" not in plain
    options = {
        "num_ctx": 32_768,
        "num_predict": 4_096,
        "temperature": 0.1,
        "top_p": 0.8,
        "top_k": 20,
        "repeat_penalty": 1.0,
        "stop": list(STOPS),
    }
    assert plain == {
        "model": "gemma3:4b",
        "messages": [{"role": "system", "content": "You are qagent."}, {"role": "user", "content": "Fix it."}],
        "stream": True,
        "keep_alive": "30m",
        "truncate": False,
        "shift": False,
        "options": options,
    }
    own = {**options, "num_predict": 9, "stop": [*STOPS, "\n```"]}
    assert forced == {**plain, "options": own, "format": schema}


async def test_ollamas_reply_arrives_without_its_thoughts() -> None:
    body = line("", thinking="hm") + line("<think>hm</think>He") + line("llo\u2028") + "\n"
    last = line("!", done=True, done_reason="length", prompt_eval_count=912, eval_count=4)
    with Playing(body + last) as server:
        came = await told(ollama(server.url), PROMPT)
    assert came.end
    assert (came.text, came.end.end) == ("Hello\u2028!", "length")
    assert (came.end.usage.prompt_tokens, came.end.usage.reply_tokens) == (912, 4)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ((404, '{"error":"model \'gemma3:4b\' not found"}'), ModelMissing, "no model 'gemma3:4b'"),
        (line("so"), StreamBroken, "without its end"),
        ('{"message": {}}\n', StreamBroken, "Ollama's protocol"),
        ('{"message": "x", "done": false}\n', StreamBroken, "Ollama's protocol"),
        ('{"error": "no matter"}\n', ServerProblem, "broke off: no matter"),
    ],
)
async def test_each_failure_of_ollama_is_one_error_for_people(
    body: str | tuple[int, str], kind: type[UserFacing], words: str
) -> None:
    with Playing(body) as server:
        error = (await told(ollama(server.url), PROMPT)).error
    assert error
    assert type(error) is kind
    assert words in error.what


async def test_ollama_does_not_go_on_with_a_begun_turn() -> None:
    model = ollama("http://127.0.0.1:1")
    assert not await model.prefills()
    assert isinstance((await told(model, Prompt("", 1, prefill="<tools>\n"))).error, PrefillRefused)

from __future__ import annotations

from typing import Any

import pytest

from qagent.models.chat_messages import chat_messages, tool_fields
from qagent.qwen import chatml
from qagent.types import (
    AssistantMessage,
    BadCall,
    Message,
    Parameter,
    Prose,
    SystemMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)

READ = ToolSpec("read", "Reads a file.", (Parameter("path", "string", True, "which"), Parameter("more", "any")))
RUN = ToolSpec("run", "Runs it.", (Parameter("command", "string"),), forms=(("command",),))
SYSTEM, TASK = SystemMessage("You are qagent."), UserMessage("Fix it.")


def say(raw: str, *parts: ToolCall | BadCall) -> AssistantMessage:
    return AssistantMessage(raw, parts)


def native(call_id: str = "1.1", name: str = "read", **arguments: Any) -> ToolCall:
    return ToolCall(call_id, name, arguments, "native")


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ((SYSTEM, TASK), [("system", "You are qagent."), ("user", "Fix it.")]),
        (
            (TASK, say("Done.\n"), UserMessage("Sure?")),
            [("user", "Fix it."), ("assistant", "Done.\n"), ("user", "Sure?")],
        ),
        (
            (TASK, say("<tools>\n{}\n</tools>", ToolCall("1.1", "read", {})), ToolResult("1.1", "a\n")),
            [
                ("user", "Fix it."),
                ("assistant", "<tools>\n{}\n</tools>"),
                ("user", "<tool_response>\na\n\n</tool_response>"),
            ],
        ),
        (
            (ToolResult("1.1", "a"), ToolResult("1.2", "b"), UserMessage("And?", "harness")),
            [
                (
                    "user",
                    "<tool_response>\na\n</tool_response>\n<tool_response>\nb\n</tool_response>\n\nAnd?",
                )
            ],
        ),
        ((UserMessage("one"), UserMessage("two")), [("user", "one\n\ntwo")]),
        ((UserMessage("a <|im_end|> b"),), [("user", "a <~|im_end|> b")]),
        ((say(""),), [("assistant", "")]),
    ],
)
def test_a_conversation_becomes_messages(messages: tuple[Message, ...], sent: list[tuple[str, str]]) -> None:
    assert [(turn["role"], turn["content"]) for turn in chat_messages(messages)] == sent


def test_a_result_says_what_the_raw_prompt_says() -> None:
    messages = (SYSTEM, TASK, say("x"), ToolResult("1.1", "holds <|im_start|>"), ToolResult("1.2", "b"))
    raw = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in chat_messages(messages))
    assert raw + chatml.OPEN_TURN == chatml.render(messages)


def test_a_begun_turn_is_a_last_message() -> None:
    assert chat_messages((TASK,), prefill="<tools>\n")[1:] == [{"role": "assistant", "content": "<tools>\n"}]


def test_calls_that_the_server_read_go_back_as_calls_with_their_results() -> None:
    messages = (
        TASK,
        say("<tool_call>…", native("1.1", path="a"), native("1.2", path="ä")),
        ToolResult("1.1", "text"),
        ToolResult("1.2", "<|im_end|>"),
        say("<tool_call>…", native("2.1", "run")),
        ToolResult("2.1", "ok"),
    )
    _, first, *results, second, last = chat_messages(messages, native=True)
    assert first["content"] is second["content"] is None
    assert [call["function"]["arguments"] for call in first["tool_calls"]] == ['{"path": "a"}', '{"path": "ä"}']
    assert [call["id"] for call in (*first["tool_calls"], *second["tool_calls"])] == [
        result["tool_call_id"] for result in (*results, last)
    ]
    ids = [call["id"] for call in (*first["tool_calls"], *second["tool_calls"])]
    assert len(set(ids)) == 3
    assert all(len(each) == 9 and each.isalnum() for each in ids)
    assert [result["role"] for result in results] == ["tool", "tool"]
    assert results[1]["content"] == chatml.result_content("<|im_end|>")


def test_the_ids_of_a_conversation_stay_when_it_grows() -> None:
    turns = [[say("x", native(f"{n}.1")), ToolResult(f"{n}.1", "r")] for n in range(1, 4)]
    messages = [message for turn in turns for message in turn]
    for end in range(len(messages)):
        assert chat_messages(messages, native=True)[:end] == chat_messages(messages[:end], native=True)


@pytest.mark.parametrize(
    "reply",
    [
        say("```json\n{}\n```", ToolCall("1.1", "read", {}, "fence")),
        say("<tool_call>{}</tool_call>", ToolCall("1.1", "read", {}, "tool_call")),
        say("both", native("1.1"), ToolCall("1.2", "read", {}, "bare")),
        say("broken", native("1.1"), BadCall("1.2", "{", "cut")),
    ],
)
def test_calls_that_the_model_wrote_as_text_stay_text(reply: AssistantMessage) -> None:
    sent = chat_messages((reply, ToolResult("1.1", "r")), native=True)
    assert sent == [
        {"role": "assistant", "content": reply.raw},
        {"role": "user", "content": "<tool_response>\nr\n</tool_response>"},
    ]


def test_what_was_said_beside_a_call_stays_beside_it() -> None:
    reply = AssistantMessage("Look.\n<tool_call>…", (Prose("Look.\n"), native("1.1")))
    assert chat_messages((reply,), native=True)[0]["content"] == "Look."


def test_tools_are_told_as_functions() -> None:
    read, run = (tool["function"] for tool in tool_fields([READ, RUN]))
    assert (read["name"], read["description"]) == ("read", "Reads a file.")
    assert read["parameters"] == {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "which"}, "more": {"description": ""}},
        "required": ["path"],
    }
    assert "anyOf" not in run["parameters"]

from __future__ import annotations

from pathlib import Path

import pytest
from command import qagent
from scripted_agent import DONE, EDIT, READ, RUN, repository

from qagent.testing import Calls, LoopbackOllama, LoopbackOpenAI, Reply

Capture = pytest.CaptureFixture[str]
TASK = ("-p", "Fix the bug.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


LLAMA = ("-m", "llama3:8b")


def test_a_model_with_a_template_of_its_own_fixes_the_bug_through_ollama(folder: Path, capsys: Capture) -> None:
    with LoopbackOllama([READ, EDIT, RUN, DONE], models=("llama3:8b",)) as server:
        ran = qagent(capsys, TASK, LLAMA, "--mode", "auto", "-C", str(folder), "--host", server.url)
        asked = server.generated
    assert (ran.code, ran.out) == (0, DONE + "\n")
    assert "a + b" in (folder / "calc.py").read_text()
    assert "llama3:8b was not trained on ChatML" in ran.err
    assert all(generation.is_chat and generation.prompt == "" for generation in asked)
    assert [message["role"] for message in asked[1].messages] == ["system", "user", "assistant", "user"]
    assert all("<|im_start|>" not in message["content"] for message in asked[-1].messages)


def test_quiet_tells_the_reason_when_it_is_not_done(folder: Path, capsys: Capture) -> None:
    bad = '<tools>\n{"name": "read_file", "arguments": {}}\n</tools>'
    with LoopbackOllama([bad] * 8) as server:
        ran = qagent(capsys, TASK, "-q", "--set", "bad_calls=2", "-C", str(folder), "--host", server.url)
    assert ran.code == 3
    assert ran.err.startswith("qagent: stopped: too many calls that cannot be run")
    assert ran.err.count("\n") == 1


def test_calls_that_the_server_read_are_told_as_such(folder: Path, capsys: Capture) -> None:
    called = Calls((("read_file", '{"path": "calc.py"}'),))
    openai = ("--server", "openai", "--set", "endpoint=chat", "--set", "send_tools=true")
    with LoopbackOpenAI(["h", called, "It subtracts."]) as server:
        ran = qagent(capsys, "-p", "What is it?", "-v", openai, "-C", str(folder), "--host", server.url)
        answered = server.asked[-1].messages
    assert ran.code == 0
    assert "\n  read by the server\n" in ran.err
    assert "· reading: 2 replies; 1 call (by the server 1)\n" in ran.err
    assert [message["role"] for message in answered][-2:] == ["assistant", "tool"]


def test_going_on_with_a_cut_call_is_told_with_what_is_new(folder: Path, capsys: Capture) -> None:
    half = len(EDIT) // 2
    with LoopbackOllama([Reply(EDIT[:half], reason="length"), EDIT[half:], "Edited."]) as server:
        ran = qagent(capsys, "-p", "x", "--output-format", "stream-json", "-C", str(folder), "--host", server.url)
    first, goes_on, _ = [event for event in ran.events if event["kind"] == "prompt_sent"]
    assert (first["turn"], goes_on["turn"], first["continued"], goes_on["continued"]) == (1, 1, 0, 1)
    assert goes_on["fresh"] == goes_on["tokens"] - first["tokens"]
    assert goes_on["written"] == -(-half // 4)

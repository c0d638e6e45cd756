from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import qagent
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.cli.parse import parse_lines

Capture = pytest.CaptureFixture[str]


def debug(verb: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    command = [sys.executable, "-m", "qagent", "debug", verb, "--jsonl"]
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_debug_parse_keeps_its_contract() -> None:
    reply = 'Look.\n<tools>\n{"name": "f", "arguments": {"n": 12}}\n</tools>'
    tool = {"name": "f", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
    whole, named, split, bad = debug(
        "parse",
        {"id": "a", "raw": reply, "tools": [tool]},
        {"id": "b", "chunks": list(reply.replace("12", '"12"')), "tools": ["f"]},
        {"id": "c", "chunks_hex": ["e2", "82ac"], "tools": []},
        {"id": "d", "raw": "<tools>\n{}\n</tools>", "tools": ["f"]},
    )
    assert whole == {
        "id": "a",
        "calls": [{"name": "f", "arguments": {"n": 12}}],
        "text": "Look.\n",
        "bad": [],
        "streamed": ["Look.\n"],
        "forms": ["tools"],
        "repairs": [[]],
    }
    assert named["calls"] == [{"name": "f", "arguments": {"n": "12"}}]
    assert split["text"] == "€"
    assert (bad["calls"], bad["text"], bad["forms"], bad["repairs"]) == ([], None, [], [])
    assert bad["bad"] != []


def in_lines(capsys: Capture, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    capsys.readouterr()
    parse_lines(io.BytesIO("".join(json.dumps(request) + "\n" for request in requests).encode()))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("text", ["\ud800", "\x00", "a\udfff\x00b", "\x00\x00<tools", "\ufeff", "\u2028", "\x1b[2J"])
def test_odd_characters_come_and_go_as_they_are(capsys: Capture, text: str) -> None:
    call = f'<tools>\n{{"name": "f", "arguments": {{"x": {json.dumps(text)}}}}}\n</tools>'
    said, chunked, called = in_lines(
        capsys,
        {"id": text, "raw": f"{text} is it", "tools": []},
        {"id": 1, "chunks": [f"{text} is", " it"], "tools": [text, {"name": text, "parameters": None}]},
        {"id": 2, "raw": call, "tools": ["f"]},
    )
    assert said["id"] == text
    assert said["text"] == chunked["text"]
    assert " is it" in said["text"]
    assert len(called["calls"]) + len(called["bad"]) == 1


@pytest.mark.parametrize(("raw", "text"), [(b"a\x00b", "a\0b"), (b"a\xed\xa0\x80b", "a\ud800b"), (b"\x1bx", "\x1bx")])
def test_odd_bytes_that_no_json_has_are_taken(capsys: Capture, raw: bytes, text: str) -> None:
    parse_lines(io.BytesIO(b'{"id": 1, "tools": [], "raw": "' + raw + b'"}\r\n\n'))
    assert json.loads(capsys.readouterr().out)["text"] == text


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=20), max_size=5))
def test_any_chunks_give_a_line_each(chunks: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as seen:
        parse_lines(io.BytesIO(json.dumps({"id": 1, "chunks": chunks, "tools": ["f"]}).encode()))
    (line,) = seen.getvalue().splitlines()
    assert len(json.loads(line)["streamed"]) == len(chunks)


def test_a_request_that_is_none_is_told_with_its_line(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "requests"
    for line in ("{}", "[", '{"id": 1}', '{"id": 1, "chunks_hex": ["zz"]}', "[" * 9_000):
        file.write_text(f"{line}\n")
        ran = qagent(capsys, "debug", "parse", "--jsonl", str(file))
        assert ran.code == 2
        assert "line 1 is not a request" in ran.err
        assert "pydantic" not in ran.err


def test_debug_edit_keeps_its_contract() -> None:
    edits = [{"old": "a", "new": "b", "replace_all": False}]
    good, bad, old = debug(
        "edit",
        {"id": 1, "file": "x", "before": "a\n", "edits": edits},
        {"id": 2, "file": "x", "before": "a a\n", "edits": edits, "seen": "a a\n"},
        {"id": 3, "file": "x", "before": "a\nc\n", "edits": edits, "seen": "a\n"},
    )
    assert good == {"id": 1, "after": "b\n"}
    assert (bad["id"], bad["error"]) == (2, "ambiguous")
    assert bad["message"]
    assert (old["id"], old["error"]) == (3, "stale")


def test_a_prompt_is_shown_as_the_chosen_model_gets_it(capsys: Capture, tmp_path: Path) -> None:
    at = ("debug", "prompt", "Fix it.", "-C", str(tmp_path))
    small, large = (qagent(capsys, at, "-m", name).out for name in ("3b", "32b"))
    assert ("- search(" in small, "- search(" in large) == (False, True)
    assert small.endswith("<|im_start|>assistant\n")
    assert qagent(capsys, at, "-m", "7b", "--set", "strip_tools=true").out.count("read_file") == 0
    assert qagent(capsys, at, "--json").json["messages"] is None


def test_a_prompt_for_a_chat_endpoint_is_shown_as_messages(capsys: Capture, tmp_path: Path) -> None:
    at = ("debug", "prompt", "Fix it.", "-C", str(tmp_path), "-m", "llama3:8b", "--server", "openai")
    ran = qagent(capsys, at)
    assert ran.code == 0
    assert ran.out.startswith("--- system\nYou are qagent")
    assert ran.out.endswith("--- user\nFix it.\n")
    assert "the model's own template" in ran.err
    assert [message["role"] for message in qagent(capsys, at, "--json").json["messages"]] == ["system", "user"]


def test_a_server_that_there_is_not_is_wrong_usage_with_a_hint(capsys: Capture, tmp_path: Path) -> None:
    ran = qagent(capsys, "debug", "prompt", "-C", str(tmp_path), "--server", "vllm")
    assert ran.code == 2
    assert "did you mean `openai`?" in ran.err


def test_tools_may_stand_as_openai_has_them(capsys: Capture) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"n": {"type": "integer"}}}}}
    (said,) = in_lines(
        capsys, {"id": 1, "raw": '<tools>\n{"name": "f", "arguments": {"n": "3"}}\n</tools>', "tools": [tool]}
    )
    assert said["calls"] == [{"name": "f", "arguments": {"n": 3}}]


def test_a_person_at_a_terminal_is_told_that_it_is_waited_for(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leader, follower = os.openpty()
    os.write(leader, b"Hello.\n\x04")
    with os.fdopen(follower, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        ran = qagent(capsys, "debug", "parse")
    os.close(leader)
    assert ran.err == "reading from the terminal; Ctrl-D ends it\n"
    assert "    Hello." in ran.out

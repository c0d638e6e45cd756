from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from qagent.testing import Fault, LoopbackOllama, Reply


def ask(url: str, body: object = None, method: str | None = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def generate(url: str, **more: Any) -> list[dict[str, Any]]:
    body = {"model": "qwen2.5-coder:7b", "prompt": "x" * 40, "raw": True, **more}
    return [json.loads(line) for line in ask(f"{url}/api/generate", body)[1].splitlines()]


def test_it_answers_as_ollama_does() -> None:
    with LoopbackOllama([], models=["qwen2.5-coder:7b", ("mine", 7)]) as server:
        assert ask(server.url) == (200, "Ollama is running")
        assert ask(server.url, method="HEAD") == (200, "")
        assert ask(f"{server.url}/nowhere") == (404, "404 page not found")
        assert "version" in json.loads(ask(f"{server.url}/api/version")[1])
        tags = json.loads(ask(f"{server.url}/api/tags")[1])["models"]
        assert [(one["name"], one["size"]) for one in tags] == [("qwen2.5-coder:7b", 4_683_087_332), ("mine", 7)]
        assert json.loads(ask(f"{server.url}/api/ps")[1])["models"][0]["context_length"] == 32_768
        shown = json.loads(ask(f"{server.url}/api/show", {"model": "mine"})[1])
        assert shown["model_info"]["qwen2.context_length"] == 32_768


@pytest.mark.parametrize("path", ["/api/show", "/api/generate", "/api/chat"])
@pytest.mark.parametrize("body", [{"model": "nope"}, [], {}])
def test_an_unknown_model_is_refused_in_ollamas_words(path: str, body: object) -> None:
    name = "nope" if body == {"model": "nope"} else ""
    with LoopbackOllama([]) as server:
        assert ask(server.url + path, body) == (404, json.dumps({"error": f"model '{name}' not found"}))


def test_replies_are_played_in_order_and_requests_are_remembered() -> None:
    with LoopbackOllama(["one two", Reply(pieces=("a", "bc"), prompt_tokens=3, reason="length")]) as server:
        first, second = generate(server.url), generate(server.url)
        assert [line["response"] for line in first] == ["one ", "two", ""]
        assert (first[-1]["done_reason"], first[-1]["prompt_eval_count"], first[-1]["eval_count"]) == ("stop", 6, 2)
        assert [line["response"] for line in second] == ["a", "bc", ""]
        assert (second[-1]["done_reason"], second[-1]["prompt_eval_count"]) == ("length", 3)
        assert [turn.prompt for turn in server.generated] == ["x" * 40] * 2
        assert (server.connections, server.left) == (2, 0)
        assert generate(server.url) == [{"error": "the script is over"}]
        assert not any(request.closed_early.is_set() for request in server.requests)


def test_a_chat_is_played_as_ollama_streams_it() -> None:
    messages = [{"role": "user", "content": "x" * 40}]
    with LoopbackOllama(
        ["one two", Fault("error_line", "gone", after="so")], template="[INST]", window=4_096
    ) as server:
        body = {"model": "qwen2.5-coder:7b", "messages": messages, "options": {"stop": [" two"]}}
        first, second = (
            [json.loads(line) for line in ask(f"{server.url}/api/chat", body)[1].splitlines()] for _ in range(2)
        )
        shown = json.loads(ask(f"{server.url}/api/show", {"model": "qwen2.5-coder:7b"})[1])
    assert "".join(line["message"]["content"] for line in first) == "one"
    assert (first[-1]["done"], first[-1]["done_reason"], first[-1]["prompt_eval_count"]) == (True, "stop", 6)
    assert second[0]["message"] == {"role": "assistant", "content": "so"}
    assert second[-1] == {"error": "gone"}
    assert (shown["template"], shown["model_info"]["qwen2.context_length"]) == ("[INST]", 4_096)
    assert [(asked.is_chat, asked.prompt, asked.messages) for asked in server.generated] == [
        (True, "", (messages[0],))
    ] * 2


@pytest.mark.parametrize("pieces", [(), ("Done.<|im", "_end|>never"), ("Do", "ne.", "<|im_end|>", "never")])
def test_a_stop_string_ends_a_reply_and_is_not_sent(pieces: tuple[str, ...]) -> None:
    with LoopbackOllama([Reply("Done.<|im_end|>never", pieces, reason="length")]) as server:
        lines = generate(server.url, options={"stop": ["<tool>", "<|im_end|>"]})
    assert "".join(line["response"] for line in lines) == "Done."
    assert lines[-1]["done_reason"] == "stop"


@pytest.mark.parametrize("fault", [Fault("stall"), Fault("stall", after="so"), Fault("hangup")])
def test_it_stops_while_a_client_still_waits(fault: Fault) -> None:
    before = threading.active_count()
    with LoopbackOllama([fault]) as server:
        body = b'{"model": "qwen2.5-coder:7b"}'
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(b"POST /api/generate HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        server.wait_for()
        if fault.after:
            assert client.recv(1)
    with client:
        while client.recv(4096):
            pass
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "data", [b"", b"rubbish\r\n\r\n", b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", b"a" * 70_000]
)
def test_rubbish_from_a_client_closes_its_connection_only(data: bytes) -> None:
    with LoopbackOllama([]) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        assert ask(server.url) == (200, "Ollama is running")

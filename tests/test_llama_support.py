"""The tests' own ground: tiny models in a real llama.cpp server behave as the tests that build on them assume."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from llama_fixtures import Script, StartLlama
from llama_server import LlamaServer
from script_pieces import cut_scripts, hides
from tiny_models import write_random
from tiny_vocab import TEXT_TOKENS

pytestmark = pytest.mark.llamacpp

LOOK: Final = 'Let me look.\n<tools>\n{"name": "read_file", "arguments": {"path": "notes.txt"}}\n</tools>'
EDIT: Final = """I will fix it → now.
<tools>
{"name": "edit_file", "arguments": {"path": "notes.txt"}}
</tools>
```
<<<<<<< SEARCH
    return a - b
=======
    return a + b  # é
>>>>>>> REPLACE
```
"""
TALK: Final = Script(
    LOOK,
    {
        "</tool_response>": "Nothing to do.",
        "return a - b": EDIT,
        "edited 1 file": "Done: one line changed.",
        "invent a turn": "Before <|im_start|>user\nAfter",
        "invent a result": "Before\n<tool_response>\nAfter",
    },
)


def turn(text: str) -> str:
    return f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"


def client(server: LlamaServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Connection": "close"}, timeout=30)


def complete(server: LlamaServer, prompt: str, **more: object) -> dict[str, Any]:
    with client(server) as http:
        return http.post("/completion", json={"prompt": prompt, "n_predict": 200, "temperature": 0.7, **more}).json()


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    held = b""
    for data in response.iter_bytes():
        *lines, held = (held + data).split(b"\n")
        yield from (json.loads(line.removeprefix(b"data: ")) for line in lines if line)


def cut_longest_first(text: str, tokens: Iterable[str]) -> list[str]:
    """As llama.cpp cuts its user-defined tokens out of a prompt, and what is between them."""
    parts = [text]
    known = set(tokens)
    for token in sorted(known, key=len, reverse=True):
        cut = [[part] if part in known else re.split(f"({re.escape(token)})", part) for part in parts]
        parts = [part for parts in cut for part in parts if part]
    return parts


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    first, second, other = (write_random(tmp_path / f"{at}.gguf", seed) for at, seed in enumerate((1, 1, 2)))
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_random_weights_stream_and_end_with_the_counts(llama_server: StartLlama) -> None:
    request = {"prompt": turn("hello"), "n_predict": 5, "ignore_eos": True, "stream": True}
    with client(llama_server()) as http, http.stream("POST", "/completion", json=request) as response:
        *parts, last = events(response)
    assert parts
    assert {part["stop"] for part in parts} == {False}
    assert (last["stop"], last["stop_type"], last["truncated"], last["content"]) == (True, "limit", False, "")
    assert last["tokens_predicted"] == last["timings"]["predicted_n"] == 5
    assert last["tokens_evaluated"] == last["timings"]["cache_n"] + last["timings"]["prompt_n"]


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("hello", LOOK),
        ("x</tool_response>", "Nothing to do."),
        ("</tool_response> def minus(a, b):\n    return a - b\n", EDIT),
        ("edited 1 file, return a - b, </tool_response>", "Done: one line changed."),
        ("return a - b\n" + "the extra value of a\nis a tree\n" * 250, EDIT),
        (f"hello<|im_end|>\n<|im_start|>assistant\n{LOOK}<|im_end|>\n<|im_start|>user\nand?", LOOK),
        (f"{EDIT}edited 1 file", "Done: one line changed."),
    ],
    ids=["default", "one", "two", "three", "far away", "after its own words", "all of it"],
)
def test_a_scripted_model_answers_the_last_trigger_in_its_prompt(
    llama_server: StartLlama, text: str, reply: str
) -> None:
    answer = complete(llama_server(TALK), turn(text))
    assert (answer["content"], answer["stop_type"]) == (reply, "eos")


@pytest.mark.parametrize(
    ("text", "more", "content", "ended"),
    [
        ("invent a result", {"stop": ["<tool_response>"]}, "Before\n", ("word", "<tool_response>")),
        ("invent a turn", {"stop": ["<|im_start|>"]}, "Before user\nAfter", ("eos", "")),
        (
            "invent a turn",
            {"stop": ["<|im_start|>"], "preserved_tokens": ["<|im_start|>"]},
            "Before ",
            ("word", "<|im_start|>"),
        ),
    ],
    ids=["text", "control token", "preserved control token"],
)
def test_a_control_token_ends_a_reply_only_where_it_is_preserved(
    llama_server: StartLlama, text: str, more: dict[str, object], content: str, ended: tuple[str, str]
) -> None:
    answer = complete(llama_server(TALK), turn(text), **more)
    assert (answer["content"], (answer["stop_type"], answer["stopping_word"])) == (content, ended)


def test_tokenize_reads_control_tokens_and_any_text_comes_back(llama_server: StartLlama) -> None:
    with client(llama_server()) as http:
        start, *rest = http.post("/tokenize", json={"content": "<|im_start|>def é → \n", "parse_special": True}).json()[
            "tokens"
        ]
        pieces = http.post("/tokenize", json={"content": "<tool_call>", "with_pieces": True}).json()["tokens"]
        assert http.post("/detokenize", json={"tokens": rest}).json() == {"content": "def é → \n"}
    assert pieces[0]["piece"] == "<tool_call>"
    assert pieces[0]["id"] == start + 13


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_above_the_window_is_refused(llama_server: StartLlama, stream: bool) -> None:
    request = {"prompt": "a b " * 600, "n_predict": 1, "stream": stream}
    with client(llama_server(ctx=512)) as http:
        response = http.post("/completion", json=request)
        window = http.get("/props").json()["default_generation_settings"]["n_ctx"]
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "exceed_context_size_error")
    assert error["n_prompt_tokens"] > error["n_ctx"] == window == 512


def test_a_window_that_fills_up_ends_the_reply_as_truncated(llama_server: StartLlama) -> None:
    answer = complete(llama_server(ctx=512), "a b " * 100, n_predict=-1, ignore_eos=True)
    assert (answer["stop_type"], answer["truncated"]) == ("limit", True)
    assert answer["tokens_evaluated"] + answer["tokens_predicted"] == 512


def test_an_appended_prompt_reads_only_what_is_new(llama_server: StartLlama) -> None:
    server = llama_server(TALK)
    before = turn("please read notes and say what they are about. " * 20)
    first = complete(server, before)
    added = "<|im_end|>\n" + turn("and then?")
    second = complete(server, before + first["content"] + added)
    with client(server) as http:
        new = len(http.post("/tokenize", json={"content": added}).json()["tokens"])
    assert first["tokens_evaluated"] > 200
    assert second["timings"]["prompt_n"] <= new + 2


def test_a_client_that_leaves_frees_the_slot(llama_server: StartLlama) -> None:
    request = {"prompt": "x", "n_predict": -1, "ignore_eos": True, "stream": True}
    with client(llama_server(ctx=32_000)) as http:
        with http.stream("POST", "/completion", json=request) as response:
            parts = events(response)
            next(parts)
            assert http.get("/slots").json()[0]["is_processing"]
        # Each answer comes between two of the 32,000 tokens that would have followed.
        assert any(not http.get("/slots").json()[0]["is_processing"] for _ in range(1000))


def test_a_killed_server_breaks_the_stream(need_llamacpp: None, random_model: Path) -> None:
    request = {"prompt": "x", "n_predict": -1, "ignore_eos": True, "stream": True}
    with LlamaServer(random_model) as server, client(server) as http:
        with http.stream("POST", "/completion", json=request) as response:
            parts = events(response)
            next(parts)
            server.kill()
            with pytest.raises(httpx.RemoteProtocolError):
                list(parts)
        with pytest.raises(httpx.ConnectError):
            http.get("/health")
        assert not server.alive


def test_the_same_script_is_started_once(llama_server: StartLlama) -> None:
    assert llama_server(TALK) is llama_server(Script(TALK.default, dict(TALK.on)))


def test_a_file_that_is_no_model_fails_with_the_servers_words(need_llamacpp: None, tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(RuntimeError, match=r"no server for .*no.gguf: .+"):
        LlamaServer(path)


@pytest.mark.parametrize(
    "text",
    [LOOK, EDIT, "ok", "", "one two one two one two", "<tool_call>\n{}\n</tool_call><tool_call>\n{}\n</tool_call>"],
)
def test_the_pieces_of_scripts_are_theirs_alone(text: str) -> None:
    scripts = [EDIT, text, f"{text} and more", f"First, {text}"]
    pieces = cut_scripts(scripts, ["return a - b", "and more"])
    assert ["".join(script) for script in pieces] == scripts
    used = [piece for script in dict.fromkeys(pieces) for piece in script]
    assert len(used) == len(set(used))


WORDS: Final = st.sampled_from(
    ["return ", "a - b", "a", "b\n", "<tools>\n", "</tool_call>", '{"x": ', "aa", "```", "é "]
)


@given(st.lists(st.lists(WORDS, min_size=1).map("".join), min_size=1, max_size=4), st.sets(WORDS, max_size=2))
def test_scripts_are_cut_as_the_server_will_cut_them_out_of_a_prompt(scripts: list[str], triggers: set[str]) -> None:
    assume(not any(one in other for at, one in enumerate(scripts) for other in scripts[:at]))
    try:
        pieces = cut_scripts(scripts, sorted(triggers))
    except ValueError:
        return
    tokens = {*triggers, *TEXT_TOKENS, *(piece for script in pieces for piece in script)}
    assert [cut_longest_first(script, tokens) for script in scripts] == [list(script) for script in pieces]


@pytest.mark.parametrize(
    ("scripts", "triggers", "why"),
    [
        (["stop", "Say stop"], ["x y", "stop"], "cannot be cut"),
        (["a <|im_end|> b"], [], "ends by itself"),
        (["one <|im_start|>user", "two <|im_start|>user"], [], "only once"),
        (["\n"], [], "cannot be cut"),
        (["fine"], ["a"], "too short"),
        (["fine"], ["edited 1", "1 file"], "could cover"),
    ],
)
def test_what_cannot_be_kept_apart_is_refused(scripts: list[str], triggers: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cut_scripts(scripts, triggers)


@pytest.mark.parametrize(
    ("token", "trigger", "hidden"),
    [
        ("return a ", "a - b", True),
        ("b\n    pass", "a - b", True),
        ("return a - b\n", "a - b", False),
        ("extra", "a - b", False),
        ("a ", "a - b", False),
    ],
)
def test_a_token_hides_a_trigger_of_which_it_covers_a_part(token: str, trigger: str, hidden: bool) -> None:
    assert hides(token, trigger) is hidden

from __future__ import annotations

from typing import Any

import pytest
from by_route import ByRoute
from openai_asking import told

from qagent.config import Settings
from qagent.errors import NoSuchRoute, Unreachable
from qagent.testing import LoopbackOllama
from qagent.testing.openai import LoopbackOpenAI, Route
from qagent.types import Prompt, UserMessage
from qagent.wiring import connect

HELLO = Prompt("hello", 2, messages=(UserMessage("hello"),))


def settings(url: str, **chosen: Any) -> Settings:
    return Settings.model_validate({"host": url, **chosen})


async def test_who_names_an_address_for_another_kind_of_server_is_told_so() -> None:
    env = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    for server, told_so in (("ollama", True), ("llamacpp", True), ("openai", False)):
        with pytest.raises(Unreachable) as caught:
            await connect(settings("http://127.0.0.1:9", server=server), env=env)
        assert ("OPENAI_BASE_URL is set, and counts with `--server openai` alone" in caught.value.todo) == told_so


async def test_a_server_s_own_window_narrows_the_window_and_the_reply() -> None:
    with LoopbackOpenAI(["Hi.", "Hi."], window=8_192) as server:
        for chosen, reply in (({}, 2_048), ({"reply_tokens": 3_000}, 3_000)):
            model, notices = await connect(settings(server.url, server="openai", **chosen), env={})
            await told(model, HELLO)
            assert (server.asked[-1].said["max_tokens"], notices) == (reply, ())


async def test_llama_cpp_s_own_window_counts_for_the_family_too() -> None:
    listed = {"data": [{"id": "qwen2.5-coder-7b.gguf", "owned_by": "llamacpp"}]}
    props = {"chat_template": "[INST]", "default_generation_settings": {"n_ctx": 4_096}}
    with ByRoute({"/v1/models": listed, "/props": props}) as server:
        model, _ = await connect(settings(server.url, server="llamacpp"))
        await told(model, HELLO)
        (body,) = server.posted("/completion")
    assert body["n_predict"] == 1_024


@pytest.mark.parametrize("path", ["/wrong/v1", "/wrong"])
async def test_a_wrong_address_is_told_as_one(path: str) -> None:
    with LoopbackOpenAI([]) as server:
        with pytest.raises(NoSuchRoute) as caught:
            await connect(settings(f"{server.url}{path}", server="openai"), env={})
        model, _ = await connect(settings(f"{server.url}{path}", server="openai", model="x"), env={})
        both = (await told(model, HELLO)).error
    assert f"{server.url}/wrong has no /v1/models (it answered 404)" in caught.value.what
    assert "it usually ends in /v1; if it is right, choose a model with `-m NAME`" in caught.value.todo
    assert both
    assert "has no /v1/completions" in both.what
    assert "has no /v1/chat/completions" in both.what
    assert both.todo == "check the address: it usually ends in /v1"


@pytest.mark.parametrize(
    ("routes", "endpoint", "what", "todo"),
    [
        (("chat",), "completions", "has no /v1/completions (it answered 404)", '`endpoint = "auto"`'),
        (("completions",), "chat", "has no /v1/chat/completions (it answered 404)", '`endpoint = "completions"`'),
    ],
)
async def test_an_endpoint_that_is_not_there_names_its_path_and_the_setting(
    routes: tuple[Route, ...], endpoint: str, what: str, todo: str
) -> None:
    with LoopbackOpenAI([], routes=routes) as server:
        model, _ = await connect(settings(server.url, server="openai", endpoint=endpoint), env={})
        error = (await told(model, HELLO)).error
    assert isinstance(error, NoSuchRoute)
    assert what in error.what
    assert "{" not in error.what
    assert todo in error.todo


async def test_a_name_that_tells_nothing_may_be_an_alias_of_the_family() -> None:
    with LoopbackOpenAI([], models=("team-coder",)) as server:
        _, (alias,) = await connect(settings(server.url, server="openai"), env={})
        _, sized = await connect(
            settings(server.url, server="openai", models=[("team-coder", {"profile": "7b"})]), env={}
        )
    assert "team-coder does not tell which model it is" in alias
    assert '`[models."team-coder"]`, and below it `profile = "7b"`' in alias
    assert sized == ()


async def test_a_choice_by_memory_is_told_where_there_was_one() -> None:
    models = ("qwen2.5-coder:1.5b", "qwen2.5-coder:0.5b", "llama3")
    with LoopbackOllama([], models=models) as server:
        _, chosen = await connect(settings(server.url))
        _, named = await connect(settings(server.url, model="1.5b"))
    assert chosen[0].startswith("qwen2.5-coder:")
    assert "main memory, not by its graphics card; `-m` chooses another" in chosen[0]
    assert named == ()


async def test_a_size_that_the_family_does_not_have_is_told() -> None:
    with LoopbackOllama([], models=("qwen2.5-coder:72b",)) as server:
        _, (notice,) = await connect(settings(server.url))
    assert "the family has no 72b, so the row of the 7b counts; its sizes are 0.5b, 1.5b, 3b, 7b, 14b, 32b" in notice

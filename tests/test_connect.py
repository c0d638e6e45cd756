from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from by_route import LLAMA_3, ByRoute, ollama
from openai_asking import told
from scripted_agent import READ, Scene, repository

from qagent.config import Settings
from qagent.errors import ConfigProblem, LeaveRefused, ModelMissing, NoSuchRoute, ServerProblem, Unreachable
from qagent.events import Event, Notice
from qagent.models.base import Model
from qagent.models.chat import Chat
from qagent.models.chat_only import ChatOnly
from qagent.models.completions import Completions
from qagent.models.falling import Falling
from qagent.models.llamacpp import LlamaCpp
from qagent.models.ollama import Ollama
from qagent.models.ollama_chat import OllamaChat
from qagent.models.scripted import Said, ScriptedModel, ScriptLine
from qagent.qwen.profiles import STOPS
from qagent.session import Session
from qagent.testing import Fault, LoopbackOllama
from qagent.testing.openai import LoopbackOpenAI
from qagent.types import Answer, Prompt, Question, SystemMessage, UserMessage
from qagent.wiring import Place, connect, make_agent, new_session
from qagent.words import Words
from qagent.workspace.place import Workspace

HELLO = Prompt("hello", 2, messages=(UserMessage("hello"),))
CODER = "Qwen/Qwen2.5-Coder-7B-Instruct"


def settings(url: str, **chosen: Any) -> Settings:
    return Settings.model_validate({"host": url, **chosen})


async def allow(question: Question) -> Answer:
    return Answer(True)


async def events_of(place: Place, model: Model, task: str = "What does calc.add do?") -> list[Event]:
    """One task with the fixed prefix that the model gets."""
    heard: list[Event] = []
    session, _ = new_session(place.workspace.root.parent / "sessions", place, model)
    with session:
        await make_agent(place, model, session, emit=heard.append, approve=allow).run(task)
    return heard


def place_of(folder: Path, chosen: Settings) -> Place:
    return Place(Workspace.open(repository(folder)), chosen, Words())


# ------------------------------------------------------------------ Ollama


async def test_a_model_of_the_family_is_asked_raw_with_its_row_s_values_and_nothing_else_is_asked() -> None:
    with LoopbackOllama(["Hi."], models=("qwen2.5-coder:3b",)) as server:
        model, notices = await connect(settings(server.url, temperature=0.3))
        assert (await told(model, HELLO)).text == "Hi."
    assert isinstance(model, Ollama)
    assert notices == ()
    assert [request.path for request in server.requests] == ["/api/tags", "/api/generate"]
    options = server.generated[0].options
    assert options == {
        "num_ctx": 32_768,
        "num_predict": 4_096,
        "temperature": 0.3,
        "top_p": 0.8,
        "top_k": 20,
        "repeat_penalty": 1.0,
        "stop": list(STOPS),
    }


async def test_a_model_s_own_table_reaches_its_requests() -> None:
    table = [("qwen2.5-coder:*", {"num_ctx": 8_192, "top_k": 7, "stops": ("END",), "reply_tokens": 99})]
    with LoopbackOllama(["Hi."]) as server:
        model, _ = await connect(settings(server.url, models=table))
        await told(model, HELLO)
    options = server.generated[0].options
    assert {key: options[key] for key in ("num_ctx", "top_k", "stop", "num_predict")} == {
        "num_ctx": 8_192,
        "top_k": 7,
        "stop": ["END"],
        "num_predict": 99,
    }


async def test_a_model_with_a_template_of_its_own_is_asked_by_chat_within_its_window() -> None:
    with ollama("llama3.1:8b", shown=LLAMA_3, replies=["Hi."]) as server:
        model, notices = await connect(settings(server.url, model="llama3.1:8b"))
        assert (await told(model, HELLO)).text == "Hi."
    assert isinstance(model, OllamaChat)
    assert "not a Qwen 2.5 Coder model" in notices[0]
    assert "not trained on ChatML (Llama:" in notices[1]
    (body,) = server.posted("/api/chat")
    assert (body["options"]["num_ctx"], body["options"]["num_predict"]) == (4_096, 1_024)
    assert body["options"]["stop"] == ["<|eot_id|>", "<|start_header_id|>"]
    assert "tools" not in body


@pytest.mark.parametrize(
    ("name", "template", "chosen", "kind"),
    [
        ("mistral:7b", "", {}, OllamaChat),
        ("mistral:7b", "<|im_start|>{{ .Role }}", {}, Ollama),
        ("mistral:7b", "[INST]", {"endpoint": "completions"}, Ollama),
        ("mistral:7b", "[INST]", {"profile": "7b"}, Ollama),
        ("somebody/tuned:7b", "", {}, Ollama),
        ("somebody/tuned:7b", "<start_of_turn>", {}, OllamaChat),
        ("phi4:14b", "<|im_start|>user<|im_sep|>", {}, OllamaChat),
        ("qwen2.5-coder:7b", "[INST]", {}, Ollama),
        ("qwen2.5-coder:7b", "", {"endpoint": "chat"}, OllamaChat),
        ("mistral:7b", "", {"models": [("mistral*", {"endpoint": "completions"})]}, Ollama),
    ],
)
async def test_the_template_decides_then_the_name_and_before_both_the_person(
    name: str, template: str, chosen: Mapping[str, Any], kind: type[Model]
) -> None:
    with ollama(name, shown={"template": template}) as server:
        model, _ = await connect(settings(server.url, model=name, **chosen))
    assert type(model) is kind


@pytest.mark.parametrize(("endpoint", "words"), [("chat", "never sent tools"), ("auto", "counts with")])
async def test_tools_that_would_not_be_sent_are_told_of(endpoint: str, words: str) -> None:
    with ollama("qwen2.5-coder:7b") as server:
        _, notices = await connect(settings(server.url, endpoint=endpoint, send_tools=True))
    assert words in notices[-1]


async def test_a_server_that_does_not_show_the_model_leaves_the_choice_to_its_name() -> None:
    with ollama("mistral:7b") as server:
        server.answers["/api/show"] = (500, {"error": "out of order"})
        model, _ = await connect(settings(server.url, model="mistral:7b"))
    assert isinstance(model, OllamaChat)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("qwen2.5-coder:7b-base", "is a base build"),
        ("starcoder2:3b", "chat only"),
        ("qwen2.5:7b", "not a Qwen 2.5 Coder"),
    ],
)
async def test_what_is_unusual_about_a_model_is_told(name: str, words: str) -> None:
    with ollama(name) as server:
        _, notices = await connect(settings(server.url, model=name))
    assert words in " ".join(notices)


# ------------------------------------------------------------------ chat only


async def test_a_model_without_tools_is_not_asked_for_deeds(tmp_path: Path) -> None:
    scene = Scene(repository(tmp_path), ["I have fixed the bug."], settings={"strip_tools": True})
    outcome = await scene.run()
    assert (outcome.reason, outcome.turns) == ("no_progress", 1)
    assert "has changed none" in outcome.detail


@pytest.mark.parametrize("name", ["starcoder2:3b", "qwen2.5-coder:7b"])
async def test_a_model_without_tools_gets_none_and_runs_none(tmp_path: Path, name: str) -> None:
    with LoopbackOllama([READ, "It adds."], models=(name,)) as server:
        server_settings = settings(server.url, model=name, strip_tools=True, endpoint="completions")
        model, notices = await connect(server_settings)
        heard = await events_of(place_of(tmp_path, server_settings), model)
    assert isinstance(model, ChatOnly)
    assert "offered no tools: chat only" in notices[-1]
    assert "read_file" not in server.generated[0].prompt
    assert not [event for event in heard if event.kind == "call_started"]
    assert [event.outcome.reason for event in heard if event.kind == "task_finished"] == ["done"]


async def test_a_small_model_gets_its_own_prompt_and_may_still_call_what_is_not_listed(tmp_path: Path) -> None:
    search = '<tools>\n{"name": "search", "arguments": {"pattern": "def add"}}\n</tools>'
    with LoopbackOllama([search, "There it is."], models=("qwen2.5-coder:3b",)) as server:
        chosen = settings(server.url)
        model, _ = await connect(chosen)
        heard = await events_of(place_of(tmp_path, chosen), model)
    prompt = server.generated[0].prompt
    assert "- search(" not in prompt
    assert "at most 200 lines" in prompt
    assert "<<<<<<< SEARCH" not in prompt
    assert [event.ok for event in heard if event.kind == "call_finished"] == [True]


# ------------------------------------------------------------------ llama.cpp


@pytest.mark.parametrize(
    ("file", "template", "kind"),
    [
        ("qwen2.5-coder-7b-q4_k_m.gguf", None, LlamaCpp),
        ("model.gguf", "{{ '<|im_start|>' }}", LlamaCpp),
        ("model.gguf", "[INST]", Chat),
        ("model.gguf", None, LlamaCpp),
        ("mistral-7b.gguf", None, Chat),
    ],
)
async def test_llama_cpp_is_asked_as_its_model_needs_it(file: str, template: str | None, kind: type[Model]) -> None:
    answers: dict[str, Any] = {"/v1/models": {"data": [{"id": file, "owned_by": "llamacpp"}]}}
    if template:
        answers["/props"] = {"chat_template": template, "default_generation_settings": {"n_ctx": 4_096}}
    with ByRoute(answers) as server:
        model, _ = await connect(settings(server.url, server="llamacpp"))
    assert type(model) is kind
    assert model.name == file.removesuffix(".gguf")


# ------------------------------------------------------------------ OpenAI-compatible


async def test_a_vllm_cluster_is_asked_raw_with_its_key(tmp_path: Path) -> None:
    with LoopbackOpenAI([READ, "It adds."], key="sk-secret") as server:
        chosen = settings(f"{server.url}/v1", server="openai", model="7b")
        model, notices = await connect(chosen, env={"OPENAI_API_KEY": " sk-secret\n"})
        heard = await events_of(place_of(tmp_path, chosen), model, "What does it do?")
    assert (model.name, notices) == (CODER, ())
    assert [asked.route for asked in server.asked] == ["completions", "completions"]
    assert server.asked[0].prompt.startswith("<|im_start|>system\nYou are qagent")
    assert heard[-1].kind == "task_finished"
    assert "sk-secret" not in repr(model) + repr(heard)
    sessions = "".join(path.read_text() for path in (tmp_path.parent / "sessions").rglob("*") if path.is_file())
    assert "It adds." in sessions
    assert "sk-secret" not in sessions


@pytest.mark.parametrize(
    ("models", "wanted", "name"),
    [
        ((CODER,), None, CODER),
        (("llama", CODER), None, CODER),
        (("team-coder",), None, "team-coder"),
        (("a", CODER, "Qwen/Qwen2.5-Coder-32B-Instruct"), "32b", "Qwen/Qwen2.5-Coder-32B-Instruct"),
        (("team-coder", CODER), "team-coder", "team-coder"),
        ((), "unlisted", "unlisted"),
    ],
)
async def test_the_model_is_the_one_asked_for_or_the_one_that_can_only_be_meant(
    models: tuple[str, ...], wanted: str | None, name: str
) -> None:
    with LoopbackOpenAI([], models=models) as server:
        model, _ = await connect(settings(server.url, server="openai", model=wanted), env={})
    assert isinstance(model, Falling)
    assert model.name == name


@pytest.mark.parametrize(
    ("models", "wanted", "what", "todo"),
    [
        (("a", "b"), None, "several models: a, b", "-m NAME"),
        ((), None, "does not tell which models", "-m NAME"),
        ((CODER,), "14b", f"no model '14b'; the nearest it has: {CODER}", "-m NAME"),
    ],
)
async def test_a_model_that_cannot_be_told_is_asked_for(
    models: tuple[str, ...], wanted: str | None, what: str, todo: str
) -> None:
    with LoopbackOpenAI([], models=models) as server, pytest.raises(ModelMissing) as caught:
        await connect(settings(server.url, server="openai", model=wanted), env={})
    assert what in caught.value.what
    assert todo in caught.value.todo
    assert "ollama pull" not in caught.value.todo


async def test_without_raw_completions_the_chat_takes_over_once_and_says_so(tmp_path: Path) -> None:
    with LoopbackOpenAI([READ, "It adds.", "Yes."], routes=("chat",)) as server:
        chosen = settings(server.url, server="openai")
        model, notices = await connect(chosen, env={})
        place = place_of(tmp_path, chosen)
        heard = [*await events_of(place, model), *await events_of(place, model)]
    assert notices == ()
    (notice,) = [event for event in heard if isinstance(event, Notice)]
    assert "has no /v1/completions" in notice.text
    assert [asked.route for asked in server.asked] == ["chat", "chat", "chat"]
    assert [event.ok for event in heard if event.kind == "call_finished"] == [True]
    assert server.asked[0].messages[0]["role"] == "system"


async def test_only_a_missing_route_lets_the_chat_take_over() -> None:
    with LoopbackOpenAI([Fault("status", "broken", status=500)]) as server:
        model, _ = await connect(settings(server.url, server="openai"), env={})
        assert isinstance((await told(model, HELLO)).error, ServerProblem)
    assert [asked.route for asked in server.asked] == ["completions"]


@pytest.mark.parametrize(
    ("name", "chosen", "kind"),
    [
        (CODER, {"endpoint": "completions"}, Completions),
        (CODER, {"endpoint": "chat"}, Chat),
        ("meta-llama/Llama-3.1-8B-Instruct", {}, Chat),
        ("meta-llama/Llama-3.1-8B-Instruct", {"endpoint": "completions"}, Completions),
        ("bigcode/starcoder2-15b", {}, ChatOnly),
    ],
)
async def test_the_row_and_the_person_choose_the_endpoint(
    name: str, chosen: Mapping[str, Any], kind: type[Model]
) -> None:
    with LoopbackOpenAI([], models=(name,)) as server:
        model, _ = await connect(settings(server.url, server="openai", **chosen), env={})
    assert type(model) is kind


@pytest.mark.parametrize("where", [0, 1])
async def test_tools_are_sent_on_purpose_only_and_a_model_that_takes_none_can_only_chat(
    tmp_path: Path, where: int
) -> None:
    with LoopbackOpenAI(["h", "Hello!"][where:] if where else ["h", "Hello!"], tools=not where) as server:
        chosen = settings(server.url, server="openai", endpoint="chat", send_tools=True)
        model, notices = await connect(chosen, env={})
        heard = await events_of(place_of(tmp_path, chosen), model)
    asked = server.asked[-1].said
    assert heard[-1].kind == "task_finished"
    if where:
        assert isinstance(model, ChatOnly)
        assert "takes no native tools: chat only" in notices[-1]
        assert "leave `send_tools` out" in notices[-1]
        assert "tools" not in asked
        assert "read_file" not in json.dumps(asked)
    else:
        assert notices == ()
        assert asked["tools"][0]["function"]["name"] == "read_file"


def refused(chosen: Mapping[str, Any], env: Mapping[str, str]) -> ConfigProblem:
    import asyncio

    with pytest.raises(ConfigProblem) as caught:
        asyncio.run(connect(settings("http://127.0.0.1:9", server="openai", **chosen), env=env))
    return caught.value


@pytest.mark.parametrize(
    ("chosen", "env", "what"),
    [
        ({}, {"OPENAI_API_KEY": "$ANTHROPIC_KEY"}, "OPENAI_API_KEY is not set: it holds the name of a variable"),
        ({}, {"OPENAI_API_KEY": "${sk-1}"}, "it holds the name of a variable"),
        ({}, {"OPENAI_API_KEY": "{env:sk-1}"}, "it holds the name of a variable"),
        ({"api_key_env": "TEAM_KEY"}, {"OPENAI_API_KEY": "sk-1"}, "TEAM_KEY is not set"),
        ({}, {"OPENAI_API_KEY": "sk-secret with blanks"}, "the server's key holds blanks"),
    ],
)
def test_a_key_that_is_none_is_refused_before_anything_is_sent(
    chosen: Mapping[str, Any], env: Mapping[str, str], what: str
) -> None:
    problem = refused(chosen, env)
    assert what in problem.what
    assert "sk-" not in problem.what + problem.todo


async def test_a_wrong_key_is_told_without_it() -> None:
    with LoopbackOpenAI([], key="right") as server, pytest.raises(ConfigProblem) as caught:
        await connect(settings(server.url, server="openai"), env={"OPENAI_API_KEY": "sk-wrong"})
    assert "401" in caught.value.what
    assert "sk-wrong" not in caught.value.what + caught.value.todo


async def test_an_address_and_a_key_are_no_consent() -> None:
    chosen = settings("https://models.example/v1", server="openai")
    with pytest.raises(LeaveRefused, match="is not this machine") as caught:
        await connect(chosen, env={"OPENAI_API_KEY": "sk-1"})
    assert "allow_hosts" in caught.value.todo


NOT_THERE = NoSuchRoute("not there")


@pytest.mark.parametrize(
    ("first", "second", "text", "words"),
    [
        ([NOT_THERE], ["b"], "b", ["fell"]),
        (["a"], ["b"], "a", []),
        ([Said("a", then=NOT_THERE)], ["b"], "aNoSuchRoute", []),
        ([NOT_THERE], [NOT_THERE], "NoSuchRoute", ["fell"]),
        ([Unreachable("gone")], ["b"], "Unreachable", []),
    ],
)
async def test_the_second_way_takes_over_before_a_word_and_only_where_the_first_is_not_there(
    first: list[ScriptLine], second: list[ScriptLine], text: str, words: list[str]
) -> None:
    model, heard = Falling(ScriptedModel(first, name="x"), ScriptedModel(second, name="x"), "fell"), list[str]()
    model.tell = heard.append
    came = await told(model, HELLO)
    assert came.text + (type(came.error).__name__ if came.error else "") == text
    assert (heard, model.name) == (words, "x")


def test_an_agent_with_any_model_by_another_name_has_its_tools(tmp_path: Path) -> None:
    scene = Scene(repository(tmp_path), ["Hi."], session=Session.in_memory(cwd=tmp_path, model="x"))
    scene.kept.add(SystemMessage("s"))
    assert len(scene.agent.toolbox.specs) == 6

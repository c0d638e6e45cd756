from __future__ import annotations

import json

import pytest
from openai_asking import DONE, END, NAME, PROMPT, USAGE, Playing, choice, completions, event, listing, refusal, told

from qagent.errors import (
    ConfigProblem,
    ModelMissing,
    NoSuchRoute,
    PromptCut,
    RunnerStopped,
    ServerBusy,
    ServerProblem,
    StreamBroken,
    Unreachable,
    UserFacing,
    WindowExceeded,
)
from qagent.models.completions import Completions
from qagent.models.keys import Key
from qagent.net import Door
from qagent.qwen.profiles import STOPS, Sampling
from qagent.testing.openai import LoopbackOpenAI
from qagent.types import Prompt

SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}, "required": ["name"]}


# ------------------------------------------------------------------ what is asked


async def test_a_request_asks_for_a_raw_stream_with_our_own_stops() -> None:
    with Playing(END) as server:
        await told(completions(server.url), PROMPT)
        sent = server.requests[0]
    assert sent.path == "/v1/completions"
    assert sent.headers["connection"] == "close"
    assert "authorization" not in sent.headers
    assert sent.json == {
        "model": NAME,
        "prompt": PROMPT.text,
        "stream": True,
        "max_tokens": 4_096,
        "temperature": 0.1,
        "top_p": 0.8,
        "stop": list(STOPS),
        "stream_options": {"include_usage": True},
        "top_k": 20,
        "repetition_penalty": 1.0,
        "repeat_penalty": 1.0,
        "skip_special_tokens": False,
        "preserved_tokens": list(STOPS),
    }


async def test_a_prompt_may_have_its_own_stops_and_its_own_length() -> None:
    prompt = Prompt(
        PROMPT.text + "<tools>\n", 14, prefill="<tools>\n", stops=("\n```", "<|file_sep|>"), reply_tokens=99
    )
    with Playing(END) as server:
        await told(completions(server.url), prompt)
        sent = server.posted[0]
    assert sent["prompt"].endswith("assistant\n<tools>\n")
    assert sent["stop"] == [*STOPS, "\n```", "<|file_sep|>"]
    assert sent["preserved_tokens"] == [*STOPS, "<|file_sep|>"]
    assert sent["max_tokens"] == 99


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "/behind/v1"])
async def test_the_address_may_end_in_v1_or_not(ending: str) -> None:
    with Playing(END) as server:
        await told(completions(server.url + ending), PROMPT)
        assert server.requests[0].path == ("/behind" if "behind" in ending else "") + "/v1/completions"


@pytest.mark.parametrize(
    ("listed", "fields"),
    [
        (listing("vllm"), {"structured_outputs": {"json": SCHEMA}, "guided_json": SCHEMA}),
        (listing("llamacpp"), {"json_schema": SCHEMA}),
        (listing("sglang"), {"json_schema": json.dumps(SCHEMA)}),
        (listing("organization_owner"), {"response_format"}),
        (listing("somebody"), {"response_format", "structured_outputs", "guided_json", "json_schema"}),
        ((404, "no"), {"response_format", "structured_outputs", "guided_json", "json_schema"}),
    ],
)
async def test_each_server_is_asked_for_a_schema_in_its_own_way(
    listed: str | tuple[int, str], fields: dict[str, object] | set[str]
) -> None:
    usual = {"response_format", "structured_outputs", "guided_json", "json_schema"}
    with Playing(END, listed=listed) as server:
        model = completions(server.url)
        for _ in range(2):
            assert (await told(model, Prompt("x", 1, schema=SCHEMA))).end
        sent = server.posted[1]
    asked = {key: value for key, value in sent.items() if key in usual}
    assert set(asked) == set(fields)
    if isinstance(fields, dict):
        assert asked == fields
    if "response_format" in asked:
        said = asked["response_format"]
        assert (said["type"], said["json_schema"]["schema"]) == ("json_schema", SCHEMA)


async def test_which_server_it_is_is_asked_once_and_only_for_a_schema() -> None:
    with Playing(END, listed=listing("vllm")) as server:
        model = completions(server.url)
        for prompt in (PROMPT, Prompt("x", 1, schema=SCHEMA), Prompt("x", 1, schema=SCHEMA), PROMPT):
            await told(model, prompt)
        assert [request.method for request in server.requests].count("GET") == 1


# ------------------------------------------------------------------ what comes


async def test_a_reply_arrives_whole_and_tells_what_was_read_afresh() -> None:
    used = {**USAGE, "prompt_tokens_details": {"cached_tokens": 862}}
    body = choice("just ") + choice("tëxt \u2028 \x85 😀") + choice("", "stop", usage=used) + DONE
    with Playing(body) as server:
        came = await told(completions(server.url), PROMPT)
    assert came.text == "just tëxt \u2028 \x85 😀"
    assert came.end
    assert (came.end.end, came.end.native) == ("stop", False)
    usage = came.end.usage
    assert (usage.prompt_tokens, usage.fresh_tokens, usage.reply_tokens) == (912, 50, 4)


@pytest.mark.parametrize(
    ("body", "ends", "tokens"),
    [
        (END, "stop", (912, None)),
        (choice(reason="length") + DONE, "length", (None, None)),
        (choice(reason="stop"), "stop", (None, None)),
        (choice(reason="stop", usage={**USAGE, "prompt_tokens_details": None}) + DONE, "stop", (912, None)),
        (choice(usage=None) + choice(reason="stop") + event(choices=[], usage=USAGE), "stop", (912, None)),
        (": ping\n\nevent: message\nid: 3\nretry: 5\r\n" + choice(reason="stop") + DONE, "stop", (None, None)),
        (choice(reason="length") + choice(reason="stop") + DONE, "length", (None, None)),
        (event(choices=[{"text": "", "finish_reason": "eos_token"}]) + DONE, "stop", (None, None)),
        (choice(reason="stop", error=None) + DONE, "stop", (None, None)),
    ],
)
async def test_every_way_to_end_is_a_stop_or_a_length(
    body: str, ends: str, tokens: tuple[int | None, int | None]
) -> None:
    with Playing(choice("so") + body) as server:
        came = await told(completions(server.url), PROMPT)
    assert came.end
    assert (came.end.end, came.end.usage.prompt_tokens, came.end.usage.fresh_tokens) == (ends, *tokens)


async def test_only_the_first_of_several_choices_is_the_reply() -> None:
    other = event(choices=[{"index": 1, "text": "no", "finish_reason": "length"}])
    with Playing(choice("yes") + other + END) as server:
        came = await told(completions(server.url), PROMPT)
    assert (came.text, came.end and came.end.end) == ("yes", "stop")


# ------------------------------------------------------------------ what fails

WINDOWS = [
    "This model's maximum context length is 4096 tokens. However, you requested 9024 tokens (9000 in the messages, "
    "24 in the completion). Please reduce the length of the messages or completion.",
    "This model's maximum context length is 4096 tokens. However, your prompt contains at least 9000 input tokens.",
    "The input (9000 tokens) is longer than the model's context length (4096 tokens).",
    "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length "
    "of only 4096 tokens, which is not enough.",
]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        *(((400, refusal(text)), WindowExceeded, "9,000 tokens into 4,096") for text in WINDOWS),
        (event(error={"message": WINDOWS[-1]}), WindowExceeded, "9,000 tokens into 4,096"),
        (
            (400, '{"error":{"message":"x","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}}'),
            WindowExceeded,
            "9,000 tokens into 4,096",
        ),
        (event(error="Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)"), WindowExceeded, "longer than"),
        (
            (400, refusal("This model's maximum context length is 4096 tokens, however you requested 9000 tokens.")),
            WindowExceeded,
            "prompt and reply are longer than the model's window (9,000 tokens into 4,096)",
        ),
        (
            (400, refusal("This model's maximum context length is 4096 tokens. Please reduce the prompt.")),
            WindowExceeded,
            "longer than the model's window of 4,096 tokens",
        ),
        (
            (400, refusal("maximum context length is 4096 tokens and your request has 3900 input tokens")),
            WindowExceeded,
            "too small for a reply: the prompt takes 3,900 of its 4,096 tokens",
        ),
        (event(error={"message": "Context size has been exceeded."}), WindowExceeded, "longer than"),
        ((401, '{"error":"Unauthorized"}'), ConfigProblem, "401"),
        ((403, "no"), ConfigProblem, "403"),
        ((404, '{"detail":"Not Found"}'), NoSuchRoute, "has no /v1/completions (it answered 404)"),
        ((400, '{"detail":"Not today"}'), ServerProblem, "answered 400: Not today"),
        ((405, '{"detail":"Method Not Allowed"}'), NoSuchRoute, "has no /v1/completions (it answered 405)"),
        ('{"error":"Unexpected endpoint or method. (POST /v1/completions)"}', NoSuchRoute, "has no /v1/completions"),
        ((404, refusal("The model `x` does not exist.", "NotFoundError")), ModelMissing, NAME),
        ((404, '{"error":{"message":"model \\"x\\" not found, try pulling it first"}}'), ModelMissing, NAME),
        ((400, refusal("No models loaded. Please load a model in the developer page.")), ModelMissing, NAME),
        ((429, refusal("Rate limit reached")), ServerBusy, "Rate limit"),
        ((503, '{"error":{"message":"Loading model","type":"unavailable_error"}}'), ServerBusy, "Loading model"),
        ((500, refusal("CUDA out of memory")), RunnerStopped, "too little memory"),
        ((500, "<html>Internal Server Error"), ServerProblem, "answered 500"),
        (choice("so") + event(error={"message": "engine died"}), ServerProblem, "broke off: engine died"),
        (event(object="error", message="engine died", code=500), ServerProblem, "broke off: engine died"),
        (choice("so far"), StreamBroken, "without its end"),
        (choice("so far") + DONE, StreamBroken, "without its end"),
        (choice("so far", "abort") + DONE, StreamBroken, "without its end"),
        ("", StreamBroken, "without its end"),
        ("<html>\n", StreamBroken, "OpenAI's protocol"),
        ('{"text": "whole"}', StreamBroken, "OpenAI's protocol"),
        ("data: nothing\n", StreamBroken, "OpenAI's protocol"),
        (event(choices=[["a"]]), StreamBroken, "OpenAI's protocol"),
        (event(choices=[{"text": 3}]), StreamBroken, "OpenAI's protocol"),
        (event(choices=[], usage=[]), StreamBroken, "OpenAI's protocol"),
        (choice(reason="stop", usage={"prompt_tokens": 1.5}) + DONE, StreamBroken, "OpenAI's protocol"),
    ],
)
async def test_each_failure_is_one_error_for_people(
    body: str | tuple[int, str], kind: type[UserFacing], words: str
) -> None:
    with Playing(body) as server:
        error = (await told(completions(server.url), PROMPT)).error
    assert error
    assert type(error) is kind
    assert words in error.what
    assert error.todo


async def test_a_full_window_names_the_settings_that_have_to_do_with_it() -> None:
    with Playing((400, refusal(WINDOWS[0]))) as server:
        error = (await told(completions(server.url), PROMPT)).error
    assert error
    assert all(word in error.todo for word in ("--max-model-len", "num_ctx", "reply_tokens", "shorter task"))


@pytest.mark.parametrize(
    ("key", "todo"),
    [
        (Key("", "OPENAI_API_KEY"), "OPENAI_API_KEY is empty: export it, or name another variable with `api_key_env`"),
        (Key("sk-1", "TEAM_KEY"), "the key in TEAM_KEY was refused"),
        (Key("sk-1"), "ask its operator"),
    ],
)
async def test_who_is_not_let_in_is_told_which_key_counts(key: Key, todo: str) -> None:
    with LoopbackOpenAI([], key="right") as server:
        model = Completions(NAME, url=server.url, door=Door(), sampling=Sampling(), key=key)
        error = (await told(model, PROMPT)).error
    assert isinstance(error, ConfigProblem)
    assert todo in error.todo


async def test_a_count_too_small_for_the_prompt_is_an_error_here_too() -> None:
    with Playing(END) as server:
        assert isinstance((await told(completions(server.url), Prompt("x" * 9_000, 3_000))).error, PromptCut)


async def test_a_missing_model_is_told_with_those_that_are_there() -> None:
    with LoopbackOpenAI([], models=["a", "b"]) as server:
        error = (await told(completions(server.url), PROMPT)).error
    assert isinstance(error, ModelMissing)
    assert "it has: a, b" in error.what
    assert "-m NAME" in error.todo


async def test_nothing_listening_says_so() -> None:
    with Playing("") as server:
        url = server.url
    with pytest.raises(Unreachable, match="no answer at"):
        await completions(url).installed()


# ------------------------------------------------------------------ which models


async def test_the_server_lists_its_models_and_tells_the_window() -> None:
    with LoopbackOpenAI([], models=["a", "b"], window=16_384) as server:
        listed = await completions(server.url).installed()
    assert [(model.name, model.window) for model in listed] == [("a", 16_384), ("b", 16_384)]
    with LoopbackOpenAI([], window=0) as server:
        assert [model.window for model in await completions(server.url).installed()] == [None]


async def test_llamacpp_is_listed_by_its_files_name() -> None:
    meta = {"size": 42, "n_ctx": 8_192}
    with Playing("", listed=listing("llamacpp", "/models/qwen2.5-coder-7b.gguf", meta=meta)) as server:
        (model,) = await completions(server.url).installed()
        assert (model.name, model.size_bytes, model.window) == ("qwen2.5-coder-7b", 42, 8_192)


async def test_a_path_is_a_name_where_the_server_wants_it() -> None:
    with Playing("", listed=listing("vllm", "/models/coder.gguf")) as server:
        assert [model.name for model in await completions(server.url).installed()] == ["/models/coder.gguf"]


async def test_ollama_is_to_be_asked_in_its_own_way() -> None:
    with Playing("", listed=listing("library")) as server, pytest.raises(ConfigProblem, match="no raw") as caught:
        await completions(server.url).installed()
    assert 'server = "ollama"' in caught.value.todo


async def test_a_list_that_is_an_error_is_one() -> None:
    listed = '{"error":"Unexpected endpoint or method. (GET /v1/models)"}'
    with Playing("", listed=listed) as server, pytest.raises(NoSuchRoute):
        await completions(server.url).installed()

from __future__ import annotations

import pytest
from openai_asking import END, PROMPT, Playing, completions, listing, refusal, told

from qagent.errors import ServerProblem, WindowExceeded
from qagent.models.refusal import SchemaRefused
from qagent.types import Prompt

TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, your prompt contains at least 9000 input tokens."
)
EXTRAS = {"stream_options", "top_k", "repetition_penalty", "repeat_penalty", "skip_special_tokens", "preserved_tokens"}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Unrecognized request argument supplied: top_k", EXTRAS - {"top_k"}),
        ("top_k and preserved_tokens: extra fields not permitted", EXTRAS - {"top_k", "preserved_tokens"}),
        ("extra fields not permitted", set[str]()),
    ],
)
async def test_fields_that_a_server_refuses_are_left_out_from_then_on(status: int, words: str, kept: set[str]) -> None:
    with Playing((status, refusal(words)), END) as server:
        model = completions(server.url)
        assert (await told(model, PROMPT)).end
        assert (await told(model, PROMPT)).end
        first, again, later = (set(sent) & EXTRAS for sent in server.posted)
    assert first == EXTRAS
    assert again == later == kept


async def test_a_server_that_refuses_everything_is_asked_only_so_often() -> None:
    with Playing((400, refusal("top_k is wrong"))) as server:
        assert isinstance((await told(completions(server.url), PROMPT)).error, ServerProblem)
        assert len(server.posted) == 3


async def test_a_refusal_for_another_reason_costs_no_field() -> None:
    with Playing((400, refusal(TOO_LONG)), END) as server:
        model = completions(server.url)
        assert isinstance((await told(model, PROMPT)).error, WindowExceeded)
        assert (await told(model, PROMPT)).end
        assert set(server.posted[1]) >= EXTRAS


async def test_a_schema_is_never_left_out() -> None:
    words = "unknown field structured_outputs"
    with Playing((400, refusal(words)), listed=listing("vllm")) as server:
        error = (await told(completions(server.url), Prompt("x", 1, schema={"type": "object"}))).error
        assert all("structured_outputs" in sent for sent in server.posted)
    assert isinstance(error, SchemaRefused)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 4096 output tokens and your prompt "
        "contains at least 4097 input tokens, for a total of at least 8193 tokens.",
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 8192 "
        "tokens and your request has 7000 input tokens (4096 > 8192 - 7000).",
        "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of "
        "11096 tokens: 7000 tokens from the input messages and 4096 tokens for the completion.",
    ],
)
async def test_where_only_the_longest_reply_does_not_fit_a_shorter_one_is_asked_for(words: str) -> None:
    with Playing((400, refusal(words)), (400, refusal(words)), END) as server:
        assert (await told(completions(server.url), PROMPT)).end
        assert [sent["max_tokens"] for sent in server.posted] == [4_096, 2_048, 1_024]
        assert set(server.posted[2]) >= EXTRAS


async def test_a_window_with_no_room_for_a_reply_is_full() -> None:
    words = "This model's maximum context length is 8192 tokens; {} output tokens asked, your prompt contains {}"
    with Playing((400, refusal(words.format(4096, 8_000)))) as server:
        assert isinstance((await told(completions(server.url), PROMPT)).error, WindowExceeded)
        assert len(server.posted) == 1
    with Playing((400, refusal(words.format(4096, "many")))) as server:
        assert isinstance((await told(completions(server.url), PROMPT)).error, WindowExceeded)
        assert [sent["max_tokens"] for sent in server.posted] == [4_096, 2_048, 1_024, 512]

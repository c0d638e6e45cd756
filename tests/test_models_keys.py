from __future__ import annotations

import json
import logging

import pytest
from asking import serving
from openai_asking import PROMPT, Playing, completions, told

from qagent.errors import ConfigProblem, LeaveRefused, ServerProblem
from qagent.models.completions import Completions
from qagent.models.keys import Key, keyed
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.testing import Connection, LoopbackOpenAI

KEY = "sk-very-secret-0123456789"


async def test_the_key_travels_in_one_header_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), LoopbackOpenAI(["fine"], key=KEY) as server:
        model = completions(server.url, key=f" {KEY}\n")
        await model.installed()
        assert (await told(model, PROMPT)).text == "fine"
        for request in server.requests:
            assert request.headers.pop("authorization") == f"Bearer {KEY}"
            assert KEY not in f"{request.headers} {request.path} {request.body!r}"
    assert KEY not in caplog.text
    assert KEY not in repr(vars(model))


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: {KEY}.",
        f"{KEY}{KEY}",
        "x" * 290 + KEY,
        f"Bearer {KEY} and Bearer {KEY[:20]}",
    ],
)
@pytest.mark.parametrize("status", [401, 500])
async def test_a_key_that_the_server_says_back_is_not_shown(text: str, status: int) -> None:
    with Playing((status, json.dumps({"error": {"message": text}}))) as server:
        error = (await told(completions(server.url, key=KEY), PROMPT)).error
    assert error
    assert KEY[:8] not in error.what


async def test_a_key_that_is_none_is_refused_without_being_shown() -> None:
    for key in ("two words", "line\nend", "schlüssel"):
        with pytest.raises(ConfigProblem) as caught:
            completions("http://127.0.0.1:1", key=key)
        assert key not in caught.value.what + caught.value.todo


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_takes_the_key_nowhere(status: int) -> None:
    with LoopbackOpenAI(["never"]) as elsewhere:

        async def redirecting(connection: Connection) -> None:
            await connection.head(status, "text/plain", f"location: {elsewhere.url}/v1/completions")

        with serving(redirecting) as server:
            came = await told(completions(server.url, key=KEY), PROMPT)
        assert isinstance(came.error, ServerProblem)
        assert elsewhere.requests == []


async def test_no_key_leaves_for_a_host_that_nobody_named() -> None:
    model = Completions("m", url="http://example.invalid", door=Door(), sampling=Sampling(), key=Key(KEY))
    assert isinstance((await told(model, PROMPT)).error, LeaveRefused)


def test_two_doors_with_different_keys_differ() -> None:
    assert keyed(Door(), "") == keyed(Door(), None) == Door()
    assert keyed(Door(), "a") != keyed(Door(), "b")
    assert repr(keyed(Door(), "a-key")) == "KeyedDoor(allowed_hosts=frozenset())"

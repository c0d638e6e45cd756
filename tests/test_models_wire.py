from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.errors import PromptCut, StreamBroken
from qagent.models.counting import check_prompt_count
from qagent.models.lines import lines
from qagent.models.record import Record
from qagent.models.refusal import Server, explain, read_refusal


async def chunked(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        yield data[start:end]


@given(st.binary() | st.text().map(str.encode), st.lists(st.integers(0, 999)))
def test_lines_do_not_depend_on_the_chunks(data: bytes, cuts: list[int]) -> None:
    async def found() -> list[bytes]:
        return [line async for line in lines(chunked(data, cuts))]

    assert asyncio.run(found()) == (data.removesuffix(b"\n").split(b"\n") if data else [])


@pytest.mark.parametrize("data", [b"x" * 11, b"x" * 11 + b"\n", b"ok\n" + b"x" * 11])
async def test_an_endless_line_is_given_up(data: bytes) -> None:
    with pytest.raises(StreamBroken):
        async for _ in lines(chunked(data, [3, 7]), limit=10):
            pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["error", "message", "type", "n_ctx", "n_prompt_tokens"]), inner)
    ),
    max_leaves=8,
)


@given(st.integers(100, 599) | st.none(), st.text() | JSON | JSON.map(json.dumps))
def test_whatever_a_server_says_becomes_one_line_for_people(status: int | None, body: object) -> None:
    error = explain(read_refusal(status, body), Server("Ollama", "http://x", "ollama serve", "--host", "widen"))
    assert error.what.isprintable()
    assert len(error.what) < 400


def nested(depth: int) -> list[object]:
    inner: list[object] = []
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "body", [nested(100_000), {"message": nested(100_000)}, {"message": "x", "type": nested(9_999)}]
)
def test_a_refusal_too_deep_to_be_written_is_still_a_refusal(body: object) -> None:
    assert read_refusal(500, body).text in ("no reason given", "x")
    assert read_refusal(500, {"message": "x", "n_ctx": 10**4_299, "n_prompt_tokens": -1}).window is None


@pytest.mark.parametrize(
    ("value", "count"), [("-1", None), ("-1.5", None), ("7.0", 7), ("null", None), ("9007199254740992", 1 << 53)]
)
def test_a_count_below_zero_is_none(value: str, count: int | None) -> None:
    assert Record.parse(f'{{"n": {value}}}'.encode(), "Ollama").count("n") == count


@pytest.mark.parametrize("value", ["1.5", "true", '"1"', "NaN", "Infinity", "1e999", "1e300", "9" * 4_000, "[]"])
def test_a_count_that_is_no_whole_number_of_a_likely_size_is_no_protocol(value: str) -> None:
    with pytest.raises(StreamBroken, match="does not speak Ollama's protocol"):
        Record.parse(f'{{"n": {value}}}'.encode(), "Ollama").count("n")


@pytest.mark.parametrize(
    ("reported", "estimate", "previous", "cut"),
    [
        (None, 10_000, 9_000, False),
        (1, 100, None, False),
        (4_936, 10_000, None, False),
        (4_935, 10_000, None, True),
        (9_000, 10_000, 9_000, False),
        (8_999, 10_000, 9_000, True),
        (30_000, 10_000, None, False),
    ],
)
def test_a_count_that_is_too_small_means_a_cut_prompt(
    reported: int | None, estimate: int, previous: int | None, cut: bool
) -> None:
    if not cut:
        check_prompt_count(reported, estimate, previous)
        return
    with pytest.raises(PromptCut) as caught:
        check_prompt_count(reported, estimate, previous)
    assert "num_ctx" in caught.value.todo

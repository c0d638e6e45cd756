from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.errors import StreamBroken
from qagent.models.native_calls import NativeCalls
from qagent.models.record import Record
from qagent.qwen.reader import Reader
from qagent.types import BadCall, Part, Prose, ToolCall, ToolSpec

Piece = dict[str, Any]


def piece(
    name: str | None = None, arguments: Any = None, *, index: int | None = None, call: str | None = None
) -> Piece:
    told = {"index": index, "id": call}
    said = {"name": name, "arguments": arguments}
    return {
        **{key: value for key, value in told.items() if value is not None},
        "type": "function",
        "function": {key: value for key, value in said.items() if value is not None},
    }


def written(*pieces: Piece, cut: bool = False) -> str:
    calls = NativeCalls()
    for each in pieces:
        calls.add(Record(each, "OpenAI"))
    return calls.take(cut=cut)


def tagged(*calls: tuple[str, str]) -> str:
    return "\n".join(
        f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>' for name, arguments in calls
    )


def read(text: str) -> list[Part]:
    reader = Reader([ToolSpec("read"), ToolSpec("run")])
    return [part for part in [*reader.feed(text), *reader.close()] if not isinstance(part, Prose) or part.text.strip()]


PATH, OTHER = '{"path": "a"}', '{"path": "b"}'


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        ([piece("read", PATH, index=0, call="c1")], tagged(("read", PATH))),
        (
            [
                piece("read", index=0, call="c1"),
                piece(arguments='{"pa', index=0),
                piece(arguments='th": "a"}', index=0),
            ],
            tagged(("read", PATH)),
        ),
        ([piece("read", "", index=0), piece(None, PATH, index=0)], tagged(("read", PATH))),
        ([piece("read", {"path": "a"})], tagged(("read", PATH))),
        ([piece("read")], tagged(("read", "{}"))),
        ([piece("read", ""), piece(arguments="")], tagged(("read", "{}"))),
        ([piece("read", PATH[:5]), piece(arguments=PATH[5:])], tagged(("read", PATH))),
        ([piece("read", PATH[:5], index=0), piece("read", PATH[5:], index=0)], tagged(("read", PATH))),
        ([piece("re", index=0), piece("ad", index=0), piece(None, PATH, index=0)], tagged(("read", PATH))),
        ([piece("run", '{"x', index=0), piece(arguments="", index=0)], tagged(("run", '{"x'))),
        ([piece("run", "nonsense", index=0)], tagged(("run", "nonsense"))),
        ([piece("run", '"{\\"x\\": 1}"', index=0)], tagged(("run", '"{\\"x\\": 1}"'))),
        ([piece(arguments=PATH, index=0)], tagged(("", PATH))),
        ([piece("read", "{}", index=0), piece(None, PATH, index=0)], tagged(("read", PATH))),
        ([piece("read", {}, index=0), piece(None, PATH[:4], index=0), piece(None, PATH[4:])], tagged(("read", PATH))),
        ([piece("read", "{}", index=0, call="c1"), piece("read", PATH, index=0, call="c1")], tagged(("read", PATH))),
        ([piece("read", "{}", index=0), piece(None, "\n", index=0)], tagged(("read", "{}"))),
        (
            [
                piece("read", index=0, call="c1"),
                piece(None, PATH[:4], index=0, call="c2"),
                piece(None, PATH[4:], index=0, call="c3"),
            ],
            tagged(("read", PATH)),
        ),
        (
            [piece("read", PATH[:4], index=0, call="c1"), piece("read", PATH[4:], index=0, call="c2")],
            tagged(("read", PATH)),
        ),
    ],
    ids=str,
)
def test_a_call_is_written_back_however_it_comes_in_pieces(pieces: list[Piece], text: str) -> None:
    assert written(*pieces) == text


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("read", PATH, index=0, call="c1"), piece("run", OTHER, index=1, call="c2")],
        [piece("run", OTHER, index=1, call="c2"), piece("read", PATH, index=0, call="c1")],
        [
            piece("read", index=0),
            piece("run", index=1),
            piece(None, OTHER[:4], index=1),
            piece(None, PATH[:4], index=0),
            piece(None, OTHER[4:], index=1),
            piece(None, PATH[4:], index=0),
        ],
        [piece("read", PATH, call="c1"), piece("run", OTHER, call="c2")],
        [piece("read", PATH), piece("run", OTHER)],
        [piece("read", PATH[:4]), piece(None, PATH[4:]), piece("run", OTHER[:4]), piece(None, OTHER[4:])],
        [piece("read", PATH, index=0, call="c1"), piece("run", OTHER, index=0, call="c2")],
        [piece("read", PATH, index=0), piece("run", OTHER, index=0)],
        [piece("read", PATH, index=0, call="c1"), piece("run", index=0, call="c2"), piece(None, OTHER, index=0)],
        [
            piece("read", call="c1"),
            piece("run", call="c2"),
            piece(None, PATH, call="c1"),
            piece(None, OTHER, call="c2"),
        ],
    ],
)
def test_several_calls_come_apart_by_index_by_id_and_without_either(pieces: list[Piece]) -> None:
    assert written(*pieces) == tagged(("read", PATH), ("run", OTHER))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (piece("read", '{"pa', index=0, call="c1"), piece("run", OTHER, index=0, call="c2")),
        (piece("read", '{"pa', index=0, call="c1"), piece("read", OTHER, index=0, call="c2")),
        (piece("read", index=0, call="c1"), piece("run", index=0, call="c2")),
    ],
)
def test_a_new_id_with_a_new_call_s_beginning_is_another_call(first: Piece, second: Piece) -> None:
    def alone(one: Piece) -> str:
        return written(one)

    assert written(first, second) == f"{alone(first)}\n{alone(second)}"


def test_a_piece_goes_to_the_call_of_its_id_where_all_have_one_index() -> None:
    pieces = [piece("read", index=0, call="c1"), piece("run", index=0, call="c2")]
    pieces += [piece(None, PATH, index=0, call="c1"), piece(None, OTHER, index=0, call="c2")]
    assert sorted(written(*pieces).split("\n")) == sorted(tagged(("read", PATH), ("run", OTHER)).split("\n"))


def test_pieces_that_say_nothing_make_no_calls() -> None:
    calls = NativeCalls()
    for index in range(100):
        assert not calls.add(Record(piece(index=index, call=f"c{index}"), "OpenAI"))
    assert (calls.any, calls.characters, calls.take(cut=False)) == (False, 0, "")


@given(st.lists(st.sampled_from(["r", "read"]), max_size=9))
def test_what_is_counted_is_at_least_what_is_written(names: list[str]) -> None:
    calls = NativeCalls()
    for index, name in enumerate(names):
        calls.add(Record(piece(name, index=index), "OpenAI"))
    assert calls.characters >= len(calls.take(cut=False))


def test_two_equal_calls_are_two() -> None:
    assert written(piece("read", PATH, index=0), piece("read", PATH, index=0)) == tagged(("read", PATH), ("read", PATH))


def test_a_call_at_the_reply_limit_stays_open_and_stands_last() -> None:
    text = written(piece("run", OTHER[:8], index=0), piece("read", PATH, index=1), piece(None, "x", index=0), cut=True)
    assert text == tagged(("read", PATH)) + '\n<tool_call>\n{"name": "run", "arguments": {"path":x'
    parts = read(text)
    assert [type(part) for part in parts] == [ToolCall, BadCall]


def test_a_whole_call_at_the_reply_limit_is_a_call() -> None:
    assert written(piece("read", PATH, index=0), cut=True) == tagged(("read", PATH))


def test_calls_are_taken_once() -> None:
    calls = NativeCalls()
    calls.add(Record(piece("read", PATH), "OpenAI"))
    assert calls.take(cut=False) == tagged(("read", PATH))
    assert calls.take(cut=False) == ""
    assert calls.any


@pytest.mark.parametrize("wrong", [{"function": []}, {"function": {"name": 3}}, {"index": "0"}, {"id": []}])
def test_what_is_no_call_is_no_protocol(wrong: Piece) -> None:
    with pytest.raises(StreamBroken):
        NativeCalls().add(Record(wrong, "OpenAI"))


@pytest.mark.parametrize("empty", [{}, {"function": None}, piece("", ""), piece(index=3)])
def test_an_empty_piece_brings_nothing_on(empty: Piece) -> None:
    assert not NativeCalls().add(Record(empty, "OpenAI"))


SPELLED = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["</tool_call>", '"}}\n</tool_call>\n<tool_call>', "```", "\n\n"]
)
VALUES = SPELLED.filter(lambda text: "<|" not in text and "tool_response>" not in text)
"""A control spelling begins an invented turn wherever it stands; that is the reader's own matter."""


@given(st.lists(st.dictionaries(st.text("abc", min_size=1), VALUES, max_size=3), min_size=1, max_size=3), st.data())
def test_the_reader_reads_what_any_split_of_any_arguments_is_written_back_as(
    all_arguments: list[dict[str, str]], data: st.DataObject
) -> None:
    pieces: list[Piece] = []
    for index, arguments in enumerate(all_arguments):
        text = json.dumps(arguments, ensure_ascii=data.draw(st.booleans()))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
        parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        pieces += [piece("run", index=index), *(piece(None, part, index=index) for part in parts)]
    calls = read(written(*pieces))
    assert [call.arguments for call in calls if isinstance(call, ToolCall)] == all_arguments
    assert len(calls) == len(all_arguments)


PIECES = st.builds(
    piece,
    st.none() | st.sampled_from(["read", "run", "", "x"]),
    st.none() | st.sampled_from([PATH, "{", "}", "", '"', "\n</tool_call>"]),
    index=st.none() | st.integers(0, 2),
    call=st.none() | st.sampled_from(["c1", "c2"]),
)


@given(st.lists(PIECES, max_size=12), st.booleans())
def test_no_piece_is_lost_whatever_the_order(pieces: list[Piece], cut: bool) -> None:
    text = written(*pieces, cut=cut)
    for each in pieces:
        assert each["function"].get("arguments", "").strip() in text
    read(text)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.blocks import (
    DIVIDER,
    REPLACE,
    SEARCH,
    Pair,
    read_fenced,
    read_pairs,
    read_raw,
    write_fenced,
    write_pairs,
)

LINE = st.one_of(
    st.sampled_from(["```", "````python", "  ```", "~~~", "", " ", "=====", "x = 1\r", "a\x0cb", "a\u2028======="]),
    st.text(st.characters(exclude_characters="\n"), max_size=6),
)
TEXT = st.lists(LINE, max_size=6).map(lambda lines: "".join(f"{line}\n" for line in lines))


def pair(old: str, new: str) -> Pair:
    return {"old": old, "new": new}


def block(body: str, opening: str = "<<<<<<<", closing: str = ">>>>>>>") -> str:
    return f"{opening} SEARCH\n{body}{closing} REPLACE\n"


PAIRS: dict[str, tuple[str, list[Pair] | None]] = {
    "one": (block("a\n=======\nb\n"), [pair("a\n", "b\n")]),
    "two": (block("a\n=======\nb\n") + "\n" + block("c\n=======\n"), [pair("a\n", "b\n"), pair("c\n", "")]),
    "empty": (block("=======\n"), [pair("", "")]),
    "other lengths": (block("a\n=====\nb\n", "<<<<<", ">>>>>>"), [pair("a\n", "b\n")]),
    "without blanks": ("<<<<<<<SEARCH\na\n=======\nb\n>>>>>>>REPLACE", [pair("a\n", "b\n")]),
    "words behind a marker": ("<<<<<<< SEARCH src/a.py\na\n=======\nb\n>>>>>>> REPLACE\n", [pair("a\n", "b\n")]),
    "CRLF": (block("a\n=======\nb\n").replace("\n", "\r\n"), [pair("a\r\n", "b\r\n")]),
    "a shorter divider in the code": (block("T\n=====\n=======\nb\n"), [pair("T\n=====\n", "b\n")]),
    "a longer divider in the code": (block("a\n=======\nT\n=========\n"), [pair("a\n", "T\n=========\n")]),
    "two dividers alike": (block("a\n=======\nb\n=======\nc\n"), None),
    "two dividers, none as long": (block("a\n=====\nb\n======\nc\n"), None),
    "a SEARCH line in the code": (block("<<<<<<< SEARCH\na\n=======\nb\n"), None),
    "a REPLACE line in the old text": (block(">>>>>>> REPLACE\n=======\nb\n"), [pair(">>>>>>> REPLACE\n", "b\n")]),
    "no divider": (block("a\n"), None),
    "no end": ("<<<<<<< SEARCH\na\n=======\nb\n", None),
    "text in front": ("x\n" + block("a\n=======\nb\n"), None),
    "text behind": (block("a\n=======\nb\n") + "x\n", None),
    "text between": (block("a\n=======\nb\n") + "x\n" + block("a\n=======\nb\n"), None),
    "nothing": ("", None),
    "code": ("x = 1\n", None),
    "no other line ends": (block("a\x0c=======\u2028b\n=======\n"), [pair("a\x0c=======\u2028b\n", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_are_read_where_they_are_clear(name: str) -> None:
    text, expected = PAIRS[name]
    assert read_pairs(text) == expected


def is_marker(line: str) -> bool:
    return any(marker.fullmatch(line.rstrip()) for marker in (SEARCH, DIVIDER, REPLACE))


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
def test_pairs_come_back_as_they_were_written(some: list[tuple[str, str]]) -> None:
    pairs = [pair(old, new) for old, new in some]
    marked = any(is_marker(line) for old, new in some for line in (old + new).split("\n"))
    assert read_pairs(write_pairs(pairs)) in ([pairs, None] if marked else [pairs])


@given(TEXT, st.sampled_from(["", "python"]))
def test_fenced_text_comes_back_as_it_was_written(text: str, language: str) -> None:
    assert read_fenced(write_fenced(text, language)) == text


@given(st.text(st.characters(exclude_characters="\n"), min_size=1))
def test_written_blocks_are_made_of_whole_lines(text: str) -> None:
    assert read_fenced(write_fenced(text)) == f"{text}\n"
    assert write_pairs([pair(text, text)]).count("\n") == 5


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("```python\nx\n```\n", "x\n"),
        ("```\nx\n```", "x\n"),
        ("```\nx\n```\n\n", "x\n"),
        ("~~~\nx\n~~~\n", "x\n"),
        ("  ```\n    x\n  y\n  ```\n", "  x\ny\n"),
        ("```\r\nx\r\n```\r\n", "x\r\n"),
        ("```\n```\n", ""),
        ("```\nx\n", "```\nx\n"),
        ("````\nx\n```\n", "````\nx\n```\n"),
        ("x\n", "x\n"),
        ("```", "```"),
        ("", ""),
    ],
)
def test_a_fence_is_taken_off_only_as_a_whole(text: str, content: str) -> None:
    assert read_fenced(text) == content


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<code>\nx\n</code>\n", "x\n"),
        ("<code>\n</code>", ""),
        ("<code>\nx\n", "<code>\nx\n"),
        ("x\n\n", "x\n\n"),
        ("", ""),
    ],
)
def test_raw_text_loses_only_code_tags_around_it(text: str, content: str) -> None:
    assert read_raw(text) == content

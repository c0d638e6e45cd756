from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.scans import FencedScan, JsonScan, PairsScan, RawScan

VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("{}", 2),
        ("{} {}", 2),
        ('{"a": "}"} b', 10),
        ('{"a": "\\"}"}', 12),
        ('{"a": "\\\\"}', 11),
        ("[[], {}]]", 8),
        ('{"a": "```\n</tools>"}', 21),
    ],
)
def test_a_value_ends_at_its_last_bracket(text: str, end: int) -> None:
    assert JsonScan().scan(text) == (end, True)


@pytest.mark.parametrize("text", ["{", '{"a": "}', '{"a": "\\"}', "[{}", '{"a": "\\'])
def test_an_open_value_is_taken_to_the_text_s_end(text: str) -> None:
    assert JsonScan().scan(text) == (len(text), False)


@given(st.lists(VALUES, min_size=1).map(json.dumps), st.text(), st.lists(st.integers(1, 5), min_size=1))
def test_any_value_ends_there_however_it_is_cut(value: str, rest: str, widths: list[int]) -> None:
    text, scan, taken = value + rest, JsonScan(), 0
    for turn in range(len(text)):
        piece = text[taken : taken + widths[turn % len(widths)]]
        end, complete = scan.scan(piece)
        taken += end
        if complete:
            break
    assert taken == len(value)


FENCED = {
    "closed": (["```py", "x", "```"], True),
    "open": (["```py", "x"], False),
    "opened only": (["```"], False),
    "closed, blank lines behind": (["```", "x", "```", "", "  "], True),
    "closed by more ticks": (["```", "`````"], True),
    "a shorter fence inside": (["````", "```"], False),
    "a fence inside": (["```md", "```sh", "```"], False),
    "a fence inside and the end": (["```md", "```sh", "```", "```"], True),
    "a fence without a language inside": (["```md", "```", "x", "```", "```"], True),
    "text behind the closing line": (["```", "x", "```", "y"], False),
    "ticks with text are no closing line": (["```", '```"""'], False),
    "a call behind the closing line": (["```", "x", "```", "<tools>", "```", "```"], False),
    "a fence with a language behind the closing line": (["```", "x", "```", "```json", "```", "```", "```"], False),
    "indented": (["  ```", "  x", "  ```"], True),
    "an indented fence inside": (["```", "    ```"], False),
    "tildes": (["~~~", "```", "~~~"], True),
}


@pytest.mark.parametrize("name", FENCED)
def test_a_fenced_block_may_end_at_the_line_that_closes_it(name: str) -> None:
    lines, complete = FENCED[name]
    scan = FencedScan()
    for line in lines:
        scan.add(f"{line}\n")
    assert scan.complete is complete


@pytest.mark.parametrize(
    ("lines", "rest", "text"),
    [
        (["```", "x", "```", "Done."], "Done.\n", "x\n"),
        (["```", "x", "```", "", "Done.", "Bye."], "\nDone.\nBye.\n", "x\n"),
        (["```", "x", "```", "y", "```"], None, "x\n```\ny\n"),
        (["```", "x", "Done."], None, "```\nx\nDone.\n"),
        (["```", "x", "```", "<tools>"], None, "```\nx\n```\n<tools>\n"),
    ],
)
def test_a_block_without_the_call_s_end_is_split_at_its_only_closing_line(
    lines: list[str], rest: str | None, text: str
) -> None:
    scan = FencedScan()
    for line in lines:
        scan.add(f"{line}\n")
    assert scan.split() == rest
    assert scan.text == text


def test_pairs_may_end_behind_a_replace_line() -> None:
    scan = PairsScan()
    seen: list[bool] = []
    for line in ("<<<<<<< SEARCH", "a", "=======", ">>>>>>> REPLACE", "", "<<<<<<< SEARCH"):
        scan.add(f"{line}\n")
        seen.append(scan.complete)
    assert seen == [False, False, False, True, True, False]


def test_a_raw_block_may_end_anywhere_unless_a_call_stands_in_it() -> None:
    scan = RawScan()
    scan.add("<code>\n")
    scan.add("x\n")
    scan.add("</code>\n")
    assert (scan.complete, scan.text) == (True, "x\n")
    scan.add("  <tools>\n")
    assert not scan.complete

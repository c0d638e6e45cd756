from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.reader import value_scans
from qagent.qwen.reader.block_scans import FencedScan, PairsScan, RawScan
from qagent.qwen.reader.value_scans import JsonScan, SpokenScan, XmlScan

VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def json_end(text: str, widths: Sequence[int] = (10_000,)) -> int | None:
    """Where the value ends that the text begins with, fed in pieces of these widths; None when it does not end."""
    scan, carry, taken = JsonScan(), "", 0
    ends = [1]
    while ends[-1] < len(text):
        ends.append(ends[-1] + widths[len(ends) % len(widths)])
    for start, end in pairwise(ends):
        piece = carry + text[start:end]
        pos = scan.scan(piece, 0, final=end >= len(text))
        taken, carry = taken + pos, piece[pos:]
        if scan.ended:
            return taken + 1 if scan.done else None
    return None


ENDS = {
    "{}": 2,
    "{} {}": 2,
    '{"a": "}"} b': 10,
    '{"a": "\\"}"}': 12,
    '{"a": "\\\\"}': 11,
    "[[], {}]]": 8,
    '{"a": "```\n</tools>"}': 21,
    "{'a': '}'}": 10,
    "{'a': 'don't}'}": 15,
    "{'a': 'it\\'s}'}": 15,
    "{“a”: “}”}": 10,
    "{a: `}${b}`}": 12,
    '{"a": """}"{\n"""}': 17,
    "{'a': '''}'{'''}": 16,
    '{"a": "", "b": ""}': 18,
    '{"a": "it\'s", "b": 1}': 21,
    "{a: don't}": 10,
    '{"a": 1 < 2}': 12,
}


@pytest.mark.parametrize("text", ENDS)
def test_a_value_ends_at_its_last_bracket(text: str) -> None:
    assert [json_end(text, widths) for widths in ((10_000,), (1,), (2,), (3, 1))] == [ENDS[text]] * 4


@pytest.mark.parametrize("text", ["{", '{"a": "}', '{"a": "\\"}', "[{}", '{"a": "\\', "{'a': '}", '{"a": """}""'])
def test_an_open_value_has_no_end(text: str) -> None:
    assert [json_end(text, widths) for widths in ((10_000,), (1,))] == [None, None]


@pytest.mark.parametrize("text", ['{"a": </tools>}', '{"a": 1\n```\n}', "[<tool_call>]"])
def test_a_tag_or_a_fence_between_brackets_breaks_the_value_off(text: str) -> None:
    scan = JsonScan()
    end = scan.scan(text, 1, final=True)
    assert (scan.broken, scan.done, text[end] in "<`") == (True, False, True)


@given(st.lists(VALUES, min_size=1).map(json.dumps), st.text(), st.lists(st.integers(1, 5), min_size=1))
def test_any_value_ends_there_however_it_is_cut(value: str, rest: str, widths: list[int]) -> None:
    assert json_end(value + rest, widths) == len(value)
    assert value_scans.json_end(value + rest, 0) == len(value)


SPOKEN = {
    "run(command='ls')": 17,
    'run(a="x)", b=(1, 2)) and': 21,
    "run(a='''it's)''') x": 18,
    'run a="b c" d=1\nmore': 15,
    '[f(a="b"), g()] x': 15,
    "run(a=1": None,
}


@pytest.mark.parametrize("text", SPOKEN)
def test_a_spoken_call_ends_at_its_bracket_or_its_line(text: str) -> None:
    for width in (1, 2, 100):
        scan, carry, taken = SpokenScan(), "", 0
        for start in range(0, len(text), width):
            piece = carry + text[start : start + width]
            pos = scan.scan(piece, 0, final=start + width >= len(text))
            taken, carry = taken + pos, piece[pos:]
            if scan.ended:
                break
        assert (taken if scan.ended else None) == SPOKEN[text]


XML = {
    "<function=f><parameter=a>x</parameter></function> y": (49, True),
    "<function=f><parameter=a></function>x</parameter></function>": (60, True),
    "<function=f><parameter=a>1 </parameter> 2</parameter></function>": (64, True),
    "<function=f></function>": (23, True),
    "<function=f><parameter=a>x</parameter></tool_call>": (38, False),
    "<function=f><parameter=a>x</tool_call>": None,
}


@pytest.mark.parametrize("text", XML)
def test_a_function_in_tags_ends_at_the_closer_that_no_parameter_needs(text: str) -> None:
    scan = XmlScan()
    end = scan.scan(text, text.index(">") + 1, final=True)
    assert ((end, scan.whole) if scan.ended else None) == XML[text]


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


ONLY_ENDS = {
    "Done.": (["```", "x", "```", "Done."], 3),
    "two lines": (["```", "x", "```", "", "Done.", "Bye."], 3),
    "another fence": (["```", "x", "```", "y", "```"], None),
    "no end": (["```", "x", "Done."], None),
    "the next call": (["```", "x", "```", "<tools>"], None),
}


@pytest.mark.parametrize("name", ONLY_ENDS)
def test_a_block_without_the_call_s_end_ends_at_the_only_line_that_can_close_it(name: str) -> None:
    lines, number = ONLY_ENDS[name]
    scan = FencedScan()
    for line in lines:
        scan.add(f"{line}\n")
    assert scan.only_end == (None if number is None else sum(len(line) + 1 for line in lines[:number]))


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
    assert scan.complete
    assert scan.text("<code>\nx\n</code>\n") == "x\n"
    scan.add("  <tools>\n")
    assert not scan.complete

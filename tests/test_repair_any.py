from __future__ import annotations

import json
import re
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.qwen.repair import Reading, readings
from qagent.types import Repair

ENVELOPE = ("name", "function", "arguments", "parameters", "id", "type")
KEYS = frozenset((*ENVELOPE, "path", "content", "command", "timeout", "mode", "globs"))


def given_by(text: str, *, keys: frozenset[str] = KEYS, whole: bool = True) -> list[Reading]:
    return list(readings(text, keys, whole=whole))


TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab \"'`“”’\\{}[]:,/*#\n\t0")
NAMES = st.sampled_from(sorted(KEYS)) | st.text("abc_ -\"'“\\}\n", min_size=1)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
CONTAINERS = st.lists(VALUES, max_size=4) | st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_json_has_one_reading_and_that_is_json_s(value: Any, indent: int | None, whole: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    assert given_by(text, whole=whole) == [Reading(value, (), 0)]


class Careless:
    """Writes a value as a model might: in quotes of one kind, and with one habit at every place where it can be had."""

    def __init__(self, quote: str, habits: frozenset[str]) -> None:
        self._quote = quote
        self._habits = habits

    def write(self, value: Any) -> str:
        match value:
            case dict():
                items = cast(dict[str, Any], value).items()
                pairs = [f"{self._key(key)}:{self._gap}{self.write(each)}" for key, each in items]
                return self._inside("{", pairs, "}")
            case list():
                return self._inside("[", [self.write(each) for each in cast(list[Any], value)], "]")
            case str():
                return self._text(value)
            case True | False | None if "python" in self._habits:
                return repr(value)
            case _:
                return json.dumps(value)

    @property
    def _gap(self) -> str:
        return " /* a } */ // ]\n" if "comments" in self._habits else " "

    def _inside(self, opening: str, parts: list[str], closing: str) -> str:
        comma = "\n" if "no commas" in self._habits else ",, " if "two commas" in self._habits else ", "
        end = "," if "trailing" in self._habits and parts else ""
        return f"{opening}{self._gap}{comma.join(parts)}{end}{self._gap}{closing}"

    def _key(self, key: str) -> str:
        if "bare keys" in self._habits and re.fullmatch(r"[a-z_]+", key):
            return key
        return self._text(key)

    def _text(self, text: str) -> str:
        raw = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
        if "control" in self._habits:
            raw = re.sub(r"(?<!\\)((?:\\\\)*)\\n", r"\1\n", raw)
        closing = {"“": "”", "‘": "’"}.get(self._quote, self._quote)
        if closing != self._quote and not set(text) & set("“”„‘’"):
            return f"{self._quote}{raw}{closing}"
        quote = '"' if closing != self._quote else self._quote
        return quote + raw.replace(quote[0], "\\" + quote[0]) + quote


HABITS = ["comments", "trailing", "two commas", "no commas", "python", "bare keys", "control"]


@settings(deadline=None)
@given(CONTAINERS, st.sampled_from(['"', "'", "`", "“", "‘"]), st.frozensets(st.sampled_from(HABITS)))
def test_any_value_that_was_written_carelessly_comes_back(value: Any, quote: str, habits: frozenset[str]) -> None:
    text = Careless(quote, habits).write(value)
    assert [reading.value for reading in given_by(text, whole=False)] == [value], text


@settings(deadline=None)
@given(CONTAINERS, st.text("}] \n", min_size=1, max_size=5))
def test_surplus_closers_are_dropped(value: Any, closers: str) -> None:
    assert [reading.value for reading in given_by(json.dumps(value) + closers, whole=False)] == [value]


@settings(deadline=None)
@given(CONTAINERS.filter(bool))
def test_missing_closers_are_added_to_a_whole_reply(value: Any) -> None:
    text = json.dumps({"arguments": {"mode": value}})
    cut = text.rstrip("}]") if not text.rstrip("}]").endswith(("[", "{")) else text[:-1]
    found = [reading.value for reading in given_by(cut + "\n")]
    assert {"arguments": {"mode": value}} in found
    assert given_by(cut + "\n", whole=False) == []


@settings(deadline=None)
@given(CONTAINERS)
def test_what_was_escaped_twice_comes_back(value: Any) -> None:
    text = json.dumps({"path": "a", "mode": value}, ensure_ascii=False, indent=1)
    twice = json.dumps(text)[1:-1]
    (reading,) = given_by(twice)
    assert reading == Reading({"path": "a", "mode": value}, ("double_escaped",), 3)


WORDS = st.text("abcd(){}.\\\n", min_size=1)
SAID = st.lists(WORDS.map(lambda word: word + "x") | WORDS.map(lambda word: f'"a{word}b"'), min_size=1).map(" ".join)


@settings(deadline=None)
@given(SAID, st.booleans())
def test_bare_quotes_that_pair_up_are_content(said: str, last: bool) -> None:
    value = {"path": "p", "content": said} if last else {"content": said, "path": "p"}
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\(?=\")", r"\1", json.dumps(value))
    assert [reading.value for reading in given_by(text)] == [value], text


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(KEYS)), TEXTS | st.integers(), min_size=1), st.data())
def test_a_text_or_a_number_that_was_cut_is_never_read(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=False)
    tokens = list(re.finditer(r'"(?:[^"\\]|\\.)*"|-?[0-9]+', text))
    token = data.draw(st.sampled_from(tokens))
    cut = (
        text[: data.draw(st.integers(token.start() + 1, token.end() - 1))] if len(token[0]) > 1 else text[: token.end()]
    )
    assert given_by(cut) == []
    assert given_by(cut, whole=False) == []


@settings(deadline=None)
@given(st.text("{}[]:,\"'`“”\\/*# \nab0-") | st.text(), st.booleans(), st.booleans())
def test_any_text_is_read_or_not_and_nothing_it_gives_is_unsafe(text: str, whole: bool, known: bool) -> None:
    found = given_by("{" + text, keys=KEYS if known else frozenset(), whole=whole)
    assert len({reading.rung for reading in found}) <= 1
    for reading in found:
        json.dumps(reading.value, allow_nan=False)
        assert set(reading.repairs) <= set(get_args(Repair))
        assert len(set(reading.repairs)) == len(reading.repairs)
        assert (reading.rung == 0) == (reading.repairs == ())


MANY = 30_000


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[" * 100_000,
            '{"a":' * MANY,
            "[{" * MANY,
            "{" + "}" * MANY,
            "[" * MANY + "]" * MANY,
            '["' * MANY,
            "{'" * MANY,
        ),
        *('{"a": x' + '"' * MANY, '{"content": "' + '" ' * MANY + '"}', '{"content": "' + 'a","path":' * MANY),
        *('["a",' + '"a",' * MANY + "x", "{" + '"a": "b",' * MANY + "x}", '{"a": "' + "\\d" * MANY + '" x}'),
        *("{" + "/* */" * MANY, "{" + "/*" * MANY, "{" + "#  \n" * MANY, "{`" * MANY, '{\\"' * MANY, "[1," * MANY),
        *('{"a": "' + '\\\\"' * MANY, '["' + 'a", "b" ' * MANY + '"]', '{"a": b' + ", c" * MANY, "{“" * MANY),
        *('{"a": """' + '""" ' * MANY, '{"a": "\\d ' + "C:\\x" * MANY + '"}', '{"a": ' + "1" * MANY + "}"),
    ],
)
def test_rubbish_of_any_length_gives_nothing(text: str) -> None:
    assert given_by(text) == []


@pytest.mark.parametrize("text", ["[" * 61 + "1" + "]" * 61, '{"a":' * 61 + "1" + "}" * 61])
def test_what_is_nested_too_deeply_is_not_read_by_a_detour(text: str) -> None:
    assert given_by(text) == given_by(text + "}") == given_by(json.dumps(text)[1:-1]) == []


def test_a_long_text_is_read() -> None:
    content = 'x = 1  # "y"\n' * 10_000
    text = json.dumps({"content": content})
    assert [reading.value for reading in given_by(text + "}")] == [{"content": content}]

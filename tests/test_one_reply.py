from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from command import Ran, qagent
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.cli.one_reply import Heard, as_taught, hear, record, shown
from qagent.types import BadCall, Parameter, Prose, ToolCall, ToolSpec

Capture = pytest.CaptureFixture[str]
LOOK = ToolSpec("look", parameters=(Parameter("path", "string", True),))
PUT = ToolSpec("put", parameters=(Parameter("path", "string"), Parameter("text", "string")), body=("text",))
HEADER = '{"name": "look", "arguments": {"path": "a"}}'
OTHER = '{"name": "look", "arguments": {"path": "b"}}'
TAUGHT = f"<tools>\n{HEADER}\n</tools>"


def parse(capsys: Capture, reply: str | bytes, folder: Path, *options: str) -> Ran:
    file = folder / "reply.txt"
    file.write_bytes(reply if isinstance(reply, bytes) else reply.encode())
    return qagent(capsys, "debug", "parse", str(file), *options)


def lines(text: str, *tools: ToolSpec) -> list[str]:
    return list(shown(hear(text, tools), tools))


def test_a_call_is_shown_as_written_and_beneath_it_as_taught() -> None:
    fence = f"```json\n{HEADER}\n```"
    assert lines(f"I look.\n{fence}\n", LOOK) == [
        "said:",
        "    I look.",
        "written:",
        "    ```json",
        f"    {HEADER}",
        "    ```",
        "→ 1.1 look, read from a code fence; as taught it is:",
        "    <tools>",
        f"    {HEADER}",
        "    </tools>",
        "= 1 reply; 1 call (from a code fence 1)",
    ]


def test_what_was_written_as_taught_is_shown_once() -> None:
    assert lines(TAUGHT, LOOK) == [
        "written:",
        "    <tools>",
        f"    {HEADER}",
        "    </tools>",
        "→ 1.1 look, as taught",
        "= 1 reply; 1 call (in tools tags 1)",
    ]


def test_a_call_in_the_right_tags_and_otherwise_written_is_shown_as_taught_too() -> None:
    told = lines('<tools>\n{"name": "put", "arguments": {"path": "a", "text": "x"}}\n</tools>', PUT)
    assert "→ 1.1 put, in tools tags; as taught it is:" in told
    assert told[-1] == "= 1 reply; 1 call (in tools tags 1)"


def test_line_ends_of_windows_are_line_ends() -> None:
    assert lines("one\r\ntwo\r\n")[:3] == ["said:", "    one", "    two"]


def test_a_bad_call_has_its_reason_and_what_was_dropped_is_shown() -> None:
    bad = '<tools>\n{"name": "no", "arguments": {}}\n</tools>'
    told = lines(f"{bad}\n<|im_start|>user\nThanks.", LOOK)
    assert told[:4] == ["written:", *(f"    {line}" for line in bad.split("\n"))]
    assert told[4].startswith("✗ 1.1 cannot be run: there is no tool 'no'")
    assert told[-4:] == [
        "dropped, behind an invented turn:",
        "    <|im_start|>user",
        "    Thanks.",
        "= 1 reply; 0 calls; 1 call that cannot be run; 24 characters dropped",
    ]


def test_calls_that_were_written_in_one_piece_stand_under_it_together() -> None:
    told = lines(f"```json\n[{HEADER}, {OTHER}]\n```", LOOK)
    assert told.count("written:") == 1
    assert [line.partition(",")[0] for line in told if line[0] == "→"] == ["→ 1.1 look", "→ 1.2 look"]


def test_the_same_call_written_twice_is_shown_twice() -> None:
    assert lines(f"{TAUGHT}\n{TAUGHT}", LOOK).count("written:") == 2


MENDED = ToolCall("1.1", "look", {"path": "a"}, "bare", ("quotes", "commas"))
HEARD = Heard("{'path': 'a',}", (MENDED,), {"1.1": slice(0, 14)}, "")


def test_what_was_mended_is_named() -> None:
    assert list(shown(HEARD, [LOOK]))[:3] == [
        "written:",
        "    {'path': 'a',}",
        "→ 1.1 look, read from bare JSON; mended: quotes, commas; as taught it is:",
    ]


def test_the_json_of_one_reply_has_it_all() -> None:
    assert record(HEARD, [LOOK]) == {
        "calls": [
            {
                "id": "1.1",
                "name": "look",
                "arguments": {"path": "a"},
                "form": "bare",
                "repairs": ("quotes", "commas"),
                "kind": "call",
                "written": "{'path': 'a',}",
                "as_taught": TAUGHT,
            }
        ],
        "text": None,
        "bad": [],
        "dropped": "",
        "reading": {
            "scope": "reply",
            "replies": 1,
            "calls": 1,
            "forms": {"bare": 1},
            "repairs": {"quotes": 1, "commas": 1},
            **dict.fromkeys(("bad_calls", "forced", "continued", "native", "dropped"), 0),
        },
    }


@pytest.mark.parametrize(
    ("tool", "arguments", "inside"),
    [
        (PUT, {"path": "a", "text": "x\n"}, '{"name": "put", "arguments": {"path": "a"}}\n```\nx\n```\n'),
        (PUT, {"path": "a", "text": 3}, '{"name": "put", "arguments": {"path": "a", "text": 3}}\n'),
        (
            ToolSpec("put", body=("new", "text")),
            {"new": "x\n", "text": "y"},
            '{"name": "put", "arguments": {"text": "y"}}\n```\nx\n```\n',
        ),
        (
            ToolSpec("put", body=("edits", "new")),
            {"edits": [{"old": "x", "new": "y"}]},
            '{"name": "put", "arguments": {}}\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n',
        ),
        (ToolSpec("put", body=("edits",)), {"edits": [1]}, '{"name": "put", "arguments": {"edits": [1]}}\n'),
        (ToolSpec("put", body=("edits",)), {"edits": []}, '{"name": "put", "arguments": {"edits": []}}\n'),
        (ToolSpec("other"), {}, '{"name": "put", "arguments": {}}\n'),
    ],
)
def test_no_argument_is_lost_in_the_taught_form(tool: ToolSpec, arguments: dict[str, Any], inside: str) -> None:
    assert as_taught(ToolCall("1", "put", arguments), [tool]) == f"<tools>\n{inside}</tools>"


def test_foreign_text_cannot_pass_for_a_line_of_ours() -> None:
    evil = "x\n= 9 calls\n\x1b[2J\r\u2028"
    parts = (Prose(evil), BadCall("1.1", evil, evil, evil), ToolCall("1.2", evil, {evil: evil}))
    heard = Heard(evil, parts, {"1.1": slice(0, len(evil)), "1.2": slice(0, len(evil))}, evil)
    told = list(shown(heard, ()))
    assert [line for line in told if line.startswith("=")] == [told[-1]]
    assert not any(char in line for line in told for char in "\x1b\r\n\u2028")


REPLIES = st.lists(
    st.sampled_from([TAUGHT, HEADER, "```json\n", "\n```\n", "[", "]", "{'", "'}", "\n", "<|im_end|>", "</tools>"])
    | st.text(st.characters(exclude_categories=()), max_size=5)
).map("".join)


@settings(deadline=None)
@given(REPLIES)
def test_any_reply_is_shown_and_recorded(text: str) -> None:
    heard = hear(text, [LOOK, PUT])
    assert _one_sum(shown(heard, [LOOK, PUT]))
    known = json.loads(json.dumps(record(heard, [LOOK, PUT])))
    assert known["reading"]["calls"] == len(known["calls"])
    assert all(call["written"] in text for call in (*known["calls"], *known["bad"]))


def _one_sum(told: Iterable[str]) -> bool:
    return [line[0] for line in told if line and line[0] in "=\x1b"] == ["="]


def test_one_reply_comes_from_a_file_with_the_tools_of_another(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read_file = '<tools>\n{"name": "read_file", "arguments": {"path": "a"}}\n</tools>'
    own = parse(capsys, read_file, tmp_path)
    assert (own.code, "→ 1.1 read_file, as taught" in own.out) == (0, True)
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps(["look", {"name": "put", "parameters": {"properties": {"n": {"type": "integer"}}}}]))
    foreign = parse(capsys, f"{read_file}\n{TAUGHT}", tmp_path, "--json", "--tools", str(tools)).json
    assert [call["name"] for call in foreign["calls"]] == ["look"]
    tools.write_text(json.dumps([{"type": "function", "function": {"name": "look"}}]))
    assert parse(capsys, TAUGHT, tmp_path, "--json", "--tools", str(tools)).json["bad"] == []
    assert [bad["name"] for bad in foreign["bad"]] == ["read_file"]


def test_bytes_that_are_no_text_are_replaced_and_told(capsys: Capture, tmp_path: Path) -> None:
    ran = parse(capsys, b"caf\xe9 au lait", tmp_path, "--json")
    assert (ran.code, ran.json["text"]) == (0, "caf\ufffd au lait")
    assert "byte 4 is not UTF-8" in ran.err
    assert parse(capsys, "café\ufffd", tmp_path, "--json").err == ""


@pytest.mark.parametrize(
    ("tools", "what"),
    [
        *((text, "tools.json is not a list of tools: it is not JSON") for text in ("", "[" * 9_000, "\x00")),
        ("{}", "tools.json is not a list of tools: it is JSON, and no list"),
        ('[{"nam": 1}]', "tools.json: tool 1 has no name"),
        ('["a", 1]', "tools.json: tool 2 has no name"),
        ('[{"name": "a", "parameters": []}]', "tools.json: tool 1 has parameters that are no JSON schema"),
    ],
)
def test_a_file_that_offers_no_tools_is_wrong_usage(capsys: Capture, tmp_path: Path, tools: str, what: str) -> None:
    file = tmp_path / "tools.json"
    file.write_text(tools)
    ran = parse(capsys, "x", tmp_path, "--tools", str(file))
    assert ran.code == 2
    assert what in ran.err
    assert "Input should" not in ran.err


@pytest.mark.parametrize("option", [["--json"], ["--tools", "x"]])
def test_json_lines_take_no_options_of_one_reply(capsys: Capture, tmp_path: Path, option: list[str]) -> None:
    ran = parse(capsys, "", tmp_path, "--jsonl", *option)
    assert ran.code == 2
    assert "--jsonl" in ran.err

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saved_sessions import made

from qagent.errors import SessionProblem
from qagent.session import Session, delete, export_markdown, find, latest, listing, peek
from qagent.session.file import LARGEST
from qagent.types import (
    AssistantMessage,
    BadCall,
    Message,
    Prose,
    SystemMessage,
    ToolCall,
    ToolResult,
    Usage,
    UserMessage,
)


def said(folder: Path, hours: int = 0, words: str = "hello", cwd: Path | None = None) -> Path:
    return made(folder, UserMessage(words), Usage(10), hours=hours, cwd=cwd)


# ------------------------------------------------------------------ the list


def test_the_list_shows_the_newest_first(tmp_path: Path) -> None:
    said(tmp_path, 0, "first")
    said(tmp_path, 2, "third")
    said(tmp_path, 1, "second")
    rows = listing(tmp_path)
    assert [row.title for row in rows] == ["third", "second", "first"]
    assert rows[2].created == "2026-11-20T09:30:15+00:00"
    assert rows[0].cwd == str(tmp_path.resolve())
    assert {(row.model, row.messages, row.state) for row in rows} == {("qwen2.5-coder:7b", 1, "ok")}


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"", "damaged"),
        (b"\0\0\0", "damaged"),
        (b'{"kind":"session"', "damaged"),
        (b'{"kind":"session","version":"x"}\n', "damaged"),
        (b'{"kind":"session","version":2,"id":"a","cwd":"/","model":"m","created":"","qagent":"9"}\n', "newer"),
        (b'{"kind":"session","version":1,"id":"a","cwd":"/","model":"m","created":"","qagent":"0"}\n{\n{}', "damaged"),
        (b'{"kind":"session","version":1,"id":"a","cwd":"/","model":"m","created":"","qagent":"0"}\n{"torn', "ok"),
    ],
)
def test_a_damaged_file_is_listed_as_such(tmp_path: Path, content: bytes, state: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    path = said(tmp_path)
    assert [(row.id, row.state) for row in listing(tmp_path)] == [("a", state), (path.stem, "ok")]
    assert (tmp_path / "a.jsonl").read_bytes() == content


def test_a_running_session_is_listed_as_in_use_and_can_be_read(tmp_path: Path) -> None:
    path = said(tmp_path)
    with Session.open(path) as session:
        session.add(UserMessage("more"))
        [row] = listing(tmp_path)
        assert (row.state, row.messages) == ("in use", 2)
        assert peek(path).messages == session.messages
    assert listing(tmp_path)[0].state == "ok"


def test_what_is_no_session_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    assert [(row.id, row.state) for row in listing(tmp_path)] == [("gone", "damaged"), ("folder", "damaged")]
    assert listing(tmp_path / "nowhere") == []
    assert listing(tmp_path / "notes.txt") == []


def test_a_pipe_a_device_and_a_file_that_is_far_too_large_are_listed_as_damaged(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "endless.jsonl").symlink_to("/dev/zero")
    with (tmp_path / "blank.jsonl").open("wb") as file:
        file.truncate(LARGEST + 1)
    large = said(tmp_path)
    os.truncate(large, LARGEST + 1)
    assert {row.id: row.state for row in listing(tmp_path)} == dict.fromkeys(
        ("pipe", "endless", "blank", large.stem), "damaged"
    )
    for name in ("pipe", "endless", "blank", large.stem):
        with pytest.raises(SessionProblem):
            peek(tmp_path / f"{name}.jsonl")
    large.unlink()
    assert latest(tmp_path, tmp_path) is None


def test_a_header_that_is_far_too_long_is_none(tmp_path: Path) -> None:
    path = said(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"title":""', b'"title":"%b"' % (b"x" * 70_000)))
    assert latest(tmp_path, tmp_path) is None


def test_odd_texts_in_a_header_do_no_harm(tmp_path: Path) -> None:
    path = said(tmp_path)
    text = path.read_text().replace("qwen2.5-coder:7b", "\\ud801\\u001b[2J").replace('"title":""', '"title":"\\ud800"')
    path.write_text(text.replace("2026-11-20T09:30:15+00:00", "yesterday"))
    [row] = listing(tmp_path)
    assert (row.created, row.model, row.title, row.state) == ("", "\ud801\x1b[2J", "\ud800", "ok")
    export_markdown(peek(path).messages, title=row.title).encode()


def test_reading_a_torn_session_writes_nothing(tmp_path: Path) -> None:
    path = said(tmp_path)
    content = path.read_bytes() + b'{"kind'
    path.write_bytes(content)
    record = peek(path)
    assert record.title == "hello"
    assert record.torn == b'{"kind'
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


# ------------------------------------------------------------------ which one is meant


def test_the_latest_is_that_of_the_same_folder(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    said(tmp_path, 0, cwd=here)
    wanted = said(tmp_path, 1, cwd=here)
    said(tmp_path, 2, cwd=there)
    (tmp_path / "zzz.jsonl").write_bytes(b"rubbish")
    assert latest(tmp_path, here) == wanted
    assert latest(tmp_path, here / ".." / "here") == wanted
    assert latest(tmp_path, tmp_path) is None
    assert latest(tmp_path / "none", here) is None


def test_a_session_in_which_nobody_said_anything_is_listed_and_is_not_the_latest(tmp_path: Path) -> None:
    wanted = said(tmp_path, 0)
    made(tmp_path, SystemMessage('say "kind":"user" to me'), hours=1)
    assert len(listing(tmp_path)) == 2
    assert latest(tmp_path, tmp_path) == wanted


def test_a_session_is_found_by_the_start_of_its_id(tmp_path: Path) -> None:
    first, second = said(tmp_path, 0), said(tmp_path, 1)
    assert find(tmp_path, "20261120-09") == first
    assert find(tmp_path, second.stem) == second


@pytest.mark.parametrize(
    ("prefix", "what", "todo"),
    [
        ("20261120", "2 sessions start with", "20261120-103015-"),
        ("20261121-09", "no session '20261121-09'", "20261120-093015-"),
        ("", "no session ''", "20261120-103015-"),
        ("../../etc/passwd", "no session", "`qagent sessions`"),
    ],
)
def test_what_is_not_found_names_what_is_near(tmp_path: Path, prefix: str, what: str, todo: str) -> None:
    said(tmp_path, 0)
    said(tmp_path, 1)
    with pytest.raises(SessionProblem) as caught:
        find(tmp_path, prefix)
    assert what in caught.value.what
    assert todo in caught.value.todo


def test_an_id_that_starts_another_is_found_all_the_same(tmp_path: Path) -> None:
    for name in ("a", "ab"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"")
    assert find(tmp_path, "a").stem == "a"


def test_without_sessions_nothing_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(SessionProblem) as caught:
        find(tmp_path, "2026")
    assert caught.value.todo == "there are no sessions yet"


# ------------------------------------------------------------------ away with one


def test_deleting_takes_the_torn_bytes_along(tmp_path: Path) -> None:
    path, other = said(tmp_path, 0), said(tmp_path, 1)
    path.with_suffix(".torn").write_bytes(b"{")
    delete(tmp_path, path.stem)
    assert list(tmp_path.iterdir()) == [other]


def test_a_damaged_session_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"rubbish")
    delete(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []


def test_a_session_in_use_is_not_deleted(tmp_path: Path) -> None:
    path = said(tmp_path)
    with Session.open(path), pytest.raises(SessionProblem, match="in use"):
        delete(tmp_path, path.stem)
    assert path.exists()


@pytest.mark.parametrize("name", ["20261120", "nothing", "", "../x"])
def test_only_a_whole_id_deletes(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"")
    path = said(tmp_path / "sessions")
    with pytest.raises(SessionProblem, match="no session"):
        delete(tmp_path / "sessions", name)
    assert path.exists()
    assert (tmp_path / "x.jsonl").exists()


# ------------------------------------------------------------------ export


def test_a_conversation_is_told_in_order() -> None:
    talk: list[Message] = [
        SystemMessage("secret rules"),
        UserMessage("Fix `total`.\n\n# please"),
        AssistantMessage(
            "",
            (
                Prose("I will look."),
                ToolCall("c1", "write_file", {"path": "a.py", "content": "x = 1\nprint(x)\n"}),
                ToolCall("c2", "list_files", {}),
                BadCall("c3", "<tools>{", "the JSON is cut"),
            ),
            "cancelled",
        ),
        ToolResult("c1", "written"),
        ToolResult("c3", "no such call", ok=False),
        UserMessage("Go on.", "harness"),
        AssistantMessage("only raw"),
    ]
    assert export_markdown(talk, title="Fix\ntotal") == (
        "# Fix total\n\n"
        "## User\n\n> Fix `total`.\n>\n> # please\n\n"
        "## Assistant\n\n> I will look.\n\n"
        '**Call** `c1`: `write_file`\n\n```json\n{\n  "path": "a.py"\n}\n```\n\n'
        "`content`:\n\n```\nx = 1\nprint(x)\n```\n\n"
        "**Call** `c2`: `list_files` (not run)\n\n```json\n{}\n```\n\n"
        "**A call that cannot be run** `c3`: the JSON is cut\n\n```\n<tools>{\n```\n\n"
        "*(cancelled)*\n\n"
        "**Result** of `c1`:\n\n```\nwritten\n```\n\n"
        "**Result** of `c3`, failed:\n\n```\nno such call\n```\n\n"
        "## qagent\n\n> Go on.\n\n"
        "## Assistant\n\n> only raw\n"
    )


def test_a_call_that_was_not_written_as_taught_has_a_line_about_it() -> None:
    fenced = ToolCall("c1", "list_files", {}, "fence", ("quotes", "inner_quotes"))
    told = export_markdown([AssistantMessage("", (fenced,))])
    assert "(not run)\n\n*(read from a code fence; mended: quotes, quotes inside text)*\n\n```json" in told


@pytest.mark.parametrize(
    ("result", "call", "told"),
    [
        (ToolResult("c1", "x"), "`run`", "`c1`:"),
        (ToolResult("c1", "x", good=False), "`run`", "`c1`:"),
        (ToolResult("c1", "x", ok=False), "`run`", "`c1`, failed:"),
        (ToolResult("c1", "x", ok=False, fate="refused"), "`run`", "`c1`, refused:"),
        (ToolResult("c1", "x", ok=False, fate="not_run"), "`run` (not run)", "`c1`, not run:"),
    ],
)
def test_what_became_of_a_call_is_told(result: ToolResult, call: str, told: str) -> None:
    text = export_markdown([AssistantMessage("", (ToolCall("c1", "run", {}),)), result])
    assert f"**Call** `c1`: {call}\n" in text
    assert f"**Result** of {told}\n" in text


def test_deep_arguments_are_told_in_part() -> None:
    deep: dict[str, Any] = {"x": 1}
    for _ in range(5_000):
        deep = {"a": [deep]}
    text = export_markdown([AssistantMessage("", (ToolCall("c1", "run", deep),))])
    assert '"…"' in text
    assert text.count('"a"') == 30


def test_fences_are_longer_than_any_inside() -> None:
    text = export_markdown([ToolResult("c`1", "```py\n`````\n```")])
    assert text == "**Result** of ``c`1``:\n\n``````\n```py\n`````\n```\n``````\n"


def test_control_characters_are_spelled_out() -> None:
    text = export_markdown([UserMessage("a\x1b]0;b\x07\r\nc\rd\x9b\u202e\ud800\t.")])
    assert text == "## User\n\n> a\\x1b]0;b\\x07\n> c\\rd\\x9b\\u202e\\ud800\t.\n"


ANY = st.text(st.characters(exclude_categories=()) | st.sampled_from("`\n~>"))


@settings(deadline=None)
@given(ANY, ANY, ANY)
def test_nothing_leaves_its_place(prose: str, name: str, text: str) -> None:
    inside = export_markdown(
        [
            UserMessage(prose),
            AssistantMessage(prose, (Prose(prose), ToolCall(name, name, {name: text}), BadCall(name, text, name))),
            ToolResult(name, text),
            UserMessage("the end"),
        ],
        title=name,
    )
    inside.encode("utf-8")
    assert all(char.isprintable() or char in "\n\t" or ord(char) >= 0xA0 for char in inside)
    assert top_level_headings(inside)[-2:] == ["## Assistant", "## User"]


def top_level_headings(text: str) -> list[str]:
    """A small reader of fences: what stands outside them at the start of a line, and is one of our headings."""
    found: list[str] = []
    fence = ""
    for line in text.split("\n"):
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            fence = "" if len(ticks) >= len(fence) and line.strip() == ticks else fence
        elif len(ticks) >= 3 and "`" not in line[len(ticks) :]:
            fence = ticks
        elif line.startswith("## "):
            found.append(line)
    return found

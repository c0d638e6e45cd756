from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from quirk_runs import (
    BROKEN,
    CHECK,
    DONE,
    EDIT,
    EDIT_JSON,
    PATH,
    PIECES,
    READ,
    RUN,
    RUN_JSON,
    TASK,
    Bug,
    Played,
    Run,
    before_all,
    early_answer,
    failed_answer,
    failed_edit,
    fenced,
    files_in,
    js,
    pair,
    play,
    tagged,
    tools,
    untested,
)
from quirk_shapes import BROKEN_JSON, CONTENT, FORMS
from scripted_agent import call, repository

from qagent.events import CallFinished
from qagent.testing import Reply

FolderOf = Callable[[Bug], Path]
UNDERSTOOD = FORMS | CONTENT

WHOLE = call("write_file", f"```python\n{PIECES.fixed}```\n", path=PATH)
SCHEMA = {"path": {"type": "string", "description": "File, relative to the repository."}}

TOLD: dict[str, Run] = {
    "schema-echo": before_all(tools(js("read_file", **SCHEMA)), "That call was not run"),
    "template-echo": before_all(
        tagged("tool_call", '{"name": <function-name>, "arguments": <args-json-object>}'), "That call was not run"
    ),
    "speculative-plan": Run(
        (f"{READ}\n{EDIT}\n{RUN}", EDIT, RUN, DONE), told="you have not seen the results above yet"
    ),
    "hallucinated-tool-name": before_all(tools(js("repository_structure", depth=2)), "The tools are: read_file"),
    "hallucinated-tool-name with a neighbour": before_all(
        tools(js("read_files", paths=[PATH])), "Did you mean read_file?"
    ),
    "early-finish": before_all(tools(js("finish", summary="Fixed.")), "there is no tool 'finish'"),
    "call-on-greeting": Run(
        (READ, "Hello! How can I help you today?", READ, EDIT, RUN, DONE),
        told="the user only said hello",
        tasks=("Hello!", TASK),
    ),
    "call-on-greeting and the usual answer": Run(
        (READ, "Hello! What can I do for you?", READ, EDIT, RUN, DONE),
        told="the user only said hello",
        tasks=("Hello!", TASK),
    ),
    "wrong-argument-name nobody knows": before_all(
        tools(js("read_file", path=PATH, depth=2)), "read_file takes no 'depth'"
    ),
    "wrong-types of a command in words": Run(
        (READ, EDIT, tools(js("run", command=CHECK.split())), RUN, DONE), 2, "'command' must be one string"
    ),
    "missing-arguments-key of what needs them": before_all(tools('{"name":"read_file"}'), "read_file needs 'path'"),
    "placeholder-arguments": before_all(tools(js("read_file", path="/path/to/labels.py")), "Write the real path."),
    "placeholder-arguments in a file": failed_edit(
        tools(js("write_file", path=PATH, content="<fileContent>")), "Write the real text."
    ),
    "placeholder-arguments in a block": failed_edit(
        call("write_file", "```python\n...\n```\n", path=PATH), "Write the real text."
    ),
    "placeholder-arguments of a result": before_all(
        tools(js("read_file", path="{{result from list_files function}}")), "is a placeholder"
    ),
    "path-drift": before_all(tools(js("read_file", path="/shop/labels.py")), "is outside this folder"),
    "path-drift of Windows": before_all(
        tools(js("read_file", path="C:/code/shop/labels.py")), "there is shop/labels.py"
    ),
    "path-drift of a bare name": before_all(tools(js("read_file", path="labels.py")), "there is shop/labels.py"),
    "unicode-drift": failed_edit(
        call("edit_file", pair(f'SIGN = "🎉"\n\n\ndef label(count):\n{PIECES.old}', PIECES.new), path=PATH), "Nearest:"
    ),
    "search-mismatch": failed_edit(
        call("edit_file", pair(PIECES.old.strip().replace("piece", "item"), PIECES.new), path=PATH), "Nearest:"
    ),
    "whole-defs-instead-of-search": failed_edit(
        call("edit_file", f"```python\n{PIECES.function}```\n", path=PATH),
        "'symbol'",
        call("edit_file", f"```python\n{PIECES.function}```\n", path=PATH, symbol="label"),
    ),
    "elided-content": failed_edit(
        call("write_file", f"```python\n{PIECES.function}\n# ... rest of the code unchanged\n```\n", path=PATH),
        "these lines would be lost: `",
    ),
    "pseudo-language": failed_edit(
        call("edit_file", pair(PIECES.old, '    return count === 1 ? "1 piece" : `${count} pieces`;'), path=PATH),
        "syntax error",
    ),
    "unescaped-quote-in-string that reads two ways": failed_edit(
        tools(EDIT_JSON.replace('"old"', '"old": "a", "new": "b", "old"')), "a key is there twice in its JSON"
    ),
    "truncated-call that ended by itself": failed_edit(
        tools(js("write_file", path=PATH, content="def"))[:-20], "its end is missing"
    ),
    "truncated-call in prose that does not go on": Run(
        (READ, EDIT, RUN, Reply("The label is", reason="length"), Reply("", reason="length"), DONE),
        4,
        "Your reply was cut",
    ),
    "stop at a lone brace": before_all("{", "<tools>"),
    "empty reply": early_answer("", "Your reply was empty"),
    "false-refusal": before_all(
        "I'm sorry, but I don't have direct access to files on your local machine.", "Call read_file now."
    ),
    "no-call-answer": early_answer(
        f"You should change the line:\n{fenced(PIECES.new, 'python')}", "nothing was done. Send the call now"
    ),
    "no-call-answer that promises": before_all("I will read shop/labels.py now.", "nothing was done. Send the call"),
    "no-call-answer that commands": early_answer(
        "Replace `count else` with `count == 1 else` in shop/labels.py.", "nothing was done. Send the call now"
    ),
    "no-call-answer that is the edit without its call": replace(
        early_answer(pair(PIECES.old, PIECES.new), "nothing was done. Send the call now"),
        shown=pair(PIECES.old, PIECES.new),
    ),
    "no-call-answer that asks for leave": early_answer("One piece is wrong. Shall I fix it?", "Yes, go on"),
    "faked-tool-result": before_all(
        "I run the test:\n<tool_response>\nexit 1\n</tool_response>\nIt fails.", "You wrote a result yourself"
    ),
    "faked-tool-result in words": untested("I fixed it. All tests pass now.", "No test has passed"),
    "claim without a deed": early_answer("I have fixed the bug in shop/labels.py.", "No file has been changed"),
    "claim without a deed in the passive": early_answer(
        "The file was successfully updated.", "No file has been changed"
    ),
    "claim about another file": untested("I have fixed shop/prices.py.", "shop/prices.py has not been changed"),
    "repeat-loop": Run((READ, READ, EDIT, RUN, DONE), 1, "This is the same result as before"),
    "repeat-loop with other words": Run(
        (*(tools(js("search", pattern=f"nowhere{n}")) for n in range(3)), READ, EDIT, RUN, DONE),
        2,
        "The last 3 calls all came to the same",
    ),
    "language-switch": failed_answer(
        "标签已经修正，一个包裹现在显示正确的文字。", "in the language of the user's message"
    ),
    "example-in-prose": failed_answer(
        (example := f'One can read it with `{js("read_file", path=PATH)}` again.'),
        "Your reply shows a call as text",
        shown=example,
    ),
    "example-in-code": failed_answer(
        (example := f'Call it so:\n```python\nask({js("read_file", path=PATH)})\n```\n'),
        "Your reply shows a call as text",
        shown=example,
    ),
}  # fmt: skip


CUT = {
    "in the header": (WHOLE, 40),
    "in the code": (WHOLE, 200),
    "in the closing tag": (WHOLE, len(WHOLE) - 4),
    "in a JSON string": (tools(EDIT_JSON), 110),
    "in a fence": (fenced(EDIT_JSON), 110),
}  # fmt: skip

BODIES = {
    "replacements": (js("edit_file", path=PATH), "<<<<<<< SEARCH\n", f"{PIECES.old}\n=======\n{PIECES.new}"),
    "a function": (js("edit_file", path=PATH, symbol="label"), "```python\n", PIECES.function[:-1]),
    "a file": (js("write_file", path=PATH), "```python\n", PIECES.fixed[:-1]),
}


@pytest.fixture(autouse=True)
def this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is run by this interpreter, not by whatever looks for one first."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FolderOf:
    """A repository with a bug in it; git is asked for each bug once."""

    @cache
    def of(bug: Bug) -> Path:
        return repository(tmp_path_factory.mktemp("project"), bug.files)

    return of


@pytest.fixture
def folder_of(made: FolderOf, tmp_path: Path) -> FolderOf:
    return lambda bug: Path(shutil.copytree(made(bug), tmp_path / "project"))


_CALL_TEXT = re.compile(
    r"</?(?:tool|function|response|json|xml|arg|param)|<\||\[/?TOOL|[\"“]?(?:name|arguments|path|command)[\"”]?\s*:"
    r"|```(?:json|xml|tool)|(?-i:SEARCH|REPLACE)|\{\"|```\s*```",
    re.IGNORECASE,
)
"""Of a call, and in no text of these scripts that is meant for a person."""


def assert_fixed(run: Run, played: Played, folder: Path) -> None:
    assert [outcome.reason for outcome in played.outcomes] == ["done"] * len(run.tasks), played.outcomes
    assert [outcome.refused for outcome in played.outcomes] == [0] * len(run.tasks)
    assert files_in(folder) == {**run.bug.files, PATH: run.bug.fixed}
    deeds = [event for event in finished(played) if event.name == "run" or event.changed]
    assert (deeds[-1].name, deeds[-1].good, deeds[-1].text[:6]) == ("run", True, "exit 0")
    assert len(played.generated) == len(run.replies)
    assert run.shown in played.shown
    assert _CALL_TEXT.findall(played.shown.replace(run.shown, "")) == []


def assert_understood(played: Played) -> None:
    assert not {"bad_call_seen", "notice"} & {event.kind for event in played.events}
    assert all(event.ok for event in finished(played))


def finished(played: Played) -> list[CallFinished]:
    return [event for event in played.events if isinstance(event, CallFinished)]


@pytest.mark.parametrize("quirk", UNDERSTOOD)
async def test_a_quirk_that_is_understood_costs_no_word(quirk: str, folder_of: FolderOf) -> None:
    run = UNDERSTOOD[quirk]
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert_understood(played)


@pytest.mark.parametrize("quirk", BROKEN_JSON)
async def test_broken_json_that_reads_in_one_way_is_mended(quirk: str, folder_of: FolderOf) -> None:
    run = BROKEN_JSON[quirk]
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert_understood(played)
    mended = [bool(event.repairs[0]) for event in played.events if event.kind == "reply_finished" and event.repairs]
    assert mended == [number == run.at for number in range(3)]


@pytest.mark.parametrize("quirk", TOLD)
async def test_a_quirk_that_the_model_is_told_of_is_made_good(quirk: str, folder_of: FolderOf) -> None:
    run = TOLD[quirk]
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert run.told in played.told_after(run.at)


@pytest.mark.parametrize("where", CUT)
async def test_a_call_that_the_reply_limit_cut_is_gone_on_with(where: str, folder_of: FolderOf) -> None:
    text, at = CUT[where]
    run = Run((READ, Reply(text[:at], reason="length"), text[at:], RUN, DONE))
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert_understood(played)
    assert played.generated[2].prompt == played.generated[1].prompt + text[:at]


async def test_an_answer_that_the_reply_limit_cut_is_gone_on_with(folder_of: FolderOf) -> None:
    run = Run((READ, EDIT, RUN, Reply(DONE[:20], reason="length"), DONE[20:]))
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert_understood(played)
    assert played.outcomes[-1].answer == DONE


@pytest.mark.parametrize("body", BODIES)
async def test_after_two_broken_edits_the_third_is_forced(body: str, folder_of: FolderOf) -> None:
    header, opening, code = BODIES[body]
    run = Run((READ, BROKEN, BROKEN, header, code, RUN, DONE))
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert "That call was not run" in played.told_after(1)
    assert [number for number, asked in enumerate(played.generated) if asked.format] == [3]
    assert played.generated[3].prompt.endswith("<|im_start|>assistant\n<tools>\n")
    assert played.generated[4].prompt == f"{played.generated[3].prompt}{header}\n{opening}"


async def test_after_two_broken_commands_the_third_is_forced(folder_of: FolderOf) -> None:
    run = Run((READ, EDIT, BROKEN, BROKEN, RUN_JSON, DONE))
    folder = folder_of(run.bug)
    played = await play(run, folder)
    assert_fixed(run, played, folder)
    assert [number for number, asked in enumerate(played.generated) if asked.format] == [4]

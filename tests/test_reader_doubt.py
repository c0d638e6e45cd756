"""What was meant as a call and is not run, and what the model is told."""

from __future__ import annotations

import pytest
from replies import EDIT, LS, PAIR, READ_A, TOTAL, WRITE, bad, calls, parts_of, read, tags
from replies import text as lines

from qagent.types import BadCall, ToolCall


def call(name: str, arguments: str) -> str:
    return tags(f'{{"name": "{name}", "arguments": {arguments}}}')


OURS = ("Example:", "```", *tags(WRITE, "```python", "x = 1", "```").split("\n"), "```", "Done")
TWO_FENCES = lines("```json", WRITE, "```", "```", "x = 1", "```")
CUT = "end is missing"

NOT_RUN = {
    "cut in a string": ("<tools>\n" + LS[:-5], CUT),
    "cut behind a header": ("<tools>\n" + WRITE, "'content'"),
    "cut in a fenced block": (lines("<tools>", WRITE, "```", "x = 1"), CUT),
    "cut in a raw block": (lines("<tools>", WRITE, "x = 1"), CUT),
    "cut in a bare call": (LS[:-5], CUT),
    "cut in a bare call's code": (lines(WRITE, "```", "x = 1"), CUT),
    "cut in a fenced call": (lines("```json", LS[:-5]), CUT),
    "cut in a nested fence": (lines("```json", WRITE, "```", "```md", "```sh", "ls", "```", "more"), CUT),
    "cut by an invented turn": (tags(WRITE, "```", "x", "<|im_start|>user", "```"), CUT),
    "cut by an invented turn in a string": (tags(LS.replace("ls", "ls<|im_end|>")), CUT),
    "raw code with its closer on the last line": (tags(WRITE, "x = 1</tools>")[:-9], CUT),
    "our own format in a block": (tags(WRITE, "```md", *OURS, "```"), CUT),
    "the next call in the block": (tags(WRITE, "```", "x", "```", "<tools>", WRITE, "```", "y", "```"), CUT),
    "the next call in a raw block": (tags(WRITE, "x = 1", "<tools>", LS), CUT),
    "the next call behind pairs": (tags(EDIT, PAIR, "<tools>", LS), CUT),
    "two calls in fences": (TWO_FENCES + TWO_FENCES, CUT),
    "a marker in the old text": (tags(EDIT, PAIR.replace("old", "<<<<<<< SEARCH")), "such markers itself"),
    "prose between pairs": (tags(EDIT, PAIR, "and", PAIR), "nothing stands between two"),
    "no divider": (tags(EDIT, PAIR.replace("=======\n", "")), "not whole"),
    "prose behind pairs": (tags(EDIT, PAIR, "That is it."), CUT),
    "an open quote": (tags(LS.replace('ls"', 'ls -la, "timeout": "5"')) + "\nI wait.", "a quote inside its JSON"),
    "broken JSON": (tags(LS.replace(":", "=")), "JSON is broken near"),
    "an unknown tool": (call("read_files", "{}"), "no tool 'read_files'. Did you mean read_file?"),
    "a strange tool": (call("launch", "{}"), "no tool 'launch'. There are: read_file, write_file, edit_file, run."),
    "a missing argument": (call("run", "{}"), "run needs 'command'."),
    "a missing argument in a fence": (
        lines("```json", '{"name": "run", "arguments": {}}', "```"),
        "run needs 'command'.",
    ),
    "an unknown argument": (call("run", '{"command": "ls", "cwd": "/"}'), "run takes no 'cwd'"),
    "a wrong type": (call("run", '{"command": "ls", "timeout": "soon"}'), "'timeout' must be of type integer"),
    "nothing": ("<tools>\n</tools>", "no call in the tags"),
    "prose": ("<tools>I wait.</tools>", "no call in the tags"),
    "prose in an open tag": ("<tools>I wait.", "no call in the tags"),
    "an empty list": (tags("[]"), "list of calls is empty"),
    "a schema": (tags('{"function": {"name": "run", "parameters": {"properties": {}}}}'), "definition of a tool"),
    "data": (tags('{"a": 1}'), "no name and arguments"),
    "an edit without its text": (tags(EDIT), "needs a block after the JSON, or edits or old with new"),
    "code for a path alone": (tags(EDIT, "```", "x = 1", "```"), "'old' or 'symbol' beside 'new'"),
    "pairs beside a symbol": (tags(TOTAL, PAIR), "no 'symbol' beside SEARCH/REPLACE blocks"),
    "two dividers": (tags(EDIT, PAIR.replace("new", "new\n=======")), "such markers itself"),
    "replacements of another shape": (call("edit_file", '{"path": "a", "edits": [5]}'), "needs old and new"),
    "replacements of numbers": (call("edit_file", '{"path": "a", "edits": [{"old": 1, "new": 2}]}'), "both texts"),
    "an empty text and raw code": (
        call("write_file", '{"path": "a.py", "content": ""}').replace("\n</", "\nx = 1\n</"),
        "Leave the empty one out",
    ),
    "half of a surrogate pair": (call("run", '{"command": "\\ud83c"}'), "surrogate"),
    "half of a surrogate pair in a list": (
        call("edit_file", '{"path": "a", "edits": "[{\\"old\\": \\"\\\\ud83c\\", \\"new\\": \\"\\"}]"}'),
        "surrogate",
    ),
    "deep JSON": (call("run", f'{{"command": {"[" * 500}{"]" * 500}}}'), "nested too deeply"),
    "very deep JSON": (call("run", "[" * 50_000 + "]" * 50_000), "nested too deeply"),
    "a very long number": (call("run", f'{{"timeout": {"1" * 5_000}}}'), "too long"),
}


@pytest.mark.parametrize("name", NOT_RUN)
def test_what_is_in_doubt_is_not_run_and_the_model_is_told_why(name: str) -> None:
    reply, why = NOT_RUN[name]
    parts = read(reply) if len(reply) < 20_000 else parts_of([reply])[0]
    assert calls(parts) == []
    assert why in bad(parts)[0].why


def test_a_good_call_is_kept_beside_a_bad_one() -> None:
    broken = '{"name": "launch", "arguments": {}}'
    parts = read(tags(READ_A, broken, READ_A))
    assert [type(part) for part in parts] == [ToolCall, BadCall, ToolCall]
    assert bad(parts)[0].raw == broken


@pytest.mark.parametrize("tail", [LS[:-9], lines(WRITE, "```", "x = 1"), WRITE])
def test_a_good_call_is_kept_before_one_that_is_cut(tail: str) -> None:
    parts = read(f"<tools>\n{READ_A}\n{tail}")
    assert [type(part) for part in parts] == [ToolCall, BadCall]
    assert bad(parts)[0].raw.startswith(tail[:20])


def test_the_bad_call_carries_what_was_written_for_it() -> None:
    code = "```\nx = 1\n"
    assert bad(read(f"<tools>\n{READ_A}\n{WRITE}\n{code}"))[0].raw == f"{WRITE}\n{code}"
    assert bad(read(f"<tools>\n{LS[:-9]}"))[0].raw == LS[:-9]


LIMITED = {
    "behind the header": lines("<tools>", WRITE),
    "behind a fenced block": lines("<tools>", WRITE, "```", "x = 1", "```"),
    "in half a closing tag": lines("<tools>", WRITE, "```", "x = 1", "```") + "</tool",
    "behind pairs": lines("<tools>", EDIT, PAIR),
    "behind a block without tags": lines(WRITE, "```", "x = 1", "```"),
    "in front of the last brace": f"<tools>{LS[:-1]}",
    "in a word without quotes": "<tools>\nrun command=l",
    "in front of the last brace, bare": LS[:-1],
}


@pytest.mark.parametrize("name", LIMITED)
def test_what_a_limit_has_cut_off_is_not_run(name: str) -> None:
    assert calls(read(LIMITED[name], cut=True)) == []
    assert bad(read(LIMITED[name], cut=True))


@pytest.mark.parametrize("name", list(LIMITED)[1:])
def test_the_same_runs_when_the_model_has_ended_there_by_itself(name: str) -> None:
    assert len(calls(read(LIMITED[name]))) == 1


def test_a_closed_tag_keeps_broken_json_away_from_the_next_call() -> None:
    broken = tags(LS.replace(":", "="))
    assert calls(read(f"{broken}\n{tags(READ_A)}")) == [("read_file", {"path": "a.py"})]
    assert calls(read(f"<tools>I wait.\n{tags(READ_A)}")) == [("read_file", {"path": "a.py"})]

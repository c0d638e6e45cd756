from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import TOOLS

from qagent.qwen.calls.aliases import PARAMETERS, familiar, kind, namesakes, plain, renamed, spelled, written_for
from qagent.qwen.calls.aliases import TOOLS as ROWS
from qagent.types import Parameter, ToolSpec

SPELLED = [
    ("read_file", "read_file"),
    ("Read_File", "read_file"),
    ("readFile", "read_file"),
    ("read-file", "read_file"),
    ("read file", "read_file"),
    ("READ_FILE", "read_file"),
    (" read_file ", "read_file"),
    ("`read_file`", "read_file"),
    ('"read_file"', "read_file"),
    ("**run**", "run"),
    ("run()", "run"),
    ("functions.read_file", "read_file"),
    ("function:run", "run"),
    ("default_api:read_file", "read_file"),
    ("tools.run", "run"),
]


@pytest.mark.parametrize(("written", "name"), SPELLED)
def test_a_name_may_be_spelled_in_other_ways(written: str, name: str) -> None:
    spec = spelled(written, TOOLS)
    assert spec is not None
    assert spec.name == name


@pytest.mark.parametrize("written", ["", "read", "read_files", "fly", "my.run", "run_", "x" * 100_000])
def test_another_name_is_no_spelling(written: str) -> None:
    spec = spelled(written, TOOLS)
    assert spec is None or plain(spec.name) == plain(written)


def test_of_two_names_that_differ_in_case_the_exact_one_is_meant_or_none() -> None:
    tools = [ToolSpec("gitlog"), ToolSpec("git_log"), ToolSpec("git_log_short")]
    for tool in tools:
        assert spelled(tool.name, tools) is tool
    assert spelled("GIT_LOG", tools) is None
    assert spelled("git-log-short", tools) is tools[2]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("cat", "read_file"),
        ("view", "read_file"),
        ("read", "read_file"),
        ("open_file", "read_file"),
        ("create_file", "write_file"),
        ("save-file", "write_file"),
        ("str_replace", "edit_file"),
        ("replace_in_file", "edit_file"),
        ("bash", "run"),
        ("execute_command", "run"),
        ("Shell", "run"),
    ],
)
def test_what_other_agents_call_a_tool_is_known(written: str, name: str) -> None:
    assert [spec.name for spec in namesakes(written, TOOLS)] == [name]


def test_an_invented_name_has_no_namesake() -> None:
    for written in ("todorantum", "report_error", "repository_structure", "delete_file", "", "finish"):
        assert namesakes(written, TOOLS) == []


def test_a_word_for_two_offered_tools_names_both() -> None:
    tools = [ToolSpec("bash"), ToolSpec("shell")]
    assert namesakes("run", tools) == tools


def test_every_row_has_a_reason_and_plain_names() -> None:
    for row in (*ROWS, *PARAMETERS):
        assert row.reason
        assert all(plain(name) == name for name in row.names)
    names = [name for row in ROWS for name in row.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("path", "path"),
        ("filePath", "path"),
        ("folder", "path"),
        ("cmd", "command"),
        ("content", "text"),
        ("new_string", "new"),
        ("query", "pattern"),
        ("old", ""),
        ("note", ""),
        ("", ""),
    ],
)
def test_the_name_of_an_argument_says_what_it_holds(name: str, what: str) -> None:
    assert kind(name) == what


def test_the_folder_of_a_search_and_its_pattern_are_found() -> None:
    find = ToolSpec(
        "find_text", parameters=(Parameter("pattern", "string", required=True), Parameter("folder", "string"))
    )
    assert renamed(find, {"query": "x", "path": "src"}) == {"pattern": "x", "folder": "src"}
    assert renamed(find, {"regex": "x", "dir": "src"}) == {"pattern": "x", "folder": "src"}
    both = ToolSpec("find", parameters=(Parameter("path", "string"), Parameter("folder", "string")))
    assert renamed(both, {"dir": "src"}) == {"dir": "src"}


def test_names_that_file_tools_know_are_familiar() -> None:
    assert familiar(["path", "oldString", "cmd"])
    assert not familiar(["path", "version"])


def test_what_may_stand_for_a_parameter_is_listed() -> None:
    assert {"path", "file", "filePath", "file_path", "dir"} <= written_for(["path"])
    assert "cmd" not in written_for(["path"])
    assert written_for([]) == frozenset()


@given(st.text(), st.dictionaries(st.text(max_size=8), st.none() | st.text(max_size=3), max_size=4))
def test_any_name_is_judged(name: str, arguments: dict[str, str | None]) -> None:
    spelled(name, TOOLS)
    namesakes(name, TOOLS)
    kind(name)
    for tool in TOOLS:
        real = renamed(tool, dict(arguments))
        assert [value for value in real.values() if not (value is None or isinstance(value, str))] == []

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qagent.errors import ConfigProblem
from qagent.qwen.reader.lexemes import lexeme
from qagent.tools.toolbox import signature, standard_toolbox
from qagent.words import Words, shipped
from qagent.workspace.place import Workspace

PLACES: dict[str, tuple[str, ...]] = {
    "again": (),
    "answer_now": ("times",),
    "bad_call": ("why", "example"),
    "check_failed": ("command", "output"),
    "cut_reply": (),
    "done_again": ("files",),
    "edit_search_replace": ("example",),
    "edit_short": ("lines", "example"),
    "edit_symbol": ("example",),
    "edit_whole": ("example",),
    "empty_reply": (),
    "give_reason": (),
    "go_on": (),
    "greeting": (),
    "have_tools": ("tool",),
    "invented_result": (),
    "no_edit": (),
    "no_headway": ("times",),
    "no_run": (),
    "no_test": (),
    "not_run": (),
    "not_that_file": ("path",),
    "notes": ("name", "notes"),
    "other_edit": ("times",),
    "other_language": (),
    "plan_mode": (),
    "same_result": (),
    "send_call": (),
    "stray_call": (),
    "system": ("tools", "read_file", "changes"),
    "system_chat": (),
    "taken_back": ("files",),
    "unknown_tool": ("why", "names", "example"),
    "waits": (),
}


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        kind, stem = name.split("__")
        file = path / kind / f"{stem}.{'md' if kind == 'prompts' else 'toml'}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", PLACES)
def test_every_shipped_prompt_is_filled_with_exactly_its_places(name: str) -> None:
    filled = Words().prompt(name, **{place: f"[{place}]" for place in PLACES[name]})
    assert all(f"[{place}]" in filled for place in PLACES[name])
    assert not filled.endswith("\n")


def test_every_shipped_prompt_is_known_and_used() -> None:
    assert {path.stem for path in shipped("prompts").iterdir()} == set(PLACES)
    package = Path(__file__).parent.parent / "qagent"
    source = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    assert [name for name in PLACES if not re.search(rf'"{name}"', source)] == []


@pytest.mark.parametrize("places", [{}, {"why": "a"}, {"why": "a", "example": "b", "more": "c"}])
def test_a_place_without_a_value_and_a_value_without_a_place_are_errors(places: dict[str, str]) -> None:
    with pytest.raises(ConfigProblem, match="does not fit its places"):
        Words().prompt("bad_call", **places)


def test_values_are_put_in_as_they_are() -> None:
    assert "$why ${x} $" in Words().prompt("bad_call", why="$why ${x} $", example="")


def test_a_dollar_sign_is_written_twice(tmp_path: Path) -> None:
    assert Words(folder(tmp_path, prompts__not_run="costs $$5\n")).prompt("not_run") == "costs $5"
    with pytest.raises(ConfigProblem, match=r"stray `\$`"):
        Words(folder(tmp_path, prompts__not_run="costs $5")).prompt("not_run")


def test_the_project_s_words_win_over_own_ones_and_those_over_the_shipped(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", prompts__not_run="own", prompts__no_edit="own")
    project = {"prompts/not_run.md": b"project\n", "prompts/no_test.txt": b"not a prompt", "no_edit.md": b"nor this"}
    words = Words(own, project)
    assert words.prompt("not_run") == "project"
    assert words.prompt("no_edit") == "own"
    assert words.prompt("no_test") == Words().prompt("no_test")


def test_a_project_has_no_say_about_tools(tmp_path: Path) -> None:
    table = 'risk = "read"\nsummary = "harmless"\n'
    project = {"tools/run.toml": table.encode()}
    assert Words(None, project).tool("run")["risk"] == "command"
    assert Words(folder(tmp_path / "own", tools__run=table), project).tool("run")["summary"] == "harmless"


@pytest.mark.parametrize("name", ["nothing", "../system"])
def test_words_that_are_not_there_are_named(name: str) -> None:
    with pytest.raises(ConfigProblem, match="there are no words named") as caught:
        Words().prompt(name)
    assert "system" in caught.value.todo


def test_broken_words_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match=r"run\.toml"):
        Words(folder(tmp_path, tools__run="risk = ")).tool("run")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "not_run.md").write_bytes(b"\xff")
    with pytest.raises(ConfigProblem, match=r"not_run\.md cannot be read"):
        Words(tmp_path).prompt("not_run")


def test_broken_words_of_a_project_are_named() -> None:
    with pytest.raises(ConfigProblem, match=r"the project's prompts/not_run\.md cannot be read"):
        Words(None, {"prompts/not_run.md": b"\xff"}).prompt("not_run")
    with pytest.raises(ConfigProblem, match=r"the project's prompts/not_run\.md does not fit its places: name"):
        Words(None, {"prompts/not_run.md": b"$name"}).prompt("not_run")


@pytest.mark.parametrize("control", ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|fim_pad|>", "<tool_response>"])
def test_words_that_would_end_the_turn_are_refused(tmp_path: Path, control: str) -> None:
    found = lexeme(control, 0, final=True)
    assert found
    assert found.kind == "control"
    own = folder(tmp_path, prompts__not_run=f"a\n{control}", tools__run=f"risk = 'read'\nsummary = '{control}'")
    with pytest.raises(ConfigProblem, match=re.escape(control)):
        Words(own).prompt("not_run")
    with pytest.raises(ConfigProblem, match=re.escape(control)):
        Words(own).tool("run")
    with pytest.raises(ConfigProblem, match=re.escape(control)):
        Words(None, {"prompts/not_run.md": control.encode()}).prompt("not_run")


TOOL_NAMES = ["read_file", "edit_file", "write_file", "list_files", "search", "run"]


def test_every_tool_file_has_its_function_and_every_function_its_file(tmp_path: Path) -> None:
    specs = standard_toolbox(Workspace.open(tmp_path), Words()).specs
    assert [spec.name for spec in specs] == TOOL_NAMES
    assert {path.stem for path in shipped("tools").iterdir()} == set(TOOL_NAMES)


def test_every_tool_is_described_with_an_example(tmp_path: Path) -> None:
    for spec in standard_toolbox(Workspace.open(tmp_path), Words()).specs:
        assert spec.examples
        assert spec.parameters is not None
        assert all(parameter.words.endswith(".") for parameter in spec.parameters)
        assert signature(spec).startswith(f"- {spec.name}(")
        names = {parameter.name for parameter in spec.parameters}
        assert {name for form in (*spec.forms, spec.body) for name in form} <= names


def test_a_tool_file_with_other_parameters_than_its_function_is_refused(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", tools__run='risk = "command"\nsummary = "s"\n[parameters]\ncommand = "c"\n')
    with pytest.raises(ConfigProblem, match="do not have the same parameters"):
        standard_toolbox(Workspace.open(tmp_path), Words(own))

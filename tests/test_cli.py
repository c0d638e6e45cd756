from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import qagent
from scripted_agent import repository

from qagent import __version__
from qagent.testing import LoopbackOllama

Capture = pytest.CaptureFixture[str]


def test_the_version_is_answered_without_loading_anything() -> None:
    code = (
        "import sys; sys.argv = ['qagent', '--version']\n"
        "from qagent.__main__ import main\n"
        "main(); print(sorted(set(sys.modules) & {'typer', 'httpx', 'pydantic', 'qagent.cli', 'asyncio', 'json'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [f"qagent {__version__}", "[]"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--modle", "x"], "--model"),
        (["-p", "x", "--mode", "acept-edits"], "accept-edits"),
        (["dmeo"], "demo"),
        (["-p", "x", "--output-format", "yaml"], "stream-json"),
        (["-p", ""], "the task is empty"),
        (["-p", "x", "-C", "/no/such/folder"], "no folder"),
        (["-p", "x", "--max-turns", "0"], "max_turns"),
        (["-p", "x", "--timeout", "5x"], "timeout"),
        (["-p", "x", "--set", "max_turn=3"], "max_turns"),
        (["--yolo", "--mode", "plan"], "--yolo"),
        (["-c", "-r", "x"], "give one of them"),
        (["-p", "x", "sessions"], "stand behind it"),
        (["-q", "sessions"], "stand behind it"),
        (["--json"], "no JSON form"),
        (["debug", "parse", "/no/such/file"], "cannot be read"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_suggestion(capsys: Capture, arguments: list[str], said: str) -> None:
    ran = qagent(capsys, arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_without_a_server_a_conversation_ends_as_a_task_does(capsys: Capture) -> None:
    with LoopbackOllama([]) as server:
        url = server.url
    ran = qagent(capsys, "--host", url)
    assert ran.code == 6
    assert "no answer at" in ran.err


def test_no_arguments_at_all_and_no_server_is_no_bug(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    ran = qagent(capsys)
    assert ran.code == 6
    assert "Traceback" not in ran.err


def test_json_is_answered_also_when_the_command_line_is_wrong(capsys: Capture) -> None:
    ran = qagent(capsys, "--json", "--nonsense")
    assert (ran.code, ran.json["exit"], ran.json["reason"]) == (2, 2, "usage_problem")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("num_ctx = 8192\nmodle = 'x'\n", ["line 2", "modle", "model"]),
        ("num_ctx = 'many'\n", ["line 1", "num_ctx"]),
        ("num_ctx = \n", ["line 1"]),
    ],
)
def test_a_broken_settings_file_names_file_line_and_key(
    capsys: Capture, nobodys_environment: Path, text: str, said: list[str]
) -> None:
    file = nobodys_environment / "qagent_home" / "config.toml"
    file.parent.mkdir()
    file.write_text(text)
    ran = qagent(capsys, "-p", "x")
    assert ran.code == 10
    assert all(word in ran.err for word in [*said, str(file)])


def test_an_unknown_setting_in_the_environment_gets_a_suggestion(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QAGENT_MAX_TURN", "3")
    ran = qagent(capsys, "-p", "x")
    assert ran.code == 10
    assert "QAGENT_MAX_TURNS" in ran.err


def test_sessions_are_listed_shown_exported_and_deleted(tmp_path: Path, capsys: Capture) -> None:
    assert "no sessions" in qagent(capsys, "sessions").err
    with LoopbackOllama(["It adds."]) as server:
        qagent(capsys, "-p", "What does it do?", "-C", str(repository(tmp_path)), "--host", server.url)
    (row,) = qagent(capsys, "sessions", "--json").json["sessions"]
    assert row["title"] == "What does it do?"
    assert row["id"] in qagent(capsys, "sessions", "list").out
    assert "It adds." in qagent(capsys, "sessions", "show", row["id"]).out
    assert '"kind":"assistant"' in qagent(capsys, "sessions", "show", row["id"], "--json").out
    target = tmp_path / "out.md"
    assert qagent(capsys, "sessions", "export", row["id"], "-o", str(target)).code == 0
    assert "It adds." in target.read_text()
    assert qagent(capsys, "sessions", "export", row["id"], "-o", str(target)).code == 2
    assert qagent(capsys, "sessions", "delete", row["id"]).code == 0
    assert qagent(capsys, "sessions", "show", row["id"]).code == 10


def test_debug_prompt_prints_what_the_model_would_get(tmp_path: Path, capsys: Capture) -> None:
    plain = qagent(capsys, "debug", "prompt", "Do it.", "-C", str(tmp_path)).out
    said = qagent(capsys, "debug", "prompt", "Do it.", "-C", str(tmp_path), "--json").json
    assert said["text"] == plain
    assert plain.startswith("<|im_start|>system\nYou are qagent")
    assert plain.endswith("<|im_start|>user\nDo it.<|im_end|>\n<|im_start|>assistant\n")
    assert said["tokens"] < 900
    names = ["read_file", "edit_file", "write_file", "list_files", "search", "run"]
    assert [tool["name"] for tool in said["tools"]] == names
    assert said["tools"][0]["parameters"]["required"] == ["path"]


def test_help_fits_a_screen(capsys: Capture) -> None:
    ran = qagent(capsys, "--help")
    assert ran.code == 0
    assert len(ran.out.splitlines()) <= 50

"""One task whose model or server is not there, or gives up: what is told, what is kept, which exit code."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from command import qagent
from scripted_agent import READ, repository

from qagent.testing import Fault, LoopbackOllama, Reply

Capture = pytest.CaptureFixture[str]
TASK = ("-p", "Fix the bug.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


def sessions_of(home: Path) -> list[Path]:
    return sorted(home.glob("qagent_home/data/sessions/*.jsonl"))


def test_nothing_listens(folder: Path, capsys: Capture, nobodys_environment: Path) -> None:
    with LoopbackOllama([]) as server:
        url = server.url
    ran = qagent(capsys, TASK, "--json", "-C", str(folder), "--host", url)
    assert (ran.code, ran.json["reason"]) == (6, "unreachable")
    assert "ollama serve" in ran.err
    assert sessions_of(nobodys_environment) == []


def test_a_model_that_is_not_there_is_named_with_its_neighbours(folder: Path, capsys: Capture) -> None:
    with LoopbackOllama([], models=("qwen2.5-coder:7b", "llama3.2:latest")) as server:
        ran = qagent(capsys, TASK, "-m", "qwen2.5-coder-14b", "-C", str(folder), "--host", server.url)
    assert ran.code == 6
    assert "qwen2.5-coder:7b" in ran.err
    assert "ollama pull qwen2.5-coder:14b" in ran.err


@pytest.mark.parametrize("name", ["qwen2.5-coder-7b", "qwen2.5-coder:7b", "Qwen2.5-Coder:7B"])
def test_both_spellings_mean_the_same_model(folder: Path, capsys: Capture, name: str) -> None:
    with LoopbackOllama(["Yes."]) as server:
        assert qagent(capsys, "-p", "x", "-m", name, "-C", str(folder), "--host", server.url).out == "Yes.\n"
        assert server.generated[0].model == "qwen2.5-coder:7b"


def test_no_model_at_all_names_the_command_to_get_one(folder: Path, capsys: Capture) -> None:
    with LoopbackOllama([], models=("qwen2.5-coder:7b-base",)) as server:
        ran = qagent(capsys, TASK, "-C", str(folder), "--host", server.url)
    assert ran.code == 6
    assert "ollama pull qwen2.5-coder:7b" in ran.err


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (Fault("status", "server busy, please try again.  maximum pending requests exceeded", 503), 6, "server_busy"),
        (Fault("error_line", "model runner has unexpectedly stopped", after="So"), 6, "runner_stopped"),
        (Fault("no_done", after="So"), 6, "stream_broken"),
        (Fault("rubbish", "<html>hello</html>"), 6, "stream_broken"),
        (Fault("status", "the prompt is longer than the context length", 400), 8, "window_exceeded"),
        (Reply("So.", prompt_tokens=40), 8, "prompt_cut"),
    ],
    ids=["busy", "runner", "no-done", "rubbish", "window", "cut"],
)
def test_each_failure_of_the_server_has_its_end(
    folder: Path, capsys: Capture, nobodys_environment: Path, fault: Fault | Reply, code: int, reason: str
) -> None:
    with LoopbackOllama([READ, fault]) as server:
        ran = qagent(capsys, TASK, "--json", "-C", str(folder), "--host", server.url)
    assert (ran.code, ran.json["reason"]) == (code, reason)
    session = sessions_of(nobodys_environment)[0]
    assert f"qagent -r {session.stem}" in ran.err
    assert "Traceback" not in ran.err
    assert stat.S_IMODE(session.stat().st_mode) == 0o600


def test_a_host_elsewhere_needs_consent(folder: Path, capsys: Capture) -> None:
    ran = qagent(capsys, TASK, "-C", str(folder), "--host", "http://192.0.2.7:11434")
    assert ran.code == 11
    assert "allow_hosts" in ran.err

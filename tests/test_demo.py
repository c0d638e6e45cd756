from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import qagent

from qagent.demo import sample_repository

Capture = pytest.CaptureFixture[str]


def test_it_ends_green_and_says_that_no_llm_ran(capsys: Capture) -> None:
    ran = qagent(capsys, "demo")
    assert ran.code == 0
    assert "No LLM runs here" in ran.out
    assert "✗ cart.py" in ran.out
    assert "No file has been changed" in ran.out
    assert "+        return sum(price * count for _, price, count in self.items)" in ran.out
    assert ran.out.index("FAILED (failures=1)") < ran.out.index("Red before, green after")


def test_it_tells_how_the_replies_were_read_when_asked_for(capsys: Capture) -> None:
    ran = qagent(capsys, "demo", "-v")
    assert ran.code == 0
    assert re.search(r"^· reading: \d+ replies; \d+ calls \(", ran.out, re.MULTILINE)
    assert "· turn 1: the model reads" in ran.out


def test_it_is_the_same_twice_and_leaves_nothing(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shown = [re.sub(r"qagent-demo-\w+|\d+\.\d+ ?s", "", qagent(capsys, "demo").out) for _ in range(2)]
    assert shown[0] == shown[1]
    assert list(tmp_path.iterdir()) == []


def test_keep_leaves_a_git_repository_with_the_fix(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert str(tmp_path) in qagent(capsys, "demo", "--keep").out
    (repository,) = tmp_path.glob("*/cart")
    status = subprocess.run(["git", "status", "--short"], cwd=repository, capture_output=True, text=True, check=True)
    assert status.stdout == " M cart.py\n"


def test_without_editing_it_fails(capsys: Capture) -> None:
    ran = qagent(capsys, "demo", "--mode", "plan")
    assert ran.code == 3
    assert "NOT fixed" in ran.out


def test_with_another_bug_than_the_script_expects_it_fails(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    for file in sample_repository.SAMPLE.glob("*.*"):
        text = file.read_text().replace("sum(price for _, price, count", "sum(price + count for _, price, count")
        (sample / file.name).write_text(text)
    monkeypatch.setattr(sample_repository, "SAMPLE", sample)
    ran = qagent(capsys, "demo")
    assert ran.code == 3
    assert "NOT fixed" in ran.out


def test_a_sample_without_a_bug_proves_nothing(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "test_nothing.py").write_text(
        "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        pass\n"
    )
    monkeypatch.setattr(sample_repository, "SAMPLE", sample)
    assert qagent(capsys, "demo").code == 3


def test_it_runs_from_any_folder_with_no_home(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qagent", "demo"]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

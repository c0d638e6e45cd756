from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kept_turns import seen
from scripted_agent import EDIT, READ, repository, write_files

from qagent.testing import LoopbackOllama

SAID = "The sign was wrong."


def run(folder: Path, path: Path, words: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, in which nothing was imported before."""
    given = {**os.environ, **env, "PATH": str(path), "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "qagent", *words, "-C", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=given, check=False)


def there_and_back(folder: Path, path: Path, **env: str) -> str:
    """A run that edits a file and its undo; what the run told on stderr."""
    before = seen(folder)
    with LoopbackOllama([READ, EDIT, SAID]) as server:
        ran = run(folder, path, ["-p", "Fix the bug.", "--host", server.url], **env)
    assert (ran.returncode, ran.stdout) == (0, f"{SAID}\n"), ran.stderr
    assert seen(folder) != before
    undone = run(folder, path, ["undo"], **env)
    assert (undone.returncode, undone.stderr) == (0, "undo: Fix the bug.\ndone; `qagent redo` reverses it\n")
    assert seen(folder) == before
    return ran.stderr


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The only folder on the PATH."""
    return tmp_path_factory.mktemp("programs")


@pytest.mark.parametrize("refresh", ["", "raise", "warn", "rubbish"])
def test_a_machine_without_git_works_with_copies_and_says_so(tmp_path: Path, programs: Path, refresh: str) -> None:
    told = there_and_back(repository(tmp_path), programs, **({"GIT_PYTHON_REFRESH": refresh} if refresh else {}))
    assert told.count("`qagent undo` takes back here what edits change, not what commands change: git is not") == 1
    assert "Traceback" not in told
    assert "refresh" not in told


@pytest.mark.parametrize("refresh", ["", "warn"])
@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho rubbish\n", "no program\n", ""])
def test_a_git_that_does_not_work_is_like_none(tmp_path: Path, programs: Path, text: str, refresh: str) -> None:
    (programs / "git").write_text(text)
    (programs / "git").chmod(0o755)
    told = there_and_back(repository(tmp_path), programs, **({"GIT_PYTHON_REFRESH": refresh} if refresh else {}))
    assert told.count("`qagent undo` takes back here what edits change, not what commands change: ") == 1
    assert "Traceback" not in told


def test_a_plain_folder_needs_no_git_at_all(tmp_path: Path, programs: Path) -> None:
    told = there_and_back(write_files(tmp_path), programs)
    assert f"{tmp_path} is not a git repository: `qagent undo` takes back what edits change here" in told
    assert told.count("qagent undo") == 1

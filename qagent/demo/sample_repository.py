"""The sample: files that ship with the package, made a git repository of their own in a temporary folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).parent / "sample"

_IDENTITY = ("-c", "user.name=qagent demo", "-c", "user.email=demo@qagent.invalid", "-c", "commit.gpgsign=false")


def make(folder: Path) -> Path:
    """Copies the sample to a new folder below this one and commits it there, when git is there. Gives the folder."""
    repository = folder / "cart"
    shutil.copytree(SAMPLE, repository, ignore=shutil.ignore_patterns("__pycache__"))
    if shutil.which("git"):
        _git(repository, "init", "--quiet", "--initial-branch=main", "--template=")
        _git(repository, "add", "--all")
        _git(repository, *_IDENTITY, "commit", "--quiet", "--no-verify", "--message=A cart with a failing test")
    return repository


def passes(repository: Path) -> tuple[bool, str]:
    """Runs the sample's own tests with this interpreter: whether they pass, and what they print."""
    command = [sys.executable, "-B", "-m", "unittest", "-q"]
    ran = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode == 0, (ran.stdout + ran.stderr).strip()


def changes(repository: Path) -> str:
    """What git sees as changed."""
    return _git(repository, "diff", "--no-color", "--no-ext-diff") if shutil.which("git") else "(git is not installed)"


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60, check=True).stdout

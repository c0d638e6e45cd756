"""Running a line as the tool does, and seeing whether anything changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from qagent.tools.shell import environment

BASH = shutil.which("bash")


def bash(folder: Path, line: str) -> str:
    ran = subprocess.run(
        [BASH or "bash", "--noprofile", "--norc", "-c", line],
        cwd=folder, env=environment(os.environ), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    return (ran.stdout + ran.stderr).decode("utf-8", "replace")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file and link, git's own included."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.fsencode(path.readlink())
        elif path.is_file():
            found[str(path)] = path.read_bytes()
    return found

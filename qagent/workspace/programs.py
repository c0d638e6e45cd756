"""Where a program stands: a name and an environment in, an absolute path out. Runs nothing.

Only absolute folders of the PATH count: with a `.` on it, a file of the project could stand in for a program.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping


def absolute_path(env: Mapping[str, str]) -> str:
    """The PATH of the environment without the folders that are not absolute; the system's own where none is set."""
    return os.pathsep.join(part for part in env.get("PATH", os.defpath).split(os.pathsep) if part.startswith("/"))


def program_at(name: str, env: Mapping[str, str]) -> str | None:
    """None when no absolute folder of the PATH holds it."""
    return shutil.which(name, path=absolute_path(env))

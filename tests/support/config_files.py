"""Settings from texts: each place that they come from is an argument."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from qagent.config import Loaded, load
from qagent.errors import ConfigProblem


class Places(TypedDict, total=False):
    project: str
    env: Mapping[str, str]
    sets: Sequence[str]
    flags: Mapping[str, object]


def read(user: str | bytes = "", **places: Unpack[Places]) -> Loaded:
    """`load` with the files' texts, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        user_file, project_file = Path(folder, "config.toml"), Path(folder, "project.toml")
        user_file.write_bytes(user.encode() if isinstance(user, str) else user)
        project_file.write_text(places.get("project", ""), encoding="utf-8")
        return load(
            flags=places.get("flags", {}),
            sets=places.get("sets", ()),
            env=places.get("env", {}),
            user_file=user_file,
            project_file=project_file if "project" in places else None,
        )


def refused(user: str | bytes = "", **places: Unpack[Places]) -> ConfigProblem:
    with pytest.raises(ConfigProblem) as caught:
        read(user, **places)
    assert caught.value.exit_code == 10
    assert caught.value.todo
    assert caught.value.what.isprintable()
    return caught.value

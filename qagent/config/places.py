"""Where qagent's own files live. The environment in, three folders out; makes none of them.

The same on Linux and macOS, by the XDG rules: people who live in terminals look there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qagent.errors import ConfigProblem

_ADVICE = "set QAGENT_HOME to a folder that you can write to"


@dataclass(frozen=True, slots=True)
class Folders:
    config: Path
    data: Path
    state: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def sessions(self) -> Path:
        return self.data / "sessions"


def folders(env: Mapping[str, str]) -> Folders:
    """QAGENT_HOME holds everything; otherwise the XDG folders. Raises ConfigProblem when they cannot be written."""
    if home := env.get("QAGENT_HOME", "").strip():
        top = Path(home)
        if not top.is_absolute():
            raise ConfigProblem(f"QAGENT_HOME is {home!r}, which is not an absolute path", todo=_ADVICE)
        found = Folders(top, top / "data", top / "state")
    else:
        found = Folders(
            _xdg(env, "XDG_CONFIG_HOME", ".config"),
            _xdg(env, "XDG_DATA_HOME", ".local/share"),
            _xdg(env, "XDG_STATE_HOME", ".local/state"),
        )
    for folder in (found.data, found.state):
        _refuse_unwritable(folder)
    return found


def _xdg(env: Mapping[str, str], name: str, usual: str) -> Path:
    """The specification says to ignore a relative path."""
    given = Path(env.get(name, ""))
    return (given if given.is_absolute() else _home(env) / usual) / "qagent"


def _home(env: Mapping[str, str]) -> Path:
    home = Path(env.get("HOME", ""))
    if not home.is_absolute():
        raise ConfigProblem("there is no home directory: HOME is not set", todo=_ADVICE)
    return home


def _refuse_unwritable(folder: Path) -> None:
    try:
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError as error:
        raise ConfigProblem(f"cannot look at {folder}: {error.strerror}", todo=_ADVICE) from error
    if not nearest.is_dir():
        raise ConfigProblem(f"cannot make {folder}: {nearest} is not a folder", todo=_ADVICE)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigProblem(f"cannot write to {folder}: no right to write in {nearest}", todo=_ADVICE)

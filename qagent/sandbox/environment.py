"""The environment in, the environment of commands out: without secrets, without a screen to talk to. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from qagent.workspace.programs import absolute_path

_SECRET = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|KEYS?$|APIKEY|BINDPW|WEBHOOK|CONNECTION_?STRING|_PWD$"
)
_SECRET_PARTS = frozenset({
    "AUTH", "BEARER", "COOKIE", "COOKIES", "DSN", "JWT", "KEY", "KEYS", "PASS", "PAT", "PW", "SK",
})  # fmt: skip
_SECRET_NAMES = frozenset({
    "DATABASE_URL", "REDIS_URL", "MONGO_URL", "MONGODB_URI", "AMQP_URL", "BROKER_URL", "SSHPASS", "SSH_AGENT_PID",
})  # fmt: skip
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_CHANGES_BASH = ("BASH_ENV", "BASH_FUNC_", "BASHOPTS", "SHELLOPTS", "CDPATH", "GLOBIGNORE")
_CHANGES_PROGRAMS = ("GIT_", "LD_PRELOAD", "LESSCLOSE", "LESSOPEN", "PYTHONSTARTUP", "RIPGREP_", "TAR_OPTIONS")
_PERSON = ("GIT_AUTHOR_", "GIT_COMMITTER_")

_GIT_SETTINGS = (
    ("core.fsmonitor", "false"),
    ("diff.ignoreSubmodules", "dirty"),  # else git looks into them, by their settings
    ("format.pretty", "medium"),  # a format can check signatures
    ("log.showSignature", "false"),
    ("safe.bareRepository", "explicit"),  # a folder with the look of a repository is none
)
"""A repository's own settings could make git run a program where it only looks. Hooks and filters stay: a commit that
the person allowed may need them."""
_NO_HOOKS = (("core.hooksPath", "/dev/null"),)
_NO_TRACKING = (("branch.autoSetupMerge", "false"),)
"""Where git's settings are read-only, `git checkout -b x origin/y` must not want to write there."""


def environment(
    base: Mapping[str, str],
    *,
    secrets: Collection[str] = (),
    temporary: Path | None = None,
    git: Literal["no", "work", "settings"] | None = None,
) -> dict[str, str]:
    """The environment of commands: `base` without secrets (by name, or an address with a password), without what makes
    programs do otherwise than the line says, and without a screen to talk to.

    secrets: more names that are left out. temporary: where temporary files and caches go. git: what a sandbox lets git
    write, None without one.
    """
    named = {name.upper() for name in secrets}
    kept = {
        name: value
        for name, value in base.items()
        if name.upper() not in named and not _is_dropped(name.upper(), value)
    }
    more = _NO_HOOKS if git == "settings" else _NO_TRACKING if git == "work" else ()
    return {
        **kept,
        **_git_settings((*_GIT_SETTINGS, *more)),
        **(_temporary(temporary) if temporary else {}),
        "PATH": absolute_path(base),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "PAGER": "cat",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "AGENT": "qagent",
        # No stray __pycache__, and never a stale .pyc after an edit within the same second.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def secrets_of(base: Mapping[str, str]) -> frozenset[str]:
    """The values that are to be shown to nobody; short ones are left out, since they may be any word."""
    return frozenset(value for name, value in base.items() if len(value) >= 8 and _is_secret(name.upper(), value))


def _git_settings(pairs: Collection[tuple[str, str]]) -> dict[str, str]:
    settings = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for at, (name, value) in enumerate(pairs):
        settings |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": value}
    return settings


def _temporary(folder: Path) -> dict[str, str]:
    """The home folder cannot be written to. These fail without a cache of their own; of others, what lies in the home
    folder's cache is still read."""
    caches = folder / "caches"
    return {
        **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder)),
        "GOCACHE": str(caches / "go-build"),
        "PIP_CACHE_DIR": str(caches / "pip"),
        "UV_CACHE_DIR": str(caches / "uv"),
        "npm_config_cache": str(caches / "npm"),
        "YARN_CACHE_FOLDER": str(caches / "yarn"),
    }


def _is_dropped(name: str, value: str) -> bool:
    """Secrets, our own settings, and what makes bash or a program read a line otherwise than it was judged."""
    if name.startswith(_PERSON):
        return False
    return _is_secret(name, value) or name.startswith(("QAGENT_", *_CHANGES_BASH, *_CHANGES_PROGRAMS))


def _is_secret(name: str, value: str) -> bool:
    return (
        _SECRET.search(name) is not None
        or not _SECRET_PARTS.isdisjoint(name.split("_"))
        or name in _SECRET_NAMES
        or _SECRET_VALUE.search(value) is not None
    )

"""Which projects' `.qagent/` folders the person trusts: bound to the files' bytes, kept outside the project.

In: qagent's state folder and the project's folder. Out: yes or no. A changed file ends the trust. It refuses to know
what the files mean, and asks nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from qagent.errors import ConfigProblem

FOLDER = ".qagent"
MOST_FILES = 1_000
MOST_BYTES = 4 << 20


def fingerprint(project: Path) -> str:
    """SHA-256 over names and bytes of all files below `.qagent/`; "" when there are none.

    Raises ConfigProblem for what no hash can bind: links (their target is elsewhere), devices, files that cannot be
    read, more than 1,000 entries or 4 MiB.
    """
    top = project / FOLDER
    digest = hashlib.sha256()
    left, some = MOST_BYTES, False
    for path in sorted(_entries(top), key=os.fsencode):
        if path.is_dir():
            continue
        name, data = os.fsencode(path.relative_to(top)), _read(path, left)
        left, some = left - len(data), True
        digest.update(b"%d:%b%d:%b" % (len(name), name, len(data), data))
    return digest.hexdigest() if some else ""


def is_trusted(state: Path, project: Path) -> bool:
    """Whether the files are there, can be bound, and are those that were trusted. Writes nothing."""
    try:
        now = fingerprint(project)
    except ConfigProblem:
        return False
    folders, _ = _stored(state)
    return now != "" and folders.get(_name(project)) == now


def needs_trust(state: Path, project: Path) -> bool:
    """Whether there is something in `.qagent/` that is not trusted, so that the person must be asked."""
    try:
        return fingerprint(project) != "" and not is_trusted(state, project)
    except ConfigProblem:
        return True


def trust(state: Path, project: Path) -> tuple[str, ...]:
    """Trusts the files as they are now. Returns notices. Raises ConfigProblem when they cannot be bound or noted."""
    now = fingerprint(project)
    if not now:
        return ()
    folders, damaged = _stored(state)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        notices = _set_aside(state) if damaged else ()
        _write(state, {**folders, _name(project): now})
    except OSError as error:
        raise ConfigProblem(f"cannot write to {state}: {error.strerror}", todo="check the folder's rights") from error
    return notices


# ------------------------------------------------------------------ the project's files


def _entries(top: Path) -> Iterator[Path]:
    """Everything below `top`, folders too. Follows no link."""
    if not os.path.lexists(top):
        return
    if top.is_symlink() or not top.is_dir():
        raise _unbound(top, "it must be a folder, and not a link")
    count = 0
    for folder, names, files in os.walk(top, onerror=_unreadable):
        for name in (*names, *files):
            count += 1
            if count > MOST_FILES:
                raise _unbound(top, f"it has more than {MOST_FILES} files")
            path = Path(folder, name)
            if path.is_symlink():
                raise _unbound(path, "it is a link")
            yield path


def _read(path: Path, most: int) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unbound(path, "it is not a file")
            data = file.read(most + 1)
    except OSError as error:
        raise _unbound(path, error.strerror or str(error)) from error
    if len(data) > most:
        raise _unbound(path, f"the folder is larger than {MOST_BYTES >> 20} MiB")
    return data


def _unreadable(error: OSError) -> None:
    raise _unbound(Path(str(error.filename)), error.strerror or str(error))


def _unbound(path: Path, why: str) -> ConfigProblem:
    return ConfigProblem(f"{path} cannot be trusted: {why}", todo="remove it, or go on without trusting the folder")


# ------------------------------------------------------------------ the list of trusted ones


def _name(project: Path) -> str:
    return str(project.resolve())


def _store(state: Path) -> Path:
    return state / "trusted.json"


def _stored(state: Path) -> tuple[dict[str, str], bool]:
    """Fingerprints by project, and whether the list is damaged; then nothing in it counts."""
    try:
        value = json.loads(_store(state).read_bytes())
    except FileNotFoundError:
        return {}, False
    except (OSError, ValueError, RecursionError):
        return {}, True
    entries: object = cast("dict[str, object]", value).get("folders") if isinstance(value, dict) else None
    if not isinstance(entries, dict):
        return {}, True
    pairs = cast("dict[str, object]", entries)
    good = {name: mark for name, mark in pairs.items() if isinstance(mark, str)}
    return (good, False) if len(good) == len(pairs) else ({}, True)


def _set_aside(state: Path) -> tuple[str, ...]:
    number = 1
    while os.path.lexists(aside := state / f"trusted.damaged-{number}.json"):
        number += 1
    _store(state).rename(aside)
    return (f"the list of trusted folders was damaged; it is kept as {aside}, and folders will be asked about again",)


def _write(state: Path, folders: dict[str, str]) -> None:
    """All or nothing, mode 0600 (which is how `mkstemp` makes files)."""
    descriptor, name = tempfile.mkstemp(dir=state, prefix=".trusted-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"version": 1, "folders": folders}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(_store(state))
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise

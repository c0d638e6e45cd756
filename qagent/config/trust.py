"""Which projects' `.qagent/` folders the person trusts: bound to the files' bytes, kept outside the project.

In: qagent's state folder and the project's folder. Out: yes or no, or the very bytes that are trusted, so that nobody
need read them again and find others. A changed file ends the trust. It refuses to know what the files mean, and asks
nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from qagent.errors import ConfigProblem
from qagent.workspace.disk import make_private, read_plain

FOLDER = ".qagent"
MOST_FILES = 1_000
MOST_BYTES = 4 << 20


def fingerprint(project: Path) -> str:
    """SHA-256 over names and bytes of all files below `.qagent/`; "" when there are none.

    Raises ConfigProblem for what no hash can bind: links (their target is elsewhere), devices, files that cannot be
    read, more than 1,000 entries or 4 MiB.
    """
    return _digest(_files(project))


def trusted_files(state: Path, project: Path) -> Mapping[str, bytes] | None:
    """The files below `.qagent/` by their names in it (`prompts/system.md`), each read once, as they were trusted.

    None unless there are files, they can be bound, and they are those that were trusted. Writes nothing.
    """
    try:
        files = _files(project)
    except ConfigProblem:
        return None
    folders, _ = _stored(state)
    return files if files and folders.get(_name(project)) == _digest(files) else None


def is_trusted(state: Path, project: Path) -> bool:
    """Whether there are `trusted_files`."""
    return trusted_files(state, project) is not None


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
        make_private(state)
        notices = _set_aside(state) if damaged else ()
        _write(state, {**folders, _name(project): now})
    except OSError as error:
        raise ConfigProblem(f"cannot write to {state}: {error.strerror}", todo="check the folder's rights") from error
    return notices


# ------------------------------------------------------------------ the project's files


def _files(project: Path) -> dict[str, bytes]:
    """In the order of their names' bytes."""
    top = project / FOLDER
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for path in sorted(_entries(top), key=os.fsencode):
        if not path.is_dir():
            data = files[path.relative_to(top).as_posix()] = _read(path, left)
            left -= len(data)
    return files


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for text, data in files.items():
        name = os.fsencode(text)
        digest.update(b"%d:%b%d:%b" % (len(name), name, len(data), data))
    return digest.hexdigest() if files else ""


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
        data = read_plain(path, most + 1, follow=False)
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

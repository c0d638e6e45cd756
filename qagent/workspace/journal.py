"""The turns of one work tree, on the disk: a file a turn in a folder of our own, the newest last.

The folder is chosen by the work tree's path, and belongs to qagent alone: what it says is believed. A turn that runs
holds the folder's lock together with others; an undo holds it alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qagent.workspace.disk import make_private, read_plain, write_private
from qagent.workspace.turns import Turn, decode, encode

MOST_TURNS, MOST_DAYS = 50, 14
"""More turns than this are not kept, nor older ones."""

_LARGEST = 64 << 20
PATIENCE = 100
"""Hundredths of a second that a lock is waited for."""


class BusyError(Exception):
    """A turn, or another undo, is at work in this folder."""


@dataclass(frozen=True, slots=True)
class Journal:
    """`home`: the folder of one work tree. Everything may raise OSError."""

    home: Path

    @classmethod
    def of(cls, state: Path, root: Path) -> Journal:
        """`state`: the folder for what qagent keeps for itself. Makes nothing."""
        known = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        name = re.sub(r"[^A-Za-z0-9._-]", "_", root.name)[:40] or "root"
        return cls(state / "undo" / f"{name}-{known}")

    def prepare(self) -> None:
        make_private(self._turns)

    @property
    def _turns(self) -> Path:
        return self.home / "turns"

    def turns(self) -> list[Turn]:
        """The oldest first; what cannot be read is passed over."""
        try:
            paths = sorted(path for path in self._turns.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return []
        found = (_read(path) for path in paths)
        return [turn for turn in found if turn]

    def save(self, turn: Turn) -> None:
        """On the disk when this returns; another process sees the old record or the new one."""
        write_private(self._turns / f"{turn.id}.json", encode(turn))

    def forget(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            (self._turns / f"{turn.id}.json").unlink(missing_ok=True)

    def too_old(self, now: datetime) -> list[Turn]:
        """Those beyond MOST_TURNS, and those before MOST_DAYS."""
        newest = reversed(self.turns())
        return [turn for at, turn in enumerate(newest) if at >= MOST_TURNS or _days(turn, now) > MOST_DAYS]

    @contextlib.contextmanager
    def alone(self, patience: int = PATIENCE) -> Generator[None, None, None]:
        """Raises BusyError when a turn or another undo holds the folder, after `patience` hundredths of a second."""
        descriptor = self._lock(fcntl.LOCK_EX, patience)
        try:
            yield
        finally:
            os.close(descriptor)

    def together(self) -> int:
        """Holds the folder, with other turns, until the descriptor is closed. Raises BusyError during an undo."""
        return self._lock(fcntl.LOCK_SH, PATIENCE)

    def _lock(self, kind: int, patience: int) -> int:
        self.prepare()
        descriptor = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _ in range(patience):
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                return descriptor  # this file system knows no locks: better unguarded than unusable
            else:
                return descriptor
        os.close(descriptor)
        raise BusyError


def new_id(now: datetime) -> str:
    """Sorts by time: `20261120-093015-123456-9f3a`."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"


def _days(turn: Turn, now: datetime) -> float:
    return (now - datetime.fromisoformat(turn.begun)).total_seconds() / 86_400


def _read(path: Path) -> Turn | None:
    try:
        turn = decode(read_plain(path, _LARGEST, follow=False))
    except OSError:
        return None
    return turn if turn and turn.id == path.stem else None

"""What a session's model has not heard yet: which of the turns that it knows the person has taken back, or done again.

In: the turns of a work tree as they stand. Out: `News`, the files of those that stand otherwise than the model
believes. It takes its own turns for done, and every other turn for what it was when its conversation took it back; what
it has heard since is kept in a file a session, which that session alone writes. Everything here may raise OSError.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from qagent.words import Words
from qagent.workspace.disk import read_plain, write_private
from qagent.workspace.names import shown
from qagent.workspace.turns import Settled, Turn

MOST_NAMED = 10
"""Files that are named; of the rest their number."""
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class News:
    """Files, relative to the workspace. undone: of turns that were taken back; redone: of turns that were done again
    and are in no turn that was taken back."""

    undone: tuple[str, ...] = ()
    redone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.undone or self.redone)

    def told(self, words: Words) -> list[str]:
        """As the model reads it."""
        rows = (("taken_back", self.undone), ("done_again", self.redone))
        return [words.prompt(name, files=_named(files)) for name, files in rows if files]


def _named(files: tuple[str, ...]) -> str:
    """`a.py, b.py and 3 more files`."""
    more = len(files) - MOST_NAMED
    names = ", ".join(map(shown, files[:MOST_NAMED]))
    return names if more <= 0 else f"{names} and {more} more file{'' if more == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Beliefs:
    """`home`: the folder of one work tree's turns; `session`: the session's id."""

    home: Path
    session: str

    def news(self, turns: Iterable[Turn]) -> News:
        known = self._known()
        files: dict[Settled, dict[str, None]] = {"undone": {}, "done": {}}
        for turn in turns:
            believed = known.get(turn.id) or ("done" if turn.session == self.session else None)
            if believed and believed != (now := _as_the_model_finds_it(turn)):
                files[now] |= dict.fromkeys(change.path for change in turn.changes if change.path not in turn.skipped)
        redone = (path for path in files["done"] if path not in files["undone"])
        return News(tuple(files["undone"]), tuple(redone))

    def heard(self, turns: Iterable[Turn]) -> None:
        """The model was told how they stand."""
        known = self._known()
        ours = (turn for turn in turns if turn.id in known or turn.session == self.session)
        self._write({turn.id: _as_the_model_finds_it(turn) for turn in ours})

    def met(self, turn: str, was: Settled) -> None:
        """This conversation takes back, or does again, a turn that may be another session's."""
        known = self._known()
        if turn not in known:
            self._write({**known, turn: was})

    @property
    def _file(self) -> Path:
        return self.home / f"told-turns-{hashlib.sha256(self.session.encode()).hexdigest()[:16]}"

    def _known(self) -> dict[str, Settled]:
        try:
            rows = [line.split() for line in read_plain(self._file, _LARGEST).decode("ascii", "replace").splitlines()]
        except FileNotFoundError:
            return {}
        words = {word: word for word in get_args(Settled)}
        return {row[0]: words[row[1]] for row in rows if len(row) == 2 and row[1] in words}

    def _write(self, known: dict[str, Settled]) -> None:
        write_private(self._file, "".join(f"{turn} {settled}\n" for turn, settled in known.items()).encode("ascii"))


def _as_the_model_finds_it(turn: Turn) -> Settled:
    """Of a turn that is half taken back the files are not as the model left them, either."""
    return "done" if turn.state in ("done", "open") else "undone"

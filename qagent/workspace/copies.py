"""Copies of files, for a folder in which git cannot keep them: each before it is first changed, and again afterwards.

A copy is a file of our own, named by what is in it, so equal bytes are kept once. Only files that somebody names are
known here; what a command changes is not seen. Everything here blocks, and may raise OSError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qagent.workspace.disk import make_private, read_plain, write_private
from qagent.workspace.standing import opened, read_at
from qagent.workspace.turns import Kept

LARGEST = 50 << 20
"""Bytes of a file that is still copied."""

ID_SIZE = 32


@dataclass(frozen=True, slots=True)
class Copies:
    """`folder`: where the copies lie; `root`: the work tree."""

    folder: Path
    root: Path

    def keep(self, path: str) -> Kept | None:
        """Copies what stands at the path now; None for nothing or a folder. Raises OSError when it cannot."""
        with opened(self.root) as here:
            found = read_at(here, path, LARGEST)
        if found is None:
            return None
        kept, data = found
        self._put(kept.blob, data)
        return kept

    def read(self, wanted: Sequence[Kept]) -> Iterator[tuple[str, bytes]]:
        for blob in dict.fromkeys(kept.blob for kept in wanted):
            yield blob, read_plain(self._place(blob), LARGEST, follow=False)

    def forget_all_but(self, wanted: Iterable[str]) -> None:
        used = set(wanted)
        for path in self.folder.glob("*/*"):
            if path.name not in used:
                path.unlink(missing_ok=True)

    def _place(self, blob: str) -> Path:
        return self.folder / blob[:2] / blob

    def _put(self, blob: str, data: bytes) -> None:
        place = self._place(blob)
        if place.exists():
            return
        make_private(place.parent)
        write_private(place, data)

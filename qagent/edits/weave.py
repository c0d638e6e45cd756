"""The file's lines of a place with the model's change woven in: what the model left as it was stays the file's own.

In: what changed from the old to the new lines as the model wrote them, and which line of the file each old one stands
for. Out: pieces. A line that old and new have in common keeps the file's bytes, whatever the model made of its blanks
and quotes. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from qagent.edits.diff import Stretch
from qagent.edits.table import Piece


def woven(changes: Sequence[Stretch], file: Sequence[Piece], changed: Sequence[str]) -> tuple[Piece, ...]:
    """Each old line stands for the piece of the file at the same index. `changed`: the new lines as they are written
    there."""
    parts: list[Piece] = []
    done = 0
    for part in changes:
        parts += file[done : part.start]
        parts += replaced(file[part.start : part.end], changed[part.new_start : part.new_end])
        done = part.end
    return (*parts, *file[done:])


def replaced(file: Sequence[Piece], lines: Sequence[str]) -> list[Piece]:
    """The lines in the place of these, the first of them with their endings."""
    return [Piece(line, file[number].line if number < len(file) else None) for number, line in enumerate(lines)]

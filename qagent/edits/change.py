"""What one call would make of one file, as bytes before and after; whoever holds it can show it or write it.

The planning of a change and its preview share this, so what the person allowed is what is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qagent.edits.diff import unified
from qagent.edits.table import flat
from qagent.workspace.files import FileText
from qagent.workspace.names import shown


@dataclass(frozen=True, slots=True)
class Change:
    """`path` is absolute, `relative` its name in the workspace; `before` is None when the file is new.

    `note`: what the model should know of it beside the new lines, a sentence or "". `how`: how the place was found when
    not as it was written, in words.
    """

    path: Path
    relative: str
    before: FileText | None
    after: FileText
    note: str = ""
    how: tuple[str, ...] = ()

    @property
    def diff(self) -> str:
        return unified(shown(self.relative), None if self.before is None else _lines(self.before), _lines(self.after))


def _lines(file: FileText) -> str:
    """A text whose lines end with carriage returns alone would be one line for whoever reads it."""
    return flat(file.text) if "\r" in file.text and "\n" not in file.text else file.text

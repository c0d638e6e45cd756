"""The one way in which an edit is refused: a code for programs and a text for the model. Nothing was changed."""

from __future__ import annotations

from typing import Literal

from qagent.errors import ToolFailed
from qagent.types import Seen

Code = Literal["not_found", "ambiguous", "no_change", "empty_old", "stale", "elided", "syntax"]
"""stale: the file is not what the model read. elided: the new text leaves code out. syntax: it could be read before."""


class EditRefused(ToolFailed):
    """`message` is what the model reads."""

    def __init__(self, code: Code, message: str, seen: tuple[Seen, ...] = ()) -> None:
        super().__init__(message, seen)
        self.code: Code = code
        self.message = message

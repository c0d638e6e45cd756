"""The saved conversation: one file of JSON Lines a session, only ever appended to."""

from __future__ import annotations

from qagent.session.conversation import Session
from qagent.session.lines import Entry, Header, Record
from qagent.session.markdown import export_markdown
from qagent.session.store import SessionRow, delete, find, latest, listing, peek

__all__ = [
    "Entry",
    "Header",
    "Record",
    "Session",
    "SessionRow",
    "delete",
    "export_markdown",
    "find",
    "latest",
    "listing",
    "peek",
]

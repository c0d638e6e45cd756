"""Sessions to open: a short talk with every kind of message, and files that hold it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from qagent.session import Entry, Session
from qagent.types import AssistantMessage, BadCall, Message, Prose, SystemMessage, ToolCall, ToolResult, UserMessage

NOW = datetime(2026, 11, 20, 9, 30, 15, tzinfo=UTC)
TALK: tuple[Message, ...] = (
    SystemMessage("You are qagent."),
    UserMessage("Why does the cart cost nothing?"),
    AssistantMessage(
        "Let me look.\n<tools>…",
        (
            Prose("Let me look.\n"),
            ToolCall("c1", "read_file", {"path": "src/cart.py", "start": 1}),
            BadCall("c2", "<tools>{", "the JSON is cut"),
        ),
        "length",
    ),
    ToolResult("c1", "def total(): ...", ok=False),
)


def made(folder: Path, *entries: Entry, hours: int = 0, cwd: Path | None = None) -> Path:
    """A closed session file, begun so many hours after NOW."""
    now = NOW + timedelta(hours=hours)
    with Session.create(folder, cwd=cwd or folder, model="qwen2.5-coder:7b", version="0.1.0", now=now) as session:
        for entry in entries:
            session.add(entry)
        assert session.path
        return session.path

"""Reading a reply: text in, prose, calls and reasons out, however the text is cut."""

from __future__ import annotations

from qagent.qwen.reader.output import joined
from qagent.qwen.reader.reply import Reader, Span

__all__ = ["Reader", "Span", "joined"]

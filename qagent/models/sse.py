"""Server-sent events, line by line: a line in, the JSON bytes that it carries out.

It knows the framing only. Comments, blank lines and the fields `event`, `id` and `retry` say nothing. A bare JSON line
is passed on too: LM Studio answers 200 with one when it refuses (lmstudio-bug-tracker#618).
"""

from __future__ import annotations

from qagent.models.record import not_spoken

DONE = b"[DONE]"
"""The last event of OpenAI's protocol, which is not JSON."""

_SILENT = (b"event", b"id", b"retry")


def payload(line: bytes, protocol: str) -> bytes | None:
    """What a line carries: JSON, or `DONE`; None for a line that says nothing.

    Raises StreamBroken for a line that is no event; `protocol` is whose words these should be, for the error.
    """
    line = line.strip()
    if line.startswith(b"{"):
        return line
    field, colon, value = line.partition(b":")
    if not field or field in _SILENT:
        return None
    if not colon or field not in (b"data", b"error"):
        raise not_spoken(protocol)
    return value.strip() or None

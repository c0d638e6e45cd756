"""Bytes as they arrive in, whole lines out, split at `\\n` and nowhere else.

U+0085 and U+2028 are line ends to Python and to httpx, and stand inside replies. It knows nothing of JSON or SSE.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from qagent.errors import StreamBroken

LINE_BYTES = 4 << 20
"""The longest good one is llama.cpp's last, which repeats the prompt: half a megabyte. A line of `[],[],…` costs twenty
times its length in memory."""


async def lines(chunks: AsyncIterable[bytes], *, limit: int = LINE_BYTES) -> AsyncGenerator[bytes, None]:
    """Each line without its `\\n`; a last one without `\\n` too, unless it is empty.

    Raises StreamBroken when a line is longer than `limit` bytes.
    """
    pending = bytearray()
    async for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            pending += part
            _check(len(pending), limit)
            yield bytes(pending)
            pending.clear()
        pending += rest
        _check(len(pending), limit)
    if pending:
        yield bytes(pending)


def _check(length: int, limit: int) -> None:
    if length > limit:
        raise StreamBroken(f"the server sent a line of more than {limit:,} bytes", todo="check what listens there")

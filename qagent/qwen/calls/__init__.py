"""From what a model wrote as a call to one that fits an offered tool, or to a reason that it can read."""

from __future__ import annotations

from qagent.qwen.calls.corrections import corrected, write
from qagent.qwen.calls.envelopes import Meant
from qagent.qwen.calls.fitting import fit, wants_block
from qagent.qwen.calls.reading import (
    MOST,
    TOO_MANY,
    TWO_WAYS,
    known_keys,
    looks_like_one,
    meant_by,
    read,
    read_spoken,
    read_xml,
)

__all__ = [
    "MOST",
    "TOO_MANY",
    "TWO_WAYS",
    "Meant",
    "corrected",
    "fit",
    "known_keys",
    "looks_like_one",
    "meant_by",
    "read",
    "read_spoken",
    "read_xml",
    "wants_block",
    "write",
]

"""What is known of each size of Qwen 2.5 Coder, one row a size. A quirk is a row here, never an `if` on a name.

Sources: layers, heads and window from Qwen's published `config.json`; weights are those of the Q4_K_M files;
KV bytes = 2 x layers x kv heads x head width x 2 bytes (f16). Sampling: the published 0.7 is a setting for chat; calls
come out cleaner near zero, and a repetition penalty spoils exact copies of code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STOPS = ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "<tool_response>")
"""Where the server ends a reply: the turn's end, and the two ways in which the model invents somebody else's turn."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What every request of a session carries, byte for byte the same: a changed value reloads the model."""

    window: int = 32_768
    reply_tokens: int = 4_096
    temperature: float = 0.1
    top_p: float = 0.8
    top_k: int = 20
    repeat_penalty: float = 1.0
    stops: tuple[str, ...] = STOPS


@dataclass(frozen=True, slots=True)
class Profile:
    """One size of the family. weight_bytes: the Q4_K_M file. kv_bytes: per token of the window, f16."""

    size: str
    weight_bytes: int
    kv_bytes: int
    window: int = 32_768
    note: str = ""


PROFILES = {
    row.size: row
    for row in (
        Profile("0.5b", 390_000_000, 12_288, note="too small to drive tools reliably; expect failures"),
        Profile("1.5b", 980_000_000, 28_672, note="too small to drive tools reliably; expect failures"),
        Profile("3b", 1_920_000_000, 36_864, note="below 7B; expect failures"),
        Profile("7b", 4_680_000_000, 57_344),
        Profile("14b", 8_980_000_000, 196_608),
        Profile("32b", 19_850_000_000, 262_144),
    )
}
DEFAULT = PROFILES["7b"]

OVERHEAD_BYTES = 1 << 30
"""Compute buffers and the runner itself, beside weights and KV cache."""


def size_of(model: str) -> str | None:
    """The size in a model's name, however it is spelled: `qwen2.5-coder:7b-instruct-q4_K_M`, `qwen2.5-coder-7b`."""
    found = re.search(r"(?<![\d.])(0\.5|1\.5|3|7|14|32)b(?![a-z0-9])", model.lower())
    return f"{found[1]}b" if found else None


def is_family(model: str) -> bool:
    return re.search(r"qwen[-_ ]?2\.5[-_ ]?coder", model.lower()) is not None


def profile_of(model: str) -> Profile:
    """The row for a model's name; the 7B's when the name tells no size."""
    return PROFILES.get(size_of(model) or "", DEFAULT)

"""Counts tokens with Qwen's own merge ranks, which the PyPI package `dashscope` carries as `qwen.tiktoken`."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files

import tiktoken

# The pattern that Qwen's tokenizer splits by, from its published tokenizer.json.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
FIRST_SPECIAL = 151_643


@cache
def vocabulary() -> tiktoken.Encoding:
    lines = files("dashscope").joinpath("resources/qwen.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    special = {text: FIRST_SPECIAL + number for number, text in enumerate(SPECIAL)}
    return tiktoken.Encoding("qwen", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)


def count(text: str) -> int:
    return len(vocabulary().encode(text, allowed_special="all"))

"""What the tiny models have in common: Qwen2's metadata as llama.cpp reads it, and the chat template."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gguf import Value
from tiny_vocab import Vocabulary

CHAT_TEMPLATE: Final = Path(__file__).with_name("qwen2_5_chat_template.jinja")
TRAINED_WINDOW: Final = 32_768


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    layers: int
    hidden: int
    feed_forward: int
    heads: int = 4
    kv_heads: int = 2

    @property
    def head_width(self) -> int:
        return self.hidden // self.heads

    @property
    def kv_width(self) -> int:
        return self.head_width * self.kv_heads


def metadata(shape: Shape, vocabulary: Vocabulary) -> dict[str, Value]:
    return {"general.architecture": "qwen2", "general.name": shape.name} | _sizes(shape) | _tokenizer(vocabulary)


def _sizes(shape: Shape) -> dict[str, Value]:
    return {
        "qwen2.block_count": shape.layers,
        "qwen2.context_length": TRAINED_WINDOW,
        "qwen2.embedding_length": shape.hidden,
        "qwen2.feed_forward_length": shape.feed_forward,
        "qwen2.attention.head_count": shape.heads,
        "qwen2.attention.head_count_kv": shape.kv_heads,
        "qwen2.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen2.rope.freq_base": 1e6,
    }


def _tokenizer(vocabulary: Vocabulary) -> dict[str, Value]:
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [*vocabulary.types],
        "tokenizer.ggml.token_type": [*vocabulary.types.values()],
        "tokenizer.ggml.merges": [*vocabulary.merges],
        "tokenizer.ggml.eos_token_id": vocabulary.ids["<|im_end|>"],
        "tokenizer.ggml.padding_token_id": vocabulary.ids["<|endoftext|>"],
        "tokenizer.ggml.bos_token_id": vocabulary.ids["<|endoftext|>"],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHAT_TEMPLATE.read_text(encoding="utf-8"),
    }

"""Writes tiny Qwen2 models that a real llama.cpp server loads: one talks noise, the other says what it is told.

`write_random` gives weights from a seed: enough for loading, streaming, counting, caching. `write_scripted` sets the
weights by hand, so that sampler, stop strings and stream are real and the text is known. Both take well under a second
and a few megabytes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import gguf
from gguf import Tensor
from script_pieces import cut_scripts
from script_weights import script_weights
from tiny_qwen import Shape, metadata
from tiny_vocab import Vocabulary

_RANDOM: Final = Shape("tiny-random", layers=2, hidden=64, feed_forward=128)
_SCRIPTED: Final = Shape("tiny-scripted", layers=1, hidden=256, feed_forward=32)
_NOISE_POOL: Final = 1 << 15


def write_random(path: Path, seed: int = 0) -> Path:
    """The same seed gives the same file. What it generates is noise, and may end at any token."""
    vocabulary = Vocabulary()
    gguf.write(path, metadata(_RANDOM, vocabulary), _noise_weights(_RANDOM, len(vocabulary.types), seed))
    return path


def write_scripted(path: Path, default: str, on: Mapping[str, str] | None = None, *, seed: int = 0) -> Path:
    """The model says `default`, or the text for the last key of `on` that stands anywhere in the prompt.

    The prompt must end in a newline, as every ChatML prompt does. Scripts may hold newlines, tags, fences, any Unicode,
    and control tokens (each once). ValueError, in words, when scripts or triggers cannot be kept apart.
    """
    replies = dict(on or {})
    scripts = cut_scripts([default, *replies.values()], [*replies])
    vocabulary = Vocabulary(extra=[*replies, *(piece for script in scripts for piece in script)])
    weights = script_weights(_SCRIPTED, vocabulary, [*replies], scripts, random.Random(seed))
    gguf.write(path, metadata(_SCRIPTED, vocabulary), weights)
    return path


def _noise_weights(shape: Shape, tokens: int, seed: int) -> dict[str, Tensor]:
    """Without `output.weight`: the output is tied to the embedding, as in Qwen's small sizes."""
    noise = _Noise(seed)
    tensors = {"token_embd.weight": noise.matrix(shape.hidden, tokens)}
    for layer in range(shape.layers):
        tensors |= {f"blk.{layer}.{name}": tensor for name, tensor in _noise_layer(shape, noise).items()}
    return tensors | {"output_norm.weight": gguf.vector([1.0] * shape.hidden)}


def _noise_layer(shape: Shape, noise: _Noise) -> dict[str, Tensor]:
    hidden, wide = shape.hidden, shape.feed_forward
    norm = gguf.vector([1.0] * hidden)
    tensors = {"attn_norm.weight": norm, "ffn_norm.weight": norm}
    for name, width in (("q", hidden), ("k", shape.kv_width), ("v", shape.kv_width)):
        tensors[f"attn_{name}.weight"] = noise.matrix(hidden, width)
        tensors[f"attn_{name}.bias"] = gguf.vector([0.0] * width)
    return tensors | {
        "attn_output.weight": noise.matrix(hidden, hidden),
        "ffn_gate.weight": noise.matrix(hidden, wide),
        "ffn_up.weight": noise.matrix(hidden, wide),
        "ffn_down.weight": noise.matrix(wide, hidden),
    }


class _Noise:
    """Gaussian half floats, drawn once and handed out from places in the pool that the seed picks: quick enough."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._pool = gguf.halves([self._random.gauss(0, 0.3) for _ in range(_NOISE_POOL)])

    def matrix(self, columns: int, rows: int) -> Tensor:
        starts = (2 * self._random.randrange(_NOISE_POOL - columns) for _ in range(rows))
        return gguf.packed_matrix(columns, rows, b"".join(self._pool[at : at + 2 * columns] for at in starts))

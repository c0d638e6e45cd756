"""Sets the weights of a scripted model: a chain from piece to piece, and one attention head that looks for triggers.

In: pieces and triggers, all tokens of the vocabulary. Out: the tensors of a one-layer Qwen2.

How it works. A token's embedding is a random vector of +1 and -1, nearly orthogonal to every other, behind a few
dimensions that are kept for flags: one for each trigger, one for the newline. The output matrix has, in the row of a
piece, the embedding of the piece before it: so each piece calls for the next one. At the newline that ends a prompt,
the head asks for trigger flags; the trigger it finds adds its own random vector, for which the row of its script's
first piece listens. Later triggers have larger keys, so that the softmax picks the last one that is there. All other
tokens ask the opposite, so that triggers repel them and the chain is not disturbed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from gguf import Tensor, matrix, vector
from tiny_qwen import Shape
from tiny_vocab import NORMAL, Vocabulary


def script_weights(
    shape: Shape, vocabulary: Vocabulary, triggers: Sequence[str], scripts: Sequence[Sequence[str]], rng: random.Random
) -> dict[str, Tensor]:
    """`scripts`: the default's pieces, then those for each trigger. ValueError when there are too many triggers."""
    if len(triggers) >= shape.head_width:
        raise ValueError(f"at most {shape.head_width - 1} triggers")
    embedding = _embedding(shape, vocabulary, triggers, rng)
    calls = [rng.choices((-1.0, 1.0), k=shape.hidden) for _ in triggers]
    return {
        "token_embd.weight": matrix(embedding),
        "output.weight": matrix(_output(vocabulary, embedding, calls, scripts)),
        "output_norm.weight": vector([1.0] * shape.hidden),
        **{f"blk.0.{name}": tensor for name, tensor in _attention(shape, calls).items()},
        **{f"blk.0.{name}": tensor for name, tensor in _rest_of_layer(shape).items()},
    }


def _embedding(shape: Shape, vocabulary: Vocabulary, triggers: Sequence[str], rng: random.Random) -> list[list[float]]:
    flags = len(triggers) + 1
    rows = [[0.0] * flags + rng.choices((-1.0, 1.0), k=shape.hidden - flags) for _ in vocabulary.types]
    rows[vocabulary.newline][flags - 1] = 1.0
    for row, (token, kind) in zip(rows, vocabulary.types.items(), strict=True):
        if kind != NORMAL and (held := [at for at, trigger in enumerate(triggers) if trigger in token]):
            row[held[-1]] = 1.0
    return rows


def _output(
    vocabulary: Vocabulary,
    embedding: Sequence[Sequence[float]],
    calls: Sequence[Sequence[float]],
    scripts: Sequence[Sequence[str]],
) -> list[list[float]]:
    """Equal scripts are one chain: written twice, they would drown out the default."""
    rows = [[0.0] * len(embedding[0]) for _ in embedding]
    newline, end = embedding[vocabulary.newline], vocabulary.ids["<|im_end|>"]
    for script in dict.fromkeys(map(tuple, scripts)):
        ids = [vocabulary.ids[piece] for piece in script]
        first, *later = [*ids, end]
        users = [at for at, other in enumerate(scripts) if tuple(other) == script]
        _listen(rows[first], newline, 1.0 if 0 in users else 0.5)
        for call in (calls[at - 1] for at in users if at):
            _listen(rows[first], call, 1.0)
        for piece, following in zip(ids, later, strict=True):
            _listen(rows[following], embedding[piece], 1.0)
    return rows


def _listen(row: list[float], to: Sequence[float], weight: float) -> None:
    row[:] = [old + weight * new for old, new in zip(row, to, strict=True)]


def _attention(shape: Shape, calls: Sequence[Sequence[float]]) -> dict[str, Tensor]:
    """Head 0 does the work, in the pair of dimensions that RoPE turns slowest: distance does not matter there."""
    slow, newline = shape.head_width // 2 - 1, len(calls)
    query, key, value, output = (_zeros(rows, shape.hidden) for rows in _attention_rows(shape))
    ask = [0.0] * shape.hidden
    query[slow][newline], ask[slow] = 8.0, -4.0
    for at, call in enumerate(calls):
        key[slow][at] = 8.0 * math.sqrt(shape.head_width) * (at + 1)
        value[at][at] = 1.0
        for row, weight in zip(output, call, strict=True):
            row[at] = weight
    return {
        "attn_q.weight": matrix(query),
        "attn_q.bias": vector(ask),
        "attn_k.weight": matrix(key),
        "attn_k.bias": vector([0.0] * shape.kv_width),
        "attn_v.weight": matrix(value),
        "attn_v.bias": vector([0.0] * shape.kv_width),
        "attn_output.weight": matrix(output),
    }


def _attention_rows(shape: Shape) -> tuple[int, int, int, int]:
    return shape.hidden, shape.kv_width, shape.kv_width, shape.hidden


def _rest_of_layer(shape: Shape) -> dict[str, Tensor]:
    """Norms that keep, and a feed-forward part that adds nothing."""
    norm = vector([1.0] * shape.hidden)
    return {
        "attn_norm.weight": norm,
        "ffn_norm.weight": norm,
        "ffn_gate.weight": matrix(_zeros(shape.feed_forward, shape.hidden)),
        "ffn_up.weight": matrix(_zeros(shape.feed_forward, shape.hidden)),
        "ffn_down.weight": matrix(_zeros(shape.hidden, shape.feed_forward)),
    }


def _zeros(rows: int, columns: int) -> list[list[float]]:
    return [[0.0] * columns for _ in range(rows)]

"""Writes GGUF v3 files: metadata in, tensors in, one file out. It knows the container, not what a model is.

Standard library only. Numbers are little-endian; tensors start at multiples of 32 bytes. A matrix is given as rows and
stored as half floats, a vector as floats: what llama.cpp expects of weights, and of norms and biases.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

Value: TypeAlias = bool | int | float | str | Sequence[str] | Sequence[int]

_ALIGNMENT: Final = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_F32, _F16 = 0, 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """`shape` in GGUF's order: the dimension that is contiguous in `data` comes first."""

    shape: tuple[int, ...]
    kind: int
    data: bytes


def vector(values: Sequence[float]) -> Tensor:
    return Tensor((len(values),), _F32, struct.pack(f"<{len(values)}f", *values))


def halves(values: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(values)}e", *values)


def matrix(rows: Sequence[Sequence[float]]) -> Tensor:
    """One row for each output."""
    return packed_matrix(len(rows[0]), len(rows), b"".join(halves(row) for row in rows))


def packed_matrix(columns: int, rows: int, data: bytes) -> Tensor:
    """`data`: rows x columns half floats, row by row."""
    return Tensor((columns, rows), _F16, data)


def write(path: Path, metadata: Mapping[str, Value], tensors: Mapping[str, Tensor]) -> None:
    head = b"".join(_head(metadata, tensors))
    with path.open("wb") as file:
        file.write(_padded(head))
        file.writelines(_padded(tensor.data) for tensor in tensors.values())


def _head(metadata: Mapping[str, Value], tensors: Mapping[str, Tensor]) -> Iterable[bytes]:
    yield struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        yield _string(key) + _value(value)
    offset = 0
    for name, tensor in tensors.items():
        yield _string(name) + struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        yield struct.pack("<IQ", tensor.kind, offset)
        offset += len(_padded(tensor.data))


def _value(value: Value) -> bytes:
    match value:
        case bool():
            return struct.pack("<IB", _BOOL, value)
        case int():
            return struct.pack("<II", _UINT32, value)
        case float():
            return struct.pack("<If", _FLOAT32, value)
        case str():
            return struct.pack("<I", _STRING) + _string(value)
        case _:
            return struct.pack("<I", _ARRAY) + _items(value)


def _items(values: Sequence[str] | Sequence[int]) -> bytes:
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        return struct.pack("<IQ", _STRING, len(texts)) + b"".join(map(_string, texts))
    return struct.pack(f"<IQ{len(values)}i", _INT32, len(values), *values)


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)

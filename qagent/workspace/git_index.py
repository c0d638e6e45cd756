"""Git's index file as a value: which files are tracked, and how each looked on the disk when it was last read.

Bytes in, entries out, and back. Pure. Of the versions 2 and 3 alone. What stands for no plain file or link of one known
text (a conflict, a file that git was told not to look at) has a name here and no entry. Format: `gitformat-index(5)`.

An entry stays the bytes that it is in the file, 40 for how the file looked and then its blob's id: a tree of many files
is compared with the disk before every turn, and taking the numbers apart would cost more than looking at the disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

LOOKED = 40
"""Bytes of `Looked`: the times of its last change and of its last writing in seconds and nanoseconds, device, inode,
mode, owner, group, size; 32 bits each."""

Looked: TypeAlias = bytes
Entry: TypeAlias = bytes
"""A file's `Looked`, and its blob's id behind it."""

_HEADER = struct.Struct(">4sII")
_STAT = struct.Struct(">10I")
_FLAGS = struct.Struct(">H")
_TIME = struct.Struct(">II")
_EXTENSION = struct.Struct(">4sI")
_TREES = b"TREE"
_SLASH = ord("/")
_BLIND, _EXTENDED, _STAGE, _LENGTH = 0x8000, 0x4000, 0x3000, 0x0FFF
"""Bits of an entry's flags: `assume-unchanged`, more flags follow, the side of a conflict, the length of the name."""
_32_BITS = 0xFFFFFFFF
_SECOND = 1_000_000_000
_PLAIN, _RUNNABLE, _LINK, _MODULE = 0o100644, 0o100755, 0o120000, 0o160000
_MODE = slice(24, 28)
_LINK_MODE, _MODULE_MODE = _LINK.to_bytes(4), _MODULE.to_bytes(4)
_KINDS = frozenset(mode.to_bytes(4)[2] >> 4 for mode in (_PLAIN, _LINK))


@dataclass(frozen=True, slots=True)
class Index:
    """names: all tracked files and links; modules: the submodules. `plain`: every name has its entry and there are no
    modules, so the file can be used as it is. trees: what git remembers of its trees, an extension of the file."""

    entries: Mapping[bytes, Entry]
    names: frozenset[bytes] = frozenset()
    modules: frozenset[bytes] = frozenset()
    plain: bool = True
    trees: bytes = b""


def looked(found: os.stat_result) -> Looked:
    """Of a file or a link. Git knows two modes of files: with and without the right to run them."""
    changed, written = found.st_ctime_ns, found.st_mtime_ns
    if stat.S_ISLNK(found.st_mode):
        mode = _LINK
    else:
        mode = _RUNNABLE if found.st_mode & 0o100 else _PLAIN
    return _STAT.pack(
        changed // _SECOND & _32_BITS, changed % _SECOND, written // _SECOND & _32_BITS, written % _SECOND,
        found.st_dev & _32_BITS, found.st_ino & _32_BITS, mode,
        found.st_uid & _32_BITS, found.st_gid & _32_BITS, found.st_size & _32_BITS,
    )  # fmt: skip


def moment(nanoseconds: int) -> bytes:
    """A time as it stands in an index; such texts compare as the times do."""
    return _TIME.pack(nanoseconds // _SECOND & _32_BITS, nanoseconds % _SECOND)


def is_same(entry: Entry, now: Looked, taken: bytes) -> bool:
    """Whether a file is surely as it was. What was written at or after `taken`, the moment of the index, may have been
    written again since, without its time or its size telling. A disk that counts in whole seconds tells even less."""
    if entry[:LOOKED] != now and (entry[:16] != now[:16] or entry[20:28] != now[20:28] or entry[36:LOOKED] != now[36:]):
        return False
    return entry[8:16] < taken if entry[12:16] != b"\0\0\0\0" else entry[8:12] < taken[:4]


def is_link(entry: Looked) -> bool:
    return entry[_MODE] == _LINK_MODE


def size_of(entry: Looked) -> int:
    """Bytes; of a file of 4 GB or more the last 32 bits."""
    return int.from_bytes(entry[36:LOOKED])


def changed_ns(entry: Looked) -> int:
    """When anything about the file last changed, its name included."""
    seconds, nanoseconds = _TIME.unpack_from(entry)
    return seconds * _SECOND + nanoseconds


def parse(data: bytes, id_size: int) -> Index | None:
    """`id_size`: 20 bytes for SHA-1, 32 for SHA-256. None for what this does not know, or is torn."""
    try:
        signature, version, count = _HEADER.unpack_from(data)
        if signature != b"DIRC" or version not in (2, 3):
            return None
        return _parsed(data, count, id_size)
    except (struct.error, ValueError, IndexError):
        return None


def _parsed(data: bytes, count: int, id_size: int) -> Index | None:
    entries: dict[bytes, Entry] = {}
    others: dict[bytes, bytes] = {}
    at, to_flags = _HEADER.size, LOOKED + id_size
    for _ in range(count):
        flags = data[at + to_flags]
        start = at + to_flags + (4 if flags & _EXTENDED >> 8 else 2)
        end = data.index(b"\0", start)
        if flags & (_BLIND | _EXTENDED | _STAGE) >> 8 or data[at + 26] >> 4 not in _KINDS:
            others[data[start:end]] = data[at : at + LOOKED][_MODE]
        else:
            entries[data[start:end]] = data[at : at + to_flags]
        at += (end - at + 8) & ~7
    extensions = dict(_extensions(data, at, id_size))
    if not {b"link", b"sdir"}.isdisjoint(extensions):  # the rest of the entries stands elsewhere
        return None
    modules = frozenset(name for name, mode in others.items() if mode == _MODULE_MODE)
    return Index(
        entries, frozenset(entries) | (others.keys() - modules), modules, not others, extensions.get(_TREES, b"")
    )


def _extensions(data: bytes, at: int, id_size: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data) - id_size:
        name, size = _EXTENSION.unpack_from(data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size


def write(entries: Mapping[bytes, Entry], id_size: int, trees: bytes = b"") -> bytes:
    """An index file of version 2. `trees`: what `Index.trees` was, without those that have changed."""
    parts = [_HEADER.pack(b"DIRC", 2, len(entries))]
    for name in sorted(entries):
        size = LOOKED + id_size + _FLAGS.size + len(name)
        parts += (entries[name], _FLAGS.pack(min(len(name), _LENGTH)), name, b"\0" * (8 - size % 8))
    if trees:
        parts += (_EXTENSION.pack(_TREES, len(trees)), trees)
    data = b"".join(parts)
    return data + (hashlib.sha1 if id_size == 20 else hashlib.sha256)(data).digest()


def forget_trees(trees: bytes, names: Iterable[bytes], id_size: int) -> bytes:
    """The same, when these files are others now: the folders that they lie in count as unknown. b"" for rubbish."""
    gone = {name[:at] for name in names for at, sign in enumerate(name) if sign == _SLASH} | {b""}
    try:
        return b"".join(_without(trees, gone, id_size))
    except ValueError:
        return b""


def _without(trees: bytes, gone: set[bytes], id_size: int) -> Iterator[bytes]:
    """Each folder stands before those in it: its last name, a NUL, the number of files or -1, a space, the number of
    folders in it, a newline, and its tree's id unless the number of files is -1."""
    above: list[tuple[bytes, int]] = [(b"", 1)]
    """The folders around, and how many folders in each are still to come."""
    at = 0
    while at < len(trees):
        middle = trees.index(b"\0", at)
        line = trees.index(b"\n", middle)
        files, inner = trees[middle + 1 : line].split(b" ")
        while above[-1][1] == 0 and len(above) > 1:
            above.pop()
        outer, left = above.pop()
        above.append((outer, left - 1))
        path = outer + trees[at:middle]
        after = line + 1 + (0 if files == b"-1" else id_size)
        yield trees[at:after] if path not in gone else trees[at:middle] + b"\0-1 " + inner + b"\n"
        above.append((path + b"/" if path else b"", int(inner)))
        at = after


def plain_entry(mode: int, size: int) -> Looked:
    """Of a file of which only this is known."""
    return _STAT.pack(0, 0, 0, 0, 0, 0, mode, 0, 0, size & _32_BITS)

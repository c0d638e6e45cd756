"""How a file's name is written for people and models: one line of real Unicode, whatever bytes the disk has.

A name can hold newlines, control characters and bytes that are no UTF-8; those become backslash escapes. Pure.
"""

from __future__ import annotations


def shown(name: str) -> str:
    r"""A name with `\n`, `\x1b` or `\xff` for what cannot be shown; a usual name comes back as it is."""
    return name if name.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in name)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # Python's stand-in for a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")

"""Puts a whole function or class in the place of an old one: text, lines and the new code in, the new text out.

The new code is shifted to the old one's indentation, but not what stands in its strings. What belongs to the old one
and the new code does not bring, its decorators and the comments above it, stays. Finding the lines is somebody else's
work. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qagent.code.literals import literals
from qagent.edits.diff import lines_of
from qagent.edits.heads import kept_head

_ONLY_CLOSES = re.compile(r"[\s\"'`)\]},;]*")


@dataclass(frozen=True, slots=True)
class Placed:
    """The new text; the lines, from 1, that the new code has in it, both included."""

    text: str
    first: int
    last: int


def replace_block(text: str, span: tuple[int, int, int], new: str, path: str = "") -> str:
    """`span`: first line with what belongs to it, line of the definition, last line; counted from 1, all included.

    `path` tells the language, for what must not be shifted.
    """
    return place(text, span, new, path).text


def place(text: str, span: tuple[int, int, int], new: str, path: str = "") -> Placed:
    """As `replace_block`, and says where the new code is."""
    start, definition, end = span
    lines = lines_of(text)
    code = code_lines(new)
    old = [line.rstrip("\r\n") for line in lines[start - 1 : end]]
    if _tabbed(old, lines):
        code = _tabs(code, path)
    shifted = _shifted(code, _indent(lines[definition - 1].lstrip("\f")), old, path)
    ending = "\r\n" if lines[start - 1].endswith("\r\n") else "\n"
    head = kept_head(lines[start - 1 : definition - 1], code)
    block = [line + ending for line in shifted]
    if not lines[end - 1].endswith("\n"):
        block[-1] = block[-1].removesuffix(ending)
    whole = _page([*head, *block], lines[start - 1])
    first = start + len(head)
    return Placed("".join([*lines[: start - 1], *whole, *lines[end:]]), first, first + len(block) - 1)


def code_lines(new: str) -> list[str]:
    """Without blank lines at either end."""
    return re.sub(r"\A(?:[ \t]*\n)+|\s+\Z", "", new.replace("\r\n", "\n")).split("\n")


def _page(block: list[str], old: str) -> list[str]:
    """With the form feed that began the old lines."""
    feeds = old[: len(old) - len(old.lstrip("\f"))]
    return block if not feeds or block[0].startswith("\f") else [feeds + block[0], *block[1:]]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


# ------------------------------------------------------------------ indentation


def _shifted(code: list[str], target: str, old: list[str], path: str) -> list[str]:
    """By the difference between the first line's indentation and `target`; a line that has less is left alone, and so
    is what stands in a string."""
    own = _indent(code[0])
    moved = [target + line[len(own) :] if line.strip() and line.startswith(own) else line for line in code]
    for literal in literals("\n".join(code), path):
        rows = range(literal.first, literal.last + 1)
        if not literal.documents and not any(_was_moved(code[row], moved[row], old) for row in rows):
            moved[literal.first : literal.last + 1] = code[literal.first : literal.last + 1]
    return moved


def _was_moved(line: str, moved: str, old: list[str]) -> bool:
    """Whether the model wrote a line of the old string with its own indentation."""
    return not _ONLY_CLOSES.fullmatch(line) and moved in old and line not in old


def _tabbed(old: list[str], lines: list[str]) -> bool:
    """Whether tabs indent here; a blank behind them, as in ` * `, is none."""
    for among in (old, lines):
        tabs = sum(line.startswith("\t") for line in among)
        blanks = sum(line.startswith("  ") for line in among)
        if tabs or blanks:
            return tabs > blanks
    return False


def _tabs(code: list[str], path: str) -> list[str]:
    """Tabs for the blanks that a model indented with, where it used blanks alone."""
    inside = {row for each in literals("\n".join(code), path) for row in range(each.first, each.last + 1)}
    indents = {row: _indent(line) for row, line in enumerate(code) if line.strip() and row not in inside}
    widths = {len(indent) for indent in indents.values()} - {0, 1}
    if not widths or any("\t" in indent for indent in indents.values()):
        return code
    own = len(indents.get(0, ""))
    unit = min((width - own for width in widths if width - own > 1), default=own or 4)
    return [
        "\t" * (len(indents[row]) // unit) + " " * (len(indents[row]) % unit) + line.lstrip(" ")
        if row in indents
        else line
        for row, line in enumerate(code)
    ]

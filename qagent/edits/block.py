"""Puts a whole function or class in the place of an old one: text, lines and the new code in, the new text out.

The new code is shifted to the old one's indentation. What belongs to the old one and the new code does not bring, its
decorators and the comments above it, stays. Finding the lines is somebody else's work. Pure.
"""

from __future__ import annotations

import re

from qagent.edits.diff import lines_of

_COMMENT = re.compile(r"\s*(#(?!\w)|//|/\*|\*)")
_DECORATOR = re.compile(r"\s*@")


def replace_block(text: str, span: tuple[int, int, int], new: str) -> str:
    """`span`: first line with what belongs to it, line of the definition, last line; counted from 1, all included."""
    start, definition, end = span
    lines = lines_of(text)
    code = _lines(new)
    indented = _shifted(code, _indent(lines[definition - 1]))
    ending = "\r\n" if lines[start - 1].endswith("\r\n") else "\n"
    head = _kept_head(lines[start - 1 : definition - 1], code)
    block = [line + ending for line in indented]
    if not lines[end - 1].endswith("\n"):
        block[-1] = block[-1].removesuffix(ending)
    return "".join([*lines[: start - 1], *head, *block, *lines[end:]])


def _lines(new: str) -> list[str]:
    """Without blank lines at either end."""
    return re.sub(r"\A(?:[ \t]*\n)+|\s+\Z", "", new.replace("\r\n", "\n")).split("\n")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _shifted(code: list[str], target: str) -> list[str]:
    """By the difference between the first line's indentation and `target`; a line that has less is left alone."""
    own = _indent(code[0])
    return [target + line[len(own) :] if line.strip() and line.startswith(own) else line for line in code]


def _kept_head(head: list[str], code: list[str]) -> list[str]:
    """Of the lines above the old definition: comments, then from the first `@` on decorators."""
    first = next((number for number, line in enumerate(head) if _DECORATOR.match(line)), len(head))
    brings_comment = _COMMENT.match(code[0]) is not None
    after_comments = next((line for line in code if line.strip() and not _COMMENT.match(line)), "")
    comments = [] if brings_comment else head[:first]
    return comments if _DECORATOR.match(after_comments) else comments + head[first:]

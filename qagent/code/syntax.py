"""Whether a text can still be read by its language's grammar: text before and after a change in, the new fault out.

A text that was broken before may be changed at will. In a long text only the top-level statements around the change are
read: when they are sound before and after, so is the rest. Works for every text; knows no files.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from qagent.code.beyond import fault_beyond
from qagent.code.languages import Language, parse, row_of
from qagent.code.newer import is_flow, is_notebook, masked

if TYPE_CHECKING:
    from tree_sitter import Node

_LONG = 1_500
"""Lines beyond which only a part is read."""

_INNER = re.compile(r"[\s)\]}@#*]|/[/*]|(?:else|elif|except|finally|catch|case|default)\b|\"{3}|'{3}|`|$")
"""Lines that may belong to the statement above or below them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line that cannot be read, from 1, and its text. why: the language's own word for it, or ""."""

    line: int
    text: str
    why: str = ""


def new_fault(before: str, after: str, path: str) -> Fault | None:
    """The fault of the text after the change; None without one, for an unknown language, and when there was one before.

    `before` "" is a new file.
    """
    if (row := row_of(path)) is None:
        return None
    if after.count("\n") > _LONG and all(_found(part, row) is None for part in _around(before, after)):
        return None
    if (found := _found(after, row)) is None:
        return None
    was = _found(before, row)
    return _fault(after, found) if was is None or (was.beyond and not found.beyond) else None


def _fault(text: str, found: _Found) -> Fault:
    line = max(1, min(found.line, text.count("\n") + 1))
    return Fault(line, text.split("\n")[line - 1].removesuffix("\r"), found.why)


@dataclass(frozen=True, slots=True)
class _Found:
    """beyond: the grammar can read it all the same."""

    line: int
    why: str = ""
    beyond: bool = False


def _found(text: str, row: Language) -> _Found | None:
    cells = row.name == "python" and is_notebook(text)
    found = _judged(text, row, cells)
    if found is None or (row.name == "javascript" and is_flow(text)):
        return None
    clean = masked(text, row.name)
    return found if clean == text else _judged(clean, row, cells)


def _judged(text: str, row: Language, cells: bool) -> _Found | None:
    root = parse(f"{text}\n", row).root_node  # Go's grammar wants a line end behind the last declaration
    found = _Found(_error_line(root)) if root.has_error else None
    if row.name == "python":
        return _by_python(text, found, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if cells else 0)
    beyond = None if found else fault_beyond(root, row)
    return _Found(*beyond, beyond=True) if beyond else found


def _by_python(text: str, found: _Found | None, flags: int) -> _Found | None:
    """Python itself judges indentation and what stands outside of a function or loop, which the grammar lets pass. What
    it can read is no fault; what it cannot may be newer than the Python that runs qagent: there the grammar decides
    whether, and Python where, since it knows which bracket was never closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the code's own style, as `"\\d"`
        try:
            tree = ast.parse(text)
        except IndentationError as error:
            return _said(error)
        except SyntaxError as error:
            return found and _said(error)
        except (ValueError, RecursionError, MemoryError):
            return found
        try:
            compile(tree, "", "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            return _said(error)
        except (ValueError, RecursionError, MemoryError):
            return None
    return None


def _said(error: SyntaxError) -> _Found:
    return _Found(error.lineno or 1, error.msg)


def _error_line(root: Node) -> int:
    """An ERROR node may span all that follows the fault, or all before it: the innermost one on the way is nearest."""
    line, todo = 1, [root]
    while todo:
        node = todo.pop()
        if node.is_error or node.is_missing:
            line = node.start_point.row + 1
        if node.is_missing:
            break
        bad = [child for child in node.children if child.has_error or child.is_error or child.is_missing]
        todo = bad[:1]
    return line


# ------------------------------------------------------------------ the part that changed


def _around(before: str, after: str) -> tuple[str, str]:
    """The top-level statements in which the two differ, of each."""
    old, new = before.split("\n"), after.split("\n")
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    start = next((number for number in range(head - 1, -1, -1) if _begins(old, number)), 0)
    ends = (number for number in range(tail, 0, -1) if _begins(old, len(old) - number))
    stop = next(ends, 0)
    future = next((number for number, line in enumerate(old) if line.startswith("from __future__")), -1)
    stop = min(stop, len(old) - future - 1)  # it must come first, so what stands above it is read with it
    return "\n".join([*old[start : len(old) - stop], ""]), "\n".join([*new[start : len(new) - stop], ""])


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _begins(lines: Sequence[str], number: int) -> bool:
    return _INNER.match(lines[number]) is None

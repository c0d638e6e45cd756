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

from qagent.code.languages import Language, parse, row_of

if TYPE_CHECKING:
    from tree_sitter import Node

_LONG = 1_500
"""Lines beyond which only a part is read."""

_INNER = re.compile(r"[\s)\]}@#*]|/[/*]|(?:else|elif|except|finally|catch|case|default)\b|\"{3}|'{3}|`|$")
"""Lines that may belong to the statement above or below them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line that cannot be read, from 1, and its text."""

    line: int
    text: str


def new_fault(before: str, after: str, path: str) -> Fault | None:
    """The fault of the text after the change; None without one, for an unknown language, and when there was one before.

    `before` "" is a new file.
    """
    if (row := row_of(path)) is None:
        return None
    if after.count("\n") > _LONG and all(_fault_line(part, row) is None for part in _around(before, after)):
        return None
    line = _fault_line(after, row)
    if line is None or _fault_line(before, row) is not None:
        return None
    return _fault(after, line)


def syntax_error(text: str, path: str) -> tuple[int, str] | None:
    """The first line that the grammar cannot read, and its text; None when all is well or the language unknown."""
    row = row_of(path)
    line = _fault_line(text, row) if row else None
    return None if line is None else (_fault(text, line).line, _fault(text, line).text)


def _fault(text: str, line: int) -> Fault:
    line = max(1, min(line, text.count("\n") + 1))
    return Fault(line, text.split("\n")[line - 1].removesuffix("\r"))


def _fault_line(text: str, row: Language) -> int | None:
    root = parse(f"{text}\n", row).root_node  # Go's grammar wants a line end behind the last declaration
    line = _error_line(root) if root.has_error else None
    return _python_line(text, line) if row.name == "python" else line


def _python_line(text: str, line: int | None) -> int | None:
    """Python itself judges indentation and what stands outside of a function or loop, which the grammar lets pass. What
    it can read is no fault; what it cannot may be newer than the Python that runs qagent: there the grammar decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the code's own style, as `"\\d"`
        try:
            tree = ast.parse(text)
        except IndentationError as error:
            return error.lineno or 1
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return line
        try:
            compile(tree, "", "exec", dont_inherit=True)
        except SyntaxError as error:
            return error.lineno or 1
        except (ValueError, RecursionError, MemoryError):
            return None
    return None


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

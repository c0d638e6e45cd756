"""The strings of a text that go over several lines: text in, rows out. Their lines are content, not layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qagent.code.languages import parse, row_of

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS = frozenset({"string", "template_string", "raw_string_literal"})
_DOCUMENTS = frozenset({"module", "block"})


@dataclass(frozen=True, slots=True)
class Literal:
    """The rows, from 0, that begin inside a string; `documents`: it is a docstring, which is laid out as code is."""

    first: int
    last: int
    documents: bool


def literals(text: str, path: str) -> list[Literal]:
    """Outermost ones, in no order; [] for a language that is not known."""
    if "\n" not in text or not any(quote in text for quote in ('"""', "'''", "`", "\\\n")):
        return []
    if (row := row_of(path)) is None:
        return []
    found, todo = list[Literal](), [parse(text, row).root_node]
    while todo:
        node = todo.pop()
        first, last = node.start_point.row, node.end_point.row
        if node.type in _KINDS and first < last:
            found.append(Literal(first + 1, last, _documents(node)))
        elif first < last:
            todo += node.children
    return found


def _documents(string: Node) -> bool:
    statement = string.parent
    holder = statement.parent if statement else None
    alone = statement is not None and statement.type == "expression_statement" and statement.named_child_count == 1
    return alone and holder is not None and holder.type in _DOCUMENTS

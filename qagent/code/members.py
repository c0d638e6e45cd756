"""What stands in a class, and what a definition stands in: text and a symbol in, names out.

Beside the methods, which are symbols themselves, a class has fields; and a function can be an item of an object or one
of several names of a `const`, so that its lines are not a statement of their own. Works for every text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from qagent.code.languages import parse, row_of
from qagent.code.symbols import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

_BODIES = frozenset({"class_body", "block"})
_FIELDS = {"field_definition": "property", "public_field_definition": "name", "assignment": "left"}
_ITEMS = frozenset({"pair", "method_definition"})


def fields(text: str, path: str, symbol: Symbol) -> list[str]:
    """The names that a class itself assigns or declares; [] for what is no class."""
    return [name for node in _at(text, path, symbol) if symbol.kind == "class" for name in _fields(node)]


def names(symbols: Sequence[Symbol], within: str) -> list[str]:
    """What of the symbols stands in this one, without its name in front: methods, and what is nested in them not."""
    inner = [each.name.removeprefix(f"{within}.") for each in symbols if each.name.startswith(f"{within}.")]
    return [name for name in inner if "." not in name]


def position(text: str, path: str, symbol: Symbol) -> Literal["item", "one of several", ""]:
    """Whether the symbol is an item of an object, or declared with others in one statement: `const f = …, g = …`."""
    row = row_of(path)
    for node in _at(text, path, symbol):
        several = sum(each.type == node.type for each in node.parent.children) if node.parent else 0
        if node.type in _ITEMS:
            return "item" if node.parent and node.parent.type == "object" else ""
        if node.type == "variable_declarator" or (row and node.type in row.kinds):
            return "one of several" if node.type == "variable_declarator" and several > 1 else ""
    return ""


def _at(text: str, path: str, symbol: Symbol) -> Iterator[Node]:
    """The nodes that begin on the line of the definition and go no further than it, outermost first."""
    if (row := row_of(path)) is None:
        return
    todo = [parse(text, row).root_node]
    while todo:
        node = todo.pop()
        first, last = node.start_point.row + 1, node.end_point.row + 1
        if first == symbol.body_start and last <= symbol.end:
            yield node
        if first <= symbol.body_start <= last:
            todo += reversed(node.children)


def _fields(node: Node) -> Iterator[str]:
    body = node.child_by_field_name("body")
    if not node.type.startswith(("class", "abstract_class")) or body is None or body.type not in _BODIES:
        return
    for child in body.named_children:
        held = child.named_children[0] if child.type == "expression_statement" and child.named_children else child
        name = held.child_by_field_name(_FIELDS[held.type]) if held.type in _FIELDS else None
        value = held.child_by_field_name("value")
        function = value is not None and value.type in ("arrow_function", "function_expression")
        if name is not None and name.text and not function and name.type not in ("attribute", "subscript"):
            yield name.text.decode("utf-8", "replace")

"""The functions, classes and types of a file: text in, named spans of lines out.

Works for every text, broken code included: what the grammar still recognises is listed. Lines are counted from 1, both
ends included, and end at `\\n` alone. It does not know files, edits or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qagent.code.languages import Language, language_of, parse, row_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Symbol", "enclosing", "find", "holds", "language_of", "overloads", "symbols"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """`name` is qualified, as in `Cart.total`. `start` takes in decorators and comments directly above, `body_start` is
    the line with `def`, `class`, `func` or the name itself. `kind`: function, method, class, interface, type, enum or
    namespace.
    """

    name: str
    kind: str
    start: int
    end: int
    body_start: int


def symbols(text: str, path: str) -> list[Symbol]:
    """All symbols in the order of the file; [] for a language that is not known. Never raises."""
    if (row := row_of(path)) is None:
        return []
    return list(_walk(parse(text, row).root_node, row))


def find(text: str, path: str, name: str) -> list[Symbol]:
    """The symbols with exactly this qualified name, or else those whose name ends with it (`total`, `Cart.total`)."""
    found = symbols(text, path)
    return [s for s in found if s.name == name] or [s for s in found if s.name.endswith(f".{name}")]


def holds(outer: Symbol, inner: Symbol) -> bool:
    """Whether the one is defined in the other."""
    return inner.name.startswith(f"{outer.name}.") and outer.start <= inner.start and inner.end <= outer.end


def enclosing(text: str, path: str, lines: Iterable[int]) -> list[str]:
    """For each line, from 1, the name of the innermost symbol that it lies in, "" outside of all."""
    found = symbols(text, path)
    inside = [[each for each in found if each.start <= line <= each.end] for line in lines]
    return [min(around, key=lambda each: each.end - each.start).name if around else "" for around in inside]


def overloads(text: str, path: str, symbol: Symbol) -> list[int]:
    """The lines on which the same function is declared without a body, as TypeScript's overloads are."""
    row = row_of(path)
    if row is None or row.name != "typescript":
        return []
    scope, _, last = symbol.name.rpartition(".")
    todo, lines = [parse(text, row).root_node], list[int]()
    while todo:
        node = todo.pop()
        if node.type in ("function_signature", "method_signature") and _text(node.child_by_field_name("name")) == last:
            lines.append(node.start_point.row + 1)
        if node.type not in row.leaves:
            todo += node.named_children
    outside = [line for line in sorted(lines) if not symbol.body_start <= line <= symbol.end]
    return [line for line, inside in zip(outside, enclosing(text, path, outside), strict=True) if inside == scope]


# ------------------------------------------------------------------ walking


_LEADING = ("comment", "decorator")


@dataclass(frozen=True, slots=True)
class _Visit:
    """A node to look at: the rows of the whole definition that it may be the heart of, and what it stands in."""

    node: Node
    first: int
    last: int
    scope: str = ""
    inside: str = ""


def _walk(root: Node, row: Language) -> Iterator[Symbol]:
    """Depth first with a stack of its own: code can be nested deeper than Python's."""
    todo = [_Visit(root, 0, 0)]
    while todo:
        visit = todo.pop()
        scope, inside = visit.scope, visit.inside
        if found := _symbol(visit, row):
            yield found
            scope, inside = found.name, found.kind
        elif (holder := _object_name(visit.node)) is not None:
            scope = _join(scope, holder)
        if visit.node.type not in row.leaves:
            todo += reversed(list(_children(visit, row, scope, inside)))


def _children(visit: _Visit, row: Language, scope: str, inside: str) -> Iterator[_Visit]:
    """The children that may define something; what a wrapper holds counts as all of the wrapper."""
    node = visit.node
    group = any(child.type == "(" for child in node.children)  # Go's `type ( … )` may get a second one
    whole = node.type in row.wrappers and node.named_child_count == _leading(node) + 1 and not group
    # Python hangs the comment above the first statement of a block in front of the block.
    above = visit.first if node.type == "block" and visit.first < node.start_point.row else None
    for child, first in _led(node, above):
        if child.named_child_count:
            rows = (visit.first, visit.last) if whole else (first, _last_row(child))
            yield _Visit(child, *rows, scope, inside)


def _led(node: Node, start: int | None) -> Iterator[tuple[Node, int]]:
    """Each child that is no comment or decorator, with the row where those that belong to it begin.

    A comment belongs to what follows without a blank line, a decorator always. `start`: where those of the first begin.
    """
    touched, decorated, previous = node.start_point.row - 1, False, -1
    for child in node.children:
        first, last = child.start_point.row, child.end_point.row
        attached = decorated or touched >= first - 1
        if child.type not in _LEADING:
            yield child, start if start is not None and attached else first
            start, decorated, previous = None, False, last
        elif first > previous or child.type == "decorator":  # behind code, a comment belongs to that code
            start = start if start is not None and attached else first
            decorated, touched = decorated or child.type == "decorator", last


def _leading(node: Node) -> int:
    return sum(child.type in _LEADING for child in node.children)


def _last_row(node: Node) -> int:
    end = node.end_point
    return end.row - 1 if end.column == 0 and end.row > node.start_point.row else end.row


# ------------------------------------------------------------------ naming


def _symbol(visit: _Visit, row: Language) -> Symbol | None:
    node = visit.node
    kind = row.kinds.get(node.type)
    name = _declared_name(node) if kind else None
    if kind is None:
        name, kind = _held(node, row)
    if not name or not kind:
        return None
    if kind == "function" and visit.inside == "class":
        kind = "method"
    first, last = visit.first + 1, max(visit.last, node.start_point.row) + 1
    return Symbol(_join(visit.scope, name), kind, first, last, node.start_point.row + 1)


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node else ""


def _declared_name(node: Node) -> str | None:
    if node.type == "function_signature" and not (node.parent and node.parent.type == "ambient_declaration"):
        return None
    name = _text(node.child_by_field_name("name"))
    if any(c.isspace() for c in name):  # a computed key or a string
        return None
    if node.type == "method_declaration":
        return _join(_receiver(node), name) if name else None
    return name


def _receiver(method: Node) -> str:
    """The type of a Go method's receiver, without pointer and type parameters."""
    todo = [receiver] if (receiver := method.child_by_field_name("receiver")) else []
    while todo:
        node = todo.pop()
        if node.type == "type_identifier":
            return _text(node)
        todo += reversed(node.named_children)
    return ""


_HOLDERS = {
    "variable_declarator": ("name", "value"),
    "public_field_definition": ("name", "value"),
    "field_definition": ("property", "value"),
    "assignment_expression": ("left", "right"),
    "pair": ("key", "value"),
}


def _held(node: Node, row: Language) -> tuple[str, str | None]:
    """The name and kind of `const f = () => …` and its relatives: a nameless value and what holds it."""
    if node.type in row.values and node.parent and node.parent.type == "export_statement":
        return "default", row.values[node.type]
    if not row.values or not (fields := _HOLDERS.get(node.type)):
        return "", None
    value = node.child_by_field_name(fields[1])
    if value is None or value.type not in row.values or (node.type == "pair" and not _in_named_object(node)):
        return "", None
    return _plain_name(_text(node.child_by_field_name(fields[0]))), row.values[value.type]


def _in_named_object(pair: Node) -> bool:
    """True in `const api = {…}`, false in an argument, where the keys name nothing that others could call."""
    holder = pair.parent.parent if pair.parent else None
    return holder is not None and holder.type in ("variable_declarator", "assignment_expression")


def _object_name(node: Node) -> str | None:
    fields = _HOLDERS.get(node.type)
    if not fields or not (value := node.child_by_field_name(fields[1])) or value.type != "object":
        return None
    return _plain_name(_text(node.child_by_field_name(fields[0])))


def _plain_name(written: str) -> str:
    """`module.exports.f`, `this.f`, `Cart.prototype.f` -> the name people use; "" for what is no name at all."""
    name = re.sub(r"^(?:module\.exports|exports|this)(?:\.|$)", "", written.replace(".prototype.", "."))
    return name if re.fullmatch(r"#?[\w$]+(?:\.#?[\w$]+)*", name) else ""

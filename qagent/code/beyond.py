"""Faults that a grammar lets pass and the language never does: a tree in, the line of the first such fault out.

Only what is wrong beyond doubt, in whatever file and with whatever tool: a false alarm would stop a good edit. It knows
JavaScript, TypeScript and Go; Python judges itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from qagent.code.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Node

_Rule = Callable[["Node"], "tuple[Node, str] | None"]


def fault_beyond(root: Node, row: Language) -> tuple[int, str] | None:
    """The line, from 1, and what is wrong there, in the words of compilers; None without."""
    rules = _RULES.get(row.name, {})
    found = [hit for node in _nodes(root, rules) if (hit := rules[node.type](node))]
    first = min(found, key=lambda hit: hit[0].start_byte, default=None)
    return (first[0].start_point.row + 1, first[1]) if first else None


def _nodes(root: Node, rules: Mapping[str, _Rule]) -> Iterator[Node]:
    todo = [root] if rules else []
    while todo:
        node = todo.pop()
        if node.type in rules:
            yield node
        todo += node.named_children


# ------------------------------------------------------------------ JavaScript, TypeScript

_FUNCTIONS = frozenset({
    "function_declaration", "function_expression", "generator_function", "generator_function_declaration",
    "arrow_function", "method_definition",
})  # fmt: skip
_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_BREAKABLE = _LOOPS | {"switch_statement"}
_EDGES = _FUNCTIONS | {"class_static_block", "class_body", "program", "internal_module", "module"}


def _edge(node: Node, until: frozenset[str]) -> Node | None:
    """The nearest node around it that is one of these."""
    around = node.parent
    while around is not None and around.type not in until:
        around = around.parent
    return around


def _string(node: Node) -> tuple[Node, str] | None:
    """An element's attributes alone may have line ends in their strings."""
    if node.start_point.row == node.end_point.row or (node.parent and node.parent.type == "jsx_attribute"):
        return None
    lines = [line.rstrip(b"\r") for line in (node.text or b"").split(b"\n")[:-1]]
    goes_on = all((len(line) - len(line.rstrip(b"\\"))) % 2 for line in lines)
    return None if goes_on else (node, "unterminated string")


def _element(node: Node) -> tuple[Node, str] | None:
    ends = [node.child_by_field_name("open_tag"), node.child_by_field_name("close_tag")]
    names = [each.child_by_field_name("name") if each else None for each in ends]
    opened, closed = ("".join((each.text or b"").decode("utf-8", "replace").split()) if each else "" for each in names)
    return (ends[1], f"<{opened}> is closed by </{closed}>") if ends[1] and opened != closed else None


def _break(node: Node) -> tuple[Node, str] | None:
    loops = _BREAKABLE if node.type == "break_statement" else _LOOPS
    around = _edge(node, loops | _EDGES)
    if node.child_by_field_name("label") is not None or (around is not None and around.type in loops):
        return None
    return node, f"{node.type.partition('_')[0]} outside of a loop"


def _return(node: Node) -> tuple[Node, str] | None:
    """Outside of functions CommonJS allows it, a module does not."""
    around = _edge(node, _EDGES)
    module = around is not None and any(
        each.type in ("import_statement", "export_statement") for each in around.children
    )
    return (node, "return outside of a function") if around and around.type == "program" and module else None


def _await(node: Node) -> tuple[Node, str] | None:
    """`await (x)` and `await [x]` may be about a variable of that name, and so may one on a line of its own."""
    around, of = _edge(node, _EDGES), node.named_children[0] if node.named_children else None
    if around is None or around.type not in _FUNCTIONS or of is None or of.start_point.row > node.start_point.row:
        return None
    if not (of.text or b" ")[:1].isalpha():
        return None
    if any(each.type == "async" for each in around.children) or _in_parameters(node, around):
        return None
    return node, "await in a function that is not async"


def _in_parameters(node: Node, function: Node) -> bool:
    """Their defaults, and decorators, are evaluated elsewhere."""
    body = function.child_by_field_name("body")
    return body is None or not body.start_byte <= node.start_byte < body.end_byte


def _declared(node: Node) -> tuple[Node, str] | None:
    """Names that are declared twice by `let` and `const` in one block."""
    seen = set[bytes]()
    for statement in node.children:
        inner = statement.child_by_field_name("declaration") if statement.type == "export_statement" else statement
        if inner is None or inner.type != "lexical_declaration":
            continue
        for each in inner.children:
            name = each.child_by_field_name("name") if each.type == "variable_declarator" else None
            if name is None or name.type != "identifier" or name.text is None:
                continue
            if name.text in seen:
                return name, f"{name.text.decode('utf-8', 'replace')} is declared twice"
            seen.add(name.text)
    return None


def _const(node: Node) -> tuple[Node, str] | None:
    if not node.children or node.children[0].type != "const":
        return None
    bare = (each for each in node.children if each.type == "variable_declarator" and not _value(each))
    return next(((each, "a const without a value") for each in bare), None)


def _value(declared: Node) -> Node | None:
    return declared.child_by_field_name("value")


_SCRIPT: Mapping[str, _Rule] = {
    "string": _string,
    "jsx_element": _element,
    "break_statement": _break,
    "continue_statement": _break,
    "return_statement": _return,
    "await_expression": _await,
    "program": _declared,
    "statement_block": _declared,
}
_PLAIN_SCRIPT: Mapping[str, _Rule] = {**_SCRIPT, "lexical_declaration": _const}
"""TypeScript may only declare a `const`."""

# ------------------------------------------------------------------ Go

_DECLARATIONS = frozenset({
    "function_declaration", "method_declaration", "const_declaration", "var_declaration", "type_declaration",
})  # fmt: skip
_LOOSE = "{ must stand on the line above"
_OUTSIDE = frozenset({"package_clause", "import_declaration", "comment", "\n", ";", *_DECLARATIONS})


def _file(node: Node) -> tuple[Node, str] | None:
    """Only of a whole file: an excerpt has no package."""
    children = [each for each in node.children if each.type != "comment"]
    if not children or children[0].type != "package_clause":
        return None
    declared = False
    for each in children[1:]:
        if each.type == "package_clause":
            return each, "a second package clause"
        if each.type == "import_declaration" and declared:
            return each, "imports must come before other declarations"
        if each.is_named and not each.is_error and each.type not in _OUTSIDE:
            return each, _LOOSE if each.type == "block" else "a statement outside of a function"
        declared = declared or each.type in _DECLARATIONS
    return None


def _list(node: Node) -> tuple[Node, str] | None:
    """Where a line ends behind an element, Go puts a semicolon, unless there is a comma (Go specification)."""
    inner = [each for each in node.children if each.type != "comment"]
    if len(inner) < 3 or not inner[-2].is_named or inner[-2].type == "variadic_argument":
        return None
    broken = inner[-2].end_point.row < inner[-1].start_point.row
    return (inner[-2], "a comma is missing at the end of this line") if broken else None


def _brace(node: Node) -> tuple[Node, str] | None:
    body = node.child_by_field_name("body") or node.child_by_field_name("consequence")
    before = body.prev_named_sibling if body else None
    while before is not None and before.type == "comment":
        before = before.prev_named_sibling
    if body is None or before is None or (before.type == "for_clause" and before.children[-1].type == ";"):
        return None
    broken = before.end_point.row < body.start_point.row
    return (body, _LOOSE) if broken else None


_GO: Mapping[str, _Rule] = {
    "source_file": _file,
    "literal_value": _list,
    "argument_list": _list,
    "parameter_list": _list,
    "if_statement": _brace,
    "for_statement": _brace,
    "func_literal": _brace,
}
_RULES = {"javascript": _PLAIN_SCRIPT, "typescript": _SCRIPT, "go": _GO}

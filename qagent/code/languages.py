"""The languages whose files are understood, one row each: suffixes in, a tree-sitter parser out.

A row says which nodes of a grammar define something, and which merely wrap a definition. It does not know how a tree
is walked. Grammars are separate wheels and are loaded when the first file of their language is parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Tree


@dataclass(frozen=True, slots=True)
class Language:
    """`kinds`: node type -> kind of a definition with a `name` of its own. `values`: node type -> kind of a function or
    class without a name, which takes that of the variable, field or export that holds it. `wrappers`: nodes that belong
    to the one definition inside them. `leaves`: big or frequent nodes that never hold a definition worth listing.
    """

    name: str
    suffixes: tuple[str, ...]
    package: str
    factory: str = "language"
    kinds: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    wrappers: frozenset[str] = frozenset()
    leaves: frozenset[str] = frozenset()


PYTHON = Language(
    "python",
    (".py", ".pyi"),
    "tree_sitter_python",
    kinds={"function_definition": "function", "class_definition": "class"},
    wrappers=frozenset({"decorated_definition"}),
    leaves=frozenset({
        "expression_statement", "return_statement", "assert_statement", "raise_statement", "import_statement",
        "import_from_statement", "parameters", "decorator", "type", "call", "string", "boolean_operator",
        "comparison_operator", "argument_list", "dictionary", "list",
    }),
)  # fmt: skip

_SCRIPT_KINDS = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "class_declaration": "class",
    "method_definition": "method",
}
_SCRIPT_VALUES = {
    "arrow_function": "function",
    "function_expression": "function",
    "generator_function": "function",
    "class": "class",
}
_SCRIPT_WRAPPERS = frozenset({
    "export_statement", "expression_statement", "lexical_declaration", "variable_declaration", "ambient_declaration",
})  # fmt: skip
_SCRIPT_LEAVES = frozenset({
    "member_expression", "binary_expression", "string", "template_string", "regex", "import_statement",
    "formal_parameters", "type_annotation", "object_type", "union_type", "interface_body", "enum_body", "decorator",
})  # fmt: skip

JAVASCRIPT = Language(
    "javascript",
    (".js", ".jsx", ".mjs", ".cjs"),
    "tree_sitter_javascript",
    kinds=_SCRIPT_KINDS,
    values=_SCRIPT_VALUES,
    wrappers=_SCRIPT_WRAPPERS,
    leaves=_SCRIPT_LEAVES,
)

_TYPED_KINDS = {
    **_SCRIPT_KINDS,
    "abstract_class_declaration": "class",
    "abstract_method_signature": "method",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "internal_module": "namespace",
    # A signature in front of its own implementation is no symbol beside it; `symbols` keeps the declared ones.
    "function_signature": "function",
}

TYPESCRIPT = Language(
    "typescript",
    (".ts", ".mts", ".cts"),
    "tree_sitter_typescript",
    factory="language_typescript",
    kinds=_TYPED_KINDS,
    values=_SCRIPT_VALUES,
    wrappers=_SCRIPT_WRAPPERS,
    leaves=_SCRIPT_LEAVES,
)
# A grammar of its own, since `<T>x` is a cast in .ts and an element in .tsx; for people it is the same language.
TSX = Language(
    "typescript",
    (".tsx",),
    "tree_sitter_typescript",
    factory="language_tsx",
    kinds=_TYPED_KINDS,
    values=_SCRIPT_VALUES,
    wrappers=_SCRIPT_WRAPPERS,
    leaves=_SCRIPT_LEAVES,
)

GO = Language(
    "go",
    (".go",),
    "tree_sitter_go",
    kinds={
        "function_declaration": "function",
        "method_declaration": "method",
        "type_spec": "type",
        "type_alias": "type",
    },
    wrappers=frozenset({"type_declaration"}),
    # Functions inside functions have no name in Go, so a body is a leaf.
    leaves=frozenset({"block", "import_declaration", "const_declaration", "var_declaration", "parameter_list"}),
)

LANGUAGES = (PYTHON, JAVASCRIPT, TYPESCRIPT, TSX, GO)


def row_of(path: str) -> Language | None:
    suffix = PurePosixPath(path).suffix.lower()
    return next((row for row in LANGUAGES if suffix in row.suffixes), None)


def language_of(path: str) -> str | None:
    """`python`, `javascript`, `typescript` or `go` by the file's suffix; None for anything else."""
    return row.name if (row := row_of(path)) else None


def parse(text: str, row: Language) -> Tree:
    """The tree of any text at all; broken code has ERROR nodes in it."""
    from tree_sitter import Language as Grammar  # loaded late: `qagent --version` must not pay for it
    from tree_sitter import Parser

    capsule: object = getattr(import_module(row.package), row.factory)()
    grammar = Grammar(capsule)
    return Parser(grammar).parse(text.encode("utf-8", "replace"))

"""Why a command line could not be judged: the line in, a sentence for the person out. Decides nothing. Pure."""

from __future__ import annotations

from qagent.permissions.command_line import LONGEST, tree_of

_KINDS: dict[str, str] = {
    **dict.fromkeys(("for_statement", "c_style_for_statement", "while_statement"), "has a loop"),
    **dict.fromkeys(("if_statement", "case_statement", "test_command"), "has a condition"),
    "function_definition": "defines a function",
    **dict.fromkeys(("variable_assignment", "variable_assignments", "declaration_command"), "sets variables"),
    **dict.fromkeys(("heredoc_redirect", "herestring_redirect"), "has a text as input (`<<`)"),
    "process_substitution": "has a command in the place of a file",
    **dict.fromkeys(("simple_expansion", "expansion", "arithmetic_expansion"), "uses variables"),
    "&": "starts something in the background",
    "comment": "has a comment",
    "compound_statement": "has a group in braces",
}
"""What is told first stands first."""


def why_unclear(line: str) -> str:
    """`This line has a loop and is too involved to be judged.`"""
    found = _found(line) if len(line) <= LONGEST else set[str]()
    what = next((f"{words} and " for kind, words in _KINDS.items() if kind in found), "")
    return f"this line {what}is too involved to be judged"


def _found(line: str) -> set[str]:
    """The kinds of nodes in it; none when it is no shell at all."""
    root = tree_of(line)
    kinds: set[str] = set()
    todo = [] if root.has_error else [root]
    while todo:
        node = todo.pop()
        kinds.add(node.type)
        todo += node.children
    return kinds

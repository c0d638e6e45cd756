"""A shell command line in, its simple commands and redirections out; None for everything that cannot be judged.

The grammar is tree-sitter-bash. It was made for colours in editors and forgives much, so a second, far simpler reading
of the same text must come to the same commands, or the line is not judged. Only what both understand passes: words,
quotes, `;` `&&` `||` `|`, newlines, subshells, substitutions and redirections. Variables, assignments, control
structures, functions, background jobs, here-documents and comments do not. It knows no rule and runs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qagent.permissions.plain_reading import HOLE, Plain, read_plainly

if TYPE_CHECKING:
    from tree_sitter import Node

LONGEST = 10_000
"""Characters; a longer line is not judged."""
_DEEPEST = 6

_TRANSPARENT = frozenset({
    "program", "list", "pipeline", "redirected_statement", "subshell", "negated_command",
})  # fmt: skip
_SEPARATORS = frozenset({";", "&&", "||", "|", "|&", "(", ")", "!", "\n"})
_LITERALS = frozenset({"word", "number", "string", "raw_string", "concatenation", "command_substitution"})
_CHANGE_THE_SHELL = frozenset({
    ".", "alias", "bind", "builtin", "complete", "coproc", "enable", "eval", "exec", "function", "hash", "let",
    "mapfile", "read", "readarray", "set", "shopt", "source", "time", "trap", "unalias", "wait",
})  # fmt: skip
"""Commands that change what the words after them mean, or read their arguments as commands or variables."""


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """`words` without their quotes, the command's name first. `globs`: indices of the words that the shell may turn
    into names of files. `filled`: indices of the words that hold a substitution, left in them as it was written.
    """

    words: tuple[str, ...]
    globs: frozenset[int] = frozenset()
    filled: frozenset[int] = frozenset()

    @property
    def line(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Redirect:
    """`operator` with its descriptor (`>`, `2>&`, `<`); `target` is a path, a descriptor's number, or "" for `>&-`."""

    operator: str
    target: str

    @property
    def writes(self) -> bool:
        return ">" in self.operator

    @property
    def to_descriptor(self) -> bool:
        return self.operator.endswith(("&", "&-")) and (self.target.isdecimal() or not self.target)


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """Commands in the order of the line, those of substitutions last."""

    commands: tuple[SimpleCommand, ...]
    redirects: tuple[Redirect, ...] = ()


class _Unclear(Exception):
    """The line holds something that is not judged."""


def parse(line: str) -> ParsedLine | None:
    """All that would run, or None. Never raises."""
    try:
        return _parse(line, 0)
    except _Unclear:
        return None


def _parse(line: str, depth: int) -> ParsedLine:
    if depth > _DEEPEST or len(line) > LONGEST or any(map(_odd, line)):
        raise _Unclear
    text = _joined(line)
    gathered = _Gathered()
    for node in _statements(_root(text)):
        gathered.add(node)
    commands, redirects = tuple(gathered.commands), tuple(gathered.redirects)
    if (read_plainly(_with_holes(text, gathered.substitutions)) != Plain(
        tuple(command.words for command in commands), tuple((r.operator, r.target) for r in redirects)
    )) or not (commands or redirects):  # fmt: skip
        raise _Unclear
    inner = [_parse(_inside(node), depth + 1) for node in gathered.substitutions]
    return ParsedLine(
        _filled(commands, [_text(node) for node in gathered.substitutions])
        + tuple(command for part in inner for command in part.commands),
        redirects + tuple(redirect for part in inner for redirect in part.redirects),
    )


def _odd(character: str) -> bool:
    """Control characters, blanks that are no blanks to a shell, and our own place-holder."""
    return character not in "\n\t " and unicodedata.category(character)[0] in "CZ"


def _joined(line: str) -> str:
    """The line with its continuations joined, as the shell does it before anything else, outside single quotes."""
    if "\\\n" not in line:
        return line
    if "'" in line or "\\\\\n" in line:
        raise _Unclear
    return line.replace("\\\n", "")


def tree_of(text: str) -> Node:
    """The root of the grammar's tree, errors included."""
    import tree_sitter_bash  # loaded late: only a command needs it
    from tree_sitter import Language, Parser

    capsule: object = tree_sitter_bash.language()
    return Parser(Language(capsule)).parse(text.encode("utf-8", "replace")).root_node


def _root(text: str) -> Node:
    root = tree_of(text)
    if root.has_error:
        raise _Unclear
    return root


def _statements(root: Node) -> Iterator[Node]:
    """The commands and redirections below, in order; anything that is not known to be harmless is unclear."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type in _TRANSPARENT:
            todo += reversed(node.children)
        elif node.type in ("command", "file_redirect"):
            yield node
        elif node.type not in _SEPARATORS:
            raise _Unclear


# ------------------------------------------------------------------ commands and redirections


@dataclass(slots=True)
class _Gathered:
    commands: list[SimpleCommand] = field(default_factory=list[SimpleCommand])
    redirects: list[Redirect] = field(default_factory=list[Redirect])
    substitutions: list[Node] = field(default_factory=list["Node"])

    def add(self, node: Node) -> None:
        if node.type == "file_redirect":
            self._add_redirect(node)
            return
        words: list[tuple[str, bool]] = []
        for child in node.children:
            if child.type == "file_redirect":
                self._add_redirect(child)
            else:
                words.append(self._word(child.children[0] if child.type == "command_name" else child))
        self._add_command(words)

    def _add_command(self, words: list[tuple[str, bool]]) -> None:
        if not words:
            return
        name, is_glob = words[0]
        if is_glob or HOLE in name or not name or name in _CHANGE_THE_SHELL:
            raise _Unclear
        globs = frozenset(at for at, (_, glob) in enumerate(words) if glob)
        self.commands.append(SimpleCommand(tuple(word for word, _ in words), globs))

    def _add_redirect(self, node: Node) -> None:
        targets = node.children_by_field_name("destination")
        operator = "".join(_text(child) for child in node.children if child not in targets)
        if len(targets) > 1:  # the grammar takes the command's later words for targets
            raise _Unclear
        target, is_glob = self._word(targets[0]) if targets else ("", False)
        if is_glob or HOLE in target:
            raise _Unclear
        self.redirects.append(Redirect(operator, target))

    def _word(self, node: Node) -> tuple[str, bool]:
        """A word without its quotes, and whether the shell expands it. Substitutions become holes."""
        if node.type not in _LITERALS:
            raise _Unclear
        if node.type == "command_substitution":
            self.substitutions.append(node)
            return HOLE, False
        if node.type == "string":
            return self._string(node), False
        if node.type == "concatenation" and _text(node) != "{}":
            pieces = [self._word(child) for child in node.children]
            return "".join(value for value, _ in pieces), any(glob for _, glob in pieces)
        return _bare(node)

    def _string(self, node: Node) -> str:
        """What stands between double quotes. The grammar leaves blanks out of it, so the text itself is taken."""
        known = {"string_content", "command_substitution", '"'}
        if any(child.type not in known for child in node.children):
            raise _Unclear
        inner = [child for child in node.children if child.type == "command_substitution"]
        self.substitutions += inner
        raw, at = node.text or b"", 1
        pieces: list[str] = []
        for child in inner:
            pieces += [raw[at : child.start_byte - node.start_byte].decode(), HOLE]
            at = child.end_byte - node.start_byte
        return re.sub(r'\\([$`"\\])', r"\1", "".join([*pieces, raw[at:-1].decode()]))


def _bare(node: Node) -> tuple[str, bool]:
    raw = _text(node)
    if node.type == "raw_string":
        return raw[1:-1], False
    unescaped = re.sub(r"\\.", "", raw, flags=re.DOTALL)
    if raw != "{}" and set(unescaped) & set("$`{}"):
        raise _Unclear
    return re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL), bool(set(unescaped) & set("*?["))


# ------------------------------------------------------------------ substitutions


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _inside(substitution: Node) -> str:
    """The command line within `$( )` or backticks; within backticks a backslash means too many things."""
    text = _text(substitution)
    if text.startswith("$("):
        return text[2:-1]
    if "\\" in text:
        raise _Unclear
    return text[1:-1]


def _with_holes(text: str, substitutions: list[Node]) -> str:
    raw = text.encode()
    for node in sorted(substitutions, key=lambda node: node.start_byte, reverse=True):
        raw = raw[: node.start_byte] + HOLE.encode() + raw[node.end_byte :]
    return raw.decode()


def _filled(commands: tuple[SimpleCommand, ...], substitutions: list[str]) -> tuple[SimpleCommand, ...]:
    """The commands with the substitutions' text back in their holes, in order."""
    texts = iter(substitutions)
    done: list[SimpleCommand] = []
    for command in commands:
        filled = frozenset(at for at, word in enumerate(command.words) if HOLE in word)
        words = tuple(re.sub(HOLE, lambda _: next(texts), word) for word in command.words)
        done.append(SimpleCommand(words, command.globs, filled))
    return tuple(done)

"""Which lines of a text are comments and nothing else: by how they begin, and by tree-sitter where there is a grammar.

In: lines and the path that tells the language. Out: numbers of lines, from 0. A text may be a fragment that begins with
code. What looks like a comment inside a string is none; where that is not known for sure, it is none either. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from qagent.code.languages import parse, row_of
from qagent.edits.folding import indent_of

_SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("py", "pyi", "rb", "sh", "bash", "toml", "yaml", "yml", "pl", "r", "mk", "cfg"), ("#",)),
        **dict.fromkeys(
            ("js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "go", "java", "c", "h", "cc", "cpp", "hpp", "cs",
             "rs", "kt", "swift", "scala", "dart", "scss", "less"),
            ("//", "/*"),
        ),
        **dict.fromkeys(("css",), ("/*",)),
        **dict.fromkeys(("php",), ("//", "/*", "#")),
        **dict.fromkeys(("sql", "lua", "hs", "elm"), ("--",)),
        **dict.fromkeys(("html", "xml", "vue", "svelte", "svg"), ("<!--",)),
    }
)  # fmt: skip

_STRINGS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        **dict.fromkeys(("toml",), re.compile(r'"""|\'\'\'')),
        **dict.fromkeys(("lua",), re.compile(r"\[=*\[|\]=*\]")),
        **dict.fromkeys(("cs", "kt", "swift", "scala", "java", "dart"), re.compile(r'"""')),
        **dict.fromkeys(("sh", "bash", "rb", "pl", "php"), re.compile(r"<<[-~]?[\"']?[A-Z_]+\b|^\s*[A-Z_]+[;,)]*$")),
    }
)
"""What opens a text of several lines, and what closes it."""

_SCALAR = re.compile(r"[:-] [|>][-+0-9]*\s*$")
"""Of YAML, where only the depth of lines ends a text."""

_SPANS = re.compile(r"\"{3}|'{3}|`|\\\n")
_LINED = ("python", "go")
"""Where without one of these no string takes several lines: parsing a long file takes longer than all else."""


def comments(lines: Sequence[str], path: str) -> frozenset[int]:
    """The lines that look like comments; quick."""
    suffix = path.rpartition(".")[2].lower()
    signs = _SIGNS.get(suffix, ())
    if not signs or (suffix in ("yaml", "yml") and any(map(_SCALAR.search, lines))):
        return frozenset()
    return frozenset(_by_signs(lines, signs, _STRINGS.get(suffix)))


def are_comments(lines: Sequence[str], path: str, numbers: Iterable[int]) -> bool:
    """Whether all of these lines, which look like it, are comments; where there is no grammar they are taken for it."""
    wanted, row = list(numbers), row_of(path)
    if not wanted or row is None:
        return True
    text = "\n".join(lines)
    if row.name in _LINED and not _SPANS.search(text):
        return True
    root = parse(text, row).root_node
    for number in wanted:
        at = (number, len(indent_of(lines[number]).encode()))
        node = root.descendant_for_point_range(at, at)
        if node is None or "comment" not in node.type:
            return False
    return True


def _by_signs(lines: Sequence[str], signs: tuple[str, ...], string: re.Pattern[str] | None) -> Iterator[int]:
    """Stars in front of a line say nothing: it must stand in a block."""
    inside = block = False
    for number, line in enumerate(map(str.strip, lines)):
        if block or (not inside and "/*" in signs and line.startswith("/*")):
            if not line.partition("*/")[2].strip():  # no code behind its end
                yield number
            block = "*/" not in line
        elif not inside and line.startswith(signs) and not line.startswith("#["):  # an attribute of PHP
            yield number
        elif string is not None and len(string.findall(line)) % 2:
            inside = not inside

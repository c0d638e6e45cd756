"""Near-miss names: what the model wrote in; the offered tool, or the tool's parameter, that it can only mean out.

Rows of names that mean the same, each with its reason; pure. A name that is really offered always wins, and a name that
could mean two things means none. Whether the arguments then fit is not decided here.

Sources: hallucinated and near-miss names, `filename` for `filePath` (qwen2.5-coder under opencode and others), alias
tables of the fallback parsers that other agents carry for this family; the argument names of the tools in its training.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qagent.types import Arguments, ToolSpec

Kind = Literal["path", "command", "pattern", "text", "new", ""]
"""What an argument holds, by its name: where two rules differ by it, an unknown name falls under neither."""


@dataclass(frozen=True, slots=True)
class Row:
    """Names with one meaning, in the spelling of `plain`; `reason`: where they come from."""

    names: frozenset[str]
    reason: str
    kind: Kind = ""


def _row(names: str, reason: str, kind: Kind = "") -> Row:
    return Row(frozenset(map(plain, names.split())), reason, kind)


def plain(name: str) -> str:
    """A name without what models vary: case, `-`, `_` and blanks. `readFile`, `Read-File` -> `readfile`."""
    bare = name.lower()
    return bare if bare.isalnum() else _SEPARATORS.sub("", bare)


_LONGEST = 200
_MOST = 20
_SEPARATORS = re.compile(r"[\s_-]+")
_AROUND = re.compile(r"^(?:(?:functions?|tools?|default_api|api)[.:/])+|\(\)$|^[`'\"*]+|[`'\"*]+$")
"""OpenAI's and Gemini's name spaces before a name, a pair of parentheses or Markdown around it."""

TOOLS = (
    _row(
        "read_file read cat open open_file view view_file show_file get_file file_read", "shell words and other agents"
    ),
    _row("write_file write create_file save_file create save new_file file_write", "Cline, Continue, Claude Code"),
    _row(
        "edit_file edit str_replace replace_in_file apply_edit search_replace search_and_replace swap_text replace",
        "Claude's and Cline's edit tools",
    ),
    _row("list_files ls list_dir list_directory list_folder dir", "shell words and other agents"),
    _row("search grep rg find_text search_files search_code find_in_files search_text", "shell words and other agents"),
    _row(
        "run bash shell sh exec execute execute_command run_command run_shell run_shell_command shell_command terminal "
        "run_in_terminal run_terminal_cmd",
        "shell words, Cline, Cursor, Copilot",
    ),
)

PARAMETERS = (
    _row("path file filename file_path target_file target_path", "opencode's filePath, Cursor's target_file", "path"),
    _row("path dir directory folder dir_path directory_path folder_path", "for a folder", "path"),
    _row("command cmd command_line shell_command bash_command", "Codex, Cursor", "command"),
    _row("content contents text body code file_content file_contents file_text", "Claude's file_text", "text"),
    _row("old old_string old_str old_text old_content old_code search search_text find original", "Claude, Cline"),
    _row(
        "new new_string new_str new_text new_content new_code replace replacement replace_with content code",
        "Claude, Cline; a whole symbol is content or code",
        "new",
    ),
    _row("pattern query regex regexp search search_term search_pattern", "search tools of other agents", "pattern"),
    _row("start start_line line_start from from_line first_line begin", "Claude Code, Cursor"),
    _row("end end_line line_end to to_line last_line", "Claude Code, Cursor"),
    _row("symbol symbol_name function function_name method method_name class class_name", "what a symbol is"),
    _row("edits changes replacements", "several replacements in one call"),
)

CHATTER = frozenset(("explanation", "reason", "reasoning", "thought", "thoughts", "description"))
"""Left out where a tool has no such parameter: agents that the model saw in training ask for them, and they change
nothing of what is done (`description`: Claude Code's Bash; `explanation`: Cursor)."""

_KINDS: dict[str, Kind] = {name: row.kind for row in reversed(PARAMETERS) if row.kind for name in row.names}
"""Of a name that stands in several rows, that of the first."""
_FAMILIAR = frozenset(name for row in PARAMETERS for name in row.names)


def familiar(names: Iterable[str]) -> bool:
    """Whether file tools take arguments of all these names: all that can be asked when a tool's own are not known."""
    return all(plain(name) in _FAMILIAR for name in names)


def kind(name: str) -> Kind:
    """What an argument of that name holds."""
    return _KINDS.get(plain(name), "")


def spelled(name: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    """The one offered tool that is written so, but for case, separators and a name space before it."""
    for tool in tools:
        if tool.name == name:
            return tool
    key = plain(_bare(name)) if len(name) <= _LONGEST else ""
    alike = [tool for tool in tools if plain(tool.name) == key]
    return alike[0] if len(alike) == 1 else None


def namesakes(name: str, tools: Sequence[ToolSpec]) -> list[ToolSpec]:
    """The offered tools that do what other agents' tool of that name does."""
    key = plain(_bare(name)) if len(name) <= _LONGEST else ""
    return [tool for tool in tools if any(key in row.names and plain(tool.name) in row.names for row in TOOLS)]


def _bare(name: str) -> str:
    return _AROUND.sub("", _AROUND.sub("", name.strip()))


def renamed(spec: ToolSpec, given: Arguments) -> Arguments:
    """The arguments under the tool's own names, as far as they can only mean one; the same object when all are known.

    An argument keeps its name when its target was given itself, or when two arguments have the same target.
    """
    if spec.parameters is None:
        return given
    known = {parameter.name for parameter in spec.parameters}
    if given.keys() <= known:
        return given
    strange = [name for name in given if name not in known]
    if len(strange) > _MOST:
        return given
    free = known - given.keys()
    targets = {name: target for name in strange if (target := _target(name, free)) is not None}
    unique = {name: target for name, target in targets.items() if list(targets.values()).count(target) == 1}
    kept = {unique.get(name, name): value for name, value in given.items()}
    return {name: value for name, value in kept.items() if name in known or not _is_chatter(name, value)}


def _is_chatter(name: str, value: Any) -> bool:
    return plain(name) in CHATTER and (value is None or isinstance(value, str))


def _target(name: str, free: set[str]) -> str | None:
    key = plain(name)
    alike = [target for target in free if plain(target) == key]
    if not alike:
        rows = [row.names for row in PARAMETERS if key in row.names]
        alike = [target for target in free if any(plain(target) in names for names in rows)]
    return alike[0] if len(alike) == 1 else None


_SPELLINGS = (
    *("path", "file", "filename", "file_name", "file_path", "filePath", "filepath", "target_file", "dir", "directory"),
    *("folder", "command", "cmd", "content", "contents", "text", "body", "code", "file_content", "file_text"),
    *("old", "old_string", "oldString", "old_str", "old_text", "search", "find", "original"),
    *("new", "new_string", "newString", "new_str", "new_text", "replace", "replacement"),
    *("pattern", "query", "regex", "start", "start_line", "startLine", "end", "end_line", "endLine"),
    *("symbol", "symbol_name", "function", "method", "class", "edits", "changes", "replacements"),
)
_WRITTEN = tuple((row.names, frozenset(name for name in _SPELLINGS if plain(name) in row.names)) for row in PARAMETERS)


def written_for(names: Iterable[str]) -> frozenset[str]:
    """These parameter names and all that is written in their place, as far as their usual spelling is known."""
    keys = frozenset(map(plain, names))
    return keys.union(*(written for meaning, written in _WRITTEN if not meaning.isdisjoint(keys)))

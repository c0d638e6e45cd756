"""read_file, list_files and write_file: what the model asks for in, what it reads out. Bounded, whatever the file.

Code is shown verbatim, without line numbers, so that it can be copied into an edit; CRLF is shown as LF. Permission was
asked before; whether a file is secret is not decided here. Raises ToolFailed alone.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from qagent.edits.change import Change
from qagent.edits.diff import lines_of, span
from qagent.edits.omission import is_placeholder, omission
from qagent.errors import ToolFailed
from qagent.qwen.blocks import read_fenced
from qagent.types import ToolOutput
from qagent.workspace.background import in_background
from qagent.workspace.files import FileText, read_text, write_atomic
from qagent.workspace.ignore import Stop, walk
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace

if TYPE_CHECKING:
    from qagent.code.symbols import Symbol

MOST_LINES = 400
MOST_CHARACTERS = 16_000
MOST_ENTRIES = 200
_MARKDOWN = frozenset((".md", ".markdown", ".mdx", ".rst", ".txt"))
"""In these a fence around the whole may be meant; around code the model has put it (7B, whatever it is told)."""
_MOST_FOLDERS = 40
_MOST_FILES = 50_000
"""Beyond this many files, listing stops and says so."""


# ------------------------------------------------------------------ read_file


async def read_file(
    workspace: Workspace,
    *,
    path: str,
    start: int | None = None,
    end: int | None = None,
    symbol: str | None = None,
) -> ToolOutput:
    """A header with the lines' numbers, then the lines. `symbol` goes before `start` and `end`."""
    file = workspace.resolve(path, "read")
    if file.is_dir():
        raise ToolFailed(f"{shown(path)} is a folder; use list_files.")
    name = shown(workspace.relative(file))
    text = read_text(file).text.replace("\r\n", "\n")
    lines = lines_of(text)
    if not lines:
        return ToolOutput(f"{name} is empty.", f"{name} is empty")
    if symbol:
        found = one_symbol(text, name, symbol)
        return _shown_lines(name, lines, found.start, found.end)
    return _shown_lines(name, lines, *_range(name, len(lines), start, end))


def _range(name: str, total: int, start: int | None, end: int | None) -> tuple[int, int]:
    first = 1 if start is None else start
    last = total if end is None else end
    if first < 1:
        raise ToolFailed(f"start is {first}, but lines are counted from 1.")
    if first > total:
        raise ToolFailed(f"{name} has only {total} lines, so there is no line {first}.")
    if last < first:
        raise ToolFailed(f"end is {last}, before start {first}; give the first line as start, the last as end.")
    return first, min(last, total)


def _shown_lines(name: str, lines: list[str], first: int, last: int) -> ToolOutput:
    """At least one line, cut if it is too long; then as many as fit."""
    stop, size = first, min(len(lines[first - 1]), MOST_CHARACTERS)
    while stop < min(last, first + MOST_LINES - 1) and size + len(lines[stop]) <= MOST_CHARACTERS:
        size += len(lines[stop])
        stop += 1
    body = "".join(lines[first - 1 : stop])
    note = _cut_note(len(body)) if len(body) > MOST_CHARACTERS else ""
    note += _more_note(stop + 1, last, len(lines)) if stop < last else ""
    body = body[:MOST_CHARACTERS].removesuffix("\n")
    where = f"{name}, {span(first, stop)} of {len(lines)}"
    return ToolOutput(f"{where}\n{body}{note}", where)


def _cut_note(length: int) -> str:
    return f"\n(this line has {length:,} characters, of which {MOST_CHARACTERS:,} are shown)"


def _more_note(start: int, last: int, total: int) -> str:
    """The rest is asked for by its first line, and by its last when that is not the file's."""
    end = "" if last == total else f" and end={last}"
    return f"\n(there is more: {span(start, last)}; read on with start={start}{end})"


def one_symbol(text: str, name: str, symbol: str) -> Symbol:
    """The one symbol of this name; ToolFailed, with what there is, when there is none or several."""
    from qagent.code.symbols import find, language_of, symbols

    if language_of(name) is None:
        raise ToolFailed(f"functions and classes are not known in {name}; use line numbers or text instead.")
    found = find(text, name, symbol)
    if len(found) == 1:
        return found[0]
    if found:
        spans = ", ".join(f"{each.name} on lines {each.start}-{each.end}" for each in found[:20])
        raise ToolFailed(f"{name} has {len(found)} symbols {shown(symbol)}: {spans}; give the full name, or use lines.")
    known = [each.name for each in symbols(text, name)]
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    there = f"there are {', '.join(known[:20])}{more}" if known else "it defines none"
    raise ToolFailed(f"there is no symbol {shown(symbol)} in {name}; {there}.")


# ------------------------------------------------------------------ list_files


async def list_files(workspace: Workspace, *, path: str | None = None) -> ToolOutput:
    """One path a line, relative to the workspace; beyond the bound only counts per folder."""
    folder = workspace.resolve(path or ".", "read")
    name = shown(workspace.relative(folder))
    if not folder.is_dir():
        return ToolOutput(f"{name} is a file, not a folder; read it with read_file.", f"{name} is a file")
    paths = await in_background(lambda stop: _paths(workspace, workspace.relative(folder), stop))
    where = "here" if name == "." else f"in {name}"
    if not paths:
        return ToolOutput(_nothing(name), f"no files {where}")
    rows = [shown(found) for found in paths[:MOST_ENTRIES]]
    rows += _counts(paths[MOST_ENTRIES:])
    if len(paths) > _MOST_FILES:
        rows.append(f"(stopped counting at {_MOST_FILES:,} files)")
    return ToolOutput("\n".join(rows), f"{min(len(paths), _MOST_FILES):,} files {where}")


def _paths(workspace: Workspace, start: str, stop: Stop) -> list[str]:
    return list(islice(walk(workspace.root, start, stop), _MOST_FILES + 1))


def _nothing(name: str) -> str:
    if name == ".":
        return "this folder has no files yet; create one with write_file."
    return f"{name} has no files, or .gitignore leaves them out."


def _counts(rest: list[str]) -> list[str]:
    if not rest:
        return []
    folders = Counter(path.rpartition("/")[0] or "." for path in rest)
    rows = [f"  {shown(folder)}/: {count}" for folder, count in sorted(folders.items())[:_MOST_FOLDERS]]
    if len(folders) > _MOST_FOLDERS:
        rows.append(f"  and {len(folders) - _MOST_FOLDERS} more folders")
    return [f"({len(rest)} more files; list a folder to see them)", *rows]


# ------------------------------------------------------------------ write_file


async def write_file(workspace: Workspace, *, path: str, content: str) -> ToolOutput:
    """Creates the file or replaces all of it, at once or not at all."""
    change = _planned(workspace, path, content)
    name = shown(change.relative)
    if change.before == change.after:
        return ToolOutput(f"{name} already has exactly this text; nothing was written.", f"{name} is unchanged")
    write_atomic(change.path, change.after.data)
    count = len(lines_of(change.after.text))
    done = f"{'created' if change.before is None else 'replaced'} {name}, {count} line{'' if count == 1 else 's'}"
    return ToolOutput(f"{done}.", done, change.diff, (change.relative,))


def preview_write(workspace: Workspace, *, path: str, content: str) -> str:
    """The diff that write_file would make; nothing is written. Raises ToolFailed as write_file does."""
    return _planned(workspace, path, content).diff


def _planned(workspace: Workspace, path: str, content: str) -> Change:
    file = workspace.resolve(path, "write")
    if file.is_dir():
        raise ToolFailed(f"{shown(path)} is a folder; give the path of a file.")
    before = read_text(file) if file.exists() else None
    content = content if file.suffix.lower() in _MARKDOWN else read_fenced(content)
    _check_content(path, content, before)
    after = _fitted(content, before)
    _ = after.data  # a text that cannot be encoded fails before anybody is asked
    return Change(file, workspace.relative(file), before, after)


def _check_content(path: str, content: str, before: FileText | None) -> None:
    old = "" if before is None else before.text
    if is_placeholder(content):
        raise ToolFailed(f"the content is only {shown(content.strip())}; write the whole text of {shown(path)}.")
    if not content.strip() and old.strip():
        raise ToolFailed(
            f"the content is empty, but {shown(path)} is not; write its whole text, or delete it with run."
        )
    if note := omission(content, old):
        raise ToolFailed(f"the content leaves code out at `{shown(note)}`; write all of it, or use edit_file.")


def _fitted(content: str, before: FileText | None) -> FileText:
    """With a newline at its end, and with the byte order mark and the line endings that the file had."""
    text = content.removeprefix("\ufeff")
    if text and not text.endswith("\n"):
        text += "\n"
    if before is None:
        return FileText(text)
    if 2 * before.text.count("\r\n") > before.text.count("\n"):
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return FileText(text, before.bom)

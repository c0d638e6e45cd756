"""read_file, list_files and write_file: what the model asks for in, what it reads out. Bounded, whatever the file.

Code is shown verbatim, without line numbers, so that it can be copied into an edit; other line ends are shown as LF.
Permission was asked before; whether a file is secret is not decided here. A file that is replaced is one that the model
has read, all of it, as it is now. Raises ToolFailed and EditRefused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice

from qagent.edits import gate
from qagent.edits.applying import leaves_out
from qagent.edits.change import Change
from qagent.edits.diff import lines_of, span
from qagent.edits.omission import Omission, elided, is_placeholder, omission
from qagent.edits.refused import EditRefused
from qagent.edits.table import flat, table
from qagent.edits.unwrap import unwrapped
from qagent.errors import ToolFailed
from qagent.tools.reads import Known, check_read_whole, seen, seen_after
from qagent.tools.told import shrunk
from qagent.types import ToolOutput
from qagent.workspace.background import in_background
from qagent.workspace.files import FileText, read_text, write_atomic
from qagent.workspace.ignore import Stop, walk
from qagent.workspace.locks import locked
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace

MOST_LINES = 400
MOST_CHARACTERS = 16_000
MOST_ENTRIES = 200
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
    relative, found = workspace.relative(file), read_text(file, workspace.root)
    name, text = shown(relative), flat(found.text)
    lines = lines_of(text)
    if not lines:
        return ToolOutput(f"{name} is empty.", f"{name} is empty", seen=(seen(relative, found, 0, 0),))
    first, last = _range(name, len(lines), start, end) if not symbol else _of_symbol(text, name, symbol)
    output, stop = _shown_lines(name, lines, first, last)
    return replace(output, seen=(seen(relative, found, first, stop),))


def _of_symbol(text: str, name: str, symbol: str) -> tuple[int, int]:
    from qagent.tools.symbol_edit import one_symbol

    found = one_symbol(text, name, symbol)
    return found.start, found.end


def _range(name: str, total: int, start: int | None, end: int | None) -> tuple[int, int]:
    first = 1 if start is None else start
    last = total if end is None else end
    if first < 1:
        raise ToolFailed(f"start is {first}, but lines are counted from 1.")
    if first > total:
        lines = "one line" if total == 1 else f"{total} lines"
        raise ToolFailed(f"{name} has only {lines}, so there is no line {first}.")
    if last < first:
        raise ToolFailed(f"end is {last}, before start {first}; give the first line as start, the last as end.")
    return first, min(last, total)


def _shown_lines(name: str, lines: list[str], first: int, last: int) -> tuple[ToolOutput, int]:
    """At least one line, cut if it is too long; then as many as fit; and which was the last shown to its end."""
    stop, size = first, min(len(lines[first - 1]), MOST_CHARACTERS)
    while stop < min(last, first + MOST_LINES - 1) and size + len(lines[stop]) <= MOST_CHARACTERS:
        size += len(lines[stop])
        stop += 1
    body = "".join(lines[first - 1 : stop])
    cut = len(body) > MOST_CHARACTERS
    note = _cut_note(len(body)) if cut else ""
    note += _more_note(stop + 1, last, len(lines)) if stop < last else ""
    body = body[:MOST_CHARACTERS].removesuffix("\n")
    where = f"{name}, {span(first, stop)} of {len(lines)}"
    return ToolOutput(f"{where}\n{body}{note}", where), stop - cut


def _cut_note(length: int) -> str:
    return f"\n(this line has {length:,} characters, of which {MOST_CHARACTERS:,} are shown)"


def _more_note(start: int, last: int, total: int) -> str:
    """The rest is asked for by its first line, and by its last when that is not the file's."""
    end = "" if last == total else f" and end={last}"
    return f"\n(there is more: {span(start, last)}; read on with start={start}{end})"


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


async def write_file(workspace: Workspace, known: Known | None = None, *, path: str, content: str) -> ToolOutput:
    """Creates the file or replaces all of it, at once or not at all. `known`: what the model has read; None: nothing is
    checked."""
    async with locked(workspace.resolve(path, "write")):
        change = _planned(workspace, known, path, content)
        name = shown(change.relative)
        known_now = seen_after(known, change.relative, None, change.after)
        if change.before == change.after:
            same = f"{name} already has exactly this text; nothing was written."
            return ToolOutput(same, f"{name} is unchanged", seen=known_now)
        write_atomic(change.path, change.after.data, workspace.root)
    count = len(lines_of(flat(change.after.text)))
    done = f"{'created' if change.before is None else 'replaced'} {name}, {count} line{'' if count == 1 else 's'}"
    return ToolOutput(f"{done}.", done, change.diff, (change.relative,), seen=known_now)


def preview_write(workspace: Workspace, known: Known | None = None, *, path: str, content: str) -> str:
    """The diff that write_file would make; nothing is written. Raises as write_file does."""
    return _planned(workspace, known, path, content).diff


def doubt_write(workspace: Workspace, *, path: str, content: str) -> str:
    """Why a person should see this call though a rule allows it, or "": it takes more than half of the file's text."""
    try:
        change = _planned(workspace, None, path, content)
    except ToolFailed:
        return ""  # told when it is run
    return shrunk(change)


def _planned(workspace: Workspace, known: Known | None, path: str, content: str) -> Change:
    file = workspace.resolve(path, "write")
    if file.is_dir() or path.rstrip().endswith(("/", "/.")):
        raise ToolFailed(f"{shown(path)} is a folder; give the path of a file.")
    relative = workspace.relative(file)
    before = read_text(file, workspace.root) if file.exists() else None
    if before is not None:
        check_read_whole(known, relative, before)
    content = unwrapped(content.replace("\r\n", "\n"), relative)
    _check_content(path, content, before)
    after = _fitted(content, before)
    _ = after.data  # a text that cannot be encoded fails before anybody is asked
    old = "" if before is None else flat(before.text)
    gate.check(old, flat(after.text), shown(relative), "write the whole file.")
    return Change(file, relative, before, after)


def _check_content(path: str, content: str, before: FileText | None) -> None:
    old = "" if before is None else before.text
    if is_placeholder(content):
        raise ToolFailed(f"the content is only {shown(content.strip())}; write the whole text of {shown(path)}.")
    if not content.strip() and old.strip():
        raise ToolFailed(
            f"the content is empty, but {shown(path)} is not; write its whole text, or delete it with run."
        )
    if gap := elided(flat(old), content, path) if old.strip() else _noted(content, path):
        raise EditRefused("elided", f"{shown(path)}: {leaves_out(gap)}")


def _noted(content: str, path: str) -> Omission | None:
    """In a new file nothing can be lost; what it leaves out must be beyond doubt."""
    note = omission(content, "", path)
    return Omission(note) if note else None


def _fitted(content: str, before: FileText | None) -> FileText:
    """With a newline at its end, and with the byte order mark and the line endings that the file had."""
    text = content.removeprefix("\ufeff")
    if text and not text.endswith("\n"):
        text += "\n"
    if before is None:
        return FileText(text)
    return FileText(text.replace("\n", table(before.text).ending), before.bom)

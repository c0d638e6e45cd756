"""edit_file: replaces text that stands once in a file, or one whole function or class; the new lines come back.

The change is planned on the text in memory, parsed, and written at once or not at all, while no other qagent writes
there. Where the text is, is decided in `edits.ladder` and `code.symbols`; permission was asked before. A file that the
model has not read as it is now is not changed. Raises ToolFailed and EditRefused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from qagent.edits import gate
from qagent.edits.applying import Applied, Edit, apply, lines_meant
from qagent.edits.change import Change
from qagent.edits.refused import EditRefused
from qagent.edits.table import flat
from qagent.errors import ToolFailed
from qagent.tools.reads import Known, refuse_unread, seen_after
from qagent.tools.told import shrunk, told
from qagent.types import ToolOutput
from qagent.workspace.files import FileText, read_text, write_atomic
from qagent.workspace.locks import locked
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace

_LOOKED_AT = 20
"""Other files, of those that the model has read, in which a missing text is looked for."""
_NOT_SMALL = 400
"""Characters. An edit names what it takes, so in a file of some lines nobody need be asked."""


@dataclass(frozen=True, slots=True)
class _Request:
    """The arguments of the call, as they came."""

    path: str
    old: str | None = None
    new: str | None = None
    symbol: str | None = None
    edits: list[dict[str, str]] | None = None


async def edit_file(
    workspace: Workspace,
    known: Known | None = None,
    *,
    path: str,
    old: str | None = None,
    new: str | None = None,
    symbol: str | None = None,
    edits: list[dict[str, str]] | None = None,
) -> ToolOutput:
    """One of three forms: `edits`, `old` with `new`, or `symbol` with `new`; the first that is complete counts.

    `known`: what the model has read; None: nothing is checked.
    """
    async with locked(workspace.resolve(path, "read")):
        change = _planned(workspace, known, _Request(path, old, new, symbol, edits))
        write_atomic(change.path, change.after.data, workspace.root)
    text = told(change)
    seen = seen_after(known, change.relative, change.before, change.after)
    return ToolOutput(text, text.partition("\n")[0].removesuffix(":"), change.diff, (change.relative,), seen=seen)


def preview_edit(
    workspace: Workspace,
    known: Known | None = None,
    *,
    path: str,
    old: str | None = None,
    new: str | None = None,
    symbol: str | None = None,
    edits: list[dict[str, str]] | None = None,
) -> str:
    """The diff that edit_file would make; nothing is written. Raises as edit_file does."""
    return _planned(workspace, known, _Request(path, old, new, symbol, edits)).diff


def doubt_edit(
    workspace: Workspace,
    *,
    path: str,
    old: str | None = None,
    new: str | None = None,
    symbol: str | None = None,
    edits: list[dict[str, str]] | None = None,
) -> str:
    """Why a person should see this call though a rule allows it, or "": it takes more than half of the text of a file
    that is not small."""
    try:
        change = _planned(workspace, None, _Request(path, old, new, symbol, edits))
    except ToolFailed:
        return ""  # told when it is run
    small = change.before is None or len(change.before.text) < _NOT_SMALL
    return "" if small else shrunk(change)


def _planned(workspace: Workspace, known: Known | None, request: _Request) -> Change:
    file = workspace.resolve(request.path, "read")
    before = read_text(file, workspace.root)
    relative = workspace.relative(file)
    _check_complete(request)
    if known is not None and not known.has(relative, before.digest):
        refuse_unread(known, relative, before, _place(before.text, relative, request))
    try:
        applied, note = _changed(before.text, shown(relative), request)
    except EditRefused as refused:
        raise EditRefused(refused.code, _elsewhere(workspace, known, relative, request, refused)) from refused
    after = FileText(applied.text, before.bom)
    _ = after.data  # a text that cannot be encoded fails before anybody is asked
    _check_syntax(before, after, shown(relative), request)
    return Change(file, relative, before, after, note, applied.how)


def _check_complete(request: _Request) -> None:
    if not request.edits and (request.new is None or (request.old is None and not request.symbol)):
        raise ToolFailed("give `old` and `new`, or `symbol` and `new`, or SEARCH/REPLACE blocks.")


def _changed(text: str, name: str, request: _Request) -> tuple[Applied, str]:
    """The new text, and a note for the model or ""."""
    edits = _edits(request)
    if not edits:
        from qagent.tools.symbol_edit import with_symbol

        after, note = with_symbol(text, name, request.symbol or "", request.new or "")
        return Applied(after), note
    try:
        return apply(text, edits, name), ""
    except EditRefused as refused:
        raise EditRefused(refused.code, f"{name}: {refused.message}") from refused


def _edits(request: _Request) -> list[Edit]:
    """Empty for a whole symbol."""
    if request.edits:
        return [_edit(each) for each in request.edits]
    return [] if request.old is None else [Edit(request.old, request.new or "")]


def _edit(given: object) -> Edit:
    """The elements of `edits` come from the model and may be anything."""
    pair = cast(dict[object, object], given) if isinstance(given, dict) else {}
    old, new = pair.get("old"), pair.get("new")
    if not isinstance(old, str) or not isinstance(new, str):
        raise ToolFailed("each of `edits` needs `old` and `new`, both text.")
    return Edit(old, new)


def _check_syntax(before: FileText, after: FileText, name: str, request: _Request) -> None:
    whole = not _edits(request)
    todo = "write all of it, with its first line." if whole else "mend that, with the exact indentation."
    gate.check(flat(before.text), flat(after.text), name, todo)


# ------------------------------------------------------------------ where it is about


def _place(text: str, relative: str, request: _Request) -> tuple[int, int] | None:
    """The lines, from 1, that the call is about as far as they can be told."""
    edits = _edits(request)
    if edits:
        return lines_meant(text, edits[0], relative)
    from qagent.code.symbols import find

    found = find(flat(text), relative, request.symbol or "")
    return (found[0].start, found[0].end) if found else None


def _elsewhere(
    workspace: Workspace, known: Known | None, relative: str, request: _Request, refused: EditRefused
) -> str:
    """The refusal, with the file in which the missing text stands, if the model has read that."""
    missing = next((edit.old.strip("\n") for edit in _edits(request) if edit.old.strip()), "")
    if refused.code != "not_found" or known is None or len(missing) < 10:
        return refused.message
    for path in [path for path in known.paths if path != relative][:_LOOKED_AT]:
        try:
            text = read_text(workspace.resolve(path, "read"), workspace.root).text
        except ToolFailed:
            continue
        if missing in flat(text):
            return f"{relative}: the text to replace is not in this file, but in {shown(path)}; edit that one."
    return refused.message

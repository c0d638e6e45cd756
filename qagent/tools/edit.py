"""edit_file: replaces text that occurs once, or one whole function or class; the new lines come back to the model.

The change is planned on the text in memory and written at once or not at all. Where the text is, is decided in
`edits.exact` and `code.symbols`; permission was asked before. Raises ToolFailed and EditRefused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from qagent.edits.block import replace_block
from qagent.edits.change import Change
from qagent.edits.diff import Stretch, lines_of, span, stretches
from qagent.edits.exact import Edit, EditRefused, apply
from qagent.edits.omission import is_placeholder, omission
from qagent.errors import ToolFailed
from qagent.tools.files import one_symbol
from qagent.types import ToolOutput
from qagent.workspace.files import FileText, read_text, write_atomic
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace

if TYPE_CHECKING:
    from qagent.code.symbols import Symbol

_AROUND = 2
_MOST_LINES = 60
_WIDEST = 1_000


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
    *,
    path: str,
    old: str | None = None,
    new: str | None = None,
    symbol: str | None = None,
    edits: list[dict[str, str]] | None = None,
) -> ToolOutput:
    """One of three forms: `edits`, `old` with `new`, or `symbol` with `new`; the first that is complete counts."""
    change = _planned(workspace, _Request(path, old, new, symbol, edits))
    write_atomic(change.path, change.after.data)
    text = _told(change)
    return ToolOutput(text, text.partition("\n")[0].removesuffix(":"), change.diff, (change.relative,))


def preview_edit(
    workspace: Workspace,
    *,
    path: str,
    old: str | None = None,
    new: str | None = None,
    symbol: str | None = None,
    edits: list[dict[str, str]] | None = None,
) -> str:
    """The diff that edit_file would make; nothing is written. Raises as edit_file does."""
    return _planned(workspace, _Request(path, old, new, symbol, edits)).diff


def _planned(workspace: Workspace, request: _Request) -> Change:
    file = workspace.resolve(request.path, "read")
    before = read_text(file)
    relative = workspace.relative(file)
    text, note = _changed(before.text, shown(relative), request)
    after = FileText(text, before.bom)
    _ = after.data  # a text that cannot be encoded fails before anybody is asked
    return Change(file, relative, before, after, note)


def _changed(text: str, name: str, request: _Request) -> tuple[str, str]:
    """The new text, and a note for the model or ""."""
    if request.edits:
        return _with_edits(text, name, [_edit(each) for each in request.edits]), ""
    if request.new is None or (request.old is None and not request.symbol):
        raise ToolFailed("give `old` and `new`, or `symbol` and `new`, or SEARCH/REPLACE blocks.")
    if request.old is not None:
        return _with_edits(text, name, [Edit(request.old, request.new)]), ""
    return _with_symbol(text, name, request.symbol or "", request.new)


# ------------------------------------------------------------------ the forms


def _edit(given: object) -> Edit:
    """The elements of `edits` come from the model and may be anything."""
    pair = cast(dict[object, object], given) if isinstance(given, dict) else {}
    old, new = pair.get("old"), pair.get("new")
    if not isinstance(old, str) or not isinstance(new, str):
        raise ToolFailed("each of `edits` needs `old` and `new`, both text.")
    return Edit(old, new)


def _with_edits(text: str, name: str, edits: list[Edit]) -> str:
    for edit in edits:
        _check_whole(text, edit.new)
    try:
        after = apply(text, edits)
    except EditRefused as refused:
        raise EditRefused(refused.code, f"{name}: {refused.message}") from refused
    if _is_python(name):  # in other languages a half-done change may well be meant
        _check_syntax(text, after, name, "change", "give the lines with their exact indentation.")
    return after


def _with_symbol(text: str, name: str, symbol: str, new: str) -> tuple[str, str]:
    from qagent.code.wrappers import rewrapped

    if not new.strip() or is_placeholder(new):
        raise ToolFailed(f"`new` is empty; write all of {symbol}, or delete it by giving its text as `old`.")
    _check_whole(text, new)
    found = one_symbol(text, name, symbol)
    _check_alone(text, name, found)
    wrapped = rewrapped(lines_of(text)[found.body_start - 1], new.replace("\r\n", "\n"), found.name, name)
    after = replace_block(text, (found.start, found.body_start, found.end), wrapped.code)
    if after == text:
        raise EditRefused("no_change", f"{name}: {symbol} already has exactly this text; write the new text.")
    _check_syntax(text, after, name, symbol, "write all of it, with its first line.")
    return after, " ".join(
        [*_renamed(text, after, name, found), *(f"It is no longer {word}." for word in wrapped.lost)]
    )


def _check_syntax(before: str, after: str, name: str, what: str, todo: str) -> None:
    """A file that could be read before can be read afterwards."""
    from qagent.code.symbols import syntax_error

    _ = FileText(after).data  # what cannot be encoded is told as such
    if (error := syntax_error(after, name)) and not syntax_error(before, name):
        where = f"at `{error[1].strip()[:200]}` (line {error[0]})"
        raise ToolFailed(f"with this {what} the file has a syntax error {where}; {todo}")


def _is_python(name: str) -> bool:
    from qagent.code.languages import language_of

    return language_of(name) == "python"


def _renamed(before: str, after: str, name: str, found: Symbol) -> list[str]:
    """Whoever uses the old name does not find it any more, which is allowed and should be known."""
    from qagent.code.symbols import symbols

    old, new = (Counter(each.name for each in symbols(text, name)) for text in (before, after))
    if found.name not in old - new:
        return []
    scope = found.name.rpartition(".")[0]
    added = next((each for each in new - old if each.rpartition(".")[0] == scope), None)
    return [f"{found.name} is now {added}; its uses were not changed." if added else f"{found.name} is gone."]


def _check_whole(text: str, new: str) -> None:
    if note := omission(new, text):
        raise ToolFailed(f"the new text leaves code out at `{note[:200]}`; write all of it.")


def _check_alone(text: str, name: str, found: Symbol) -> None:
    """Whole lines are replaced; what else stands on them would be lost."""
    from qagent.code.symbols import symbols

    for other in symbols(text, name):
        related = (
            other.name == found.name or _holds(found, other) or (_holds(other, found) and other.start < found.start)
        )
        if not related and other.start <= found.end and found.start <= other.end:
            raise ToolFailed(f"{found.name} shares a line with {other.name} in {name}; give `old` and `new` instead.")


def _holds(outer: Symbol, inner: Symbol) -> bool:
    return inner.name.startswith(f"{outer.name}.") and outer.start <= inner.start and inner.end <= outer.end


# ------------------------------------------------------------------ what the model reads afterwards


def _told(change: Change) -> str:
    """`edited PATH, lines 40-46:` and the new lines with two around, verbatim; further places alike."""
    before = "" if change.before is None else change.before.text
    lines = lines_of(change.after.text)
    parts = [_part(lines, change_) for change_ in _merged(stretches(lines_of(before), lines))]
    text = _bounded("".join(parts).replace("\r\n", "\n").removesuffix("\n"))
    note = f"\n(note: {change.note})" if change.note else ""
    return f"edited {shown(change.relative)}, {text}{note}"


def _merged(changes: list[Stretch]) -> list[Stretch]:
    """Places whose surroundings would overlap become one."""
    merged: list[Stretch] = []
    for change in changes:
        if merged and change.new_start - merged[-1].new_end <= 2 * _AROUND:
            first = merged.pop()
            merged.append(Stretch(first.start, change.end, first.new_start, change.new_end))
        else:
            merged.append(change)
    return merged


def _part(lines: list[str], change: Stretch) -> str:
    around = lines[max(0, change.new_start - _AROUND) : change.new_end + _AROUND]
    if change.new_start == change.new_end:
        where = f"lines removed after line {change.new_start}"
    else:
        where = span(change.new_start + 1, change.new_end)
    return f"{where}:\n{''.join(around)}"


def _bounded(text: str) -> str:
    lines = text.split("\n")
    shorter = [line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines[: _MOST_LINES + 1]]
    more = [f"({len(lines) - _MOST_LINES - 1} more lines)"] if len(lines) > _MOST_LINES + 1 else []
    return "\n".join([*shorter, *more])

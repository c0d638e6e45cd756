"""Writes one whole function, class or method anew: the file's text, the symbol's name and its new code in, the new text
out, or a refusal. What belongs to the file around it, decorators, comments, `export`, stays. Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from qagent.code.items import as_item, as_method, without_type
from qagent.code.members import position
from qagent.code.symbols import Symbol, find, holds, language_of, overloads, symbols
from qagent.code.syntax import new_fault
from qagent.code.wrappers import Wrapped, rewrapped
from qagent.edits.applying import leaves_out
from qagent.edits.block import replace_block
from qagent.edits.definition import Written, placed, taken_out
from qagent.edits.diff import lines_of
from qagent.edits.listing import listed
from qagent.edits.omission import elided, is_placeholder
from qagent.edits.refused import EditRefused
from qagent.edits.short import clipped
from qagent.edits.unwrap import unwrapped
from qagent.errors import ToolFailed
from qagent.workspace.names import shown


def one_symbol(text: str, name: str, symbol: str) -> Symbol:
    """The one symbol of this name; ToolFailed, with what there is, when there is none or several."""
    if language_of(name) is None:
        raise ToolFailed(f"functions and classes are not known in {name}; use line numbers or text instead.")
    found, asked = find(text, name, symbol), clipped(shown(symbol))
    if len(found) == 1:
        return found[0]
    if found:
        spans = listed([f"{clipped(each.name)} on lines {each.start}-{each.end}" for each in found])
        todo = "give the full name, or use lines" if len({each.name for each in found}) > 1 else _BY_TEXT
        raise ToolFailed(f"{name} has {len(found)} symbols {asked}: {spans}; {todo}.")
    known = [each.name for each in symbols(text, name)]
    there = f"there {'are' if len(known) > 1 else 'is only'} {listed(known)}" if known else "it defines none"
    raise ToolFailed(f"there is no symbol {asked} in {name}; {there}.")


_BY_TEXT = "they have the same name, so use line numbers to read and `old` with `new` to edit"


def with_symbol(text: str, name: str, symbol: str, new: str) -> tuple[str, str]:
    """The new text, and a note for the model or ""."""
    if not new.strip() or is_placeholder(new):
        raise ToolFailed(f"`new` is empty; write all of {clipped(symbol)}, or delete it by giving its text as `old`.")
    found = one_symbol(text, name, symbol)
    _check_alone(text, name, found)
    written = unwrapped(new.replace("\r\n", "\n"), name)
    code = taken_out(text, name, found, written)
    if gap := elided("".join(lines_of(text)[found.start - 1 : found.end]), code, name):
        raise EditRefused("elided", f"{name}: {leaves_out(gap)}")
    wrapped = _fitted(text, name, found, code)
    done = _placed(text, name, found, wrapped.code, code)
    if done.text == text:
        raise EditRefused("no_change", f"{name}: {clipped(symbol)} already has exactly this text; write the new text.")
    lost = (f"It is no longer {word}." for word in wrapped.lost)
    return done.text, " ".join([*_renamed(found, done.defined), *lost])


def _fitted(text: str, name: str, found: Symbol, code: str) -> Wrapped:
    """With what the old definition had in front of it and behind it."""
    lines, last = lines_of(text), found.name.rpartition(".")[2]
    if position(text, name, found) == "item":
        return Wrapped(as_item(code, last, lines[found.end - 1].rstrip()))
    if found.kind == "method" and language_of(name) in ("javascript", "typescript"):
        code = as_method(code)
    if language_of(name) == "go" and not lines[found.body_start - 1].lstrip().startswith(("type", "func")):
        code = without_type(code)
    return rewrapped(lines[found.body_start - 1], code, found.name, name)


def _placed(text: str, name: str, found: Symbol, code: str, written: str) -> Written:
    try:
        return placed(text, name, found, code)
    except ToolFailed:
        after = replace_block(text, (found.start, found.body_start, found.end), code, name)
        if new_fault(text, after, name) and not _is_body(written, name):
            return Written(after, (found.name,))  # the syntax gate says more about what cannot be read
        raise


_AROUND_BODY = {
    "python": ("def f():\n{}\n", "async def f():\n{}\n"),
    "go": ("package a\n\nfunc f() {{\n{}\n}}\n",),
    "javascript": ("async function* f() {{\n{}\n}}\n",),
    "typescript": ("async function* f() {{\n{}\n}}\n",),
}


def _is_body(code: str, name: str) -> bool:
    """Whether it can be read inside of a function: then `return` is no fault in it, only the first line is missing."""
    inner = textwrap.indent(textwrap.dedent(code), " ")
    around = _AROUND_BODY.get(language_of(name) or "", ())
    return any(new_fault("", each.format(inner), name) is None for each in around)


def _renamed(found: Symbol, defined: Sequence[str]) -> list[str]:
    """Whoever uses the old name does not find it any more, which is allowed and should be known."""
    if found.name in defined:
        return []
    scope = found.name.rpartition(".")[0]
    added = next((each for each in defined if each.rpartition(".")[0] == scope), None)
    now = f"{clipped(added)}; its uses were not changed" if added else "a plain value"
    return [f"{clipped(found.name)} is now {now}."]


def _check_alone(text: str, name: str, found: Symbol) -> None:
    """Whole lines are replaced; what else stands on them would be lost. And a function that is declared in several
    ways cannot be written anew as one."""
    if "\r" in text and "\n" not in text:
        raise ToolFailed(f"{name} ends its lines with CR alone; give `old` and `new` instead.")
    for other in symbols(text, name):
        related = other.name == found.name or holds(found, other) or (holds(other, found) and other.start < found.start)
        if not related and other.start <= found.end and found.start <= other.end:
            pair = f"{clipped(found.name)} shares a line with {clipped(other.name)}"
            raise ToolFailed(f"{pair} in {name}; give `old` and `new` instead.")
    if lines := overloads(text, name, found):
        places = listed(list(map(str, [*lines, found.body_start])))
        one = clipped(found.name)
        raise ToolFailed(f"{one} is declared several times in {name}, on lines {places}; use `old` and `new`.")
    if position(text, name, found) == "one of several":
        one = clipped(found.name)
        raise ToolFailed(f"{one} is declared together with other names in {name}; use `old` and `new`.")

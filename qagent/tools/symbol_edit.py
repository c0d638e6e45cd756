"""Writes one whole function, class or method anew: the file's text, the symbol's name and its new code in, the new text
out, or a refusal. What belongs to the file around it, decorators, comments, `export`, stays. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from qagent.code.symbols import Symbol, find, language_of, overloads, symbols
from qagent.code.wrappers import rewrapped
from qagent.edits.applying import leaves_out
from qagent.edits.block import replace_block
from qagent.edits.diff import lines_of
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
        spans = _some([f"{clipped(each.name)} on lines {each.start}-{each.end}" for each in found])
        raise ToolFailed(f"{name} has {len(found)} symbols {asked}: {spans}; give the full name, or use lines.")
    known = [clipped(each.name) for each in symbols(text, name)]
    there = f"there are {_some(known)}" if known else "it defines none"
    raise ToolFailed(f"there is no symbol {asked} in {name}; {there}.")


def _some(words: Sequence[str]) -> str:
    """As many as the model can use."""
    kept = [word for word, size in zip(words, accumulate(map(len, words)), strict=True) if size <= _MOST][:20]
    more = len(words) - len(kept)
    return ", ".join(kept) + (f" and {more} more" if more else "")


_MOST = 1_000
"""Characters of the names that an answer lists."""


def with_symbol(text: str, name: str, symbol: str, new: str) -> tuple[str, str]:
    """The new text, and a note for the model or ""."""
    if not new.strip() or is_placeholder(new):
        raise ToolFailed(f"`new` is empty; write all of {clipped(symbol)}, or delete it by giving its text as `old`.")
    found = one_symbol(text, name, symbol)
    _check_alone(text, name, found)
    code = _bare(unwrapped(new.replace("\r\n", "\n"), name), name, found)
    if gap := elided("".join(lines_of(text)[found.start - 1 : found.end]), code, name):
        raise EditRefused("elided", f"{name}: {leaves_out(gap)}")
    wrapped = rewrapped(lines_of(text)[found.body_start - 1], code, found.name, name)
    after = replace_block(text, (found.start, found.body_start, found.end), wrapped.code)
    if after == text:
        raise EditRefused("no_change", f"{name}: {clipped(symbol)} already has exactly this text; write the new text.")
    lost = (f"It is no longer {word}." for word in wrapped.lost)
    return after, " ".join([*_renamed(text, after, name, found), *lost])


def _bare(new: str, name: str, found: Symbol) -> str:
    """Without the class around it, when the model wrote that too and nothing else in it."""
    scope, _, last = found.name.rpartition(".")
    inner = symbols(new, name)
    if not scope or any(each.name == last for each in inner) or not any(each.name == found.name for each in inner):
        return new
    methods = [each for each in inner if each.name.rpartition(".")[0] == scope]
    if len(methods) > 1:
        whole, one = clipped(scope), clipped(last)
        raise ToolFailed(f"`new` has all of {whole}, and {whole}.{one} alone is to be replaced; write {one} alone.")
    return "".join(lines_of(new)[methods[0].start - 1 : methods[0].end])


def _renamed(before: str, after: str, name: str, found: Symbol) -> list[str]:
    """Whoever uses the old name does not find it any more, which is allowed and should be known."""
    old, new = (Counter(each.name for each in symbols(text, name)) for text in (before, after))
    if found.name not in old - new:
        return []
    scope = found.name.rpartition(".")[0]
    added = next((each for each in new - old if each.rpartition(".")[0] == scope), None)
    old_name = clipped(found.name)
    return [f"{old_name} is now {clipped(added)}; its uses were not changed." if added else f"{old_name} is gone."]


def _check_alone(text: str, name: str, found: Symbol) -> None:
    """Whole lines are replaced; what else stands on them would be lost. And a function that is declared in several
    ways cannot be written anew as one."""
    for other in symbols(text, name):
        related = (
            other.name == found.name or _holds(found, other) or (_holds(other, found) and other.start < found.start)
        )
        if not related and other.start <= found.end and found.start <= other.end:
            pair = f"{clipped(found.name)} shares a line with {clipped(other.name)}"
            raise ToolFailed(f"{pair} in {name}; give `old` and `new` instead.")
    if lines := overloads(text, name, found):
        places = _some(list(map(str, [*lines, found.body_start])))
        one = clipped(found.name)
        raise ToolFailed(f"{one} is declared several times in {name}, on lines {places}; use `old` and `new`.")


def _holds(outer: Symbol, inner: Symbol) -> bool:
    return inner.name.startswith(f"{outer.name}.") and outer.start <= inner.start and inner.end <= outer.end

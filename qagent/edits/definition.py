"""Whether what a model wrote for one symbol is that symbol, and nothing that the file has already: text, symbol and new
code in, the code in its place out, or a refusal that says what to write.

New definitions may come with it, and a new name, as long as nobody has that. What is in the file word for word is left
out: a model that was asked for one function likes to write all that is around it. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from qagent.code.members import fields, names
from qagent.code.symbols import Symbol, holds, symbols
from qagent.edits.block import Placed, code_lines, place
from qagent.edits.diff import lines_of, span
from qagent.edits.listing import listed
from qagent.edits.omission import is_gap
from qagent.edits.short import clipped
from qagent.errors import ToolFailed

_COMMENT = re.compile(r"(?:#|//|/\*|\*|$)")
_SAYS_NOTHING = re.compile(
    r"[\])};,\s]*|(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\s+\w+\s*[:{]?(?:\s*\.\.\.)?|package\s+\w+"
)
"""Brackets, and the bare head of a class: around one method it only says where that belongs."""

_FUNCTIONS = ("function", "method")


# ------------------------------------------------------------------ out of what is around it


def taken_out(text: str, path: str, found: Symbol, code: str) -> str:
    """The symbol without the class or the file that the model wrote around it, when those are as they are in `text`."""
    inner = symbols(code, path)
    same = [each for each in inner if each.name == found.name]
    if len(same) != 1:
        return code
    wanted, lines = same[0], code.split("\n")
    if not any(line.strip() for line in [*lines[: wanted.start - 1], *lines[wanted.end :]]):
        return code
    around = any(holds(each, wanted) for each in inner)
    rest = _rest(text, path, found, code)
    if rest.strange and (around or rest.known):
        one, more = clipped(found.name), clipped(rest.strange[0])
        raise ToolFailed(f"`new` has more than {one}, as `{more}`; write {one} alone, and the rest with another call.")
    bare = not around and not rest.known
    return code if bare or rest.defined else "\n".join(lines[wanted.start - 1 : wanted.end])


@dataclass(frozen=True, slots=True)
class _Rest:
    """Of the lines beside a symbol: those that the file has not, how many it has, whether other symbols are new."""

    strange: tuple[str, ...]
    known: int
    defined: bool


def _rest(text: str, path: str, found: Symbol, code: str) -> _Rest:
    here, inner = symbols(text, path), symbols(code, path)
    wanted = next(each for each in inner if each.name == found.name)
    beside = [each for each in inner if not _touch(each, wanted)]
    ours, theirs = code.split("\n"), [line.rstrip("\n") for line in lines_of(text)]
    written = _by_name(here, theirs)
    same = [each for each in beside if _lines(each, ours) in written.get(each.name, ())]
    scopes = {each.name.rpartition(".")[0] for each in beside}
    other = [each for each in set(beside).difference(same) if each.name not in scopes]
    inside = [wanted, *beside]
    left = _stripped(ours, inside)
    there = Counter(_stripped(theirs, [each for each in here if each.name == found.name or not _touch(each, found)]))
    strange = [line for line in left if line not in there and not _SAYS_NOTHING.fullmatch(line)]
    in_class = any(holds(one, wanted) for one in inner)
    heads = [each.body_start for each in other if in_class or each.name in written]
    strange += [ours[row - 1].strip() for row in sorted(heads)]
    notes = {line.strip() for line in theirs if len(line.strip()) > 3} & _comments(ours, inside)
    return _Rest(tuple(strange), len(same) + sum(line in there for line in left) + len(notes), bool(other))


def _by_name(known: Sequence[Symbol], lines: Sequence[str]) -> dict[str, list[list[str]]]:
    """The lines of each symbol, stripped; several where several have the name."""
    found: dict[str, list[list[str]]] = {}
    for each in known:
        found.setdefault(each.name, []).append(_lines(each, lines))
    return found


def _stripped(lines: Sequence[str], without: Sequence[Symbol]) -> list[str]:
    """The lines outside of the symbols, without comments, gaps and blanks around them."""
    return [row for row in _outside(lines, without) if not _COMMENT.match(row) and not is_gap(row)]


def _comments(lines: Sequence[str], without: Sequence[Symbol]) -> set[str]:
    return {row for row in _outside(lines, without) if _COMMENT.match(row)}


def _outside(lines: Sequence[str], without: Sequence[Symbol]) -> list[str]:
    inside = {number for each in without for number in range(each.start, each.end + 1)}
    return [line.strip() for number, line in enumerate(lines, start=1) if number not in inside]


def _touch(one: Symbol, other: Symbol) -> bool:
    return one.start <= other.end and other.start <= one.end


def _lines(one: Symbol, lines: Sequence[str]) -> list[str]:
    """Blanks around lines aside: a symbol may be written without its indentation."""
    return [line.strip() for line in lines[one.body_start - 1 : one.end]]


# ------------------------------------------------------------------ in its place


@dataclass(frozen=True, slots=True)
class Written:
    """The file's new text, and the names of the outermost symbols that the new code defines in it."""

    text: str
    defined: tuple[str, ...]


def placed(text: str, path: str, found: Symbol, code: str) -> Written:
    """The code in the place of the symbol. ToolFailed unless it defines this symbol, and a class without loss."""
    where = (found.start, found.body_start, found.end)
    done = place(text, where, code, path)
    defined = _defined(done, path)
    known = [each for each in symbols(text, path) if not _touch(each, found)]
    if again := _again(text, done, known, defined):
        gone = {number - done.first for each in again for number in range(each.start, each.end + 1)}
        code = "\n".join(line for number, line in enumerate(code_lines(code)) if number not in gone)
        done = place(text, where, code, path) if code.strip() else done
        defined = _defined(done, path)
    _check_defined(found, defined, done, known)
    _check_members(text, path, found, defined, done)
    return Written(done.text, tuple(each.name for each in defined))


def _defined(done: Placed, path: str) -> list[Symbol]:
    """The outermost symbols of the new code, as they are named in the file."""
    outermost: list[Symbol] = []
    for each in symbols(done.text, path):
        inside = done.first <= each.body_start <= done.last
        if inside and not (outermost and holds(outermost[-1], each)):
            outermost.append(each)
    return outermost


def _again(text: str, done: Placed, known: Sequence[Symbol], defined: Sequence[Symbol]) -> list[Symbol]:
    """What the file has word for word."""
    names = {each.name for each in defined}
    written = _by_name([each for each in known if each.name in names], text.split("\n"))
    lines = done.text.split("\n") if written else []
    return [each for each in defined if each.name in written and _lines(each, lines) in written[each.name]]


def _check_defined(found: Symbol, defined: Sequence[Symbol], done: Placed, known: Sequence[Symbol]) -> None:
    one = clipped(found.name)
    for each in defined:
        if other := next((other for other in known if other.name == each.name and each.name != found.name), None):
            where = f"{clipped(other.name)}, which is on {span(other.body_start, other.end)}"
            raise ToolFailed(f"`new` also defines {where}; write {one} alone, or give the name of the one to change.")
    if any(each.name == found.name for each in defined):
        return
    lines = done.text.split("\n")[done.first - 1 : done.last]
    if not defined:
        if not _assigns(found, lines):
            raise ToolFailed(f"`new` does not define {one}; write all of it, with its first line.")
    elif not _is_rename(found, defined, lines, done.first):
        other = clipped(defined[0].name)
        raise ToolFailed(f"`new` defines {other} and not {one}; write all of {one}, with its first line.")


def _assigns(found: Symbol, lines: Sequence[str]) -> bool:
    """As in `const f = memo(…)`: the name stays, and what it names is no function any more."""
    last = re.escape(found.name.rpartition(".")[2])
    words = r"(?:(?:export|default|declare|const|let|var|static|readonly|public|private|protected|override|type)\s+)*"
    first = re.compile(rf"\s*{words}(?:[\w$]+\.)*{last}\b\s*(?:[:?!][^=]*|[\w.\[\]*]+\s*)?(?:=(?!=)|:)")
    return found.name == "default" or any(map(first.match, lines))


def _is_rename(found: Symbol, defined: Sequence[Symbol], lines: Sequence[str], first: int) -> bool:
    """Another name in the same scope for the same sort of thing, and nothing beside it."""
    scope = found.name.rpartition(".")[0]
    sort = found.kind in _FUNCTIONS
    if not any(each.name.rpartition(".")[0] == scope and (each.kind in _FUNCTIONS) == sort for each in defined):
        return False
    inside = {number - first for each in defined for number in range(each.start, each.end + 1)}
    return all(number in inside or _COMMENT.match(line.strip()) for number, line in enumerate(lines))


# ------------------------------------------------------------------ what a class had


def _check_members(text: str, path: str, found: Symbol, defined: Sequence[Symbol], done: Placed) -> None:
    if found.kind != "class":
        return
    new = next((each for each in defined if each.name == found.name), defined[0] if defined else None)
    if new is None or new.kind != "class":
        return
    before, after = _members(text, path, found), _members(done.text, path, new)
    added, gone = after - before, before - after
    if not gone:
        return
    there = {_nameless(name, lines) for name, lines in _written(done.text, path, new, added).items()}
    set_now = _set_in(done.text, new)
    ours = _written(text, path, found, gone)
    lost = [name for name in gone if name not in set_now and _nameless(name, ours[name]) not in there]
    if lost:
        raise ToolFailed(
            f"`new` leaves out {listed(lost)} of {clipped(found.name)}; write them too, or give the one method as "
            "`symbol`; to delete one, give its text as `old`."
        )


def _members(text: str, path: str, found: Symbol) -> Counter[str]:
    return Counter([*names(symbols(text, path), found.name), *dict.fromkeys(fields(text, path, found))])


def _set_in(text: str, new: Symbol) -> set[str]:
    """The fields that a method sets."""
    rows = text.split("\n")[new.body_start : new.end]
    return {name for row in rows for name in _SETS.findall(row)}


_SETS = re.compile(r"\b(?:self|this)\.(#?\w+)\s*(?::[^=]*)?=(?!=)")


def _written(text: str, path: str, holder: Symbol, members: Collection[str]) -> dict[str, list[str]]:
    """Of each member its stripped lines: a method's own, or else the first line that begins with a field's name."""
    lines = text.split("\n")
    scope = f"{holder.name}."
    found = {each.name.removeprefix(scope): _lines(each, lines) for each in symbols(text, path)}
    begins: dict[str, str] = {}
    for row in lines[holder.body_start : holder.end]:
        for word in _FIELD_WORDS.findall(row.partition("=")[0].partition(":")[0]):
            begins.setdefault(word, row.strip())
    return {name: found.get(name) or [begins.get(name, name)] for name in members}


_FIELD_WORDS = re.compile(r"#?[\w$]+")


def _nameless(name: str, lines: Sequence[str]) -> tuple[str, ...]:
    """The same for a member under another name."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return tuple(word.sub("\0", line) for line in lines)

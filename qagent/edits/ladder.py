"""Where an edit goes: one rung after the other, from the exact text to what a model is known to change when it copies.

The first rung that finds anything decides, and two places there mean refuse: a looser rung never rescues, and nothing
is ever chosen because it is most alike. The rungs, with what becomes of the new text:

    exact             as written; whole lines stay whole lines
    boundary          empty lines at the ends of old and new are left off alike
    trailing blanks   what old and new share stays as the file has it; the rest as written
    signs             typographic quotes, dashes, spaces; the same
    indentation       by the rule that turns the old text's into the file's: a shift, or as many levels in another unit
    wrapping          line numbers, a fence, markers, a diff's signs taken off both; then all rungs above
    escapes           one level of `\\n`, `\\"`, `&lt;` taken off both, where old has them; then all rungs above
    gaps              `...` in old and new alike: each piece by itself, with no block's end between them
    drift             every line of code is there, blank lines and comments differ; the change is merged, and is none of
                      a comment that the file has in other words

As written is only meant where the indentation is the file's: a line that is found behind some of its own indentation,
and of which several are made that stand less deep, is left to the indentation rung. A hit that begins or ends inside a
number is none, nor one of whole lines that does so inside a word.

In: a table and an edit's texts, with LF. Out: the places, or why there are none. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qagent.edits import rungs
from qagent.edits.dots import around_gaps, has_gaps
from qagent.edits.drift import drifted
from qagent.edits.rungs import Ground, Rung
from qagent.edits.table import Place, Table
from qagent.edits.unescape import unescaped
from qagent.edits.unwrap import Reading, cleaned, readings, unnumbered

EXACT = ""

_PLAIN: tuple[tuple[str, Rung], ...] = (
    (EXACT, rungs.exact),
    ("without the empty lines around it", rungs.boundary),
    ("with other trailing blanks", rungs.trailing_blanks),
    ("with other quotes, dashes or spaces", rungs.signs),
    ("with other indentation; yours was shifted", rungs.indentation),
)

_BLANKS_COUNT = frozenset({"tsv", "tab", "diff", "patch"})
"""Files in which a blank in front or at the end is a cell or a sign."""

_NESTS = frozenset({"yaml", "yml", "md", "mdx", "rst", "html", "htm", "xml", "vue", "svelte"})
"""Files in which a line may be as deep or less deep than its neighbours for no reason but its own."""


@dataclass(frozen=True, slots=True)
class Hits:
    """All hits of the first rung that has any. `how`: what was read otherwise than written, "" for nothing.

    A hit may be several places: the pieces around gaps. `line`: which line the model gave for it, from 1, if any.
    `twice`: a piece around a gap stands there more than once.
    """

    how: str
    hits: Sequence[tuple[Place, ...]] = ()
    twice: bool = False
    line: int | None = None


def hits(table: Table, edit: Reading, path: str = "", *, every: bool = False) -> Hits:
    """`every`: all places are wanted, none of which overlaps another."""
    ground, plain = Ground(table, every, _blanks_count(path), _suffix(path) in _NESTS), edit
    if not plain.old.strip():
        return Hits(EXACT, [(place,) for place in rungs.exact(ground, plain)])
    for found in _found(ground, plain, path):
        if found.hits or found.twice:
            return found
    return Hits(EXACT)


def _found(ground: Ground, plain: Reading, path: str) -> Iterator[Hits]:
    yield _on_rungs(ground, plain, path)
    unwrapped = list(readings(plain.old, plain.new))
    for reading in unwrapped:
        yield _named("without the numbers, fences or marks around it", _on_rungs(ground, reading, path))
    for reading in (plain, *unwrapped[-1:]):
        for less in unescaped(reading):
            yield _named("with one level of escapes taken off", _on_rungs(ground, less, path))
    for reading in (plain, *unwrapped[-1:]):
        yield _around_gaps(ground, reading)
    for reading in (plain, *unwrapped[-1:]):
        merged = [(place,) for place in drifted(ground, reading, path)]
        yield Hits("with other blank lines or comments, which were kept", merged, line=reading.line)


def _named(how: str, found: Hits) -> Hits:
    return Hits(how, found.hits, line=found.line)


def _on_rungs(ground: Ground, reading: Reading, path: str) -> Hits:
    for how, rung in _rungs(path):
        if found := rung(ground, reading):
            again = _cleaned(ground, reading, found, path)
            found = found if again == reading else rung(ground, again)
            return Hits(how, [(place,) for place in found], line=reading.line)
    return Hits(EXACT)


def _rungs(path: str) -> Sequence[tuple[str, Rung]]:
    """Where every blank is content, only those that leave blanks alone."""
    return _PLAIN[:2] if _blanks_count(path) else _PLAIN


def _blanks_count(path: str) -> bool:
    return _suffix(path) in _BLANKS_COUNT


def _suffix(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _cleaned(ground: Ground, reading: Reading, found: Sequence[Place], path: str) -> Reading:
    """With what only the new text has around it taken off; numbers when they are those of the one place."""
    new = cleaned(reading.new, reading.old, path)
    if len(found) == 1:
        new = unnumbered(new, reading.old, ground.table.line_of(found[0].start) + 1, path)
    return Reading(reading.old, new, reading.line)


def _around_gaps(ground: Ground, reading: Reading) -> Hits:
    how = "around the lines that were left out, which were kept"
    if not has_gaps(reading.old):
        return Hits(how)
    places = around_gaps(ground, reading, _whole_lines)
    if places is None:
        return Hits(how)
    return Hits(how, [tuple(places)] if places else [], twice=not places)


def _whole_lines(ground: Ground, piece: Reading) -> list[Place]:
    return rungs.indentation(ground, piece)

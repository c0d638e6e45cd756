"""Makes edits on a text: text and edits in, the new text out, or a refusal that says what to do.

Each edit is made on the result of the one before; all are made or none. Where one goes is decided by `ladder`, what is
told when it goes nowhere by `nearest` and `ambiguous`. Knows no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qagent.edits.ambiguous import ambiguous
from qagent.edits.ladder import Hits, hits
from qagent.edits.nearest import nearest_lines, not_found
from qagent.edits.omission import Omission, elided
from qagent.edits.refused import EditRefused
from qagent.edits.table import Place, Table, as_lf, table
from qagent.edits.unwrap import Reading


@dataclass(frozen=True, slots=True)
class Edit:
    old: str
    new: str
    replace_all: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """`how`: for each edit that was not found as written, how it was found; in words."""

    text: str
    how: tuple[str, ...] = ()


def apply(before: str, edits: Sequence[Edit], path: str = "") -> Applied:
    """`path` tells the language. Raises EditRefused: all or nothing. Identical edits are made once."""
    text, how = before, list[str]()
    distinct = list(dict.fromkeys(edits))
    for number, edit in enumerate(distinct, start=1):
        try:
            text, found = _apply_one(text, edit, path)
        except EditRefused as refused:
            if len(distinct) == 1:
                raise
            which = f"replacement {number} of {len(distinct)} failed, so none was made: "
            raise EditRefused(refused.code, which + refused.message) from refused
        how += [found] if found else []
    return Applied(text, tuple(dict.fromkeys(how)))


def _apply_one(before: str, edit: Edit, path: str) -> tuple[str, str]:
    edit = replace(edit, old=as_lf(edit.old, before), new=as_lf(edit.new, before))
    if not edit.old:
        raise EditRefused("empty_old", "the text to replace is empty; give the lines to replace, or use write_file.")
    if edit.old == edit.new:
        raise EditRefused("no_change", "old and new text are the same, so nothing would change; write the new text.")
    if gap := elided(edit.old, edit.new, path):
        raise EditRefused("elided", leaves_out(gap))
    known = table(before)
    found = hits(known, Reading(edit.old, edit.new), path, every=edit.replace_all)
    after = known.with_places(_chosen(known, edit, found, path))
    if after == before:
        raise EditRefused("no_change", "the file has exactly the new text there already; nothing would change.")
    return after, found.how


def lines_meant(text: str, edit: Edit, path: str = "") -> tuple[int, int] | None:
    """The lines, from 1, where this edit would go, or those nearest to it; None when nothing is like it."""
    known = table(text)
    old = as_lf(edit.old, text)
    if found := hits(known, Reading(old, ""), path).hits:
        return known.line_of(found[0][0].start) + 1, known.line_of(max(found[0][-1].end - 1, 0)) + 1
    return nearest_lines(known, old)


def leaves_out(gap: Omission) -> str:
    """What the model reads when its text leaves code out."""
    lost = ", ".join(f"`{line[:80]}`" for line in gap.lost[:5])
    more = f" and {len(gap.lost) - 5} more" if len(gap.lost) > 5 else ""
    what = f"; these lines would be lost: {lost}{more}" if lost else ""
    return f"the new text leaves code out at `{gap.note[:120]}`{what}. Write all of it; nothing was changed."


def _chosen(known: Table, edit: Edit, found: Hits, path: str) -> Sequence[Place]:
    wanted = found.hits
    if len(wanted) > 1 and not edit.replace_all and found.line is not None:
        wanted = [hit for hit in wanted if known.line_of(hit[0].start) + 1 == found.line] or wanted
    if not wanted and not found.twice:
        raise EditRefused("not_found", not_found(known, edit.old, edit.new))
    if found.twice or (len(wanted) > 1 and not edit.replace_all):
        raise EditRefused("ambiguous", ambiguous(known, [hit[0].start for hit in wanted], edit.old, path))
    return [place for hit in wanted for place in hit]

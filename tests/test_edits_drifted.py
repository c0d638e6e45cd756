"""Edits that were meant for one place and written with drift: they come out as they were meant, or not at all.

EDIT_EXAMPLES=10000 makes so many of each language.
"""

from __future__ import annotations

import contextlib
import os

import pytest
from drifting import LINES, Line, Meant, meant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qagent.code.languages import LANGUAGES
from qagent.edits.applying import Edit, apply
from qagent.edits.gate import check
from qagent.edits.refused import EditRefused
from qagent.edits.table import flat

EXAMPLES = int(os.environ.get("EDIT_EXAMPLES", "60"))


def after(edit: Meant, path: str) -> str | None:
    """None when it was refused."""
    try:
        return apply(edit.before, [Edit(edit.old, edit.new)], path).text
    except EditRefused:
        return None


def literally(edit: Meant) -> str | None:
    """What stands there once and exactly is replaced as it was written."""
    before, old, new = flat(edit.before), flat(edit.old), flat(edit.new)
    if before.count(old) != 1 or "\r" in edit.before:
        return None
    return "\ufeff" * edit.before.startswith("\ufeff") + before.replace(old, new)


def within_line(edit: Meant) -> bool:
    """Where the first line alone is indented the text without it begins inside of that line: what takes its place is
    written as it stands."""
    filled = [line for line in edit.region if line.text]
    return not any(line.indent for line in filled[1:])


def begins_bare(edit: Meant) -> bool:
    return bool(edit.region[0].indent) and edit.old[:1] not in (" ", "\t")


def as_compared(text: str, edit: Meant) -> list[str]:
    """What is the same whatever a rung makes of trailing blanks, signs and blank lines of lines that were changed."""
    signs = str.maketrans({"“": '"', "”": '"', "’": "'", "–": "-", "…": "..."})
    lines = [line.rstrip() for line in flat(text).translate(signs).split("\n") if line.strip()]
    return [line.strip() for line in lines] if within_line(edit) else lines


def written(lines: tuple[Line, ...]) -> str:
    return "".join(f"{line.body}\n" for line in lines)


@pytest.mark.parametrize("path", LINES)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_edit_with_drift_comes_out_as_it_was_meant_or_not_at_all(path: str, data: st.DataObject) -> None:
    edit = data.draw(meant(path))
    text = after(edit, path)
    if text is None or text == literally(edit):
        return
    assert text.startswith(edit.head)
    assert text.endswith(edit.tail)
    middle = text[len(edit.head) : len(text) - len(edit.tail)]
    assert as_compared(middle, edit) == as_compared(written(edit.changed), edit)
    for line in edit.changed:
        if line.unlike and not (within_line(edit) or begins_bare(edit)):
            assert line.body in flat(middle).split("\n")
    if "\r" not in edit.before:
        assert "\r" not in text
    with contextlib.suppress(EditRefused):
        check(flat(edit.before), flat(text), path)


def test_every_language_that_is_understood_is_tried() -> None:
    assert all(any(path.endswith(row.suffixes) for path in LINES) for row in LANGUAGES)

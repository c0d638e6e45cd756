from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from qagent.edits.omission import elided, omission

CASES = Path(__file__).parent / "cases" / "omissions"
OLD = "import os\n\ndef f():\n    a()\n    return 1\n"
LEFT_OUT = [
    "import x\n...\n",
    "import x\n# ... rest of the code ...\n",
    "import x\n\n    # (other functions unchanged)\n",
    "a();\n// ... existing code ...\nb();\n" + "c();\n" * 200,
    "/* ... the rest stays the same */\nb();\n",
]
WRITTEN = [
    "def f():\n    ...\n",
    '"""Doc.\n\n>>> for x in y:\n...     x\n...\n1\n"""\n',
    "# The rest of the arguments goes to pytest.\nx = 1\n",
    "# Other functions call this one.\n",
    "# ...\nx = 1\n",
    "# unchanged\nx = 1\n",
    "# same as before\nx = 1\n",
    "# Existing code\nx = 1\n",
]


class Case(NamedTuple):
    """Lines of a file, and what is written in their place."""

    path: str
    before: str
    old: str
    new: str
    after: str


def cases(name: str) -> list[Case]:
    """Each begins with `=== FILE FIRST-LAST`, lines of FILE.txt from 1; below it stands what is written there."""
    parts = re.split(r"^=== (\S+) (\d+)-(\d+)\n", (CASES / name).read_text("utf-8"), flags=re.MULTILINE)[1:]
    return [case(*parts[at : at + 4]) for at in range(0, len(parts), 4)]


def case(path: str, first: str, last: str, new: str) -> Case:
    before = (CASES / f"{path}.txt").read_text("utf-8")
    lines = before.splitlines(keepends=True)
    head, old, tail = lines[: int(first) - 1], lines[int(first) - 1 : int(last)], lines[int(last) :]
    return Case(path, before, "".join(old), new, "".join([*head, new, *tail]))


@pytest.mark.parametrize("case", cases("refused.txt"))
def test_a_note_in_the_place_of_lines_is_an_omission(case: Case) -> None:
    for old, new in ((case.old, case.new), (case.before, case.after)):
        gap = elided(old, new, case.path)
        assert gap is not None
        assert gap.note in new
        assert gap.lost


@pytest.mark.parametrize("case", cases("written.txt"))
def test_a_remark_or_a_heading_beside_changed_lines_is_none(case: Case) -> None:
    assert elided(case.old, case.new, case.path) is None
    assert elided(case.before, case.after, case.path) is None


@pytest.mark.parametrize("case", [case for case in cases("refused.txt") if case.old.strip()])
def test_where_no_line_is_lost_a_note_is_none(case: Case) -> None:
    assert elided(case.old, case.new + case.old, case.path) is None


@pytest.mark.parametrize("new", LEFT_OUT)
def test_what_is_left_out_is_named_with_the_lines_that_would_be_lost(new: str) -> None:
    gap = elided(OLD, new, "a.py")
    assert gap is not None
    assert "import os" in gap.lost
    assert gap.note in new


@pytest.mark.parametrize("new", WRITTEN)
def test_comments_and_dots_of_a_new_file_are_its_own(new: str) -> None:
    assert elided("", new, "a.py") is None
    assert omission(new, "") is None


def test_a_note_that_stood_there_may_stay_there() -> None:
    note = "# ... existing code ...\n"
    assert elided("a\nb\n", f"a\n{note}", "a.py") is not None
    assert elided(f"a\n{note}", f"b\n{note}", "a.py") is None


def test_many_notes_in_a_long_text_are_looked_at_within_bounds() -> None:
    old = "".join(f"line {number}\n" for number in range(5_000))
    assert elided(old, "# unchanged\n" * 2_500 + "x\n" * 2_500, "a.py") is not None

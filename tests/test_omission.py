from __future__ import annotations

import pytest

from qagent.edits.omission import elided, omission

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
]


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

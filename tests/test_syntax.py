from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.code.syntax import Fault, new_fault
from qagent.edits import gate
from qagent.edits.refused import EditRefused
from qagent.tools.edit import edit_file
from qagent.tools.files import write_file
from qagent.workspace.place import Workspace

FAULTS = [
    ("a.py", "def f():\n    return 1\n", "def f(:\n    return 1\n", 1),
    ("a.py", "def f():\n    a()\n    b()\n", "def f():\n    a()\n      b()\n", 3),
    ("a.py", "def f():\n    return 1\n", "def f():\n    x = 1\nreturn x\n", 3),
    ("a.py", "for x in y:\n    break\n", "for x in y:\n    pass\nbreak\n", 3),
    ("a.js", "f(1);\ng();\n", "f(1;\ng();\n", 1),
    ("a.jsx", "const a = <b>x</b>;\n", "const a = <b x</b>;\n", 1),
    ("a.ts", "let a: string = f();\n", "let a: = f();\n", 1),
    ("a.tsx", "const a = <B c={1} />;\n", "const a = <B c={1 />;\n", 1),
    ("a.go", "package x\n\nfunc f() {\n\tg()\n}\n", "package x\n\nfunc f() {\n\tg(\n}\n", 4),
]


@pytest.mark.parametrize(("path", "before", "after", "line"), FAULTS)
def test_a_new_fault_is_found_with_its_line(path: str, before: str, after: str, line: int) -> None:
    fault = new_fault(before, after, path)
    assert fault == Fault(line, after.split("\n")[line - 1], fault.why if fault else "")
    assert new_fault("", after, path) is not None


def test_python_says_what_is_wrong_and_where_a_bracket_was_opened() -> None:
    fault = new_fault("", "def f():\n    return g(1\n\ndef h():\n    pass\n", "a.py")
    assert fault == Fault(2, "    return g(1", "'(' was never closed")


def test_a_fault_below_the_change_is_traced_to_it() -> None:
    before = "f(1);\n\nfunction g() {\n  return 1;\n}\n"
    with pytest.raises(EditRefused, match="Your change of line 1 leaves something open"):
        gate.check(before, before.replace("f(1);", "if (x) {"), "a.js")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", "if x\n", "if x\n  (\n"),
        ("a.js", "f(\n", "f(\ng(\n"),
        ("a.txt", "f()\n", "f(\n"),
        ("a.go", "package x\n\nvar a = 1\n", "package x\n\nvar a = 2"),
        ("a.py", "x = 1\n", "type A = int\n"),
        ("a.py", "x = 1", "x = 2"),
        ("a.py", "", ""),
    ],
)
def test_what_was_broken_or_is_fine_or_unknown_may_be_changed(path: str, before: str, after: str) -> None:
    assert new_fault(before, after, path) is None


@pytest.mark.parametrize(("path", "before", "after", "line"), FAULTS)
async def test_what_would_break_a_file_is_refused_in_every_form_and_shows_three_lines(
    tmp_path: Path, path: str, before: str, after: str, line: int
) -> None:
    place = Workspace.open(tmp_path)
    (tmp_path / path).write_text(before)
    for form in ("edit", "write"):
        call = (
            edit_file(place, path=path, old=before, new=after)
            if form == "edit"
            else write_file(place, path=path, content=after)
        )
        with pytest.raises(EditRefused) as caught:
            await call
        assert caught.value.code == "syntax"
        assert f"> {line} | {after.split(chr(10))[line - 1]}" in caught.value.text
        assert len(caught.value.text.splitlines()) <= 5
    assert (tmp_path / path).read_text() == before


LINES = st.sampled_from(
    ['"""', "x = (", ")", "def f():", "    return 1", "else:", "# c", "@d", "class A:", "    pass", "x"]
)
BLOCKS = st.sampled_from(
    ["def f():\n    return 1\n\n\n", 'x = """\na\n"""\n', "if a:\n    b()\nelse:\n    c()\n", "y = [\n    1,\n]\n"]
)


@given(st.lists(BLOCKS, min_size=1, max_size=6), st.integers(0, 30), st.integers(0, 2), st.lists(LINES, max_size=2))
@settings(max_examples=150, deadline=None)
def test_in_a_long_file_the_same_faults_are_found(blocks: list[str], at: int, gone: int, new: list[str]) -> None:
    short = "".join(blocks).split("\n")
    changed = [*short[:at], *new, *short[at + gone :]]
    rest = "\n".join(f"z{number} = {number}" for number in range(1_600))
    before, after = ("\n".join([*lines, rest]) for lines in (short, changed))
    here = new_fault("\n".join(short), "\n".join(changed), "a.py")
    assert (new_fault(before, after, "a.py") is None) == (here is None) or after.count('"""') % 2

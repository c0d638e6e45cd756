"""Any edit of any text is made or refused, and what it does not name stays. EDIT_EXAMPLES=10000 tries so many."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.edits.applying import Edit, apply
from qagent.edits.gate import check
from qagent.edits.refused import EditRefused
from qagent.edits.table import flat

EXAMPLES = int(os.environ.get("EDIT_EXAMPLES", "100"))
LANGUAGES = {
    "a.py": ["def f(a):", "class C:", "if a:", "return a", "x = 'é “y”'", "# why", "...", "pass", '"""', "@d"],
    "a.js": ["function f() {", "}", "if (a) {", "return a;", "// why", "x = `a${b}`;", "export default {", "/* … */"],
    "a.ts": ["interface I {", "}", "a: string;", "type T = A | B;", "// why", "f<T>(a);", "enum E { A }", "@d() x"],
    "a.tsx": ["<A b={c}>", "</A>", "{/* why */}", "<p>“é” &lt;</p>", "const C = () => (", ");", "{...rest}", "<>"],
    "a.go": ["func f() {", "}", "if a {", "return a", "// why", "x := `a`", "type T struct {", "\tgo g()"],
    "a.md": ["# Head", "```", "- item", "“quoted”", "text…", "1 | cell", "<b>&lt;</b>", "---"],
    "a": ["all: x", "\tcc x", "1: one", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "...", "x\\ny"],
}
INDENTS = st.sampled_from(["", " ", "    ", "        ", "\t", "\t\t", "  \t"])
ENDINGS = st.sampled_from(["\n", "\r\n", "  \n", "\r", "\n\n"])


def texts(path: str, most: int) -> st.SearchStrategy[str]:
    line = st.tuples(INDENTS, st.sampled_from(LANGUAGES[path]), ENDINGS).map("".join)
    lines = st.lists(line, max_size=most).map("".join)
    return st.tuples(st.sampled_from(["", "\ufeff"]), lines, st.sampled_from(["", "x"])).map("".join)


@st.composite
def edits(draw: st.DrawFn, path: str, before: str) -> Edit:
    """An old text that is taken from the file and then changed as a model does, or is not in it."""
    lines = flat(before).split("\n")
    start = draw(st.integers(0, len(lines) - 1))
    old = "\n".join(lines[start : start + draw(st.integers(1, 6))])
    drift = draw(st.sampled_from(DRIFTS))
    new = draw(texts(path, 4) | st.just(old + "z") | st.just("")).removeprefix("\ufeff")
    return Edit(drift(draw(st.just(old) | texts(path, 3))), drift(new), draw(st.booleans()))


def _shifted(text: str) -> str:
    return "\n".join(f"    {line}" if line.strip() else line for line in text.split("\n"))


def _numbered(text: str) -> str:
    return "\n".join(f"{number} | {line}" for number, line in enumerate(text.split("\n"), start=1))


def _fenced(text: str) -> str:
    return f"```\n{text}\n```\n"


def _escaped(text: str) -> str:
    return text.replace('"', '\\"').replace("\n", "\\n")


def _plain(text: str) -> str:
    return text.replace("“", '"').replace("”", '"')


def _same(text: str) -> str:
    return text


def _stripped(text: str) -> str:
    return text.strip()


DRIFTS: list[Callable[[str], str]] = [_same, _stripped, _shifted, _numbered, _fenced, _escaped, _plain]


@pytest.mark.parametrize("path", LANGUAGES)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_edit_is_made_or_refused(path: str, data: st.DataObject) -> None:
    before = data.draw(texts(path, 12))
    edit = data.draw(edits(path, before))
    after = before
    with contextlib.suppress(EditRefused):
        after = apply(before, [edit], path).text
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    if "\r" not in before + edit.new:
        assert "\r" not in after
    with contextlib.suppress(EditRefused):
        check(flat(before), flat(after), path)


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_around_an_exact_edit_every_byte_stays(data: st.DataObject) -> None:
    head, tail = data.draw(texts("a.py", 8)), data.draw(texts("a.py", 8)).removeprefix("\ufeff")
    before = f"{head}⟦once⟧ = 1\n{tail}"
    after = apply(before, [Edit("⟦once⟧ = 1", "⟦twice⟧ = 2")], "a.py").text
    assert after == f"{head}⟦twice⟧ = 2\n{tail}"


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_around_a_shifted_edit_every_byte_stays(data: st.DataObject) -> None:
    head, tail = data.draw(texts("a.py", 8)), data.draw(texts("a.py", 8)).removeprefix("\ufeff")
    head += "" if not head or head.endswith("\n") else "\n"
    before = f"{head}    ⟦one⟧ = 1\n      ⟦two⟧ = 2\n{tail}"
    after = apply(before, [Edit("⟦one⟧ = 1\n  ⟦two⟧ = 2\n", "⟦one⟧ = 1\n  ⟦three⟧ = 3\n")], "a.py").text
    assert after == f"{head}    ⟦one⟧ = 1\n      ⟦three⟧ = 3\n{tail}"

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


BEYOND_THE_GRAMMAR = [
    ("a.js", 'f();\nconst a = "x\n";\n', 2, "unterminated string"),
    ("a.jsx", "const a = (\n  <a>\n  </b>\n);\n", 3, "<a> is closed by </b>"),
    ("a.tsx", "const a = <A.B></A>;\n", 1, "<A.B> is closed by </A>"),
    ("a.js", "f();\nbreak;\n", 2, "break outside of a loop"),
    ("a.ts", "for (;;) { g(() => { continue; }); }\n", 1, "continue outside of a loop"),
    ("a.js", "switch (a) { case 1: continue; }\n", 1, "continue outside of a loop"),
    ("a.mjs", 'import a from "a";\n\nreturn a;\n', 3, "return outside of a function"),
    ("a.js", "let a = 1;\nlet b;\nlet a = 2;\n", 3, "a is declared twice"),
    ("a.ts", "export const a = 1;\nconst a = 2;\n", 2, "a is declared twice"),
    ("a.js", "const a;\n", 1, "a const without a value"),
    ("a.js", "function f() {\n  const x = await g();\n}\n", 2, "await in a function that is not async"),
    ("a.ts", "async function f() { a.map(x => await x.y); }\n", 1, "await in a function that is not async"),
    ("a.go", "package a\n\nx := 1\n", 3, "a statement outside of a function"),
    ("a.go", 'package a\n\nfunc f() {}\n\nimport "b"\n', 5, "imports must come before other declarations"),
    ("a.go", "package a\n\npackage b\n", 3, "a second package clause"),
    ("a.go", "package a\n\nvar a = []int{\n\t1,\n\t2\n}\n", 5, "a comma is missing at the end of this line"),
    ("a.go", "package a\n\nvar a = T{\n\tA: 1 // b\n}\n", 4, "a comma is missing at the end of this line"),
    ("a.go", "package a\n\nfunc f() {\n\tg(\n\t\t1\n\t)\n}\n", 5, "a comma is missing at the end of this line"),
    ("a.go", "package a\n\nfunc f(\n\ta int\n) {}\n", 4, "a comma is missing at the end of this line"),
    ("a.go", "package a\n\nfunc f() {\n\tif x\n\t{\n\t}\n}\n", 5, "{ must stand on the line above"),
    ("a.go", "package a\n\nfunc f() int\n{\n\treturn 1\n}\n", 4, "{ must stand on the line above"),
]


@pytest.mark.parametrize(("path", "text", "line", "why"), BEYOND_THE_GRAMMAR)
def test_what_only_the_grammar_lets_pass_is_a_fault(path: str, text: str, line: int, why: str) -> None:
    assert new_fault("", text, path) == Fault(line, text.split("\n")[line - 1], why)


def test_what_the_grammar_lets_pass_does_not_hide_what_it_cannot_read() -> None:
    before = "const a;\nf();\n"
    assert new_fault(before, "const a;\nconst b;\n", "a.js") is None
    assert new_fault(before, "const a;\nf(;\n", "a.js") is not None


FINE = [
    ("a.py", "class A[T = int]: ...\ndef f[T = list[int], *U](x): ...\ntype B[T = int] = list[T]\n"),
    ("a.py", "# %%\nx = await f()\n# %%\ny = [await z for z in x]\n"),
    ("a.py", "%matplotlib inline\n!ls -l\nawait f()\n"),
    ("a.py", "{% if a %}\nimport {{ a.b }}\n{% endif %}\nclass {{ name|title }}(B):\n    x = {{ y }}\n"),
    ("a.js", "class A {\n  accessor a = 1;\n  static accessor b = 2;\n}\n"),
    ("a.ts", "class A {\n  static accessor b = 2;\n  override accessor c = 1;\n}\n"),
    ("a.js", 'import a from "a" assert { type: "json" };\nimport defer * as b from "b";\nimport source c from "c";\n'),
    ("a.ts", 'import defer * as b from "b";\nlet x: typeof import("a").b;\nlet y: import("a").B<c>;\n'),
    ("a.js", "/**\n * @flow\n */\nconst a = (b: any);\n"),
    ("a.js", "// a\n// @flow strict\nconst a = (b: any);\n"),
    ("a.js", 'const a = "b\\\n c";\nconst d = `e\n`;\n'),
    ("a.jsx", 'const a = <b c="d\n e">{"f"}</b>;\nconst g = <></>;\n'),
    ("a.js", "if (a) return;\na: for (;;) { switch (b) { case 1: continue a; default: break; } }\nc: { break c; }\n"),
    ("a.js", "let a; { let a; }\nswitch (b) { case 1: { let c; } case 2: { let c; } }\nfor (const d of e) { }\n"),
    ("a.js", "await f();\nfunction g() { return await (h); }\nconst i = async () => { await j(); };\n"),
    (
        "a.js",
        "class A { static { await; } a = async () => await b; async *c() { for await (const d of e) await d; } }\n",
    ),
    ("a.ts", "declare const a: number;\nnamespace B { export const c = 1; }\nnamespace B { export const d = 1; }\n"),
    ("a.d.ts", "export const a: string;\n"),
    ("a.go", '// a\n\npackage a\n\nimport "C"\nimport (\n\t"b"\n)\n\nconst c = 1; var d int\n'),
    ("a.go", "package a\n\nfunc f(a ...int) (b int) {\n\tg(a...\n\t)\n\th(1,\n\t\t2)\n\treturn\n}\n"),
    ("a.go", "package a\n\nfunc f() {\n\tfor\n\t{\n\t}\n\tswitch x\n\t{\n\t}\n\tfor i := 0; i < 1;\n\t{\n\t}\n}\n"),
    ("a.go", "x := 1\n"),
]


@pytest.mark.parametrize(("path", "text"), FINE)
def test_what_is_rare_or_newer_than_the_grammar_is_no_fault(path: str, text: str) -> None:
    assert new_fault("", text, path) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "class A[T = int]: ...\nf(\n"),
        ("a.py", "await f()\n"),
        ("a.py", "# %%\ndef f():\n    await g()\n"),
        ("a.py", "{% if a %}\nx = (\n{% endif %}\n"),
        ("a.js", "class A {\n  accessor a = ;\n}\n"),
        ("a.js", 'import a from "a" assert { type: };\n'),
    ],
)
def test_beside_what_is_newer_a_fault_is_found(path: str, text: str) -> None:
    assert new_fault("", text, path) is not None


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

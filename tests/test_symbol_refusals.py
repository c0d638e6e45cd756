from __future__ import annotations

from pathlib import Path

import pytest

from qagent.errors import ToolFailed
from qagent.tools.edit import edit_file
from qagent.workspace.place import Workspace

TWO = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
CLASS = "class A:\n    x = 1\n\n    def f(self):\n        return self.x\n\n    def g(self):\n        return 2\n"
FILE = f'"""Doc."""\n\nimport os\n\n\n{TWO}\n\nprint(f())\n'
SCRIPT = "function f() {\n  return 1;\n}\n\nfunction g() {\n  return 2;\n}\n"
TYPED = "export class A {\n  private x = 1;\n\n  f(): number {\n    return 1;\n  }\n\n  g = () => 2;\n}\n"
GO = "package a\n\ntype T struct{}\n\nfunc (t *T) F() int {\n\treturn 1\n}\n"

REFUSED = [
    ("changed file", "a.py", FILE, "f", FILE.replace("1", "3").replace("print", "log"), "more than f, as `log"),
    (
        "changed neighbour",
        "a.py",
        TWO,
        "f",
        TWO.replace("1", "3").replace("2", "4"),
        "`new` also defines g, which is on lines 5-6; write f alone",
    ),
    ("other function", "a.py", TWO, "f", "def g():\n    return 3\n", "defines g, which is on lines 5-6; write f alone"),
    ("both, one changed", "a.js", SCRIPT, "f", SCRIPT.replace("2", "4"), "also defines g, which is on lines 5-7"),
    ("other class", "a.py", CLASS, "A.f", "class B:\n    def f(self):\n        return 1\n", "defines A.B and not A.f"),
    ("other field", "a.py", CLASS, "A.f", "class A:\n    y = 2\n\n    def f(self): ...\n", "than A.f, as `y = 2`"),
    ("other base", "a.py", CLASS, "A.f", "class A(B):\n    def f(self):\n        return 1\n", "as `class A.B.:`"),
    ("body only", "a.js", SCRIPT, "f", "  return 3;\n", "does not define f; write all of it, with its first line"),
    ("body only", "a.py", TWO, "f", "    a = load(1)\n    save(a)\n", "does not define f"),
    ("body that returns", "a.py", TWO, "f", "    return 3\n", "`new` does not define f; write all of it"),
    (
        "body that waits",
        "a.py",
        TWO,
        "f",
        "    x = await g()\n    return x\n",
        "`new` does not define f; write all of it",
    ),
    ("body of a method", "a.py", CLASS, "A.f", "return 3", "`new` does not define A.f; write all of it"),
    (
        "body that returns",
        "a.js",
        "class A {\n  f() {}\n}\n",
        "A.f",
        "return 3;",
        "`new` does not define A.f; write all",
    ),
    ("body that returns", "a.go", GO, "T.F", "\treturn 5\n", "`new` does not define T.F; write all of it"),
    ("broken first line", "a.py", TWO, "f", "def f(:\n    return 3\n", "syntax error on line 1"),
    ("broken first line", "a.go", GO, "T.F", "func (t *T) F( int {\n\treturn 5\n}\n", "syntax error on line 5"),
    ("body with a function", "a.py", TWO, "f", "def h():\n    pass\nh()\n", "defines h and not f"),
    ("method for class", "a.py", CLASS, "A", "def f(self):\n    return 3\n", "defines f and not A"),
    ("no receiver", "a.go", GO, "T.F", "func F() int {\n\treturn 2\n}\n", "defines F and not T.F"),
    ("one method", "a.py", CLASS, "A", "class A:\n    def f(self):\n        return 3\n", "leaves out g, x of A"),
    ("new method", "a.py", CLASS, "A", "class A:\n    def h(self):\n        return 3\n", "leaves out f, g, x of A"),
    ("one method", "a.ts", TYPED, "A", "export class A {\n  f(): number {\n    return 3;\n  }\n}\n", "out g, x of A"),
    ("several names", "a.js", "const f = () => 1,\n  g = 2;\n", "f", "const f = () => 3;", "together with other names"),
    ("carriage returns", "a.py", "def f():\r    pass\rdef g():\r    pass\r", "f", "def f(): ...", "with CR alone"),
    (
        "setter",
        "a.py",
        "class A:\n    @property\n    def x(self): ...\n\n    @x.setter\n    def x(self, v): ...\n",
        "A.x",
        "def x(self): ...",
        "have the same name, so use line numbers to read and `old` with `new` to edit",
    ),
    ("no symbol", "a.py", "def add():\n    pass\n", "sub", "def sub(): ...", "a.py; there is only add\\.$"),
]


@pytest.mark.parametrize(("what", "path", "before", "symbol", "new", "why"), REFUSED)
async def test_what_is_not_that_symbol_alone_is_refused(
    tmp_path: Path, what: str, path: str, before: str, symbol: str, new: str, why: str
) -> None:
    (tmp_path / path).write_bytes(before.encode())
    with pytest.raises(ToolFailed, match=why):
        await edit_file(Workspace.open(tmp_path), path=path, symbol=symbol, new=new)
    assert (tmp_path / path).read_bytes() == before.encode(), what


WRITTEN = [
    ("its file around it", "a.py", FILE, "f", FILE.replace("1", "3"), FILE.replace("1", "3")),
    (
        "its licence around it",
        "a.py",
        f"# Licence\n\n{TWO[:22]}",
        "f",
        "# Licence\n\ndef f(): ...",
        "# Licence\n\ndef f(): ...\n",
    ),
    ("its class around it", "a.py", CLASS, "A.g", CLASS.replace("2", "4"), CLASS.replace("2", "4")),
    (
        "its class with a gap",
        "a.py",
        CLASS,
        "A.g",
        "class A:\n    ...\n    def g(self):\n        return 4\n",
        CLASS.replace("2", "4"),
    ),
    (
        "its class in TypeScript",
        "a.ts",
        TYPED,
        "A.f",
        TYPED.replace("return 1", "return 3"),
        TYPED.replace("n 1", "n 3"),
    ),
    ("a neighbour as it is", "a.py", TWO, "f", TWO.replace("1", "3"), TWO.replace("1", "3")),
    ("package in front", "a.go", GO, "T.F", GO.replace("1", "2"), GO.replace("1", "2")),
    (
        "a type of a group",
        "a.go",
        "package a\n\ntype (\n\tA = int\n)\n",
        "A",
        "// A is.\ntype A = string\n",
        "package a\n\ntype (\n\t// A is.\n\tA = string\n)\n",
    ),
    (
        "a new neighbour",
        "a.js",
        SCRIPT,
        "f",
        "function h() {}\n\nfunction f() {\n  h();\n}",
        SCRIPT.replace("function f() {\n  return 1;", "function h() {}\n\nfunction f() {\n  h();"),
    ),
    ("a wrapped value", "a.js", "const f = () => 1;\n", "f", "const f = memo(() => 2);", "const f = memo(() => 2);\n"),
    ("another method name", "a.py", CLASS, "A", CLASS.replace("def g", "def h"), CLASS.replace("def g", "def h")),
    (
        "a field set in a method",
        "a.py",
        CLASS,
        "A",
        CLASS.replace("    x = 1\n", "    def __init__(self):\n        self.x = 1\n"),
        CLASS.replace("    x = 1\n", "    def __init__(self):\n        self.x = 1\n"),
    ),
    (
        "an object's method",
        "a.js",
        "const a = {\n  f() {\n    return 1;\n  },\n  g() {},\n};\n",
        "a.f",
        "function f() {\n  return 2;\n}",
        "const a = {\n  f() {\n    return 2;\n  },\n  g() {},\n};\n",
    ),
    (
        "an object's function",
        "a.js",
        "const a = {\n  f: () => 1, // why\n  g() {},\n};\n",
        "a.f",
        "const f = () => 2;",
        "const a = {\n  f: () => 2,\n  g() {},\n};\n",
    ),
    (
        "a method as a function",
        "a.js",
        "class A {\n  f() {}\n}\n",
        "f",
        "function f(a) {}",
        "class A {\n  f(a) {}\n}\n",
    ),
    ("tabs", "a.go", GO, "T.F", "func (t *T) F() int {\n    if x {\n        y()\n    }\n    return 2\n}", ""),
    ("a form feed", "a.py", "x = 1\n\x0cdef f():\n    pass\n", "f", "def f(): ...", "x = 1\n\x0cdef f(): ...\n"),
    (
        "a string's lines",
        "a.py",
        CLASS,
        "A.g",
        'def g(self):\n    """Doc.\n\n    More.\n    """\n    return """\na\n  b\n"""\n',
        CLASS.replace(
            "        return 2\n",
            '        """Doc.\n\n        More.\n        """\n        return """\na\n  b\n"""\n',
        ),
    ),
    (
        "a template's lines",
        "a.js",
        "class A {\n  f() {\n    return `\n      a\n      b\n    `;\n  }\n}\n",
        "A.f",
        "f() {\n  return `\n    a\n    c\n  `;\n}",
        "class A {\n  f() {\n    return `\n      a\n      c\n    `;\n  }\n}\n",
    ),
]


@pytest.mark.parametrize(("what", "path", "before", "symbol", "new", "after"), WRITTEN)
async def test_what_is_around_a_symbol_or_beside_it_does_no_harm(
    tmp_path: Path, what: str, path: str, before: str, symbol: str, new: str, after: str
) -> None:
    (tmp_path / path).write_text(before)
    await edit_file(Workspace.open(tmp_path), path=path, symbol=symbol, new=new)
    expected = after or GO.replace("\treturn 1", "\tif x {\n\t\ty()\n\t}\n\treturn 2")
    assert (tmp_path / path).read_text() == expected, what


HEADS = [
    ("a.py", "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# old\n", "# new\n", 2),
    ("a.py", "# fmt: off\n# old\n", "# new\n", 1),
    ("a.py", "# ---- part ----\n# old\n", "# new\n", 1),
    ("a.py", "# Copyright A\n# old\n", "# new\n", 1),
    ("a.py", "# old\n# more\n", "# new\n", 0),
    ("a.py", "# noqa\n# old\n", "# noqa\n# new\n", 0),
    ("a.js", "// @ts-nocheck\n// old\n", "// new\n", 1),
    ("a.js", "/* eslint-disable */\n/**\n * old\n */\n", "/** new */\n", 1),
    ("a.js", "/*\n * Copyright A\n */\n/** old */\n", "/** new */\n", 3),
    ("a.js", "/*\nCopyright A\n\nLicensed\n*/\n", "/*\nCopyright A\n\nLicensed\n*/\n", 0),
    ("a.js", "/*\nCopyright A\n\nLicensed\n*/\n", "/*\nAbout F\n\nMore\n*/\n", 5),
    ("a.go", "//go:noinline\n", "// F does.\n", 1),
    ("a.go", "// old\n//export F\n", "// F does.\n", None),
]
BODY = {"a.py": "def F(): return 1\n", "a.js": "function F() { return 1 }\n", "a.go": "func F() int { return 1 }\n"}


@pytest.mark.parametrize(("path", "old", "new", "kept"), HEADS)
async def test_of_the_comments_above_only_the_symbols_own_is_replaced(
    tmp_path: Path, path: str, old: str, new: str, kept: int | None
) -> None:
    top = "package a\n\n" if path == "a.go" else ""
    (tmp_path / path).write_text(top + old + BODY[path])
    await edit_file(Workspace.open(tmp_path), path=path, symbol="F", new=new + BODY[path].replace("1", "2"))
    lines = old.splitlines(keepends=True)
    head = "".join(lines[-1:] if kept is None else lines[:kept])
    assert (tmp_path / path).read_text() == top + head + new + BODY[path].replace("1", "2")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.code.symbols import find, language_of, symbols
from qagent.code.syntax import new_fault


def syntax_error(text: str, path: str) -> tuple[int, str] | None:
    fault = new_fault("", text, path)
    return (fault.line, fault.text) if fault else None


PYTHON = """\
# away

# close
@decorated
# between
async def f():
    # inner
    def g(): pass
class A:  # trailing
    # first
    @property
    def p(self): pass
    x = lambda: 1
    if True:
        def z(self): pass

    # away

    def q(self):
        return 1
        # tail
def w(): pass  # x
def v(
    a,
): pass
"""

SCRIPT = """\
/** doc
 */
export default function main() {
  const inner = () => 1
}
// lead
class Cart extends Base {
  // first
  total() { return 1 }
  static #secret = function () {}
  get size() { return 1 }
  bar = async () => 2;
  ["computed " + x]() {}
}
export const f = async () =>
  1
const a = () => 1, b = function* () {}
var Named = class {}
const api = { get: () => 1, put() {}, plain: 1 }
module.exports.g = function () {}
Cart.prototype.clear = function () {}
module.exports = { h() {} }
call({ ignored: () => 1 })
function* gen() {}
"""

TYPED = """\
export interface Shape { area(): number }
type T = string
export enum E { A }
namespace N.M { export function x(): void {} }
declare function d(): void;
function over(a: string): void;
function over(a: any) {}
export abstract class Z<T> {
  @dec()

  // note
  foo(): void {}
  abstract q(): void;
  readonly h = (x: number) => x;
}
export default class {}
"""

GO = """\
package x

// A is one.
// Really.
type A struct { x int }

type (
	B int
	// C is another.
	C interface { M() }
)
type D = int

// M does.
func (a *A[T]) M() {
}
func (A) N() {}
func F[T any]() {} // trailing
func G() {}
"""

TABLE = [
    (
        "a.py",
        PYTHON,
        "f function 3 8 6|f.g function 7 8 8|A class 9 21 9|A.p method 10 12 12|A.z method 15 15 15|"
        "A.q method 19 21 19|w function 22 22 22|v function 23 25 23",
    ),
    (
        "a.js",
        SCRIPT,
        "main function 1 5 3|main.inner function 4 4 4|Cart class 6 14 7|Cart.total method 8 9 9|"
        "Cart.#secret method 10 10 10|Cart.size method 11 11 11|Cart.bar method 12 12 12|f function 15 16 15|"
        "a function 17 17 17|b function 17 17 17|Named class 18 18 18|api.get function 19 19 19|"
        "api.put method 19 19 19|g function 20 20 20|Cart.clear function 21 21 21|h method 22 22 22|"
        "gen function 24 24 24",
    ),
    (
        "a.ts",
        TYPED,
        "Shape interface 1 1 1|T type 2 2 2|E enum 3 3 3|N.M namespace 4 4 4|N.M.x function 4 4 4|d function 5 5 5|"
        "over function 7 7 7|Z class 8 15 8|Z.foo method 9 12 12|Z.q method 13 13 13|Z.h method 14 14 14|"
        "default class 16 16 16",
    ),
    ("a.tsx", "export const App = () => <b>{x}</b>\n", "App function 1 1 1"),
    (
        "a.go",
        GO,
        "A type 3 5 5|B type 8 8 8|C type 9 10 10|D type 12 12 12|A.M method 14 16 15|A.N method 17 17 17|"
        "F function 18 18 18|G function 19 19 19",
    ),
    ("a.py", "", ""),
    ("a.rs", "fn main() {}", ""),
    (
        "a.py",
        "def f(): pass\r\n\r\nclass A:\r\n    def g(self): pass\r\n",
        "f function 1 1 1|A class 3 4 3|A.g method 4 4 4",
    ),
    ("a.py", "def ok():\n    pass\n\ndef broken(:\n    pass\n\ndef also_ok():\n    pass\n", None),
]


@pytest.mark.parametrize(("path", "text", "expected"), TABLE)
def test_symbols_have_names_kinds_and_lines(path: str, text: str, expected: str | None) -> None:
    found = [f"{s.name} {s.kind} {s.start} {s.end} {s.body_start}" for s in symbols(text, path)]
    if expected is None:
        assert {"ok function 1 2 1", "also_ok function 7 8 7"} <= set(found)
    else:
        assert "|".join(found) == expected


LANGUAGES = [
    ("a.py", "python"), ("a.pyi", "python"), ("x/A.PY", "python"), ("a.js", "javascript"), ("a.jsx", "javascript"),
    ("a.mjs", "javascript"), ("a.cjs", "javascript"), ("a.ts", "typescript"), ("a.mts", "typescript"),
    ("a.tsx", "typescript"), ("a.go", "go"), ("a.rs", None), ("Makefile", None), ("", None), (".py", None),
    ("a.py/b", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "language"), LANGUAGES)
def test_a_language_is_told_by_the_suffix(path: str, language: str | None) -> None:
    assert language_of(path) == language


FINDS: list[tuple[str, list[str]]] = [
    ("A.q", ["A.q"]),
    ("q", ["A.q"]),
    ("f", ["f"]),
    ("g", ["f.g"]),
    ("A", ["A"]),
    ("nothing", []),
    ("", []),
    (".q", []),
    ("B.q", []),
]


@pytest.mark.parametrize(("name", "found"), FINDS)
def test_a_symbol_is_found_by_its_whole_name_or_else_by_its_end(name: str, found: list[str]) -> None:
    assert [symbol.name for symbol in find(PYTHON, "a.py", name)] == found


def test_a_name_that_fits_twice_gives_both() -> None:
    text = "class A:\n    def f(self): pass\nclass B:\n    def f(self): pass\n"
    assert [symbol.name for symbol in find(text, "a.py", "f")] == ["A.f", "B.f"]
    assert [symbol.name for symbol in find(text, "a.py", "B.f")] == ["B.f"]


ERRORS = [
    ("a.py", "x = 1\n", None),
    ("a.py", "", None),
    ("a.py", "def f(:\n  pass\n", (1, "def f(:")),
    ("a.py", "a = 1\nif x\n    y\n", (2, "if x")),
    ("a.py", "x = 1\ny = (1,\nz = 3\n", (2, "y = (1,")),
    ("a.py", "a = 1\r\nif x\r\n    y\r\n", (2, "if x")),
    ("a.py", "def f():\n    a\n      b\n", (3, "      b")),
    ("a.py", "def f():\nb\n", (2, "b")),
    ("a.py", "if x:\n\ty\n        z\n", (3, "        z")),
    ("a.py", "  x = 1\n", (1, "  x = 1")),
    ("a.py", "print 1\n", None),
    ("a.py", "return 1\n", (1, "return 1")),
    ("a.py", "type A = int\n", None),
    ("a.py", "class A[T]: pass\n", None),
    ("a.py", "x = '\\d'\n", None),
    ("a.py", "x = 1 is 1\n", None),
    ("a.js", "const b = 1\nconst a = ;\n", (2, "const a = ;")),
    ("a.js", "x = 1\nfoo(1,\nbar()\n", (2, "foo(1,")),
    ("a.ts", "const a: = 1\n", (1, "const a: = 1")),
    ("a.go", "package x\n\nfunc f( {\n}\n", (3, "func f( {")),
    ("a.txt", "def f(:\n", None),
]


@pytest.mark.parametrize(("path", "text", "error"), ERRORS)
def test_the_first_syntax_error_has_its_line(path: str, text: str, error: tuple[int, str] | None) -> None:
    assert syntax_error(text, path) == error


PATHS = ("a.py", "a.js", "a.ts", "a.tsx", "a.go")
DEEP = [
    "(" * 20_000,
    "[{" * 5_000,
    "a(() => " * 2_000,
    "class A { x() {" * 2_000,
    "function f(){" * 2_000,
    "func f() { if x { " * 500,
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", [*DEEP, "def f():\n" + "".join(" " * n + "if x:\n" for n in range(1, 300))])
def test_deep_nesting_does_not_overflow(path: str, text: str) -> None:
    symbols(text, path)
    syntax_error(text, path)


WORDS = st.sampled_from(
    ["def ", "class ", "f", "A", "(", ")", ":", "\n", "    ", "\t", "{", "}", "function ", "const ", "=", " => ",
     "func ", "type ", "#", "//", "/*", "*/", "@d", "export ", "default ", '"', "'", "`", ";", ".", ",", "\r\n", "\0",
     "é", "\ud800", "interface "]
)  # fmt: skip


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=40).map("".join)), st.sampled_from(PATHS))
def test_any_text_gives_symbols_within_its_lines(text: str, path: str) -> None:
    lines = text.count("\n") + 1
    for symbol in symbols(text, path):
        assert 1 <= symbol.start <= symbol.body_start <= symbol.end <= lines
        assert symbol in find(text, path, symbol.name)
    error = syntax_error(text, path)
    assert error is None or error[1] == text.split("\n")[error[0] - 1].removesuffix("\r")


@given(st.lists(st.sampled_from([PYTHON, SCRIPT, TYPED, GO]), min_size=1, max_size=2), st.data())
def test_a_cut_file_gives_symbols_within_its_lines(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts)
    text = whole[data.draw(st.integers(0, len(whole))) :][: data.draw(st.integers(0, len(whole)))]
    for path in PATHS:
        for symbol in symbols(text, path):
            assert 1 <= symbol.start <= symbol.body_start <= symbol.end <= text.count("\n") + 1

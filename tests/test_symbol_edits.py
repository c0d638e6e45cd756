from __future__ import annotations

from pathlib import Path

import pytest

from qagent.errors import ToolFailed
from qagent.qwen.chatml import estimate
from qagent.tools.edit import edit_file
from qagent.workspace.place import Workspace


async def edited(folder: Path, path: str, before: str, symbol: str, new: str) -> tuple[str, str]:
    """The file afterwards, and the note that the model reads."""
    (folder / path).write_text(before)
    done = await edit_file(Workspace.open(folder), path=path, symbol=symbol, new=new)
    return (folder / path).read_text(), done.text.partition("\n(note: ")[2].removesuffix(")")


KEPT = [
    # file, before, symbol, new, after
    (
        "a.js",
        "export function add(a) {\n  return 0\n}\n",
        "add",
        "function add(a) {\n  return a\n}",
        "export function add(a) {\n  return a\n}\n",
    ),
    (
        "a.ts",
        "export function add(a: T): T {\n}\n",
        "add",
        "function add(a: T): T {\n  return a\n}",
        "export function add(a: T): T {\n  return a\n}\n",
    ),
    ("a.js", "export async function f() {}\n", "f", "async function f() { x }", "export async function f() { x }\n"),
    ("a.js", "export default class C {}\n", "C", "class C { a() {} }", "export default class C { a() {} }\n"),
    ("a.js", "export default class {}\n", "default", "class { a() {} }", "export default class { a() {} }\n"),
    ("a.js", "export default () => 1\n", "default", "() => 2", "export default () => 2\n"),
    (
        "a.js",
        "export default function f() {}\n",
        "f",
        "export default function f() { x }",
        "export default function f() { x }\n",
    ),
    ("a.js", "export default function f() {}\n", "f", "export function f() {}", "export function f() {}\n"),
    ("a.js", "export const g = () => 1\n", "g", "const g = () => 2", "export const g = () => 2\n"),
    ("a.js", "export const g = () => 1\n", "g", "function g() { x }", "export function g() { x }\n"),
    ("a.js", "export const g = () => 1\n", "g", "// why\nconst g = () => 2", "// why\nexport const g = () => 2\n"),
    (
        "a.js",
        "export function f() {}\n",
        "f",
        "/**\n * doc\n */\nfunction f() { x }",
        "/**\n * doc\n */\nexport function f() { x }\n",
    ),
    (
        "a.js",
        "export function f() {}\n",
        "f",
        "function g() {}\n\nfunction f() { g() }",
        "function g() {}\n\nexport function f() { g() }\n",
    ),
    (
        "a.js",
        "module.exports.g = function () {}\n",
        "g",
        "function g() { x }",
        "module.exports.g = function g() { x }\n",
    ),
    ("a.js", "exports.g = function () {}\n", "g", "exports.g = () => 1", "exports.g = () => 1\n"),
    ("a.js", "class A {\n  static f() {}\n}\n", "A.f", "static f() { x }", "class A {\n  static f() { x }\n}\n"),
    (
        "a.tsx",
        "export const App = () => <b>{x}</b>\n",
        "App",
        "const App = () => <i>{x}</i>",
        "export const App = () => <i>{x}</i>\n",
    ),
    ("a.ts", "export interface I { a: 1 }\n", "I", "interface I { a: 2 }", "export interface I { a: 2 }\n"),
    ("a.ts", "export type T = string\n", "T", "type T = number", "export type T = number\n"),
    ("a.ts", "declare function d(): void;\n", "d", "function d(): string;", "declare function d(): string;\n"),
    ("a.ts", "export declare class D {}\n", "D", "class D { a: 1 }", "export declare class D { a: 1 }\n"),
    (
        "a.ts",
        "export abstract class Z {\n  abstract q(): void;\n}\n",
        "Z",
        "class Z {\n  abstract r(): void;\n}",
        "export abstract class Z {\n  abstract r(): void;\n}\n",
    ),
    (
        "a.ts",
        "@dec({ a: 1 })\nexport class C {}\n",
        "C",
        "class C { b = 1 }",
        "@dec({ a: 1 })\nexport class C { b = 1 }\n",
    ),
    ("a.ts", "@dec() export class C {}\n", "C", "class C { b = 1 }", "@dec() export class C { b = 1 }\n"),
    ("a.ts", "class C {\n  @dec() f() {}\n}\n", "C.f", "@other() f() { x }", "class C {\n  @other() f() { x }\n}\n"),
    ("a.go", "package x\n\nfunc F() {}\n", "F", "func F() { G() }", "package x\n\nfunc F() { G() }\n"),
    ("a.py", "async def go():\n    pass\n", "go", "async def go():\n    x()\n", "async def go():\n    x()\n"),
]


@pytest.mark.parametrize(("path", "before", "symbol", "new", "after"), KEPT)
async def test_what_wraps_a_definition_stays_when_the_new_one_is_bare(
    tmp_path: Path, path: str, before: str, symbol: str, new: str, after: str
) -> None:
    found, _ = await edited(tmp_path, path, before, symbol, new)
    assert found == after


NOTES = [
    ("a.py", "async def go():\n    pass\n", "go", "def go():\n    x()", "It is no longer async."),
    ("a.py", "def go():\n    pass\n", "go", "async def go():\n    x()", ""),
    ("a.py", "def f():\n    pass\n", "f", "def g():\n    pass", "f is now g; its uses were not changed."),
    (
        "a.py",
        "class A:\n    def f(self): pass\n",
        "A",
        "class B:\n    def f(self): pass",
        "A is now B; its uses were not changed.",
    ),
    (
        "a.py",
        "class A:\n    def f(self): pass\n",
        "A.f",
        "def g(self): pass",
        "A.f is now A.g; its uses were not changed.",
    ),
    ("a.py", "def f():\n    pass\n", "f", "f = 1", "f is now a plain value."),
    ("a.py", "def f():\n    pass\n", "f", "def f():\n    x()\n\n\ndef g():\n    pass", ""),
    ("a.js", "export function f() {}\n", "f", "function g() {}", "f is now g; its uses were not changed."),
    ("a.js", "export const f = async () => 1\n", "f", "const f = () => 1", "It is no longer async."),
    (
        "a.js",
        "class A {\n  static async f() {}\n}\n",
        "A.f",
        "f() {}",
        "It is no longer async. It is no longer static.",
    ),
    ("a.js", "export default function f() {}\n", "f", "export function f() {}", "It is no longer the default export."),
    ("a.js", "exports.f = function () {}\n", "f", "const f = () => 1", "It is no longer exported."),
    ("a.ts", "export abstract class Z {}\n", "Z", "class Z { a = 1 }", "It is no longer abstract."),
    ("a.go", "package x\n\nfunc F() {}\n", "F", "func G() {}", "F is now G; its uses were not changed."),
]


@pytest.mark.parametrize(("path", "before", "symbol", "new", "note"), NOTES)
async def test_what_is_no_longer_so_is_told(
    tmp_path: Path, path: str, before: str, symbol: str, new: str, note: str
) -> None:
    _, found = await edited(tmp_path, path, before, symbol, new)
    assert found == note


BAD_PYTHON = ["def f():\n    a()\n      b()", "def f():\n  if a:\n  b()", "def f():\nb()"]


@pytest.mark.parametrize("new", BAD_PYTHON)
async def test_python_that_python_cannot_read_is_refused_in_every_form(tmp_path: Path, new: str) -> None:
    place, before = Workspace.open(tmp_path), "def f():\n    pass\n"
    (tmp_path / "a.py").write_text(before)
    with pytest.raises(ToolFailed, match="syntax error on line"):
        await edit_file(place, path="a.py", symbol="f", new=new)
    with pytest.raises(ToolFailed, match="exact indentation"):
        await edit_file(place, path="a.py", old=before.strip(), new=new)
    assert (tmp_path / "a.py").read_text() == before


@pytest.mark.parametrize(("path", "before"), [("a.py", "if x\nx = 1\n"), ("a.js", "f(\nx = 1\n"), ("a", "x = 1\n")])
async def test_a_file_that_was_broken_or_is_no_python_may_be_edited_on(tmp_path: Path, path: str, before: str) -> None:
    (tmp_path / path).write_text(before)
    await edit_file(Workspace.open(tmp_path), path=path, old="x = 1", new="x = = 1")
    assert "x = = 1" in (tmp_path / path).read_text()


CLASS = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
WRAPPED = [
    ("a fence", "```python\ndef f(self):\n    return 3\n```\n"),
    ("numbers", "1 | def f(self):\n2 |     return 3\n"),
    ("its class around it", "class A:\n    def f(self):\n        return 3\n"),
    ("a class of its name alone, in a fence", "```\nclass A:\n    def f(self):\n        return 3\n```"),
]


@pytest.mark.parametrize(("what", "new"), WRAPPED)
async def test_what_the_model_puts_around_a_symbol_is_taken_off(tmp_path: Path, what: str, new: str) -> None:
    found, _ = await edited(tmp_path, "a.py", CLASS, "A.f", new)
    assert found == CLASS.replace("return 1", "return 3"), what


OVERLOADED = (
    "function f(a: string): string;\nfunction f(a: number): number;\nfunction f(a: any): any {\n  return a;\n}\n"
)
METHODS = "class C {\n  m(a: string): void;\n  m(a: any): void {}\n  n(): void {}\n}\n"
NOT_ALONE = [
    ("a.ts", OVERLOADED, "f", "declared several times in a.ts, on lines 1, 2, 3"),
    ("a.ts", METHODS, "C.m", "declared several times in a.ts, on lines 2, 3"),
    ("a.py", "def f():\n    pass\n\n\ndef f():\n    pass\n", "f", "f on lines 1-2, f on lines 5-6"),
    ("a.py", CLASS, "A.f", "has more than A.f, as `def g"),
]


@pytest.mark.parametrize(("path", "before", "symbol", "why"), NOT_ALONE)
async def test_what_is_not_one_symbol_is_refused_with_its_places(
    tmp_path: Path, path: str, before: str, symbol: str, why: str
) -> None:
    (tmp_path / path).write_text(before)
    with pytest.raises(ToolFailed, match=why):
        await edit_file(
            Workspace.open(tmp_path), path=path, symbol=symbol, new=CLASS.replace("1", "3").replace("2", "4")
        )
    assert (tmp_path / path).read_text() == before


async def test_a_method_beside_overloads_and_interfaces_may_be_written(tmp_path: Path) -> None:
    found, _ = await edited(
        tmp_path, "a.ts", f"interface I {{\n  n(): void;\n}}\n{METHODS}", "C.n", "n(): void { x() }"
    )
    assert "  n(): void { x() }\n" in found


async def test_a_body_that_was_left_out_is_refused_with_what_would_be_lost(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(CLASS)
    with pytest.raises(ToolFailed, match=r"these lines would be lost: `return 1`, `def g\(self\):`, `return 2`"):
        await edit_file(
            Workspace.open(tmp_path),
            path="a.py",
            symbol="A",
            new="class A:\n    def f(self):\n        # ... existing code ...\n",
        )


NAME = "n" * 5_000
MANY = "".join(f"def {NAME}{number}():\n    return 1\n\n\n" for number in range(60))
TWINS = f"class {NAME}:\n" + "".join(f"    def f(self):\n        return {number}\n\n" for number in range(60))


@pytest.mark.parametrize(
    ("before", "symbol", "new"),
    [
        (MANY, "f", "def f(): pass"),
        (MANY, NAME, "def f(): pass"),
        (MANY, f"{NAME}3", f"def {NAME}x():\n    return 2\n"),
        (MANY, f"{NAME}3", ""),
        (TWINS, "f", "def f(self):\n    return 1\n"),
    ],
    ids=["another name", "half a name", "a new name", "nothing", "many of one name"],
)
async def test_an_answer_is_short_whatever_the_names(tmp_path: Path, before: str, symbol: str, new: str) -> None:
    (tmp_path / "a.py").write_text(before)
    try:
        text = (await edit_file(Workspace.open(tmp_path), path="a.py", symbol=symbol, new=new)).text
    except ToolFailed as failed:
        text = failed.text
    assert estimate(text) <= 700

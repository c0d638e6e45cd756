from __future__ import annotations

from pathlib import Path

import pytest
from cart_shop import CART, cart_shop, numbered

from qagent.errors import ToolFailed
from qagent.tools.files import read_file
from qagent.workspace.place import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return cart_shop(tmp_path)


async def test_a_file_is_shown_verbatim_below_its_header(place: Workspace) -> None:
    shown = await read_file(place, path="src/cart.py")
    assert shown.text == f"src/cart.py, lines 1-15 of 15\n{CART}".rstrip("\n")
    assert shown.summary == "src/cart.py, lines 1-15 of 15"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (2, 3, "a.txt, lines 2-3 of 5\nline 2\nline 3"),
        (4, None, "a.txt, lines 4-5 of 5\nline 4\nline 5"),
        (None, 1, "a.txt, line 1 of 5\nline 1"),
        (5, 99, "a.txt, line 5 of 5\nline 5"),
    ],
)
async def test_a_range_is_shown(place: Workspace, start: int | None, end: int | None, text: str) -> None:
    (place.root / "a.txt").write_text(numbered(5))
    assert (await read_file(place, path="a.txt", start=start, end=end)).text == text


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [(0, None, "counted from 1"), (-3, 2, "counted from 1"), (6, None, "only 5 lines"), (3, 2, "before start")],
)
async def test_a_range_that_is_none_is_told(place: Workspace, start: int, end: int | None, reason: str) -> None:
    (place.root / "a.txt").write_text(numbered(5))
    with pytest.raises(ToolFailed, match=reason):
        await read_file(place, path="a.txt", start=start, end=end)


async def test_a_long_file_is_cut_and_says_how_to_go_on(place: Workspace) -> None:
    (place.root / "a.txt").write_text(numbered(900))
    first = await read_file(place, path="a.txt")
    assert first.text.startswith("a.txt, lines 1-400 of 900\nline 1\n")
    assert first.text.endswith("line 400\n(there is more: lines 401-900; read on with start=401)")
    inner = await read_file(place, path="a.txt", start=10, end=800)
    assert inner.text.endswith("(there is more: lines 410-800; read on with start=410 and end=800)")


async def test_wide_lines_are_bounded_by_characters(place: Workspace) -> None:
    (place.root / "a.txt").write_text(("x" * 5_999 + "\n") * 5)
    assert (await read_file(place, path="a.txt")).text.startswith("a.txt, lines 1-2 of 5\n")


async def test_one_huge_line_is_cut(place: Workspace) -> None:
    (place.root / "a.js").write_text("x" * 50_000 + "\nend\n")
    shown = await read_file(place, path="a.js")
    assert len(shown.text) < 17_000
    assert "(this line has 50,001 characters, of which 16,000 are shown)" in shown.text
    assert shown.text.endswith("(there is more: line 2; read on with start=2)")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "a.txt is empty."),
        (b"\xef\xbb\xbf", "a.txt is empty."),
        (b"a\nb", "a.txt, lines 1-2 of 2\na\nb"),
        (b"\xef\xbb\xbfa\r\nb\r\n", "a.txt, lines 1-2 of 2\na\nb"),
        (b"\n\n", "a.txt, lines 1-2 of 2\n\n"),
    ],
)
async def test_small_files_are_shown(place: Workspace, data: bytes, text: str) -> None:
    (place.root / "a.txt").write_bytes(data)
    assert (await read_file(place, path="a.txt")).text == text


async def test_a_symbol_is_shown_with_its_decorators_and_comments(place: Workspace) -> None:
    shown = await read_file(place, path="src/cart.py", symbol="Cart.total")
    assert shown.text.startswith(
        "src/cart.py, lines 5-8 of 15\n    # what it costs\n    @property\n    def total(self):\n"
    )


@pytest.mark.parametrize(
    ("path", "symbol", "reason"),
    [
        ("src/cart.py", "nothing", "there are Cart, Cart.total, Cart.add, total"),
        ("src/twice.py", "f", "f on lines 1-2, f on lines 5-6"),
        ("src/many.py", "x", "and 5 more"),
        ("src/a.txt", "f", "not known in src/a.txt"),
        ("src", "f", "list_files"),
        ("src/missing.py", "f", "there is no file"),
    ],
)
async def test_what_is_no_symbol_is_told(place: Workspace, path: str, symbol: str, reason: str) -> None:
    (place.root / "src" / "twice.py").write_text("def f():\n    pass\n\n\ndef f():\n    pass\n")
    (place.root / "src" / "many.py").write_text("".join(f"def f{n}():\n    pass\n" for n in range(25)))
    (place.root / "src" / "a.txt").write_text("f\n")
    with pytest.raises(ToolFailed, match=reason):
        await read_file(place, path=path, symbol=symbol)

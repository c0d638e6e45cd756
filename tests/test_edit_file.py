from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cart_shop import CART, cart_shop, numbered

from qagent.edits.refused import EditRefused
from qagent.errors import ModelFacing, ToolFailed
from qagent.qwen.chatml import estimate
from qagent.tools.edit import doubt_edit, edit_file, preview_edit
from qagent.tools.files import read_file
from qagent.workspace.place import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return cart_shop(tmp_path)


async def test_an_edit_shows_the_new_lines_with_two_around(place: Workspace) -> None:
    done = await edit_file(place, path="src/cart.py", old="return 0", new="a = 1\n        return a")
    assert done.text == (
        "edited src/cart.py, lines 8-9:\n    @property\n    def total(self):\n        a = 1\n        return a\n\n"
        "    def add(self, price):"
    )
    assert done.summary == "edited src/cart.py, lines 8-9"
    assert done.changed == ("src/cart.py",)
    assert "-        return 0\n+        a = 1\n" in done.diff


async def test_several_edits_are_made_together_and_shown_apart(place: Workspace) -> None:
    edits = [{"old": "import os\n", "new": "import sys\n"}, {"old": "return 1", "new": "return 2"}]
    done = await edit_file(place, path="src/cart.py", edits=edits)
    assert done.text.startswith("edited src/cart.py, line 1:\nimport sys\n\n\nline 15:\n")
    assert (place.root / "src/cart.py").read_text() == CART.replace("import os", "import sys").replace(
        "return 1", "return 2"
    )


async def test_removed_lines_are_told(place: Workspace) -> None:
    done = await edit_file(place, path="src/cart.py", old="import os\n\n\n", new="")
    assert done.text.startswith("edited src/cart.py, the first lines removed:\nclass Cart:\n")


async def test_that_all_lines_were_removed_is_told(place: Workspace) -> None:
    done = await edit_file(place, path="src/cart.py", old=CART, new="")
    assert done.text == done.summary == "edited src/cart.py: all its lines were removed, it is empty now"


@pytest.mark.parametrize(
    ("first", "last", "doubt"),
    [
        (1, 100, "this leaves 0 of the 100 lines of `a.txt`"),
        (1, 99, "this leaves 1 of the 100 lines of `a.txt`"),
        (31, 90, "this leaves 40 of the 100 lines of `a.txt`"),
        (61, 100, ""),
        (101, 101, ""),
    ],
)
async def test_an_edit_that_takes_more_than_half_of_a_file_is_doubted(
    place: Workspace, first: int, last: int, doubt: str
) -> None:
    (place.root / "a.txt").write_text(numbered(100))
    old = "".join(f"line {number}\n" for number in range(first, last + 1))
    assert doubt_edit(place, path="a.txt", old=old, new="") == doubt
    assert doubt_edit(place, path="a.txt", edits=[{"old": old, "new": ""}]) == doubt


async def test_a_whole_symbol_that_shrinks_a_file_is_doubted_but_not_in_a_small_one(place: Workspace) -> None:
    body = "".join(f"    step({number})\n" for number in range(50))
    (place.root / "long.py").write_text(f"def f():\n{body}")
    assert doubt_edit(place, path="long.py", symbol="f", new="def f():\n    steps(50)\n") == (
        "this leaves 2 of the 51 lines of `long.py`"
    )
    assert doubt_edit(place, path="src/cart.py", old=CART, new="") == ""


async def test_a_long_edit_is_shown_in_part(place: Workspace) -> None:
    done = await edit_file(place, path="src/cart.py", old="import os\n", new=numbered(500).replace("line", "# line"))
    assert len(done.text.split("\n")) == 62
    assert done.text.endswith("more lines)")


async def test_bytes_outside_the_edit_stay(place: Workspace) -> None:
    (place.root / "a").write_bytes(b"\xef\xbb\xbfa\r\nb\nc\r\n\x0c")
    await edit_file(place, path="a", old="c\n", new="d\ne\n")
    assert (place.root / "a").read_bytes() == b"\xef\xbb\xbfa\r\nb\nd\r\ne\r\n\x0c"


@pytest.mark.parametrize(
    ("symbol", "new", "old_text", "new_text"),
    [
        ("Cart.total", "def total(self):\n    return 5\n", "return 0", "return 5"),
        ("Cart.total", "    def total(self):\n        return 5", "return 0", "return 5"),
        ("Cart.total", "@cached\ndef total(self):\n    return 0\n", "@property", "@cached"),
        ("add", "def add(self, price):\n    pass\n", "self.prices.append(price)", "pass"),
    ],
)
async def test_a_whole_symbol_is_replaced(
    place: Workspace, symbol: str, new: str, old_text: str, new_text: str
) -> None:
    await edit_file(place, path="src/cart.py", symbol=symbol, new=new)
    assert (place.root / "src/cart.py").read_text() == CART.replace(old_text, new_text)


async def test_a_symbol_in_a_file_with_other_endings_is_replaced(place: Workspace) -> None:
    (place.root / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ndef f():\r\n    return 1")
    await edit_file(place, path="a.py", symbol="f", new="def f():\n    return 2\n")
    assert (place.root / "a.py").read_bytes() == b"\xef\xbb\xbfx = 1\r\ndef f():\r\n    return 2"


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"old": "return 9", "new": "x"}, "src/cart.py: the text to replace is not in the file"),
    ({"old": "total", "new": "x"}, "occurs 2 times"),
    ({"old": "import os", "new": "import os"}, "are the same"),
    ({"old": "", "new": "x"}, "is empty"),
    ({"old": "x"}, "give `old` and `new`"),
    ({"symbol": "add"}, "give `old` and `new`"),
    ({}, "give `old` and `new`"),
    ({"symbol": "total", "new": "def total():\n    return 1\n"}, "already has exactly this text"),
    ({"symbol": "Cart.add", "new": "..."}, "write all of Cart.add"),
    ({"symbol": "Cart.add", "new": " "}, "write all of Cart.add"),
    ({"symbol": "Cart.add", "new": "def add(self, price:\n"}, "syntax error"),
    ({"symbol": "nothing", "new": "x"}, "there is no symbol nothing"),
    ({"old": "import os", "new": "# ... existing code ...\nx"}, "leaves code out"),
    ({"old": "import os", "new": "\ud800"}, "surrogate"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED)
async def test_an_edit_is_refused_and_nothing_changes(place: Workspace, arguments: dict[str, str], reason: str) -> None:
    old, new, symbol = (arguments.get(name) for name in ("old", "new", "symbol"))
    with pytest.raises(ModelFacing, match=reason):
        await edit_file(place, path="src/cart.py", old=old, new=new, symbol=symbol)
    with pytest.raises(ModelFacing, match=reason):
        preview_edit(place, path="src/cart.py", old=old, new=new, symbol=symbol)
    assert (place.root / "src/cart.py").read_text() == CART


@pytest.mark.parametrize("edit", [{"old": "x"}, {"old": "x", "new": 1}, "import os", None, {}])
async def test_edits_need_their_names(place: Workspace, edit: Any) -> None:
    with pytest.raises(ToolFailed, match="needs `old` and `new`"):
        await edit_file(place, path="src/cart.py", edits=[edit])


async def test_one_bad_edit_of_several_changes_nothing(place: Workspace) -> None:
    edits = [{"old": "import os", "new": "import sys"}, {"old": "return 9", "new": "x"}]
    with pytest.raises(EditRefused, match="replacement 2 of 2"):
        await edit_file(place, path="src/cart.py", edits=edits)
    assert (place.root / "src/cart.py").read_text() == CART


@pytest.mark.parametrize("text", ["function a() {} function b() {}\n", "class A { a() {} b() {} }\n"])
async def test_a_symbol_that_shares_its_line_is_not_replaced(place: Workspace, text: str) -> None:
    (place.root / "a.js").write_text(text)
    with pytest.raises(ToolFailed, match="shares a line"):
        await edit_file(place, path="a.js", symbol="a", new="a() { return 1 }\n")


async def test_a_file_that_is_missing_cannot_be_edited(place: Workspace) -> None:
    with pytest.raises(ToolFailed, match=r"there is src/cart\.py"):
        await edit_file(place, path="cart.py", old="a", new="b")


async def test_an_edit_and_its_preview_have_the_same_diff(place: Workspace) -> None:
    preview = preview_edit(place, path="src/cart.py", symbol="Cart.add", new="def add(self):\n    pass\n")
    assert (place.root / "src/cart.py").read_text() == CART
    done = await edit_file(place, path="src/cart.py", symbol="Cart.add", new="def add(self):\n    pass\n")
    assert done.diff == preview


async def test_the_rung_that_matched_is_told_when_it_was_not_exact(place: Workspace) -> None:
    done = await edit_file(place, path="src/cart.py", old="def total():\n  return 1", new="def total():\n  return 2")
    assert done.summary == "edited src/cart.py, line 15, found with other indentation; yours was shifted"
    assert done.text.startswith(f"{done.summary}:\n")


async def test_a_file_with_carriage_returns_alone_can_be_read_and_edited(place: Workspace) -> None:
    (place.root / "old.txt").write_bytes(b"one\rtwo\rthree\r")
    assert (await read_file(place, path="old.txt", start=2, end=2)).text == "old.txt, line 2 of 3\ntwo"
    await edit_file(place, path="old.txt", old="two\n", new="2\n2.5\n")
    assert (place.root / "old.txt").read_bytes() == b"one\r2\r2.5\rthree\r"


async def test_answers_are_short_whatever_is_written(place: Workspace) -> None:
    old = "".join(f"値{number} = '{'語' * 90}'\n" for number in range(300))
    (place.root / "wide.txt").write_text(old)
    done = await edit_file(place, path="wide.txt", old=old, new=old.replace("語", "文"))
    assert estimate(done.text) <= 700

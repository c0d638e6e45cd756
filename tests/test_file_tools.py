from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from qagent.edits.refused import EditRefused
from qagent.errors import ModelFacing, ToolFailed
from qagent.qwen.chatml import estimate
from qagent.tools.edit import edit_file, preview_edit
from qagent.tools.files import list_files, preview_write, read_file, write_file
from qagent.workspace.place import Workspace

CART = """\
import os


class Cart:
    # what it costs
    @property
    def total(self):
        return 0

    def add(self, price):
        self.prices.append(price)


def total():
    return 1
"""


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "cart.py").write_text(CART)
    return Workspace.open(tmp_path)


def numbered(count: int) -> str:
    return "".join(f"line {number}\n" for number in range(1, count + 1))


# ------------------------------------------------------------------ read_file


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


# ------------------------------------------------------------------ list_files


async def test_files_are_listed_without_the_ignored(place: Workspace) -> None:
    (place.root / ".gitignore").write_text("*.log\n")
    for name in ("a.log", ".env", "src/z.py"):
        (place.root / name).write_text("")
    listed = await list_files(place)
    assert listed.text == ".env\n.gitignore\nsrc/cart.py\nsrc/z.py"
    assert listed.summary == "4 files here"
    assert (await list_files(place, path="src")).text == "src/cart.py\nsrc/z.py"


async def test_many_files_are_counted_per_folder(place: Workspace) -> None:
    for folder in ("a", "b", "b/c"):
        (place.root / folder).mkdir()
        for number in range(150):
            (place.root / folder / f"{number:03}.txt").write_text("")
    rows = (await list_files(place)).text.split("\n")
    assert rows[199:] == [
        "b/049.txt",
        "(251 more files; list a folder to see them)",
        "  b/: 100",
        "  b/c/: 150",
        "  src/: 1",
    ]


async def test_an_empty_repository_an_empty_folder_and_a_file_are_told(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    empty = Workspace.open(tmp_path / "empty")
    assert "no files yet" in (await list_files(empty)).text
    assert "inner has no files" in (await list_files(empty, path="inner")).text
    assert "read_file" in (await list_files(place, path="src/cart.py")).text


async def test_odd_names_can_be_listed(place: Workspace) -> None:
    (place.root / os.fsdecode(b"bad\xff\n")).write_text("")
    assert "bad\\xff\\n" in (await list_files(place)).text


# ------------------------------------------------------------------ write_file


async def test_a_file_is_created_with_its_folders_and_a_last_newline(place: Workspace) -> None:
    written = await write_file(place, path="new/deep/a.py", content="x = 1")
    assert (place.root / "new/deep/a.py").read_bytes() == b"x = 1\n"
    assert written.text == "created new/deep/a.py, 1 line."
    assert written.changed == ("new/deep/a.py",)
    assert written.diff == "--- /dev/null\n+++ b/new/deep/a.py\n@@ -0,0 +1,1 @@\n+x = 1\n"


@pytest.mark.parametrize(
    ("old", "content", "new"),
    [
        (b"a\r\nb\r\n", "x\ny", b"x\r\ny\r\n"),
        (b"a\r\nb\r\n", "x\r\ny\r\n", b"x\r\ny\r\n"),
        (b"\xef\xbb\xbfa\n", "x\n", b"\xef\xbb\xbfx\n"),
        (b"\xef\xbb\xbfa\n", "\ufeffx\n", b"\xef\xbb\xbfx\n"),
        (b"a", "x", b"x\n"),
        (b"", "", b""),
        (b"\n", "", b""),
    ],
)
async def test_a_replaced_file_keeps_its_mark_and_its_endings(
    place: Workspace, old: bytes, content: str, new: bytes
) -> None:
    (place.root / "a").write_bytes(old)
    await write_file(place, path="a", content=content)
    assert (place.root / "a").read_bytes() == new


@pytest.mark.parametrize(
    ("path", "content", "written"),
    [
        ("a.py", "```python\nprint(1)\n```", "print(1)\n"),
        ("a.py", "```\nprint(1)\n```\n\n", "print(1)\n"),
        ("a.md", "```python\nprint(1)\n```\n", "```python\nprint(1)\n```\n"),
        ("a.py", 'X = """\n```\n"""\n', 'X = """\n```\n"""\n'),
    ],
)
async def test_a_fence_around_the_whole_of_a_source_file_is_taken_off(
    place: Workspace, path: str, content: str, written: str
) -> None:
    await write_file(place, path=path, content=content)
    assert (place.root / path).read_text() == written


async def test_the_same_text_is_not_written_again(place: Workspace) -> None:
    before = (place.root / "src/cart.py").stat().st_mtime_ns
    written = await write_file(place, path="src/cart.py", content=CART)
    assert "nothing was written" in written.text
    assert written.changed == ()
    assert (place.root / "src/cart.py").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("src/cart.py", "", "is empty"),
        ("src/cart.py", " \n", "is empty"),
        ("src/cart.py", "...", r"only \.\.\."),
        ("new.py", "<fileContent>", "only <fileContent>"),
        ("src/cart.py", "import os\n# ... rest of the code remains the same\n", "leaves code out"),
        ("src", "x", "is a folder"),
        ("src/cart.py/x", "x", "a file, not a folder"),
        (".git/hooks/x", "x", "git's own"),
        ("new.py", "\ud800", "surrogate"),
        ("binary", "x", "not UTF-8"),
    ],
)
async def test_a_write_is_refused_and_nothing_changes(place: Workspace, path: str, content: str, reason: str) -> None:
    (place.root / "binary").write_bytes(b"\xff\0")
    with pytest.raises(ToolFailed, match=reason):
        await write_file(place, path=path, content=content)
    with pytest.raises(ToolFailed, match=reason):
        preview_write(place, path=path, content=content)
    assert (place.root / "src/cart.py").read_text() == CART
    assert sorted(found.name for found in place.root.iterdir()) == ["binary", "src"]


async def test_a_write_through_a_link_names_the_target(place: Workspace) -> None:
    (place.root / "link").symlink_to("src/cart.py")
    assert (await write_file(place, path="link", content="x\n")).changed == ("src/cart.py",)
    assert (place.root / "link").is_symlink()


async def test_a_preview_is_the_diff_and_writes_nothing(place: Workspace) -> None:
    preview = preview_write(place, path="src/cart.py", content="x\n")
    assert (place.root / "src/cart.py").read_text() == CART
    assert (await write_file(place, path="src/cart.py", content="x\n")).diff == preview
    assert "+x\n" in preview


# ------------------------------------------------------------------ edit_file


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
    assert done.text.startswith("edited src/cart.py, lines removed after line 0:\nclass Cart:\n")


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


@pytest.mark.parametrize(
    ("path", "content", "written"),
    [
        ("a.py", "```python\nx = 1\n```", "x = 1\n"),
        ("a.py", "1 | x = 1\n2 | y = 2\n", "x = 1\ny = 2\n"),
        ("a.md", "```\nmake\n```\n", "```\nmake\n```\n"),
        ("a.md", "```markdown\n# Head\n```\n", "# Head\n"),
        ("a.txt", "7 | seven\n8 | eight\n", "7 | seven\n8 | eight\n"),
    ],
)
async def test_what_the_model_puts_around_a_whole_file_is_taken_off(
    place: Workspace, path: str, content: str, written: str
) -> None:
    await write_file(place, path=path, content=content)
    assert (place.root / path).read_text() == written


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

from __future__ import annotations

from pathlib import Path

import pytest
from cart_shop import CART, cart_shop

from qagent.edits.refused import EditRefused
from qagent.errors import ToolFailed
from qagent.tools.files import preview_write, write_file
from qagent.workspace.place import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return cart_shop(tmp_path)


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


async def test_a_path_that_names_a_folder_is_no_file(place: Workspace) -> None:
    for path in ("newd/", "newd/.", "newd/ "):
        with pytest.raises(ToolFailed, match="is a folder"):
            await write_file(place, path=path, content="x\n")
    assert not (place.root / "newd").exists()


@pytest.mark.parametrize("path", ["new.md", "src/new.py"])
async def test_headings_of_a_new_file_are_its_own(place: Workspace, path: str) -> None:
    written = await write_file(place, path=path, content="# Existing code\n\n## Rest of the code\n")
    assert written.text.startswith("created")


@pytest.mark.parametrize("content", ["# (full file content here)\n", '"""Full updated file"""\n', "# unchanged\n"])
async def test_what_only_speaks_of_a_file_does_not_replace_it(place: Workspace, content: str) -> None:
    with pytest.raises(EditRefused, match="these lines would be lost: `import os`"):
        await write_file(place, path="src/cart.py", content=content)
    with pytest.raises(EditRefused, match="leaves code out"):
        await write_file(place, path="src/new.py", content=content)

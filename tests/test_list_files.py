from __future__ import annotations

import os
from pathlib import Path

import pytest
from cart_shop import cart_shop

from qagent.tools.files import list_files
from qagent.workspace.place import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return cart_shop(tmp_path)


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

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from qagent.edits.refused import EditRefused
from qagent.errors import ToolFailed
from qagent.qwen.chatml import estimate
from qagent.tools.edit import edit_file, preview_edit
from qagent.tools.files import doubt_write, preview_write, read_file, write_file
from qagent.tools.reads import Known, known
from qagent.types import Message, ToolOutput, ToolResult
from qagent.workspace.locks import locked
from qagent.workspace.place import Workspace

TEXT = "".join(f"line {number}\n" for number in range(1, 901))


class Reader:
    """Keeps the results as a session does, and calls the tools with what is known from them."""

    def __init__(self, root: Path) -> None:
        self.place = Workspace.open(root)
        self.messages: list[Message] = []

    @property
    def known(self) -> Known:
        return known(self.messages)

    async def keep(self, call: Awaitable[ToolOutput]) -> ToolOutput:
        try:
            output = await call
        except ToolFailed as failed:
            self.messages.append(ToolResult("x", failed.text, ok=False, seen=failed.seen))
            raise
        self.messages.append(ToolResult("x", output.text, seen=output.seen))
        return output

    async def read(self, path: str, start: int | None = None, end: int | None = None) -> None:
        await self.keep(read_file(self.place, path=path, start=start, end=end))

    async def edit(self, path: str, old: str, new: str) -> ToolOutput:
        return await self.keep(edit_file(self.place, self.known, path=path, old=old, new=new))

    async def write(self, path: str, content: str) -> ToolOutput:
        return await self.keep(write_file(self.place, self.known, path=path, content=content))


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "short.txt").write_text("one\ntwo\n")
    return Reader(tmp_path)


async def stale(call: Awaitable[ToolOutput]) -> str:
    with pytest.raises(EditRefused) as caught:
        await call
    assert caught.value.code == "stale"
    return caught.value.text


async def test_a_file_that_was_not_read_is_not_edited_and_its_place_is_shown(reader: Reader) -> None:
    text = await stale(reader.edit("a.txt", "line 500\n", "500\n"))
    assert text == (
        "you have not read a.txt in this session; nothing was changed. It has 900 lines. Lines 498-502 now:\n"
        "line 498\nline 499\nline 500\nline 501\nline 502\nSend the change again if it still fits."
    )
    assert (reader.place.root / "a.txt").read_text() == TEXT


@pytest.mark.parametrize(("data", "size"), [("one\n", "It has 1 line. Line 1 now:\none\n"), ("", "It is empty.\n")])
async def test_a_refusal_tells_the_size_of_a_small_file(reader: Reader, data: str, size: str) -> None:
    (reader.place.root / "small.txt").write_text(data)
    assert f"nothing was changed. {size}Send" in await stale(reader.edit("small.txt", "one\n", "two\n"))


async def test_what_a_refusal_showed_is_known(reader: Reader) -> None:
    await stale(reader.edit("a.txt", "line 500\n", "500\n"))
    assert "edited a.txt, line 500" in (await reader.edit("a.txt", "line 500\n", "500\n")).text


async def test_after_a_read_and_after_its_own_edits_the_model_may_edit(reader: Reader) -> None:
    await reader.read("a.txt", 1, 10)
    await reader.edit("a.txt", "line 5\n", "5\n")
    await reader.edit("a.txt", "line 800\n", "800\n")


async def test_what_somebody_else_changed_since_is_not_edited(reader: Reader) -> None:
    await reader.read("short.txt")
    (reader.place.root / "short.txt").write_text("one\n2\n")
    assert (await stale(reader.edit("short.txt", "two\n", "three\n"))).startswith(
        "short.txt changed since you read it; nothing was changed. It has 2 lines. Lines 1-2 now:\none\n2\n"
    )
    with pytest.raises(EditRefused, match="not in the file"):
        await reader.edit("short.txt", "two\n", "three\n")


async def test_a_file_that_vanished_is_told(reader: Reader) -> None:
    await reader.read("short.txt")
    (reader.place.root / "short.txt").unlink()
    with pytest.raises(ToolFailed, match="there is no file"):
        await reader.edit("short.txt", "two\n", "three\n")


async def test_to_replace_a_file_all_of_it_must_be_known(reader: Reader) -> None:
    await reader.read("a.txt", 1, 400)
    assert "only a part of a.txt" in await stale(reader.write("a.txt", TEXT + "end\n"))
    await reader.read("a.txt", 801, 900)
    assert "read on with start=401" in await stale(reader.write("a.txt", TEXT + "end\n"))
    await reader.read("a.txt", 401, 800)
    await reader.write("a.txt", TEXT + "end\n")
    await reader.edit("a.txt", "end\n", "the end\n")
    await reader.write("a.txt", TEXT + "very end\n")


async def test_a_short_file_is_shown_and_may_then_be_replaced(reader: Reader) -> None:
    assert "one\ntwo\n" in await stale(reader.write("short.txt", "three\nfour\n"))
    assert (await reader.write("short.txt", "three\nfour\n")).text == "replaced short.txt, 2 lines."


async def test_a_new_file_and_an_empty_one_need_no_reading(reader: Reader) -> None:
    (reader.place.root / "empty.txt").touch()
    for name in ("new.txt", "empty.txt"):
        await reader.write(name, "one\ntwo\n")
        await reader.edit(name, "two", "2")


async def test_a_line_that_was_cut_was_not_read(reader: Reader) -> None:
    (reader.place.root / "long.txt").write_text("x" * 20_000 + "\n")
    await reader.read("long.txt")
    assert "only a part" in await stale(reader.write("long.txt", "y" * 20_000))


async def test_a_preview_is_refused_as_the_change_would_be(reader: Reader) -> None:
    with pytest.raises(EditRefused, match="have not read"):
        preview_edit(reader.place, reader.known, path="a.txt", old="line 5\n", new="5\n")
    with pytest.raises(EditRefused, match="have not read"):
        preview_write(reader.place, reader.known, path="a.txt", content="5\n")


async def test_a_stale_refusal_is_short_whatever_the_file(reader: Reader) -> None:
    (reader.place.root / "wide.txt").write_text(("値" * 400 + "\n") * 400)
    for text in (await stale(reader.write("wide.txt", "x")), await stale(reader.write("a.txt", "x"))):
        assert estimate(text) <= 700


async def test_the_missing_text_is_looked_for_in_the_other_files_that_were_read(reader: Reader) -> None:
    for name in ("a.txt", "short.txt"):
        await reader.read(name)
    with pytest.raises(EditRefused, match=r"not in this file, but in a\.txt"):
        await reader.edit("short.txt", "line 500\nline 501\n", "x\n")


@pytest.mark.parametrize(
    ("content", "doubt"),
    [
        (TEXT, ""),
        (TEXT[: len(TEXT) // 2 + 9], ""),
        ("line 1\n", "this leaves 1 of the 900 lines of `a.txt`"),
        ("...", ""),
    ],
)
def test_a_write_that_takes_more_than_half_of_a_file_is_doubted(reader: Reader, content: str, doubt: str) -> None:
    assert doubt_write(reader.place, path="a.txt", content=content) == doubt
    assert doubt_write(reader.place, path="new.txt", content=content) == ""


# ------------------------------------------------------------------ one writer at a time

WRITER = """
import asyncio, sys
from pathlib import Path
from qagent.tools.edit import edit_file
from qagent.workspace.place import Workspace

async def main(folder, name, count):
    place = Workspace.open(Path(folder))
    for number in range(count):
        await edit_file(place, path="list.txt", old="end", new=f"{name}{number}\\nend")

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("end\n")
    runs = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name, "30"]) for name in "ab"]
    assert [run.wait(60) for run in runs] == [0, 0]
    lines = (tmp_path / "list.txt").read_text().split("\n")
    assert sorted(lines[:-2]) == sorted(f"{name}{number}" for name in "ab" for number in range(30))


async def test_who_waits_goes_on_when_the_other_lets_go(tmp_path: Path) -> None:
    done: list[str] = []

    async def second() -> None:
        async with locked(tmp_path / "a"):
            done.append("second")

    async with locked(tmp_path / "a"):
        waiting = asyncio.create_task(second())
        await asyncio.wait([waiting], timeout=0.05)
        done.append("first")
    await waiting
    assert done == ["first", "second"]

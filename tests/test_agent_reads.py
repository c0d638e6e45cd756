from __future__ import annotations

from pathlib import Path

import pytest
from scripted_agent import BUGGY, DONE, EDIT, READ, RUN, Scene, call, write_files

from qagent.events import CallFinished
from qagent.session.lines import decode, encode
from qagent.tools.reads import known
from qagent.types import Answer, ToolResult

LONG = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(50))
READ_LONG = call("read_file", path="long.py")
SHRINK = call("write_file", "```python\nx = 1\n```\n", path="long.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path)


async def test_an_edit_of_what_was_not_read_shows_it_and_then_goes_through(folder: Path) -> None:
    scene = Scene(folder, [EDIT, EDIT, RUN, DONE])
    assert (await scene.run()).reason == "done"
    assert scene.results()[0].startswith("you have not read calc.py in this session; nothing was changed.")
    assert "a + b" in (folder / "calc.py").read_text()


async def test_what_changed_on_the_disk_is_shown_before_anybody_is_asked(folder: Path) -> None:
    scene = Scene(folder, [READ, EDIT, "I stop."], answers=[Answer(False)] * 3, settings={"mode": "ask"})
    (folder / "calc.py").write_text(BUGGY)
    await scene.run()
    assert len(scene.questions) == 1


@pytest.mark.parametrize("mode", ["accept-edits", "auto"])
@pytest.mark.parametrize("yes", [True, False])
async def test_a_write_that_shrinks_a_file_by_more_than_half_asks_in_every_mode(
    folder: Path, mode: str, yes: bool
) -> None:
    (folder / "long.py").write_text(LONG)
    scene = Scene(folder, [READ_LONG, SHRINK, "I stop."], answers=[Answer(yes)], settings={"mode": mode})
    await scene.run("Make it short.")
    assert [(question.reason, question.always) for question in scene.questions] == [
        ("This leaves 1 of the 200 lines of `long.py`; this is always asked.", True)
    ]
    assert ((folder / "long.py").read_text() == "x = 1\n") is yes


@pytest.mark.parametrize("mode", ["accept-edits", "auto"])
async def test_an_edit_that_takes_all_of_a_file_asks_in_every_mode(folder: Path, mode: str) -> None:
    (folder / "long.py").write_text(LONG)
    block = f"<<<<<<< SEARCH\n{LONG}=======\n>>>>>>> REPLACE\n"
    scene = Scene(
        folder,
        [READ_LONG, call("edit_file", block, path="long.py"), "I stop."],
        answers=[Answer(False)],
        settings={"mode": mode},
    )
    await scene.run("Empty it.")
    assert [question.reason for question in scene.questions] == [
        "This leaves 0 of the 200 lines of `long.py`; this is always asked."
    ]
    assert (folder / "long.py").read_text() == LONG


async def test_the_diff_and_the_rung_reach_whoever_listens(folder: Path) -> None:
    old, new = ("def add(a, b): \n    return a " + sign + " b\n" for sign in "-+")
    block = f"<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"
    drifted = call("edit_file", block, path="calc.py")
    scene = Scene(folder, [READ, drifted, RUN, DONE])
    await scene.run()
    edit = next(event for event in scene.events if isinstance(event, CallFinished) and event.name == "edit_file")
    assert "+    return a + b" in edit.diff
    assert edit.summary == "edited calc.py, line 2, found with other trailing blanks"


async def test_a_resumed_session_knows_what_was_read(folder: Path) -> None:
    scene = Scene(folder, [READ, "Read."])
    await scene.run()
    header = encode(scene.kept.header)
    lines = [encode(message) for message in scene.kept.messages]
    record = decode(b"".join([header, *lines]), "x")
    assert known(record.messages) == known(scene.kept.messages)
    assert known(record.messages).paths == ("calc.py",)
    assert any(isinstance(message, ToolResult) and message.seen for message in record.messages)

"""A run for each kind of drift: read, an edit as a model writes it, the test, done; the file is right to the byte."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from quirk_drifts import FOUND, REFUSED, TEST, Drift
from quirk_runs import DONE, PATH, PIECES, READ, RUN, Played, Run, js, play, tools
from scripted_agent import call, repository

from qagent.events import CallFinished
from qagent.narration import Lines


@pytest.fixture(autouse=True)
def this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def project(folder: Path, before: str) -> Path:
    repository(folder, {"test_labels.py": TEST, "shop/__init__.py": ""})
    (folder / PATH).write_bytes(before.encode())
    return folder


def edit(old: str, new: str) -> str:
    return tools(js("edit_file", path=PATH, old=old, new=new))


def assert_green(played: Played, folder: Path, after: str) -> list[CallFinished]:
    finished = [event for event in played.events if isinstance(event, CallFinished)]
    assert [outcome.reason for outcome in played.outcomes] == ["done"]
    assert (finished[-1].name, finished[-1].text[:6]) == ("run", "exit 0")
    assert (folder / PATH).read_bytes() == after.encode()
    return finished


def shown(played: Played) -> str:
    lines = Lines()
    return "\n".join(line.text for event in played.events for line in lines.of(event))


@pytest.mark.parametrize("kind", FOUND)
async def test_an_edit_with_drift_ends_green_and_its_rung_is_named(kind: str, tmp_path: Path) -> None:
    drift = FOUND[kind]
    folder = project(tmp_path, drift.before)
    played = await play(Run((READ, edit(drift.old, drift.new), RUN, DONE), bug=PIECES), folder)
    _, edited, _ = assert_green(played, folder, drift.after)
    how = f", found {drift.how}" if drift.how else ""
    assert edited.summary == f"edited {PATH}, line 6{how}"
    assert f"✓ {edited.summary}\n" in shown(played)
    assert changed(edited.diff) == ("-    if count == 2:", "+    if count == 1:") or "\t" in drift.before + drift.old


def changed(diff: str) -> tuple[str, ...]:
    lines = [line.rstrip() for line in diff.splitlines()[2:]]
    return tuple(line for line in lines if line[:1] in ("-", "+"))


@pytest.mark.parametrize("kind", REFUSED)
async def test_an_edit_in_doubt_is_refused_and_the_next_one_ends_green(kind: str, tmp_path: Path) -> None:
    refused = REFUSED[kind]
    folder = project(tmp_path, refused.before)
    again = edit(refused.again.old, refused.again.new)
    played = await play(Run((READ, edit(*refused.first), again, RUN, DONE), bug=PIECES), folder)
    after = refused.before.replace(refused.again.old, refused.again.new)
    *first, edited, _ = assert_green(played, folder, after)
    assert (edited.ok, edited.name, [event.name for event in first if event.diff]) == (True, "edit_file", [])
    assert refused.told in played.told_after(1)
    assert "✗" in shown(played)


async def test_after_the_same_failure_twice_the_other_form_is_asked_for(tmp_path: Path) -> None:
    drift = FOUND["as it stands"]
    folder = project(tmp_path, drift.before)
    wrong = [edit(drift.old.replace("1 piece", f"{number} piece"), drift.new) for number in (7, 8)]
    function = 'def label(count, size=1):\n    return "1 piece" if count == 1 else f"{count} pieces"\n'
    whole = call("edit_file", f"```python\n{function}```\n", path=PATH, symbol="label")
    played = await play(Run((READ, *wrong, whole, RUN, DONE), bug=PIECES), folder)
    assert "in the same way" not in played.told_after(1)
    assert "The last 2 changes failed in the same way" in played.told_after(2)
    assert "`symbol`" in played.told_after(2)
    start = drift.before.index("def label")
    kept = drift.before.index("\n\n\ndef weight")
    assert_green(played, folder, drift.before[:start] + function.removesuffix("\n") + drift.before[kept:])


async def test_an_edit_of_a_file_that_was_not_read_is_shown_its_place_and_may_follow(tmp_path: Path) -> None:
    drift: Drift = FOUND["as it stands"]
    folder = project(tmp_path, drift.before)
    said = edit(drift.old, drift.new)
    played = await play(Run((said, said, RUN, DONE), bug=PIECES), folder)
    assert_green(played, folder, drift.after)
    assert f"you have not read {PATH} in this session; nothing was changed" in played.told_after(0)

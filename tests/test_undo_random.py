from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_turns import Deed, Edit, Kept, git, seen

from qagent.errors import UndoProblem
from qagent.workspace.undoing import Ways

NAMES = st.sampled_from(["a", "b", "c.py", "d e", "é", "-x", "f\nf", ".hid"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
DATA = st.binary(max_size=40) | st.sampled_from([b"x\r\ny\n", b"\0\1", b"same size", b"SAME SIZE"])
MODES = st.sampled_from([0o644, 0o755, 0o600, 0o444, 0o700])
COMMANDS = (
    st.tuples(st.just("write"), PATHS, DATA, MODES),
    st.tuples(st.just("link"), PATHS, PATHS),
    st.tuples(st.just("remove"), PATHS),
    st.tuples(st.just("mode"), PATHS, MODES),
)
DEEDS = st.one_of(*COMMANDS, st.tuples(st.just("edit"), PATHS, DATA), st.tuples(st.just("move"), PATHS, PATHS))


def way(root: Path, name: str) -> Path | None:
    """Where the deed is done; None when a link or a file is on the way."""
    path = root / name
    for above in reversed(path.relative_to(root).parents[:-1]):
        if (root / above).is_symlink() or (root / above).is_file():
            return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def do(root: Path, deed: tuple[object, ...]) -> None:
    """Does it, whatever is there; what cannot be done is left."""
    verb, name, *rest = deed
    if (path := way(root, str(name))) is None or (verb == "edit" and path.is_dir() and not path.is_symlink()):
        return
    match verb, rest:
        case "mode", [int() as mode]:
            if path.is_file() and not path.is_symlink():
                path.chmod(mode)
        case "move", [str() as target]:
            move(root, path, target)
        case _:
            gone(path)
            put(path, rest)


def put(path: Path, what: list[object]) -> None:
    match what:
        case [bytes() as data, *modes]:
            path.write_bytes(data)
            for mode in modes:
                path.chmod(int(str(mode)))
        case [str() as target]:
            path.symlink_to(target)
        case _:
            pass


def move(root: Path, path: Path, target: str) -> None:
    to = way(root, target)
    if to and os.path.lexists(path) and not to.is_relative_to(path) and not path.is_relative_to(to):
        gone(to)
        path.rename(to)


def deeds_of(kept: Kept, deeds: list[tuple[object, ...]]) -> list[Deed]:
    def bound(deed: tuple[object, ...]) -> Callable[[], object]:
        return lambda: do(kept.root, deed)

    return [Edit(str(deed[1]), bound(deed)) if deed[0] == "edit" else bound(deed) for deed in deeds]


TURNS = st.lists(st.lists(DEEDS, min_size=1, max_size=6), min_size=1, max_size=3)
EXAMPLES = int(os.environ.get("UNDO_EXAMPLES", "15"))
"""Of each property; 1,500 of them make more than 10,000 deeds."""
RARELY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RARELY
@given(st.lists(DEEDS, max_size=8), st.booleans(), TURNS)
def test_any_turns_are_taken_back_and_done_again(
    tree: list[tuple[object, ...]], tracked: bool, turns: list[list[tuple[object, ...]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder, "work"), Path(folder, "state"))
        kept.root.mkdir()
        git(kept.root, "init", "-q")
        for deed in tree:
            do(kept.root, deed)
        if tracked:
            git(kept.root, "add", "-A")
        states = [seen(kept.root)]
        for turn in turns:
            kept.turn(*deeds_of(kept, turn))
            if seen(kept.root) != states[-1]:
                states.append(seen(kept.root))
        for state in reversed(states[:-1]):
            kept.past.undo()
            assert seen(kept.root) == state
        for state in states[1:]:
            kept.past.redo()
            assert seen(kept.root) == state


@RARELY
@given(st.lists(DEEDS, max_size=8), st.lists(st.tuples(st.just("edit"), PATHS, DATA), min_size=1, max_size=6))
def test_any_edits_are_taken_back_where_there_is_no_git(
    tree: list[tuple[object, ...]], edits: list[tuple[object, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder, "work"), Path(folder, "state"))
        kept.root.mkdir()
        for deed in tree:
            do(kept.root, deed)
        before = seen(kept.root)
        kept.turn(*deeds_of(kept, edits))
        after = seen(kept.root)
        if after != before:
            kept.past.undo()
            assert seen(kept.root) == before
            kept.past.redo()
            assert seen(kept.root) == after


IGNORED = ("kept.log", "out/x", "b/kept.log", "b/out/y", "a/kept.log")
HIDING = st.one_of(
    *COMMANDS,
    st.tuples(st.just("write"), st.sampled_from(IGNORED), DATA),
    st.tuples(st.just("remove"), st.sampled_from(IGNORED)),
)


def is_ignored(name: str) -> bool:
    return name.endswith(".log") or "out" in name.split("/")


def parted(folder: Path) -> tuple[dict[str, tuple[int, bytes]], dict[str, tuple[int, bytes]]]:
    """What git sees, and what it ignores."""
    files = seen(folder)
    hidden = {name: what for name, what in files.items() if is_ignored(name)}
    return {name: what for name, what in files.items() if name not in hidden}, hidden


@RARELY
@given(st.lists(HIDING, max_size=8), st.lists(HIDING, min_size=1, max_size=8))
def test_commands_are_taken_back_and_what_is_ignored_is_not_touched(
    tree: list[tuple[object, ...]], deeds: list[tuple[object, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder, "work"), Path(folder, "state"))
        kept.root.mkdir()
        git(kept.root, "init", "-q")
        (kept.root / ".gitignore").write_text("*.log\nout\n")
        for deed in tree:
            do(kept.root, deed)
        before, _ = parted(kept.root)
        kept.turn(*deeds_of(kept, deeds))
        after, hidden = parted(kept.root)
        if before == after:
            return
        try:
            kept.past.undo()
        except UndoProblem:  # a folder that holds ignored files stands where a file was
            assert parted(kept.root) == (after, hidden)
            return
        assert parted(kept.root) == (before, hidden)
        kept.past.redo()
        assert parted(kept.root) == (after, hidden)


# ------------------------------------------------------------------ killed on the way

KILLED = """
import os, signal, sys
from pathlib import Path
from qagent.workspace.undoing import Past

left = int(sys.argv[1])
root = Path(sys.argv[3])
EVENTS = {"os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod", "open"}

def count(event, arguments):
    global left
    if event in EVENTS and not (event == "open" and not (arguments[2] or 0) & os.O_CREAT):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

past = Past(root, Path(sys.argv[4]))
past.undo if sys.argv[2] == "undo" else past.redo
import git
sys.addaudithook(count)
getattr(past, sys.argv[2])()
print("done")
"""


def killed(kept: Kept, verb: str, events: int) -> bool:
    """Whether it was killed, at that event, before it was done."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    words = [sys.executable, "-c", KILLED, str(events), verb, str(kept.root), str(kept.state)]
    ran = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert ran.returncode in (0, -9), ran.stderr
    return ran.returncode == -9


def old_or_new(now: dict[str, tuple[int, bytes]], *states: dict[str, tuple[int, bytes]]) -> bool:
    files = {name: what for name, what in now.items() if ".qagent-" not in name}
    return all(what in [state.get(name) for state in states] for name, what in files.items())


@pytest.mark.parametrize("way", ["undo", "redo"])
def test_an_undo_that_was_killed_is_done_again(tmp_path: Path, way: str) -> None:
    kept = Kept(tmp_path / "work", tmp_path / "state")
    kept.root.mkdir()
    git(kept.root, "init", "-q")
    for name in ("a", "b/c", "b/d", "e"):
        do(kept.root, ("write", name, name.encode(), 0o644))
    before = seen(kept.root)
    kept.turn(
        kept.shell("rm -r b; printf x > b; printf y > a; ln -s a link; mkdir -p n/m; printf z > n/m/o; chmod 755 e")
    )
    after = seen(kept.root)
    again = {"undo": kept.past.undo, "redo": kept.past.redo}[way]
    other = {"undo": kept.past.redo, "redo": kept.past.undo}[way]
    start, goal = (after, before) if way == "undo" else (before, after)
    if way == "redo":
        kept.past.undo()
    events, halves = 0, 0
    while killed(kept, way, events):
        assert old_or_new(seen(kept.root), before, after)
        half = kept.past.turns()[-1].state == "halfway"
        halves += half
        if kept.past.turns()[-1].state != ("undone" if way == "undo" else "done") and (events % 2 or not half):
            again()
            assert seen(kept.root) == goal
        other()
        assert seen(kept.root) == start
        events += 3
    assert halves > 5
    assert seen(kept.root) == goal


def test_a_turn_that_was_killed_is_taken_back_only_when_that_is_said(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "work", tmp_path / "state")
    kept.root.mkdir()
    git(kept.root, "init", "-q")
    (kept.root / "a").write_text("a")
    (kept.root / "odd").write_text("odd")
    (kept.root / "odd").chmod(0o640)
    before = seen(kept.root)
    code = (
        "import asyncio, os\nfrom pathlib import Path\nfrom qagent.workspace.keeping import TurnKeep\n"
        f"root = Path({str(kept.root)!r})\nkeep = TurnKeep(root, Path({str(kept.state)!r}), 's')\nkeep.begin('task')\n"
        "asyncio.run(keep.before_change('new'))\n(root / 'new').write_text('1')\n(root / 'a').unlink()\n"
        "(root / 'odd').chmod(0o600)\nos.kill(os.getpid(), 9)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], env=env, check=False)
    after = seen(kept.root)
    assert after != before
    with pytest.raises(UndoProblem, match=r"the last task \(task\) was cut off") as refused:
        kept.past.undo()
    assert "--cut-off" in refused.value.todo
    assert seen(kept.root) == after
    kept.past.undo(Ways(cut_off=True))
    assert seen(kept.root) == before
    kept.past.redo()
    assert seen(kept.root) == after

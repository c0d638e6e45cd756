from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
from alive import Alive
from hypothesis import given
from hypothesis import strategies as st

from qagent.errors import ToolFailed
from qagent.sandbox.choice import Confinement
from qagent.tools import output as printed
from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path)


BARE = Shell(Confinement("off"))
"""What stands here holds without a sandbox; `test_sandbox` shows what one adds."""


async def lines(place: Workspace, command: str) -> list[str]:
    """What was printed, without the line about the exit."""
    return (await BARE.run(place, command=command)).text.split("\n")[1:]


# ------------------------------------------------------------------ how it ended

ENDINGS = [
    ("true", "exit 0", "exit 0, 0 lines"),
    ("false", "exit 1", "exit 1, 0 lines"),
    ("echo a; exit 3", "exit 3", "exit 3, 1 line"),
    ("printf 'a\\nb'", "exit 0", "exit 0, 2 lines"),
    ("no_such_command_here", "exit 127", "exit 127, 1 line"),
    ("kill -9 $$", "killed by signal 9", "killed by signal 9, 0 lines"),
    ("kill -TERM $$", "killed by signal 15", "killed by signal 15, 0 lines"),
]


@pytest.mark.parametrize(("command", "first", "summary"), ENDINGS)
async def test_the_first_line_tells_how_it_ended(place: Workspace, command: str, first: str, summary: str) -> None:
    output = await BARE.run(place, command=command)
    ending, _, seconds = output.text.split("\n")[0].rpartition(", ")
    assert (ending, seconds.endswith(" s")) == (first, True)
    assert output.summary == summary


@pytest.mark.parametrize("command", ["", "  \n", "a\0b"])
async def test_a_command_that_is_none_is_refused(place: Workspace, command: str) -> None:
    with pytest.raises(ToolFailed, match="Give a command line"):
        await BARE.run(place, command=command)


async def test_a_command_that_cannot_be_started_says_so(place: Workspace) -> None:
    for command in ("echo " + "x" * 3_000_000, "echo \ud800"):
        with pytest.raises(ToolFailed, match="could not be started"):
            await BARE.run(place, command=command)


async def test_a_workspace_that_is_gone_is_a_plain_failure(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    place = Workspace.open(gone)
    gone.rmdir()
    with pytest.raises(ToolFailed, match="could not be started"):
        await BARE.run(place, command="true")


# ------------------------------------------------------------------ what it sees


async def test_it_runs_in_the_workspace_and_mixes_both_streams_in_order(place: Workspace) -> None:
    assert await lines(place, "pwd; echo a; echo b >&2; echo c") == [str(place.root), "a", "b", "c"]


async def test_there_is_no_terminal_and_no_input(place: Workspace) -> None:
    command = (
        "test -t 0 || echo no in; test -t 1 || echo no out; cat; "
        "(: </dev/tty) 2>/dev/null || echo no tty; read x || echo end"
    )
    assert await lines(place, command) == ["no in", "no out", "no tty", "end"]


async def test_commands_do_not_see_secrets(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hush")
    monkeypatch.setenv("HARMLESS", "seen")
    assert await lines(place, 'echo "$SOME_API_KEY|$HARMLESS|$TERM|$AGENT"') == ["|seen|dumb|qagent"]


# ------------------------------------------------------------------ its output

SEEN = [
    (r"printf '\033[31mred\033[0m\n'", ["red"]),
    (r"printf '\033]0;title\007a\033]8;;http://x\033\\link\033]8;;\033\\\n'", ["alink"]),
    (r"printf 'a\033(Bb\0337c\033=\n'", ["abc"]),
    (r"printf '10%%\r50%%\r100%%\ndone\n'", ["100%", "done"]),
    (r"printf '10%%\r100%%\r\nb\r\n'", ["100%", "b"]),
    (r"printf 'a\tb\001\010\177c\n'", ["a\tbc"]),
    (r"printf 'a\377b\303\251\n'", ["a\ufffdbé"]),
    (r"printf '\033'; printf 'end'", ["nd"]),
    (r"printf '\n\n a \n\n\n'", ["", "", " a "]),
]


@pytest.mark.parametrize(("command", "seen"), SEEN)
async def test_output_is_what_a_person_would_have_seen(place: Workspace, command: str, seen: list[str]) -> None:
    assert await lines(place, command) == seen


async def test_long_output_keeps_its_first_and_last_whole_lines(place: Workspace) -> None:
    output = await BARE.run(place, command="seq 1 100000")
    shown = output.text.split("\n")[1:]
    gap = next(at for at, line in enumerate(shown) if line.startswith("[…"))
    head, tail = shown[:gap], shown[gap + 1 :]
    assert head == [str(n) for n in range(1, len(head) + 1)]
    assert tail == [str(n) for n in range(100_001 - len(tail), 100_001)]
    assert sum(map(len, head)) + len(head) <= printed.HEAD
    assert sum(map(len, tail)) + len(tail) <= printed.TAIL + 1
    left_out = 100_000 - len(head) - len(tail)
    characters = len("\n".join(map(str, range(len(head) + 1, 100_001 - len(tail))))) + 1
    assert shown[gap] == f"[… {left_out:,} lines, {characters:,} characters left out …]"
    assert output.summary == "exit 0, 100000 lines"


@pytest.mark.parametrize("count", [1200, 1400, 1500, 2000, 9000, 40000])
async def test_the_gap_is_counted_right_for_any_length(place: Workspace, count: int) -> None:
    shown = await lines(place, f"seq 1 {count}")
    gaps = [line for line in shown if line.startswith("[…")]
    left_out = int(gaps[0].split()[1].replace(",", "")) if gaps else 0
    assert len(shown) - len(gaps) + left_out == count


async def test_one_endless_line_is_cut_by_characters(place: Workspace) -> None:
    head, gap, tail = await lines(place, "head -c 1000000 /dev/zero | tr '\\0' x")
    assert (head, tail) == ("x" * printed.HEAD, "x" * printed.TAIL)
    assert gap == f"[… 0 lines, {1_000_000 - printed.HEAD - printed.TAIL:,} characters left out …]"


async def test_huge_output_is_read_to_its_end_and_kept_small(place: Workspace) -> None:
    output = await BARE.run(place, command="head -c 200000000 /dev/zero | tr '\\0' '\\n'; echo last; exit 4")
    assert output.text.startswith("exit 4")
    assert output.text.endswith("\nlast")
    assert len(output.text) < printed.HEAD + printed.TAIL + 200
    assert output.summary == "exit 4, 200000001 lines"


# ------------------------------------------------------------------ its end


HOLD = "exec 7>alive; echo up; "
TREES = [
    "sleep 1000",
    "sleep 1000 & wait",
    "(sleep 1000 & sleep 1000) | cat",
    "bash -c 'sleep 1000 & sleep 1000'",
    "trap '' TERM; sleep 1000; sleep 1000",
    "bash -c 'trap \"\" TERM HUP; while :; do sleep 1000; done'",
    "nohup sleep 1000",
    "kill -STOP $$",
]


@pytest.mark.parametrize("tree", TREES)
async def test_cancelling_kills_the_whole_group(place: Workspace, tree: str) -> None:
    alive = Alive(place.root)
    os.mkfifo(place.root / "ready")
    task = asyncio.create_task(BARE.run(place, command=f"{HOLD} echo ready > ready; {tree}"))
    await asyncio.to_thread((place.root / "ready").read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await alive.gone()


@pytest.mark.parametrize("tree", TREES[3:5])
async def test_at_the_time_limit_the_whole_group_is_killed_and_the_output_kept(place: Workspace, tree: str) -> None:
    alive = Alive(place.root)
    with pytest.raises(ToolFailed) as failure:
        await BARE.run(place, command=HOLD + tree, timeout=1)
    assert failure.value.text.split("\n")[:2] == ["stopped after 1 s", "up"]
    assert await alive.gone()


async def test_a_cancel_while_the_shell_is_being_started_kills_all_that_it_started(place: Workspace) -> None:
    alive = Alive(place.root)
    for steps in range(6):
        task = asyncio.create_task(BARE.run(place, command=HOLD + "sleep 1000 & sleep 1000"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await alive.gone()


async def test_a_second_cancel_does_not_let_anything_survive(place: Workspace) -> None:
    alive = Alive(place.root)
    os.mkfifo(place.root / "ready")
    command = f"trap '' TERM; {HOLD} echo ready > ready; sleep 1000; sleep 1000"
    task = asyncio.create_task(BARE.run(place, command=command))
    await asyncio.to_thread((place.root / "ready").read_text)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await alive.gone()


async def test_what_stays_in_the_background_neither_holds_the_call_nor_survives_it(place: Workspace) -> None:
    alive = Alive(place.root)
    output = await BARE.run(place, command=HOLD + "sleep 1000 & sleep 1000 & echo done")
    shown = output.text.split("\n")
    assert shown[0].startswith("exit 0")
    assert shown[1:] == ["up", "done", "[what it left running in the background was stopped]"]
    assert await alive.gone()


async def test_what_moves_to_its_own_session_does_not_hold_the_call(place: Workspace) -> None:
    text = (
        await BARE.run(place, command="setsid sh -c 'echo $$ > pid; exec sleep 1000' & while ! test -s pid; do :; done")
    ).text
    os.kill(int((place.root / "pid").read_text()), signal.SIGKILL)
    assert text.startswith("exit 0")


async def test_a_flood_from_the_background_does_not_hold_the_call(place: Workspace) -> None:
    assert (await BARE.run(place, command="yes & head -c 100000 /dev/zero")).text.startswith("exit 0")


async def test_any_time_limit_is_brought_within_bounds(place: Workspace) -> None:
    for timeout in (None, 0, -5, 10**9):
        assert (await BARE.run(place, command="true", timeout=timeout)).text.startswith("exit 0")


INTERRUPTED = """
import asyncio, sys
from pathlib import Path
from qagent.sandbox.choice import Confinement
from qagent.tools import output as printed
from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace
place = Workspace.open(Path(sys.argv[1]))
asyncio.run(Shell(Confinement("off")).run(place, command="exec 7>alive; echo ready > ready; sleep 1000 & sleep 1000"))
"""


async def test_ctrl_c_kills_the_whole_group_and_reaps_it(place: Workspace) -> None:
    alive = Alive(place.root)
    os.mkfifo(place.root / "ready")
    root = Path(printed.__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        INTERRUPTED,
        str(place.root),
        cwd=root,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    await asyncio.to_thread((place.root / "ready").read_text)
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert errors.decode().rstrip().endswith("KeyboardInterrupt")
    assert await alive.gone()


# ------------------------------------------------------------------ any output


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 400))
def test_any_bytes_give_clean_text_of_bounded_length(chunks: list[bytes], repeat: int) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    output = printed.Output()
    with os.fdopen(writing, "wb", buffering=0) as sink:
        for chunk in chunks:
            for _ in range(repeat):
                sink.write(chunk)
                output.read(reading)
    os.close(reading)
    shown = output.shown()
    assert len(shown) <= printed.HEAD + printed.TAIL + 80
    assert not any(c not in "\n\t" and (c < " " or "\x7f" <= c <= "\x9f") for c in shown)

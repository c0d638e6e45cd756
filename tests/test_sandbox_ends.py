from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from alive import Alive
from sandboxes import KINDS, Kind, shell_in

from qagent.errors import ToolFailed
from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def shell(kind: Kind) -> Shell:
    return shell_in(kind)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path)


HOLD = "exec 7>alive; echo up; "
TREES = [
    "sleep 1000",
    "sleep 1000 & wait",
    "(sleep 1000 & sleep 1000) | cat",
    "trap '' TERM; sleep 1000; sleep 1000",
    "nohup sleep 1000",
    "setsid sleep 1000",
    "setsid -f sleep 1000; sleep 1000",
    "setsid sh -c 'trap \"\" TERM HUP; setsid sleep 1000 & setsid sleep 1000' & wait",
    "kill -STOP $$",
]

CODES = [("true", "exit 0"), ("exit 3", "exit 3"), ("kill -9 $$", "exit 137"), ("kill -TERM $$", "exit 143")]


@pytest.mark.parametrize(("command", "first"), CODES)
async def test_the_exit_code_comes_through(shell: Shell, place: Workspace, command: str, first: str) -> None:
    assert (await shell.run(place, command=command)).text.startswith(f"{first}, ")


async def test_both_streams_come_in_order_and_nothing_is_added(shell: Shell, place: Workspace) -> None:
    output = await shell.run(place, command="echo a; echo b >&2; test -t 0 || echo c; cat")
    assert output.text.split("\n")[1:] == ["a", "b", "c"]


@pytest.mark.parametrize("tree", TREES)
async def test_cancelling_kills_all_that_it_started(shell: Shell, place: Workspace, tree: str) -> None:
    alive = Alive(place.root)
    os.mkfifo(place.root / "ready")
    task = asyncio.create_task(shell.run(place, command=f"{HOLD} echo ready > ready; {tree}"))
    await asyncio.to_thread((place.root / "ready").read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await alive.gone()


async def test_at_the_time_limit_too_and_the_output_until_then_is_kept(shell: Shell, place: Workspace) -> None:
    alive = Alive(place.root)
    with pytest.raises(ToolFailed) as failure:
        await shell.run(place, command=f"{HOLD}setsid sleep 1000 & sleep 1000", timeout=1)
    assert failure.value.text.split("\n")[:2] == ["stopped after 1 s", "up"]
    assert await alive.gone()


@pytest.mark.parametrize(
    "left", ["sleep 1000 &", "setsid -f sleep 1000;", "(setsid sleep 1000 &);", "nohup sleep 1000 &"]
)
async def test_what_is_left_running_is_ended_and_told(shell: Shell, place: Workspace, left: str) -> None:
    alive = Alive(place.root)
    output = await shell.run(place, command=f"{HOLD}{left} echo done")
    assert output.text.split("\n")[1:] == ["up", "done", "[what it left running in the background was stopped]"]
    assert await alive.gone()


async def test_what_ends_by_itself_a_moment_later_is_not_called_left(shell: Shell, place: Workspace) -> None:
    output = await shell.run(place, command="cat <(sleep 0.01; echo a) <(echo b); echo c > >(sleep 0.01; cat > d)")
    assert output.text.split("\n")[1:] == ["a", "b"]
    assert (place.root / "d").read_text() == "c\n"


async def test_a_cancel_while_it_is_being_started_leaves_nothing(shell: Shell, place: Workspace) -> None:
    alive = Alive(place.root)
    for steps in range(8):
        task = asyncio.create_task(shell.run(place, command=HOLD + "setsid -f sleep 1000; sleep 1000"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await alive.gone()


KILLED = """
import asyncio, sys
from pathlib import Path
from sandboxes import confinement
from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace
place, shell = Workspace.open(Path(sys.argv[2])), Shell(confinement(sys.argv[1]))
asyncio.run(shell.run(place, command="exec 7>alive; setsid -f sleep 1000; echo ready > ready; sleep 1000"))
"""


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_whatever_kills_qagent_kills_its_commands(kind: Kind, place: Workspace, number: signal.Signals) -> None:
    alive = Alive(place.root)
    os.mkfifo(place.root / "ready")
    here = Path(__file__).parent
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, kind, str(place.root)),
        stderr=asyncio.subprocess.DEVNULL,
        env={
            **os.environ,
            "TMPDIR": os.environ["HOME"],
            "PYTHONPATH": os.pathsep.join((str(here.parent), str(here / "support"))),
        },
    )
    await asyncio.to_thread((place.root / "ready").read_text)
    process.send_signal(number)
    await process.wait()
    assert await alive.gone()


async def test_no_other_program_can_be_stopped(shell: Shell, place: Workspace) -> None:
    bystander = await asyncio.create_subprocess_exec("sleep", "1000")
    command = f"kill -9 {bystander.pid}; kill -9 {os.getpid()}; kill -TERM -1; true"
    await shell.run(place, command=f"sh -c '{command}'")
    assert bystander.returncode is None
    bystander.send_signal(0)
    bystander.terminate()
    assert await bystander.wait() == -signal.SIGTERM


async def test_a_folder_that_is_gone_is_a_plain_failure(shell: Shell, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    place = Workspace.open(gone)
    gone.rmdir()
    with pytest.raises(ToolFailed, match="could not be"):
        await shell.run(place, command="true")


async def test_the_whole_disk_as_a_project_is_refused(shell: Shell) -> None:
    with pytest.raises(ToolFailed, match="the project is the whole disk"):
        await shell.run(Workspace(Path("/")), command="true")

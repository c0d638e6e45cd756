from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import FULL, KINDS, Bed, bed_in, git, names

from qagent.sandbox.choice import Confinement
from qagent.sandbox.kernel import landlock_abi
from qagent.sandbox.landlock import Machine
from qagent.sandbox.refusals import GIT, LOOPBACK, NETWORK, NETWORK_OFF, OUTSIDE, SHUT
from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace


@pytest.fixture(params=KINDS)
def bed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


# ------------------------------------------------------------------ the network


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


CONNECT = "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 5); print(1)'"


async def test_a_server_of_this_machine_cannot_be_reached(bed: Bed, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    output = await bed.run(CONNECT.format(port=port))
    assert not output.good
    assert output.text.endswith(LOOPBACK if bed.kind in FULL else NETWORK)
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


async def test_with_the_network_it_can(bed: Bed, listener: socket.socket) -> None:
    assert (await bed.run(CONNECT.format(port=listener.getsockname()[1]), network=True)).good


async def test_no_grant_opens_a_network_that_is_switched_off(bed: Bed, listener: socket.socket) -> None:
    shell = Shell(bed.shell.confinement, bed.shell.grants, "off")
    command = CONNECT.format(port=listener.getsockname()[1])
    assert not (await shell.run(Workspace(bed.root), command=command, network=True)).good


async def test_the_network_may_be_on_for_all(bed: Bed, listener: socket.socket) -> None:
    shell = Shell(bed.shell.confinement, bed.shell.grants, "on")
    assert (await shell.run(Workspace(bed.root), command=CONNECT.format(port=listener.getsockname()[1]))).good


async def test_datagrams_do_not_get_out_either(full: Bed) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        port = ear.getsockname()[1]
        send = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))"
        await full.run(f'python3 -c "{send}"')
        with pytest.raises(BlockingIOError):
            ear.recv(10)


OWN_SERVER = """\
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
"""


async def test_a_command_can_talk_to_the_server_that_it_starts(full: Bed) -> None:
    (full.root / "own.py").write_text(OWN_SERVER)
    assert (await full.run("python3 own.py")).good


# ------------------------------------------------------------------ what the model is told

TOLD = [
    ("sh -c 'echo x > /etc/new-file-of-a-test'", OUTSIDE),
    ("sh -c 'echo x > ../outside/file'", OUTSIDE),
    ('python3 -c \'open("../outside/file", "w")\'', OUTSIDE),
    ("python3 -c 'import socket; socket.getaddrinfo(\"nothing.invalid\", 80)'", NETWORK),
]


@pytest.mark.parametrize(("command", "sentence"), TOLD)
async def test_a_refusal_is_told_in_plain_words(full: Bed, command: str, sentence: str) -> None:
    assert (await full.lines(command))[-1] == sentence


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in("landlock alone", tmp_path, monkeypatch)


async def test_landlock_s_refusals_are_told_from_those_of_the_disk(alone: Bed) -> None:
    assert (await alone.lines(f"echo x > {alone.outside}/new"))[-1] == OUTSIDE
    assert (await alone.lines("ls; echo Permission denied; false"))[-1] == "Permission denied"


async def test_a_network_that_is_switched_off_is_called_so(full: Bed) -> None:
    shell = Shell(full.shell.confinement, full.shell.grants, "off")
    output = await shell.run(Workspace(full.root), command=TOLD[-1][0])
    assert output.text.endswith(NETWORK_OFF)


async def test_plan_md_has_words_of_its_own(full: Bed) -> None:
    (full.root / "plan.md").write_text("x")
    assert (await full.lines("echo y > plan.md"))[-1] == SHUT


BUSY = [
    ("rm plan.md", SHUT),
    ("mv plan.md other", SHUT),
    ("rm -r .qagent", SHUT),
    ("mv .git other", GIT),
    ("python3 -c 'import os; os.remove(\"plan.md\")'", SHUT),
]


@pytest.mark.parametrize(("command", "told"), BUSY)
async def test_what_is_shut_and_therefore_busy_has_the_same_words(full: Bed, command: str, told: str) -> None:
    git(full.root, "init", "-q")
    (full.root / ".qagent").mkdir()
    (full.root / "plan.md").write_text("x")
    assert (await full.lines(command))[-1] == told


async def test_what_else_is_busy_has_none(full: Bed) -> None:
    assert await full.lines("echo 'x: Device or resource busy'; false") == ["x: Device or resource busy"]


async def test_more_folders_can_be_opened_for_writing(bed: Bed) -> None:
    machine = Machine(landlock_abi()) if bed.kind == "landlock alone" else None
    wanted = "bubblewrap" if bed.kind == "bubblewrap" else "landlock"
    shell = Shell(Confinement(wanted, writes=(bed.outside,), machine=machine))
    assert (await shell.run(Workspace(bed.root), command='python3 -c \'open("../outside/new", "w")\'')).good
    assert names(bed.outside) == ["file", "new"]


async def test_pseudo_terminals_work_and_are_not_the_person_s(full: Bed) -> None:
    assert (await full.run("python3 -c 'import pty; pty.spawn([\"true\"])'")).good
    assert await full.lines("ls /dev/pts | grep -v ptmx | wc -l") == ["0"]

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from alive import Alive
from sandboxes import FULL, KINDS, Bed, bed_in, git, names

from qagent.errors import ToolFailed
from qagent.sandbox.kernel import landlock_abi
from qagent.tools.shell import Shell
from qagent.types import ToolOutput
from qagent.workspace.place import Workspace

# Nobody has allowed anything here: every line runs with no grant at all.


@pytest.fixture(params=KINDS)
def bed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


async def attack(bed: Bed, command: str, *, network: bool = False) -> ToolOutput:
    return await Shell(bed.shell.confinement).run(Workspace(bed.root), command=command, network=network)


async def tried(bed: Bed, program: str) -> str:
    """What a Python program in the workspace prints last; it says `done` when it could do what it wanted."""
    (bed.root / "attack.py").write_text(program)
    return (await attack(bed, "python3 attack.py")).text.rpartition("\n")[2]


# ------------------------------------------------------------------ what steers git and qagent

STEERING = (".git/config", ".git/hooks/kept", ".qagent/config.toml", "plan.md")
WRITES = [
    "ln -s .git/hooks h; echo x > h/new; echo x > h/kept",
    "ln -s $PWD/.git/config c; echo x >> c; cp /dev/null c",
    "ln .git/config c; echo x >> c",
    "ln plan.md p; echo x >> p",
    "echo x > n; mv -f n plan.md; cp n .qagent/config.toml",
    "mkdir -p n; echo x > n/config.toml; mv .qagent o; mv n .qagent",
    "mkdir -p n/hooks; echo x > n/config; mv -T n .git",
    "cd .git/hooks && echo x > new; cd ..; echo x >> config",
    "for f in /proc/self/fd/*; do echo x > $f/../../.git/config; done",
    "for p in /proc/[0-9]*; do echo x > $p/root$PWD/.git/config; echo x > $p/cwd/plan.md; done",
    "exec 7< .git/config; echo x >> /proc/self/fd/7",
    "mount -t tmpfs x .git; mkdir -p .git/hooks; echo x > .git/hooks/new",
    "mkdir -p n; mount --bind n .qagent; echo x > .qagent/config.toml",
    "umount .git; umount -l .qagent; mount -o remount,rw,bind .git; echo x >> .git/config",
    "unshare -Urm sh -c 'umount .git; mount -o remount,rw,bind .git; echo x >> .git/config'",
    "chmod 777 .git/hooks/kept plan.md; chmod 000 .git .qagent; chmod 777 .git/hooks",
    "GIT_DIR=.git git config core.pager x; git -C . config core.hooksPath .; git init -q --template=.",
    'python3 -c \'import os; os.truncate("plan.md", 0); os.truncate(".git/config", 0)\'',
    "dd if=/dev/zero of=plan.md count=1; tee .git/config < /dev/null; sed -i d plan.md",
    "rsync /dev/null plan.md; install -m 777 /bin/true .git/hooks/new; tar cf - plan.md | (cd .git && tar xf -)",
]


def steering(root: Path) -> dict[str, tuple[int, bytes]]:
    found = [path for name in (".git/hooks", ".qagent") for path in (root / name).rglob("*")]
    files = {*found, *(root / name for name in STEERING)}
    folders = {root / name: b"" for name in (".git", ".git/hooks", ".qagent")}
    read = {path: path.read_bytes() for path in files if path.is_file()}
    return {str(path): (stat.S_IMODE(path.lstat().st_mode), data) for path, data in (read | folders).items()}


@pytest.mark.parametrize("command", WRITES)
async def test_no_way_round_leads_to_what_steers(bed: Bed, command: str) -> None:
    git(bed.root, "init", "-q")
    for name in STEERING:
        (bed.root / name).parent.mkdir(exist_ok=True)
        with (bed.root / name).open("a") as file:
            file.write("# as it was\n")
    before = steering(bed.root)
    await attack(bed, command)
    assert steering(bed.root) == before
    assert not (bed.root / "plan.md").is_symlink()


EXCHANGE = """
import ctypes, os
os.mkdir("n")
libc = ctypes.CDLL(None, use_errno=True)
print("done" if libc.renameat2(-100, b"n", -100, b".qagent", 2) == 0 else "no")
"""


async def test_nothing_can_be_put_in_the_place_of_what_steers(full: Bed) -> None:
    (full.root / ".qagent").mkdir()
    assert await tried(full, EXCHANGE) == "no"


# ------------------------------------------------------------------ other programs


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Path]:
    """A socket with a path, beside the workspace, on which a program of the machine listens."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield path


CONNECT = "import socket\nwith socket.socket(socket.AF_UNIX) as s:\n    s.connect({address!r})\n    print('done')\n"


async def test_no_program_is_reached_by_the_path_of_its_socket(full: Bed, door: Path) -> None:
    assert await tried(full, CONNECT.format(address=str(door))) != "done"
    (full.root / "via").symlink_to(door)
    assert await tried(full, CONNECT.format(address="via")) != "done"


async def test_a_socket_of_the_workspace_stays_open_to_it(full: Bed) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(full.root / "s"))
        listening.listen()
        assert await tried(full, CONNECT.format(address="s")) == "done"


async def test_no_program_is_reached_by_an_abstract_socket(bed: Bed) -> None:
    if bed.kind == "landlock alone" and landlock_abi() < 6:
        pytest.skip("Landlock closes them from version 6 on")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0qagent-{os.getpid()}")
        listening.listen()
        assert await tried(bed, CONNECT.format(address=f"\0qagent-{os.getpid()}")) != "done"


async def test_neither_streams_nor_datagrams_get_out_by_the_newer_protocol(full: Bed) -> None:
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ear,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as server,
    ):
        ear.bind(("::1", 0))
        ear.setblocking(False)
        server.setblocking(False)
        await tried(full, f"import socket\nsocket.socket(10, 2).sendto(b'x', ('::1', {ear.getsockname()[1]}))\n")
        await tried(full, f"import socket\nsocket.create_connection(('::1', {server.getsockname()[1]}), 5)\n")
        with pytest.raises(BlockingIOError):
            ear.recv(1)
        with pytest.raises(BlockingIOError):
            server.accept()


PRY = """
import ctypes, os
libc, pid = ctypes.CDLL(None, use_errno=True), {pid}
found = []
if libc.ptrace(16, pid, 0, 0) == 0:
    found.append("traced")
here, there = ctypes.create_string_buffer(8), ctypes.c_void_p({address})
class Span(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]
to, of = Span(ctypes.addressof(here), 8), Span({address}, 8)
if libc.process_vm_readv(pid, ctypes.byref(to), 1, ctypes.byref(of), 1, 0) > 0:
    found.append("read")
for name in ("mem", "environ", "fd/0", "cwd", "root/etc"):
    try:
        os.listdir(f"/proc/{{pid}}/{{name}}") if name in ("cwd", "root/etc") else open(f"/proc/{{pid}}/{{name}}", "rb")
        found.append(name)
    except OSError:
        pass
print(found or "nothing")
"""


async def test_qagent_s_own_process_can_be_neither_traced_nor_read(bed: Bed) -> None:
    import ctypes

    here = ctypes.create_string_buffer(b"secret!!")
    assert await tried(bed, PRY.format(pid=os.getpid(), address=ctypes.addressof(here))) == "nothing"


async def test_no_descriptor_of_qagent_s_is_handed_on(bed: Bed) -> None:
    target = os.open(bed.outside / "file", os.O_RDWR)
    try:
        os.set_inheritable(target, True)
        await attack(bed, f"echo x >&{target}; for n in $(seq 3 64); do echo x >&$n; done")
        assert (bed.outside / "file").read_text() == "as it was"
    finally:
        os.close(target)


TYPE = """
import fcntl, os, termios
fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), termios.TIOCSTI, b"x")
print("done")
"""


async def test_no_terminal_is_there_to_type_into(bed: Bed) -> None:
    assert await tried(bed, TYPE) != "done"


async def test_disks_and_other_devices_are_out_of_sight(full: Bed) -> None:
    usual = "console core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero"
    assert set((await attack(full, "ls /dev")).text.split("\n")[1:]) <= set(usual.split())
    shown = await attack(full, "echo a > /dev/null; echo b > /dev/stdout; head -c 2 /dev/zero | wc -c; cat <(echo c)")
    assert shown.text.split("\n")[1:] == ["b", "2", "c"]


async def test_the_kernel_s_settings_are_read_only(full: Bed) -> None:
    paths = ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/proc/irq/default_smp_affinity")
    for path in (*paths, "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"):
        assert not (await attack(full, f"sh -c ': >> {path}'")).good


# ------------------------------------------------------------------ what would outlive a command

CHAIN = """
import os, sys
os.setsid()
while True:
    if os.fork():
        os._exit(0)
"""


@pytest.mark.parametrize("waits", ["sleep 1000", "true"])
async def test_what_flees_from_process_to_process_is_caught(bed: Bed, waits: str) -> None:
    alive = Alive(bed.root)
    (bed.root / "chain.py").write_text(CHAIN)
    command = f"exec 7>alive; python3 chain.py & sleep 0.3; {waits}"
    try:
        told = (await Shell(bed.shell.confinement).run(Workspace(bed.root), command=command, timeout=2)).text
    except ToolFailed as stopped:
        told = stopped.text
    assert "stopped" in told
    assert await alive.gone()


async def test_what_a_command_starts_and_leaves_is_many_and_gone(bed: Bed) -> None:
    alive = Alive(bed.root)
    await attack(bed, "exec 7>alive; for i in $(seq 60); do setsid -f sh -c 'sleep 1000 & sleep 1000'; done")
    assert await alive.gone()
    assert names(bed.outside) == ["file"]

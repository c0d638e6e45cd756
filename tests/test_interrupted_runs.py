"""Runs that are interrupted or fail: what they changed is told, and the end of their task is kept."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from command import qagent
from scripted_agent import EDIT, READ, call, repository

from qagent.config import Settings
from qagent.errors import Unreachable
from qagent.models.scripted import ScriptedModel, ScriptLine
from qagent.narration import Line
from qagent.repl import Conversation
from qagent.running import Interrupted, run_to_end
from qagent.session import Session
from qagent.testing import Fault, LoopbackOllama
from qagent.types import SystemMessage
from qagent.wiring import Place, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

Capture = pytest.CaptureFixture[str]
MAKE = call("run", command="printf x > made.txt")
IN_A_TERMINAL = """
import fcntl, termios
from qagent.__main__ import main

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
raise SystemExit(main())
"""
MANY = "2 files were changed; `qagent undo -C {}` takes them back"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_tells_what_was_changed_and_keeps_the_end_of_the_task(
    folder: Path, capsys: Capture, number: int
) -> None:
    with LoopbackOllama([READ, EDIT, MAKE, Fault("stall", after="thinking")]) as server:
        words = ["-p", "Fix it.", "-C", str(folder), "--host", server.url, "--mode", "auto"]
        child = subprocess.Popen(
            [sys.executable, "-m", "qagent", *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        server.wait_for(5)
        child.send_signal(number)
        _, err = child.communicate(timeout=20)
        assert server.requests[-1].closed_early.wait(10)
    assert child.returncode == 128 + number
    assert f"  {MANY.format(folder)}\n  the session is saved" in err
    (task,) = qagent(capsys, "undo", "--list", "--json", "-C", str(folder)).json["tasks"]
    assert (task["state"], task["files"]) == ("done", ["calc.py", "made.txt"])


def test_a_hangup_that_nohup_ignores_is_ignored() -> None:
    async def work(*, ends: bool) -> str:
        os.kill(os.getpid(), signal.SIGHUP)
        while not ends:
            await asyncio.Event().wait()
        return "done"

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_to_end(work(ends=True)) == "done"
    finally:
        signal.signal(signal.SIGHUP, before)
    with pytest.raises(Interrupted) as stop:
        run_to_end(work(ends=False))
    assert stop.value.code == 129
    assert signal.getsignal(signal.SIGHUP) is before


def test_a_failed_run_tells_what_was_changed(folder: Path, capsys: Capture) -> None:
    with LoopbackOllama([READ, EDIT, Fault("status", status=400)]) as server:
        ran = qagent(capsys, "-p", "Fix it.", "-C", str(folder), "--host", server.url)
    assert ran.code == 6
    assert f"  1 file was changed; `qagent undo -C {folder}` takes it back\n" in ran.err


def test_a_check_that_fails_to_the_end_tells_what_was_changed(folder: Path, capsys: Capture) -> None:
    with LoopbackOllama([READ, EDIT, *["I am done."] * 9]) as server:
        words = ["-C", str(folder), "--host", server.url, "--mode", "auto", "--set", "check_command=false"]
        ran = qagent(capsys, "-p", "Fix it.", words)
    assert (ran.code, "`qagent undo" in ran.err) == (3, True)


def test_a_run_that_is_done_and_one_that_changed_nothing_do_not(folder: Path, capsys: Capture) -> None:
    for replies, code in (([READ, EDIT, "Fixed."], 0), ([READ, Fault("status", status=400)], 6)):
        with LoopbackOllama(replies) as server:
            ran = qagent(capsys, "-p", "Fix it.", "-C", str(folder), "--host", server.url)
        assert (ran.code, "changed; " in ran.err) == (code, False)


# ------------------------------------------------------------------ the conversation


def talk(
    folder: Path, state: Path, replies: Iterable[ScriptLine], *lines: str | type[BaseException]
) -> tuple[Conversation, str]:
    place = Place(Workspace.open(folder), Settings(mode="ask", sandbox="off"), Words(), state=state)
    session, said, typed = Session.in_memory(cwd=folder), list[Line](), iter(lines)
    session.add(SystemMessage(prefix(place)[0]))

    def read(prompt: str) -> str:
        line = next(typed, EOFError)
        if isinstance(line, str):
            return line
        raise line

    talking = Conversation(place, ScriptedModel(replies), session, read, said.append)
    talking.run()
    return talking, "\n".join(line.text for line in said)


def test_the_conversation_tells_it_after_a_failed_task(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    replies: list[ScriptLine] = [READ, EDIT, MAKE, Unreachable("no answer", todo="start it")]
    talking, screen = talk(folder, tmp_path_factory.mktemp("state"), replies, "Fix it.", "y", "y")
    assert "= failed (no answer)\n  start it\n  2 files were changed; `/undo` takes them back" in screen
    assert isinstance(talking.failure, Unreachable)


def test_the_conversation_tells_it_after_ctrl_c(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("state")
    talking, screen = talk(folder, state, [READ, EDIT, MAKE], "Fix it.", "y", KeyboardInterrupt)
    assert "= cancelled\n  1 file was changed; `/undo` takes it back" in screen
    assert talking.failure is None


def test_a_terminal_that_is_closed_ends_the_conversation_and_keeps_the_end_of_the_task(
    folder: Path, capsys: Capture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    with LoopbackOllama([READ, EDIT, MAKE, Fault("stall", after="thinking\n")]) as server:
        leader, follower = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-c", IN_A_TERMINAL, "-C", str(folder), "--host", server.url, "--mode", "auto"],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            env={**os.environ, "TERM": "dumb", "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        os.close(follower)
        os.write(leader, b"Fix it.\n")
        seen = b""
        while b"thinking" not in seen:
            assert select.select([leader], [], [], 30)[0], seen
            seen += os.read(leader, 1 << 16)
        os.close(leader)
        assert child.wait(20) == 129
    assert list(temporary.iterdir()) == []
    (task,) = qagent(capsys, "undo", "--list", "--json", "-C", str(folder)).json["tasks"]
    assert (task["state"], task["files"]) == ("done", ["calc.py", "made.txt"])


@pytest.mark.parametrize(("fault", "code"), [(Fault("status", status=500), 6), (Fault("status", status=400), 6)])
def test_a_piped_conversation_ends_as_a_single_task_would(folder: Path, fault: Fault, code: int) -> None:
    ended: list[int] = []
    for words, given in ((["-p", "Fix it."], ""), ([], "Fix it.\n")):
        with LoopbackOllama([fault] * 9) as server:
            command = [sys.executable, "-m", "qagent", *words, "-C", str(folder), "--host", server.url]
            ended.append(subprocess.run(command, input=given, capture_output=True, text=True, check=False).returncode)
    assert ended == [code, code]


def test_in_a_bare_repository_it_is_not_said_that_there_is_none(tmp_path: Path, capsys: Capture) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path)], check=True)
    with LoopbackOllama(["Hello."]) as server:
        ran = qagent(capsys, "-p", "hi", "-C", str(tmp_path), "--host", server.url)
    assert f"! {tmp_path} is a bare git repository, without a work tree: `qagent undo` takes back" in ran.err

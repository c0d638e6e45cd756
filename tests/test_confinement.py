from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import qagent
from scripted_agent import RUN, Scene, call, write_files
from scripted_agent import repository as git_repository

from qagent.repl import Conversation
from qagent.sandbox import landlock, seatbelt
from qagent.sandbox.bounds import (
    UNCLOSED,
    UNCLOSED_LINUX,
    WITH_NETWORK,
    Bind,
    Bounds,
    Empty,
    Grants,
    Shut,
    Wanted,
    mounts,
)
from qagent.sandbox.choice import Active, Confinement
from qagent.sandbox.landlock import Machine
from qagent.sandbox.reach import bounds_of, git_folder
from qagent.sandbox.refusals import GIT, LOOPBACK, NETWORK, NETWORK_OFF, OUTSIDE, SHUT, told
from qagent.testing import LoopbackOllama

NOWHERE = {"PATH": "/nowhere", "HOME": "/nowhere"}

# ------------------------------------------------------------------ which one


async def test_what_is_switched_off_is_none_by_choice() -> None:
    active = await Confinement("off").active()
    assert (active.name, active.chosen) == ("none", True)


@pytest.mark.parametrize("wanted", ["bubblewrap", "seatbelt"])
async def test_a_sandbox_that_was_asked_for_and_is_not_there_is_none_with_a_reason(wanted: Wanted) -> None:
    if wanted == "seatbelt" and sys.platform == "darwin":
        pytest.skip("there it is")
    active = await Confinement(wanted, NOWHERE).active()
    assert (active.name, active.chosen, bool(active.why)) == ("none", False, True)
    assert active.words.startswith("no sandbox: ")


async def test_a_bubblewrap_that_does_not_work_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/nowhere"}
    assert "does not work here" in (await Confinement("bubblewrap", env).active()).why
    assert (await Confinement("auto", env).active()).name != "bubblewrap"


async def test_a_program_of_the_project_is_not_taken_for_bubblewrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert (await Confinement("bubblewrap", {"PATH": ".:"}).active()).why == "bubblewrap is not installed"


async def test_it_is_found_out_once() -> None:
    confinement = Confinement("off")
    assert confinement.known is None
    active = await confinement.active()
    assert confinement.known is active
    assert await confinement.active() is active


async def test_a_cancel_while_it_is_tried_leaves_no_process_behind() -> None:
    for steps in range(12):
        trying = asyncio.ensure_future(Confinement("auto").active())
        for _ in range(steps):
            await asyncio.sleep(0)
        trying.cancel()
        await asyncio.wait([trying])
    gc.collect()  # what was left running tells of itself here


async def test_a_kernel_without_landlock_has_none_of_it() -> None:
    active = await Confinement("landlock", machine=Machine(0)).active()
    assert active == Active("none", why="this kernel has no Landlock")


OPEN = [
    (Machine(1), {"moving files between folders fails (it needs version 2)", "the network (TCP needs version 4)"}),
    (Machine(3), {"the network (TCP needs version 4)", "signals to other programs (it needs version 6)"}),
    (Machine(4), {"UDP", "signals to other programs (it needs version 6)"}),
    (Machine(7), {"UDP", "reading keys in the home folder"}),
]


@pytest.mark.parametrize(("machine", "expected"), OPEN)
def test_landlock_says_what_it_cannot_close(machine: Machine, expected: set[str]) -> None:
    assert expected <= set(landlock.left_open(machine))
    assert set(landlock.closed(machine)).isdisjoint(landlock.left_open(machine))


def test_with_namespaces_only_what_no_sandbox_closes_is_open() -> None:
    assert landlock.left_open(Machine(7, namespaces=True)) == (*UNCLOSED, *UNCLOSED_LINUX, WITH_NETWORK)


# ------------------------------------------------------------------ what it may touch


def repository(folder: Path, *words: str) -> Path:
    subprocess.run(["git", "init", "-q", *words, str(folder)], check=True)
    return folder


def test_what_steers_is_shut_and_git_is_opened_by_a_grant(tmp_path: Path) -> None:
    root = repository(tmp_path / "a")
    (root / "plan.md").touch()
    git = root / ".git"
    scratch = tmp_path / "scratch"
    closed = bounds_of(root, scratch, NOWHERE, Grants())
    work = bounds_of(root, scratch, NOWHERE, Grants("work"))
    settings = bounds_of(root, scratch, NOWHERE, Grants("settings"))
    assert closed.shut == (git, root / "plan.md")
    assert work.shut == (root / "plan.md", git / "hooks", git / "config")
    assert settings.shut == (root / "plan.md", git / "hooks")
    assert (closed.unwanted, work.unwanted) == ((), (git / "commondir", git / "config.worktree"))


def test_git_s_folder_is_found_above_and_through_pointers(tmp_path: Path) -> None:
    root = repository(tmp_path / "a")
    (root / "sub").mkdir()
    elsewhere = repository(tmp_path / "b", "--separate-git-dir", str(tmp_path / "store"))
    assert git_folder(root / "sub") == root / ".git"
    assert git_folder(elsewhere) == tmp_path / "store"
    above = bounds_of(root / "sub", tmp_path / "s", NOWHERE, Grants("work"))
    assert above.writable == (root / "sub", tmp_path / "s", root / ".git")


@pytest.mark.parametrize("text", ["gitdir: /nowhere", "gitdir: ..", "", "\0", "gitdir: " + "x" * 5000])
def test_a_pointer_that_leads_to_no_repository_opens_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    assert git_folder(tmp_path) is None
    assert bounds_of(tmp_path, tmp_path / "s", NOWHERE, Grants("work")).shut == (tmp_path / ".git",)


def test_more_folders_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    writes = (tmp_path / "more", tmp_path / "missing", Path("relative"))
    found = bounds_of(tmp_path / "project", tmp_path / "s", NOWHERE, Grants(), writes)
    assert found.writable == (tmp_path / "project", tmp_path / "s", tmp_path / "more")


def test_keys_are_hidden_but_not_what_the_project_lies_in(tmp_path: Path) -> None:
    for name in (".ssh", ".config/gh", "project"):
        (tmp_path / name).mkdir(parents=True)
    env = {"HOME": str(tmp_path), "PATH": ""}
    hidden = bounds_of(tmp_path / "project", tmp_path / "s", env, Grants()).hidden
    assert {tmp_path / ".ssh", tmp_path / ".config/gh"} <= set(hidden)
    assert tmp_path / ".ssh" not in bounds_of(tmp_path / ".ssh", tmp_path / "s", env, Grants()).hidden
    assert tmp_path / ".ssh" not in bounds_of(tmp_path / "project", tmp_path / "s", env, Grants(keys=True)).hidden


def test_the_view_is_made_in_the_right_order() -> None:
    root, git = Path("/tmp/x/project"), Path("/tmp/x/project/.git")
    tools, home = Path("/tmp/env"), Path("/home/me")
    bounds = Bounds(root, Path("/tmp/s"), (root, Path("/tmp/s")), (git,), (home / ".ssh", home / ".netrc"), (tools,))
    assert mounts(bounds, files=frozenset({home / ".netrc"})) == [
        Bind(Path("/tmp/s"), Path("/tmp"), writable=True),
        Bind(tools, tools, writable=False),
        Bind(Path("/tmp/x"), Path("/tmp/x"), writable=False),
        Bind(root, root, writable=True),
        Bind(git, git, writable=False),
        Empty(home / ".ssh"),
        Shut(home / ".ssh"),
        Empty(home / ".netrc", is_folder=False),
    ]


def test_the_profile_for_macos_closes_writing_and_the_network() -> None:
    root = Path('/Users/me/a "b"\\c')
    bounds = Bounds(root, Path("/s"), (root, Path("/s")), (root / ".git",), (Path("/Users/me/.ssh"),))
    assert seatbelt.profile(bounds).splitlines() == [
        "(version 1)",
        "(allow default)",
        "(deny file-write*)",
        r'(allow file-write* (subpath "/Users/me/a \"b\"\\c") (subpath "/s"))',
        '(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (literal "/dev/stdout") '
        '(literal "/dev/stderr") (literal "/dev/dtracehelper"))',
        r'(deny file-write* (subpath "/Users/me/a \"b\"\\c/.git"))',
        '(deny file-read* file-write* (subpath "/Users/me/.ssh"))',
        "(deny network*)",
        "(deny signal)",
        "(allow signal (target same-sandbox))",
    ]
    assert "(deny network*)" not in seatbelt.profile(dataclasses.replace(bounds, network=True))
    assert seatbelt.arguments(bounds, ["ls"])[:2] == ["/usr/bin/sandbox-exec", "-p"]


# ------------------------------------------------------------------ what is told

BOUNDS = Bounds(Path("/project"), Path("/s"), (Path("/project"), Path("/s")))
TELLING = [
    ("touch: cannot touch '/etc/x': Read-only file system", OUTSIDE),
    ("OSError: [Errno 30] Read-only file system: '/usr/lib/x'", OUTSIDE),
    ("Error: EROFS: read-only file system, open '/home/x'", OUTSIDE),
    ("fatal: Unable to create '/project/.git/index.lock': Read-only file system", GIT),
    ("bash: .qagent/config.toml: Read-only file system", SHUT),
    ("cp: cannot create '/project/.gitignore': Read-only file system", OUTSIDE),
    ("curl: (6) Could not resolve host: example.org", NETWORK),
    ("npm error code EAI_AGAIN", NETWORK),
    ("PermissionError: [Errno 13] Permission denied: connect", ""),
    ("connect to x port 80 failed: Operation not permitted", NETWORK),
    ("ConnectionRefusedError: [Errno 111] Connection refused", LOOPBACK),
    ("bash: ./x: Permission denied", ""),
    ("AssertionError: 1 != 2", ""),
]


@pytest.mark.parametrize(("output", "sentence"), TELLING)
def test_what_the_sandbox_refused_is_told_from_the_rest(output: str, sentence: str) -> None:
    assert told(output, BOUNDS) == sentence


def test_a_denial_is_the_sandbox_s_when_the_person_could_write_there(tmp_path: Path) -> None:
    assert told(f"touch: cannot touch '{tmp_path}/x': Permission denied", BOUNDS) == OUTSIDE
    inside = dataclasses.replace(BOUNDS, writable=(tmp_path,))
    assert told(f"touch: cannot touch '{tmp_path}/x': Permission denied", inside) == ""


def test_with_the_network_nothing_of_it_is_blamed() -> None:
    bounds = dataclasses.replace(BOUNDS, network=True)
    assert told("Could not resolve host: x", bounds) == told("Connection refused", bounds) == ""
    assert told("Could not resolve host: x", BOUNDS, network_off=True) == NETWORK_OFF


# ------------------------------------------------------------------ in a run


def without_sandbox(folder: Path, *replies: str) -> Scene:
    scene = Scene(folder, [*replies, "Done."])
    object.__setattr__(scene.place, "given", Confinement("bubblewrap", NOWHERE))
    return scene


async def test_without_a_sandbox_a_run_in_auto_mode_asks_and_says_so_once(tmp_path: Path) -> None:
    first, second = call("run", command="python3 -c 'print(1)'"), call("run", command="python3 -c 'print(2)'")
    scene = without_sandbox(write_files(tmp_path), first, second)
    await scene.run("Run it.")
    assert len(scene.questions) == 2
    assert "since there is no sandbox: bubblewrap is not installed" in scene.questions[0].reason
    assert scene.notices().count("no sandbox: bubblewrap is not installed") == 1


async def test_one_that_was_switched_off_needs_no_question(tmp_path: Path) -> None:
    reply = call("run", command="python3 -c 'print(1)'")
    scene = Scene(write_files(tmp_path), [reply, "Done."], settings={"sandbox": "off"})
    await scene.run("Run it.")
    assert (scene.questions, scene.notices()) == ([], [])


def test_the_closing_object_names_the_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("-C", str(git_repository(tmp_path)), "--json", "--mode", "auto")
    with LoopbackOllama([RUN, "It fails.", "Hello."]) as server:
        ran = qagent(capsys, "-p", "Run the tests.", *where, "--host", server.url, "--set", "sandbox=off")
        idle = qagent(capsys, "-p", "What is here?", *where, "--host", server.url, "--set", "sandbox=seatbelt")
    assert ran.json["sandbox"]["name"] == "none"
    assert ran.json["sandbox"]["why"] == "it is switched off (sandbox = off)"
    assert idle.json["sandbox"]["name"] == ("seatbelt" if sys.platform == "darwin" else "none")


def test_the_start_of_a_run_names_the_sandbox_in_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("-C", str(git_repository(tmp_path)), "--set", "sandbox=off")
    with LoopbackOllama(["Hello."] * 3) as server:
        at = (*where, "--host", server.url)
        streamed = qagent(capsys, "-p", "What is here?", *at, "--output-format", "stream-json")
        told = qagent(capsys, "-p", "What is here?", *at, "-v")
        short = qagent(capsys, "-p", "What is here?", *at)
    assert streamed.events[0]["sandbox"] == "off"
    assert "mode accept-edits, sandbox: off\n" in told.err
    assert "sandbox" not in short.err


async def test_the_start_of_a_conversation_names_it_too(tmp_path: Path) -> None:
    scene = Scene(write_files(tmp_path), [], settings={"sandbox": "off"})
    await scene.place.confinement.active()
    said: list[str] = []

    def read(prompt: str) -> str:
        raise EOFError

    Conversation(scene.place, scene.model, scene.kept, read, lambda line: said.append(line.text), waiting=False).run()
    assert said == [f"qagent with {scene.model.name}, mode auto, sandbox: off. /help tells more."]


def test_a_server_that_does_not_answer_leaves_no_search_for_a_sandbox_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = qagent(capsys, "-p", "x", "-C", str(tmp_path), "--host", "http://127.0.0.1:9", "--json")
    assert (ran.code, ran.json["reason"]) == (6, "unreachable")


def test_the_record_is_plain_json() -> None:
    assert json.loads(json.dumps(Active("none", why="x").record))["why"] == "x"


async def test_settings_reach_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_WORD", "hush")
    settings = {"api_key_env": "TEAM_WORD", "network": "off"}
    scene = Scene(
        write_files(tmp_path), [call("run", command="printenv TEAM_WORD || echo none"), "Done."], settings=settings
    )
    await scene.run("Run it.")
    assert scene.results()[0].endswith("\nnone")
    assert (scene.place.shell.network, os.environ["TEAM_WORD"]) == ("off", "hush")

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import qagent
from sandboxes import usable
from scripted_agent import repository

from qagent.cli.doctor import WIDTH, doctor, page
from qagent.cli.findings import LOOKS, Finding, Level, Look, Patient, disk_level, examined
from qagent.cli.start import Options
from qagent.errors import ConfigProblem, Unreachable
from qagent.sandbox import advice
from qagent.sandbox.advice import CONTAINER, System, another, todo
from qagent.sandbox.bounds import Wanted
from qagent.sandbox.choice import Active, Confinement
from qagent.testing import LoopbackOllama

Capture = pytest.CaptureFixture[str]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def confined() -> Confinement:
    return usable("bubblewrap")


def patient(**env: str) -> Patient:
    return Patient(ConfigProblem("broken"), Path(), env)


async def one(look: Look, seconds: float = 30, **env: str) -> Finding:
    (found,) = await examined(patient(**env), {"it": look}, seconds)
    return found


# ------------------------------------------------------------------ the command


def test_it_says_ready_when_nothing_is_red(tmp_path: Path, capsys: Capture, nobodys_environment: Path) -> None:
    with LoopbackOllama([]) as server:
        ran = qagent(capsys, "doctor", "-C", str(repository(tmp_path)), "--host", server.url, "--set", "sandbox=off")
    assert ran.code == 0
    assert [line.split()[1] for line in ran.out.splitlines() if line[0] in "✓!✗"] == list(LOOKS)
    assert "! sandbox   none: it is switched off (sandbox = off)\n" in ran.out
    assert '→ remove `sandbox = "off"` from your settings' in ran.out
    assert "answers, the model is qwen2.5-coder" in ran.out
    assert ran.out.splitlines()[-1].startswith("ready")
    assert list(nobodys_environment.iterdir()) == []


def test_a_server_that_does_not_answer_is_red_and_exit_3(tmp_path: Path, capsys: Capture) -> None:
    ran = qagent(capsys, "doctor", "-C", str(tmp_path), "--host", NOWHERE, "--json")
    assert (ran.code, ran.json["exit"], ran.json["reason"]) == (3, 3, "not_ready")
    assert list(ran.json) == ["exit", "reason", "checks"]
    checks = {check["name"]: check for check in ran.json["checks"]}
    assert list(checks) == list(LOOKS)
    assert checks["server"]["level"] == "red"
    assert "ollama serve" in checks["server"]["todo"]


def test_a_model_that_is_not_there_is_red_with_the_command_that_gets_it(tmp_path: Path, capsys: Capture) -> None:
    with LoopbackOllama([]) as server:
        ran = qagent(capsys, "doctor", "-C", str(tmp_path), "--host", server.url, "-m", "qwen2.5-coder:32b")
        assert server.generated == []
    assert ran.code == 3
    assert "ollama pull qwen2.5-coder:32b" in ran.out
    assert ran.out.splitlines()[-1].startswith("not ready: 1 to mend")


def test_settings_that_cannot_be_read_are_one_red_line_and_the_rest_is_looked_at(
    tmp_path: Path, capsys: Capture, nobodys_environment: Path
) -> None:
    file = nobodys_environment / "qagent_home" / "config.toml"
    file.parent.mkdir()
    file.write_text("modle = 'x'\n")
    ran = qagent(capsys, "doctor", "-C", str(tmp_path), "--json")
    levels = {check["name"]: check["level"] for check in ran.json["checks"]}
    assert (ran.code, levels["settings"], levels["python"], levels["server"]) == (3, "red", "green", "yellow")


def test_what_is_typed_wrongly_is_wrong_usage(tmp_path: Path, capsys: Capture) -> None:
    assert qagent(capsys, "doctor", "-C", str(tmp_path), "--set", "nothing=1", "--json").json["exit"] == 2


def test_files_that_are_read_are_named_with_the_trust_that_they_have(
    tmp_path: Path, capsys: Capture, nobodys_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".qagent").mkdir()
    (tmp_path / ".qagent" / "config.toml").write_text("max_turns = 3\n")
    monkeypatch.setenv("QAGENT_TIMEOUT", "90s")
    arguments = ("doctor", "-C", str(tmp_path), "--host", NOWHERE, "--json")

    def told() -> Finding:
        return Finding(
            **next(check for check in qagent(capsys, *arguments).json["checks"] if check["name"] == "settings")
        )

    before = told()
    qagent(capsys, "-p", "x", "-C", str(tmp_path), "--host", NOWHERE, "--trust")
    after = told()
    assert (before.level, after.level) == ("yellow", "green")
    assert "you have not trusted it as it is now" in before.what
    assert "qagent --trust" in before.todo
    assert f"{tmp_path / '.qagent'} (you have trusted it)" in after.what
    assert "QAGENT_TIMEOUT (timeout)" in after.what
    assert f"no {nobodys_environment}" in after.what


def test_no_secret_is_shown(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush-hush")
    monkeypatch.setenv("TEAM_TOKEN", "qwen-hush")
    at = ("-C", str(tmp_path), "--server", "openai", "--host", NOWHERE, "-m", "qwen-hush")
    for ran in (qagent(capsys, "doctor", *at), qagent(capsys, "doctor", *at, "--json")):
        assert ran.code == 3
        assert "hush" not in ran.out + ran.err


def test_a_sandbox_is_one_line_and_its_details_are_asked_for(
    tmp_path: Path, capsys: Capture, confined: Confinement
) -> None:
    assert confined.wanted == "bubblewrap"
    at = Options(tmp_path, sets=("sandbox=bubblewrap",))
    doctor(at, as_json=False)
    shown = capsys.readouterr().out
    doctor(replace(at, verbose=True), as_json=False)
    detailed = capsys.readouterr().out
    assert "not close" not in shown
    assert "✓ sandbox   bubblewrap: writes to the project and temporary files only, no network" in shown
    assert "it does not close: reading most other files" in detailed
    ran = qagent(capsys, "doctor", "-C", str(tmp_path), "--set", "sandbox=bubblewrap", "--json")
    (found,) = (check for check in ran.json["checks"] if check["name"] == "sandbox")
    assert found["more"].startswith("it does not close: ")


def test_no_line_is_wider_than_the_page_but_for_what_cannot_be_broken(tmp_path: Path, capsys: Capture) -> None:
    at = ("-C", str(tmp_path), "--host", NOWHERE)
    page = qagent(capsys, "doctor", at, "--set", "sandbox=off").out.replace(str(tmp_path), "/folder")
    assert max(map(len, page.splitlines())) <= WIDTH
    assert qagent(capsys, "doctor", at, "--set", "sandbox=off").out.count("→") > 1


def test_long_advice_is_wrapped_like_all_the_rest() -> None:
    lines = [line.text for line in page([Finding("settings", "red", "unknown", "there is: " + "name, " * 60)])]
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) > 4


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_the_signs_gets_plainer_ones(tmp_path: Path, encoding: str) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "qagent", "doctor", "-C", str(tmp_path), "--host", NOWHERE]
    shown = subprocess.run(command, env=env, capture_output=True, check=False).stdout.decode(encoding)
    assert "\\u" not in shown
    assert shown.split()[:2] == ["+", "python"]
    assert "\n            > export LANG=C.UTF-8\n" in shown


def test_the_kind_of_undo_that_a_folder_gets_is_told(tmp_path: Path, capsys: Capture) -> None:
    def told(folder: Path) -> Finding:
        at = ("-C", str(folder), "--host", NOWHERE, "--set", "sandbox=off")
        checks = qagent(capsys, "doctor", at, "--json").json["checks"]
        return Finding(**next(check for check in checks if check["name"] == "git"))

    (tmp_path / "plain").mkdir()
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)
    inside, plain, bare = told(repository(tmp_path / "x")), told(tmp_path / "plain"), told(tmp_path / "bare")
    assert (inside.level, "what commands change too" in inside.what) == ("green", True)
    assert (plain.level, "not what commands change" in plain.what, plain.todo) == ("yellow", True, "git init")
    assert (bare.level, bare.todo) == ("yellow", "git init")


async def test_a_repository_in_which_undo_cannot_work_is_told_with_the_reason(tmp_path: Path) -> None:
    folder = repository(tmp_path / "x")
    (tmp_path / "else").mkdir()
    with (folder / ".git/config").open("a") as settings:
        settings.write(f"[core]\n\tworktree = {tmp_path / 'else'}\n")
    (found,) = await examined(replace(patient(**os.environ), folder=folder), {"git": LOOKS["git"]})
    assert (found.level, found.todo) == ("yellow", "")
    assert "not what commands change: " in found.what


def test_without_a_path_commands_run_all_the_same(tmp_path: Path, capsys: Capture, confined: Confinement) -> None:
    del confined
    env = {**os.environ, "PATH": ""}
    command = [sys.executable, "-m", "qagent", "doctor", "-C", str(tmp_path), "--host", NOWHERE, "--json"]
    ran = json.loads(subprocess.run(command, env=env, capture_output=True, check=False).stdout)
    (found,) = (check for check in ran["checks"] if check["name"] == "sandbox")
    assert found["level"] != "red", found


# ------------------------------------------------------------------ one look


async def test_a_look_that_fails_is_a_finding_as_well() -> None:
    async def unreachable(patient: Patient) -> Finding:
        raise Unreachable("nothing there", todo="start it")

    async def full(patient: Patient) -> Finding:
        raise OSError(28, "No space left on device")

    assert await one(unreachable) == Finding("it", "red", "nothing there", "start it")
    assert await one(full) == Finding("it", "red", "No space left on device")


async def test_a_look_that_takes_too_long_is_ended() -> None:
    async def waits(patient: Patient) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    assert (await one(waits, 0.01)).what == "no answer within 0.01 s"


async def test_the_value_of_a_secret_is_taken_out_of_every_text() -> None:
    async def careless(patient: Patient) -> Finding:
        return Finding("it", "green", "key hush-hush-hush-2", "say hush-hush")

    found = await one(careless, MY_TOKEN="hush-hush", OTHER_KEY="hush-hush-hush", PLAIN="say")
    assert (found.what, found.todo) == ("key …-2", "say …")


async def test_without_git_it_says_what_is_lost(tmp_path: Path) -> None:
    found = await one(LOOKS["git"], PATH=str(tmp_path))
    assert (found.level, found.todo) == ("yellow", "install git")


GITS: list[tuple[str, Level]] = [
    ("2.20.1", "yellow"),
    ("2.31.0", "green"),
    ("2.39.5 (Apple Git-154)", "green"),
    ("x", "yellow"),
]


@pytest.mark.parametrize(("version", "level"), GITS)
async def test_an_old_git_is_told(tmp_path: Path, version: str, level: Level) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\necho 'git version {version}'\n")
    (tmp_path / "git").chmod(0o755)
    asked = replace(patient(PATH=f"{tmp_path}:{os.environ['PATH']}"), folder=repository(tmp_path / "x"))
    (found,) = await examined(asked, {"git": LOOKS["git"]})
    assert found.level == level


@pytest.mark.parametrize(("free", "level"), [(10**12, "green"), (10**8, "yellow"), (10**6, "red"), (0, "red")])
def test_a_disk_that_is_nearly_full_is_told(free: int, level: Level) -> None:
    assert disk_level(free) == level


# ------------------------------------------------------------------ a better sandbox

NONE = Active("none", why="bubblewrap is not installed")
PART = Active("landlock", whole=False)
CLONE = "/proc/sys/kernel/unprivileged_userns_clone"
ARMOUR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"


def linux(*programs: str, root: bool = False, **switches: str) -> System:
    told = {path: switches[name] for name, path in (("CLONE", CLONE), ("ARMOUR", ARMOUR)) if name in switches}
    return System("linux", lambda name: name in programs, told, root)


ADVICE = [
    (Active("bubblewrap"), linux(), ""),
    (Active("landlock"), linux("bwrap"), ""),
    (Active("seatbelt"), System("darwin", lambda _: False), ""),
    (Active("none", chosen=True), linux(), 'remove `sandbox = "off"`'),
    (NONE, linux("apt-get"), "sudo apt-get install bubblewrap"),
    (NONE, linux("dnf"), "sudo dnf install bubblewrap"),
    (NONE, linux("pacman", "brew"), "sudo pacman -S bubblewrap"),
    (PART, linux("brew"), "brew install bubblewrap"),
    (PART, linux(), "install bubblewrap"),
    (PART, linux("bwrap"), CONTAINER),
    (PART, linux("bwrap", CLONE="0\n"), "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    (PART, linux("apt-get", ARMOUR="1\n"), "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    (PART, linux("apt-get", ARMOUR="1\n", root=True), "sudo apt-get install bubblewrap"),
    (PART, linux("apt-get", ARMOUR="0\n", CLONE="1\n"), "sudo apt-get install bubblewrap"),
    (NONE, System("win32", lambda _: True), "qagent knows no sandbox for this system"),
]


def test_landlock_is_good_and_bubblewrap_is_named_as_the_better_one() -> None:
    told = todo(Active("landlock"), linux("apt-get"))
    assert told.partition("  # ")[0] == "sudo apt-get install bubblewrap"
    assert todo(Active("landlock"), linux("apt-get"), "landlock") == ""


ASKED_FOR: list[tuple[Wanted, System, str]] = [
    ("seatbelt", linux("bwrap"), 'remove `sandbox = "seatbelt"`'),
    ("bubblewrap", linux("bwrap"), 'remove `sandbox = "bubblewrap"`'),
    ("bubblewrap", linux("apt-get"), "sudo apt-get install bubblewrap"),
    ("bubblewrap", linux("bwrap", CLONE="0"), "sudo sysctl"),
    ("bubblewrap", System("darwin", lambda _: False), 'remove `sandbox = "bubblewrap"`'),
    ("landlock", linux("bwrap"), 'remove `sandbox = "landlock"`'),
]


@pytest.mark.parametrize(("wanted", "system", "begins"), ASKED_FOR)
def test_a_sandbox_that_was_asked_for_and_does_not_work_is_answered_for_itself(
    wanted: Wanted, system: System, begins: str
) -> None:
    assert todo(NONE, system, wanted).startswith(begins)
    assert CONTAINER not in todo(NONE, system, wanted)


OTHERS = [
    (Active("bubblewrap"), linux("bwrap"), "--set sandbox=landlock"),
    (Active("landlock"), linux("bwrap"), "--set sandbox=bubblewrap"),
    (Active("landlock"), linux("dnf"), "sudo dnf install bubblewrap"),
    (Active("seatbelt"), System("darwin", lambda _: False), "--set sandbox=off"),
]


@pytest.mark.parametrize(("active", "system", "names"), OTHERS)
def test_the_sandbox_that_failed_is_not_the_one_that_is_advised(active: Active, system: System, names: str) -> None:
    assert names in another(active, system)
    assert f"sandbox={active.name}" not in another(active, system)


@pytest.mark.parametrize(("active", "system", "begins"), ADVICE)
def test_the_way_to_a_better_sandbox_is_told(active: Active, system: System, begins: str) -> None:
    assert todo(active, system).startswith(begins)
    assert bool(todo(active, system)) == (not advice.is_whole(active))

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sandboxes import FULL, KINDS, Bed, bed_in, exists, git, names

from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace


@pytest.fixture(params=KINDS)
def bed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return bed_in(request.param, tmp_path, monkeypatch)


# ------------------------------------------------------------------ files


async def test_the_project_can_be_written_to(bed: Bed) -> None:
    command = "mkdir -p a/b && echo x > a/b/c && mv a/b/c a/d && ln -s d a/e && chmod +x a/d && : > a/d && rm a/e"
    assert (await bed.run(command)).text.startswith("exit 0")
    assert os.access(bed.root / "a" / "d", os.X_OK)


OUTSIDE_WRITES = [
    "echo x > {outside}/new",
    "echo x > {outside}/file",
    "echo x >> ../outside/file",
    "rm {outside}/file",
    "mv {outside}/file .",
    "mkdir {outside}/new",
    "ln {outside}/file link && echo x > link",
    "ln -s {outside} link && echo x > link/new",
    "truncate -s 0 {outside}/file",
    "cp /dev/null {outside}/file",
    "echo x > $HOME/new",
    "mkdir -p $HOME/.config/new",
    'python3 -c \'open("{outside}/new", "w")\'',
    "echo x > /etc/new-file-of-a-test",
    "echo x > /dev/new-file-of-a-test/x",
    "mknod node b 7 0",
]


@pytest.mark.parametrize("command", OUTSIDE_WRITES)
async def test_nothing_else_can(bed: Bed, command: str) -> None:
    ungranted = Shell(bed.shell.confinement)
    output = await ungranted.run(Workspace(bed.root), command=command.format(outside=bed.outside))
    assert not output.good
    assert (bed.outside / "file").read_text() == "as it was"
    assert names(bed.outside) == ["file"]
    assert names(Path(os.environ["HOME"])) == []
    assert not exists("/etc/new-file-of-a-test")


async def test_rights_and_times_outside_stay_as_they_are(full: Bed) -> None:
    before = (full.outside / "file").stat()
    assert not (await full.run(f"chmod 777 {full.outside}/file")).good
    assert not (await full.run(f"touch {full.outside}/file")).good
    assert (full.outside / "file").stat() == before
    refused = await full.lines("sh -c 'chmod 644 /etc/passwd; touch /etc/passwd'")
    assert sum("Read-only file system" in line for line in refused) == 2


async def test_temporary_files_are_kept_from_command_to_command_and_from_nobody_else(bed: Bed) -> None:
    folder = (await bed.lines('echo kept > "$TMPDIR/a"; echo "$TMPDIR"'))[0]
    assert await bed.lines('cat "$TMPDIR/a"') == ["kept"]
    assert (folder == "/tmp/qagent") == (bed.kind in FULL)
    if bed.kind in FULL:
        name = f"{bed.root.parent.name}-{os.getpid()}"
        command = f"echo x > /tmp/{name}; echo y > /var/tmp/{name}-2; cat /tmp/{name} /var/tmp/{name} /tmp/{name}-2"
        shown = await bed.lines(f"sh -c '{command}'")
        assert shown[:3] == ["x", "x", "y"]
        assert [line for line in shown[3:] if not line.startswith("[/tmp is private to your commands")] == []
        assert await bed.lines(f"cat /tmp/{name}") == ["x"]
        assert not exists(f"/tmp/{name}")


async def test_that_tmp_is_private_is_told_once_to_whom_it_concerns(full: Bed) -> None:
    assert await full.lines('echo x > "$TMPDIR/a"') == []
    (told,) = await full.lines("echo x > /tmp/a")
    assert (
        told
        == "[/tmp is private to your commands and thrown away when qagent ends; what is to stay goes into the project]"
    )
    assert await full.lines("echo x > /tmp/b; ls /tmp/a") == ["/tmp/a"]


async def test_what_steers_and_was_not_there_before_is_told(bed: Bed) -> None:
    shown = await bed.run("echo x > plan.md; mkdir .qagent")
    assert shown.text.split("\n")[1:2] == [
        "[new since this command began: .qagent and plan.md; what steers git or qagent is not for commands to make]"
    ]
    assert (bed.root / "plan.md").read_text() == "x\n"
    assert await bed.lines("cat plan.md") == ["x"]


async def test_a_repository_that_git_itself_makes_is_no_news(bed: Bed) -> None:
    assert "new since" not in (await bed.run("git init -q")).text


async def test_the_scratch_folder_goes_with_the_sandbox(bed: Bed) -> None:
    await bed.run("true")
    scratch = bed.shell.confinement.start(
        await bed.shell.confinement.active(), bed.root, bed.shell.grants("true", network=False), ["true"], 9
    ).bounds.scratch
    assert scratch.is_dir()
    confinement = bed.shell.confinement
    object.__setattr__(bed.shell, "confinement", None)
    del confinement
    assert not scratch.exists()


async def test_keys_and_qagent_s_own_files_are_out_of_sight(full: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    home = full.outside.parent / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    for name in (".ssh/id_rsa", ".netrc", "data/qagent/sessions/x"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("hush")
    (home / ".gitconfig").write_text("[user]\n\tname = t\n")
    await full.run("true")
    shown = await full.run(f"cat {home}/.ssh/id_rsa {home}/.netrc {home}/data/qagent/sessions/x; ls {home}/.ssh")
    assert "hush" not in shown.text


async def test_a_workspace_that_is_the_home_folder_keeps_its_keys(full: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(full.root))
    (full.root / ".ssh").mkdir()
    (full.root / ".ssh" / "id").write_text("hush")
    shown = await full.run("cat .ssh/id; echo x > .ssh/id; echo y > ok; cat ok")
    assert "hush" not in shown.text
    assert shown.text.endswith("\ny")
    assert (full.root / ".ssh" / "id").read_text() == "hush"


async def test_what_steers_qagent_or_git_is_read_only(full: Bed) -> None:
    git(full.root, "init", "-q")
    (full.root / ".qagent").mkdir()
    (full.root / "plan.md").write_text("the plan")
    before = sorted(full.root.rglob("*"))
    for command in (
        "echo x > .git/hooks/post-commit",
        "echo x >> .git/config",
        "echo x > .git/new",
        "mv .git git",
        "rm -r .git",
        "echo x > .qagent/config.toml",
        "mv .qagent other",
        "echo x > plan.md",
        "rm plan.md",
        "mv plan.md other",
        "sh -c 'git config core.fsmonitor ./x'",
    ):
        assert not (await full.run(command)).good, command
    assert sorted(full.root.rglob("*")) == before
    assert (full.root / "plan.md").read_text() == "the plan"


STEERED = [
    "echo x > .git/hooks/post-commit",
    "echo x >> .git/hooks/kept; rm .git/hooks/other",
    "echo x >> .git/config",
    "rm .git/config; ln -s /dev/null .git/config",
    "rm -r .git/hooks; ln -s /tmp .git/hooks",
    "rm -r .git/hooks",
    "chmod 777 .git/hooks/kept",
    "echo x > .git/commondir",
    "mkdir .git/commondir",
    "rm -r .git; mkdir -p .git/hooks; echo x > .git/hooks/a; echo x > .git/config",
    "echo x > .qagent/config.toml; mkdir .qagent/tools; echo x > .qagent/tools/x",
    "rm -r .qagent",
    "echo x > plan.md",
    "rm plan.md; mkdir plan.md; echo x > plan.md/y",
    "(setsid sh -c 'sleep 0.01; echo x > .git/hooks/late' &)",
]


@pytest.mark.parametrize("command", STEERED)
async def test_what_steers_is_the_same_after_every_command(bed: Bed, command: str) -> None:
    git(bed.root, "init", "-q")
    for name in (".git/hooks/kept", ".git/hooks/other", ".qagent/config.toml", "plan.md"):
        (bed.root / name).parent.mkdir(exist_ok=True)
        (bed.root / name).write_text(name)
    before = steering(bed.root)
    await bed.run(f"sh -c '{command}'" if "'" not in command else command)
    assert steering(bed.root) == before


def steering(root: Path) -> dict[str, tuple[int, bytes]]:
    git_s = [root / ".git" / name for name in ("config", "commondir", "config.worktree")]
    found = [*git_s, *(root / ".git" / "hooks").rglob("*"), *(root / ".qagent").rglob("*"), root / "plan.md"]
    return {str(path): (path.lstat().st_mode, path.read_bytes()) for path in found if path.is_file()}


async def test_root_s_powers_do_not_open_it_again(full: Bed) -> None:
    for command in (
        "mount -o remount,rw /",
        f"unshare -Urm mount -o remount,rw,bind {full.outside}",
        f"unshare -m umount -l {full.outside.parent}",
        f"nsenter -t 1 -m sh -c 'echo x > {full.outside}/file'",
        f"chroot /proc/1/root sh -c 'echo x > {full.outside}/file'",
    ):
        await full.run(f"{command}; echo x > {full.outside}/file; echo x > {full.outside}/new")
    assert (full.outside / "file").read_text() == "as it was"
    assert names(full.outside) == ["file"]


# ------------------------------------------------------------------ what works as ever


async def test_pytest_runs(bed: Bed) -> None:
    (bed.root / "test_it.py").write_text(
        "def test_it(tmp_path):\n    (tmp_path / 'x').write_text('y')\n    import multiprocessing\n"
        "    multiprocessing.get_context('spawn').Lock()\n"
    )
    output = await bed.run("python3 -m pytest -q -p no:cacheprovider test_it.py")
    assert "1 passed" in output.text, output.text


async def test_the_usual_devices_are_there(bed: Bed) -> None:
    command = "echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; echo e >/dev/stderr"
    assert await bed.lines(command) == ["3", "3", "e"]


async def test_it_runs_where_it_should_as_whom_it_should(bed: Bed) -> None:
    assert await bed.lines("pwd; id -u; id -g") == [str(bed.root), str(os.getuid()), str(os.getgid())]


async def test_secrets_are_neither_passed_on_nor_read_from_qagent_s_own_process(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hush-hush")
    shown = await bed.run(f'env; tr "\\0" "\\n" < /proc/{os.getpid()}/environ; cat /proc/[0-9]*/environ')
    assert "hush-hush" not in shown.text


async def test_a_line_that_a_person_allowed_to_reach_out_runs_free(bed: Bed) -> None:
    assert (await bed.run("cp ../outside/file ../outside/copy")).good
    assert (await bed.run("echo more >> ../outside/copy")).good
    assert (bed.outside / "copy").read_text() == "as it wasmore\n"

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sandboxes import names

from qagent.sandbox import scratch
from qagent.sandbox.choice import Confinement

MAKER = "import sys; from qagent.sandbox import scratch; print(scratch.make().path, flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of this process and of those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def killed() -> Path:
    """A folder whose owner was killed."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", MAKER], stdin=pipe, stdout=pipe, text=True) as owner:
        assert owner.stdout
        path = Path(owner.stdout.readline().strip())
        (path / "qagent" / "big").write_text("x")
        scratch.sweep()
        assert (path / "qagent" / "big").exists(), "its owner still lives"
        owner.send_signal(signal.SIGKILL)
    return path


def test_what_a_killed_owner_left_is_swept_and_nothing_of_the_living() -> None:
    mine, left = scratch.make(), killed()
    assert left.is_dir()
    scratch.sweep()
    assert not left.exists()
    assert names(mine.path) == ["qagent"]
    mine.remove()
    assert not mine.path.exists()


async def test_a_sandbox_sweeps_when_it_is_tried() -> None:
    left = killed()
    await Confinement("off").active()
    assert left.exists()
    await Confinement().active()
    assert not left.exists()


def test_what_only_looks_like_one_stays(temporary: Path) -> None:
    outside = temporary / "outside"
    (outside / "qagent").mkdir(parents=True)
    (temporary / "qagent-scratch-a_link_0").symlink_to(outside)
    (temporary / "qagent-scratch-anyfile").write_text("x")
    for name in ("qagent-scratch-nothing0", "qagent-scratch-longername/qagent", "qagent-abcdefgh/qagent"):
        (temporary / name).mkdir(parents=True)
    before = sorted(temporary.rglob("*"))
    scratch.sweep()
    assert sorted(temporary.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_belongs_to_another_person_stays(temporary: Path) -> None:
    theirs = temporary / "qagent-scratch-theirs00"
    (theirs / "qagent").mkdir(parents=True)
    os.chown(theirs, 65_534, 65_534)
    scratch.sweep()
    assert theirs.is_dir()


def test_links_in_it_are_removed_and_not_followed(temporary: Path) -> None:
    kept, left = temporary / "kept", temporary / "qagent-scratch-left_000"
    (left / "qagent").mkdir(parents=True)
    kept.mkdir()
    (kept / "file").write_text("x")
    (left / "link").symlink_to(kept)
    (left / "qagent" / "deep").symlink_to(kept)
    scratch.sweep()
    assert not left.exists()
    assert (kept / "file").read_text() == "x"


def test_one_that_somebody_else_holds_is_not_taken(temporary: Path) -> None:
    held = temporary / "qagent-scratch-held_000"
    (held / "qagent").mkdir(parents=True)
    lock = os.open(held, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    scratch.sweep()
    assert held.is_dir()
    os.close(lock)
    scratch.sweep()
    assert not held.exists()


def test_the_names_that_are_made_are_the_names_that_are_swept() -> None:
    made = scratch.make()
    assert re.fullmatch(r"qagent-scratch-[a-z0-9_]{8}", made.path.name)
    assert made.path.stat().st_mode & 0o777 == 0o700
    made.remove()

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from qagent.config.trust import fingerprint, is_trusted, needs_trust, trust, trusted_files
from qagent.errors import ConfigProblem


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".qagent" / "tools").mkdir(parents=True)
    (folder / ".qagent" / "config.toml").write_text("max_turns = 9")
    (folder / ".qagent" / "tools" / "lint.toml").write_text("summary = 'lint'")
    return folder


def test_a_project_is_trusted_once_it_was(state: Path, project: Path) -> None:
    assert not is_trusted(state, project)
    assert needs_trust(state, project)
    assert trust(state, project) == ()
    assert is_trusted(state, project)
    assert not needs_trust(state, project)
    assert is_trusted(state, project / ".qagent" / "..")


def test_the_list_is_the_owners_alone_and_outside_the_project(state: Path, project: Path) -> None:
    before = sorted(project.rglob("*"))
    trust(state, project)
    assert [path.name for path in state.iterdir()] == ["trusted.json"]
    assert stat.S_IMODE((state / "trusted.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert sorted(project.rglob("*")) == before


def test_the_trusted_files_are_given_out_as_they_were_trusted(state: Path, project: Path) -> None:
    assert trusted_files(state, project) is None
    trust(state, project)
    files = trusted_files(state, project)
    (project / ".qagent" / "config.toml").write_text("other")
    assert files == {"config.toml": b"max_turns = 9", "tools/lint.toml": b"summary = 'lint'"}
    assert trusted_files(state, project) is None


def test_all_folders_that_are_made_are_the_owner_s_alone(tmp_path: Path, project: Path) -> None:
    old = os.umask(0)
    try:
        trust(tmp_path / "home" / "state", project)
    finally:
        os.umask(old)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("home", "home/state")] == [0o700, 0o700]


CHANGES: dict[str, Callable[[Path], object]] = {
    "other bytes": lambda folder: (folder / "config.toml").write_text("max_turns = 8"),
    "a new file": lambda folder: (folder / "new").write_text(""),
    "a file less": lambda folder: (folder / "config.toml").unlink(),
    "another name": lambda folder: (folder / "config.toml").rename(folder / "config2.toml"),
    "another folder": lambda folder: (folder / "tools").rename(folder / "prompts"),
    "bytes moved between files": lambda folder: [
        (folder / "config.toml").write_text("max_turns = "),
        (folder / "tools" / "lint.toml").write_text("9summary = 'lint'"),
    ],
    "a link": lambda folder: (folder / "link").symlink_to("/etc/passwd"),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_files_are_not_trusted_any_more(state: Path, project: Path, change: str) -> None:
    trust(state, project)
    CHANGES[change](project / ".qagent")
    assert not is_trusted(state, project)
    assert needs_trust(state, project)


def test_files_that_are_as_they_were_are_trusted_again(state: Path, project: Path) -> None:
    trust(state, project)
    config = project / ".qagent" / "config.toml"
    config.write_text("other")
    os.utime(config, (0, 0))
    config.write_text("max_turns = 9")
    assert is_trusted(state, project)


def test_another_project_with_the_same_files_is_not_trusted(state: Path, project: Path) -> None:
    trust(state, project)
    moved = project.rename(project.parent / "moved")
    assert not is_trusted(state, moved)
    trust(state, moved)
    assert len(json.loads((state / "trusted.json").read_text())["folders"]) == 2


def test_where_nothing_is_there_is_nothing_to_trust(state: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "bare", tmp_path / "empty", tmp_path / "missing"):
        if folder.name != "missing":
            folder.mkdir()
        if folder.name == "empty":
            (folder / ".qagent" / "tools").mkdir(parents=True)
        assert fingerprint(folder) == ""
        assert not needs_trust(state, folder)
        assert not is_trusted(state, folder)
        assert trust(state, folder) == ()
    assert not state.exists()


def test_names_need_not_be_unicode(state: Path, project: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(project / ".qagent") + b"/\xff\n.toml")).write_text("x")
    except OSError:
        pytest.skip("this file system wants names in Unicode")
    trust(state, project)
    assert is_trusted(state, project)


# ------------------------------------------------------------------ what no hash can bind


def test_links_pipes_and_masses_are_refused_with_the_reason(state: Path, project: Path) -> None:
    folder = project / ".qagent"
    for name, why in [("link", "is a link"), ("pipe", "not a file"), ("large", "larger than"), ("many", "more than")]:
        if name == "link":
            (folder / name).symlink_to(folder / "tools")
        elif name == "pipe":
            os.mkfifo(folder / name)
        elif name == "large":
            (folder / name).write_bytes(bytes(5 << 20))
        else:
            for number in range(1001):
                (folder / f"{name}{number}").touch()
        with pytest.raises(ConfigProblem, match=why) as caught:
            trust(state, project)
        assert caught.value.todo
        assert not is_trusted(state, project)
        (folder / name).unlink(missing_ok=True)


def test_a_folder_that_is_a_link_or_a_file_is_refused(state: Path, project: Path, tmp_path: Path) -> None:
    linked, plain = tmp_path / "linked", tmp_path / "plain"
    linked.mkdir()
    plain.mkdir()
    (linked / ".qagent").symlink_to(project / ".qagent")
    (plain / ".qagent").write_text("x")
    for folder in (linked, plain):
        with pytest.raises(ConfigProblem, match="must be a folder"):
            trust(state, folder)
        assert needs_trust(state, folder)


# ------------------------------------------------------------------ the list


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"folders": 5}', b'{"folders": {"/x": 5}}', b"[" * 99_999]
)
def test_a_damaged_list_counts_as_empty_and_is_kept_aside(state: Path, project: Path, content: bytes) -> None:
    state.mkdir()
    (state / "trusted.json").write_bytes(content)
    (state / "trusted.damaged-1.json").write_bytes(b"older")
    assert not is_trusted(state, project)
    assert (state / "trusted.json").read_bytes() == content
    [notice] = trust(state, project)
    assert "trusted.damaged-2.json" in notice
    assert (state / "trusted.damaged-2.json").read_bytes() == content
    assert (state / "trusted.damaged-1.json").read_bytes() == b"older"
    assert is_trusted(state, project)


def test_a_list_that_cannot_be_written_is_told(state: Path, project: Path) -> None:
    state.write_text("")
    with pytest.raises(ConfigProblem, match="cannot write to"):
        trust(state, project)

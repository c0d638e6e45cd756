from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.errors import ToolFailed
from qagent.workspace.disk import make_private, read_plain
from qagent.workspace.files import LARGEST, FileText, read_text, write_atomic

# ------------------------------------------------------------------ reading and writing


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"", FileText("")),
        (b"a\r\nb\rc\n", FileText("a\r\nb\rc\n")),
        (b"\xef\xbb\xbfa\n", FileText("a\n", bom=True)),
        ("straße\u2028x\x0c".encode(), FileText("straße\u2028x\x0c")),
    ],
)
def test_a_text_comes_back_byte_for_byte(tmp_path: Path, data: bytes, read: FileText) -> None:
    (tmp_path / "a").write_bytes(data)
    assert read_text(tmp_path / "a") == read
    assert read.data == data


@given(st.binary(max_size=40))
def test_bytes_are_either_refused_or_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    write_atomic(path, data)
    assert path.read_bytes() == data
    with contextlib.suppress(ToolFailed):
        assert read_text(path).data == data


@pytest.mark.parametrize("data", [b"caf\xe9", b"a\0b", "a".encode("utf-16")])
def test_what_is_not_utf8_text_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ToolFailed, match="not UTF-8 text"):
        read_text(tmp_path / "a")


def test_a_folder_a_huge_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="list_files"):
        read_text(tmp_path)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ToolFailed, match="use search"):
        read_text(tmp_path / "huge")
    with pytest.raises(ToolFailed, match="cannot be read"):
        read_text(tmp_path / "missing")


def test_half_a_surrogate_pair_cannot_be_written() -> None:
    with pytest.raises(ToolFailed, match="surrogate"):
        _ = FileText("\ud800").data


def test_a_new_file_gets_its_folders_and_the_rights_of_the_umask(tmp_path: Path) -> None:
    write_atomic(tmp_path / "x" / "y" / "a", b"1")
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "x/y/a").read_bytes() == b"1"
    assert (tmp_path / "x/y/a").stat().st_mode == plain.stat().st_mode


def test_the_permission_bits_stay(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_bytes(b"1")
    path.chmod(0o751)
    write_atomic(path, b"22")
    assert stat.S_IMODE(path.stat().st_mode) == 0o751


def test_set_id_bits_do_not_stay(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.write_bytes(b"1")
    path.chmod(0o6755)
    write_atomic(path, b"22")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_the_owner_stays(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(b"1")
    os.chown(path, 1234, 4321)
    path.chmod(0o640)
    write_atomic(path, b"22")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 4321, 0o640)


def test_a_second_name_of_a_file_keeps_the_old_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    write_atomic(tmp_path / "a", b"2")
    assert (tmp_path / "b").read_bytes() == b"1"


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"1")
    (tmp_path / "link").symlink_to("target")
    write_atomic(tmp_path / "link", b"2")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"2"


def test_python_does_not_run_old_code_after_an_edit_of_the_same_size(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"x = 1\n")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    seconds = [int(path.stat().st_mtime)]
    for data in (b"x = 2\n", b"x = 33\n", b"x = 4\n"):
        write_atomic(path, data)
        seconds.append(int(path.stat().st_mtime))
    assert seconds == sorted(set(seconds))


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    path.chmod(0o444)
    with pytest.raises(ToolFailed, match="read-only"):
        write_atomic(path, b"2")
    assert path.read_bytes() == b"1"


SMALL_DISK = """
import resource, sys
from pathlib import Path
from qagent.errors import ToolFailed
from qagent.workspace.files import write_atomic

resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))  # a longer file fails to be written, as on a full disk
try:
    write_atomic(Path(sys.argv[1]), b"x" * 1_000)
except ToolFailed as failed:
    sys.exit(7 if "nothing was changed" in failed.text else 8)
"""


def test_a_write_that_fails_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "there").mkdir()
    for name in ("a", "new/deep/b", "there/new/c"):
        ran = subprocess.run([sys.executable, "-c", SMALL_DISK, str(tmp_path / name)], capture_output=True, check=False)
        assert (ran.returncode, ran.stdout + ran.stderr) == (7, b"")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "there"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["file/below", "folder", "n" * 300])
def test_where_no_file_can_be_nothing_is_left_behind(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolFailed, match="cannot be written"):
        write_atomic(tmp_path / name, b"2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(ToolFailed, match="cannot be written"):
        write_atomic(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_below_a_root_no_link_is_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "a").write_bytes(b"1")
    (root / "a").symlink_to(outside / "a")
    (root / "folder").symlink_to(outside)
    for name in ("a", "folder/a", "folder/new"):
        with pytest.raises(ToolFailed, match="become a link; nothing was changed"):
            write_atomic(root / name, b"2", root)
    write_atomic(root / "sub" / "new" / "b", b"3", root)
    assert (root / "sub/new/b").read_bytes() == b"3"
    assert [(path.name, path.read_bytes()) for path in outside.iterdir()] == [("a", b"1")]


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    dead, alive = (tmp_path / f".qagent-{digit * 16}.tmp" for digit in "01")
    dead.write_bytes(b"half")
    with alive.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        write_atomic(tmp_path / "a", b"1")
        assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "a"]
    write_atomic(tmp_path / "a", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_where_no_file_is_without_a_name_it_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)  # as on macOS
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(0o640)
    for name in ("a", "b"):
        write_atomic(tmp_path / name, b"2")
        assert (tmp_path / name).read_bytes() == b"2"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


# ------------------------------------------------------------------ what may be anything, and what is ours


def test_only_the_beginning_of_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    assert read_plain(tmp_path / "a", 3) == b"123"
    assert read_plain(tmp_path / "link", 9) == b"12345"
    with pytest.raises(OSError, match="symbolic links"):
        read_plain(tmp_path / "link", 9, follow=False)
    for name in ("pipe", "zero", "."):
        with pytest.raises(OSError, match="not a file"):
            read_plain(tmp_path / name, 9)


@pytest.fixture
def no_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.mark.usefixtures("no_umask")
def test_private_folders_are_the_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for _ in range(2):
        make_private(tmp_path / "home" / "data" / "sessions")
    made = [tmp_path / "home", tmp_path / "home/data", tmp_path / "home/data/sessions"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (tmp_path, *made)] == [0o755, 0o700, 0o700, 0o700]
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        with pytest.raises(OSError, match=r"[Nn]ot a directory|File exists"):
            make_private(tmp_path / name)

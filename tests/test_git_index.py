from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_turns import git

from qagent.workspace.git_index import (
    LOOKED,
    Index,
    forget_trees,
    is_link,
    is_same,
    looked,
    moment,
    parse,
    size_of,
    write,
)

NAMES = [
    *("a", "b/c", "b/d/e", "b/d/f", "b.c/x", "g/h/i/j", "g/k", "é", "x y/z", "n\nl/z\ny", "long/" + "n" * 200),
    "m" * 4100,
]
DIGEST = {20: "sha1", 32: "sha256"}


@pytest.fixture(params=[20, 32], ids=["sha1", "sha256"])
def tree(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, int]:
    git(tmp_path, "init", "-q", f"--object-format={DIGEST[request.param]}")
    for name in NAMES[:-1]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a").chmod(0o755)
    git(tmp_path, "add", "-A")
    git(tmp_path, "write-tree")
    return tmp_path, request.param


def read(root: Path, id_size: int) -> Index:
    index = parse((root / ".git/index").read_bytes(), id_size)
    assert index is not None
    return index


def test_an_index_of_gits_is_read(tree: tuple[Path, int]) -> None:
    root, id_size = tree
    index = read(root, id_size)
    listed = [line.split("\t") for line in git(root, "ls-files", "-s", "-z").split("\0") if line]
    assert {name.decode(): entry[LOOKED:].hex() for name, entry in index.entries.items()} == {
        name: about.split()[1] for about, name in listed
    }
    assert index.names == index.entries.keys()
    assert (index.plain, index.modules) == (True, frozenset())
    assert is_link(index.entries[b"link"])
    assert size_of(index.entries[b"b/c"]) == 3
    for name, entry in index.entries.items():
        assert is_same(entry, looked((root / os.fsdecode(name)).lstat()), moment(1 << 61))


def test_git_reads_what_is_written(tree: tuple[Path, int]) -> None:
    root, id_size = tree
    before = git(root, "ls-files", "-s", "--debug"), git(root, "write-tree")
    index = read(root, id_size)
    (root / ".git/index").write_bytes(write(index.entries, id_size))
    assert (git(root, "ls-files", "-s", "--debug"), git(root, "write-tree")) == before
    (root / ".git/index").write_bytes(write(index.entries, id_size, index.trees))
    assert (git(root, "ls-files", "-s", "--debug"), git(root, "write-tree")) == before


CHANGES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["new", "other", None]), max_size=6)


@settings(max_examples=20, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=3))
def test_git_makes_the_same_tree_with_and_without_what_it_remembers(rounds: list[dict[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "-q")
        for name, text in (("1", b"new"), ("2", b"other")):
            (root / name).write_bytes(text)
        blobs: dict[str, str] = dict(
            zip(("new", "other"), git(root, "hash-object", "-w", "1", "2").split(), strict=True)
        )
        look = looked((root / "1").stat())
        known = {name.encode(): look + bytes.fromhex(blobs["new"]) for name in NAMES[:6]}
        (root / ".git/index").write_bytes(write(known, 20))
        git(root, "write-tree")
        for changes in rounds:
            before = read(root, 20)
            for name, text in changes.items():
                if text is None:
                    known.pop(name.encode(), None)
                else:
                    known[name.encode()] = look + bytes.fromhex(blobs[text])
            trees = forget_trees(before.trees, [name.encode() for name in changes], 20)
            (root / ".git/index").write_bytes(write(known, 20, trees))
            quick = git(root, "write-tree")
            (root / "plain").write_bytes(write(known, 20))
            env = {**os.environ, "GIT_INDEX_FILE": str(root / "plain")}
            slow = subprocess.run(["git", "write-tree"], cwd=root, env=env, capture_output=True, text=True, check=True)
            assert quick == slow.stdout


def test_what_was_written_as_late_as_the_index_may_have_been_written_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.utime(tmp_path / "a", ns=(10**18, 10**18 + 5))
    now = looked((tmp_path / "a").lstat())
    assert [is_same(now, now, moment(10**18 + late)) for late in (4, 5, 6)] == [False, False, True]
    os.utime(tmp_path / "a", ns=(10**18, 10**18))  # as on a disk that counts in seconds
    now = looked((tmp_path / "a").lstat())
    assert [is_same(now, now, moment(10**18 + late)) for late in (5, 999_999_999, 10**9)] == [False, False, True]


def test_conflicts_and_files_that_git_does_not_look_at_have_a_name_and_no_entry(tree: tuple[Path, int]) -> None:
    root, id_size = tree
    git(root, "update-index", "--assume-unchanged", "a")
    git(root, "update-index", "--skip-worktree", "b/c")
    (root / "soon").touch()
    git(root, "add", "-N", "soon")
    zeros, blob = "0" * 2 * id_size, git(root, "hash-object", "-w", "g/k").strip()
    feed = f"0 {zeros}\tg/k\n100644 {blob} 1\tg/k\n100644 {blob} 2\tg/k\n160000 {blob} 0\tmodule\n"
    subprocess.run(["git", "update-index", "--index-info"], cwd=root, input=feed.encode(), check=True)
    index = read(root, id_size)
    assert index.names - index.entries.keys() == {b"a", b"b/c", b"soon", b"g/k"}
    assert (index.plain, index.modules) == (False, {b"module"})


def test_other_kinds_of_index_are_not_read(tree: tuple[Path, int]) -> None:
    root, id_size = tree
    git(root, "update-index", "--index-version", "4")
    assert parse((root / ".git/index").read_bytes(), id_size) is None
    git(root, "update-index", "--index-version", "2")
    git(root, "update-index", "--split-index")
    assert parse((root / ".git/index").read_bytes(), id_size) is None


@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from([20, 32]))
def test_rubbish_is_no_index(rubbish: bytes, at: int, id_size: int) -> None:
    entries = {name.encode(): bytes(LOOKED + id_size) for name in NAMES}
    good = write(entries, id_size)
    for data in (rubbish, b"DIRC" + rubbish, good[:at], good[:at] + rubbish + good[at:]):
        parse(data, id_size)
    forget_trees(rubbish, [b"a/b"], id_size)

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.workspace.background import in_background
from qagent.workspace.ignore import MOST_BYTES, Stop, walk
from qagent.workspace.names import shown
from qagent.workspace.patterns import LONGEST_RULE, MOST_RULES, rules

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the other side of the comparison")

ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def git(folder: Path, *words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=folder, env=os.environ | ALONE, capture_output=True, check=True)
    return done.stdout


def listed_by_git(folder: Path) -> list[str]:
    out = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [os.fsdecode(name) for name in out.split(b"\0") if name]


NASTY_TREE = (
    *("a", "b", "foo", "foo.py", "a.log", ".env", "x y", "build/a", "build/b/foo", "build/b/c.py", "foo!", "#h", "!x"),
    *("src/foo/a.py", "src/foo/b/a.log", "src/foobar/foo", "src/b/c/d/foo", "src/b/b/b", "src/[z]", "src/é", "src/a-b"),
    *("deep/a/b/c/d/e/foo.py", "deep/a/foo/bar/x", "deep/a/foo/y/bar", "deep/.hidden/foo", "deep/Foo", "deep/f\\oo"),
    *("a.d/keep/x", "a.d/keep/y.py", "a.d/drop/x", "tab\tname", "trail ", "new\nline/foo"),
)
RULES = (
    *("*", "*.py", "*.log", "foo", "/foo", "foo/", "/foo/", "src/foo", "src/**", "**/b", "src/**/b", "**/foo/", "!foo"),
    *(
        "!foo/",
        "!*.py",
        "!*/",
        "!a/",
        "/*",
        "!/a",
        "!/src/",
        "\\#h",
        "#h",
        "\\!x",
        "foo!",
        "[ab]",
        "[!a]",
        "[^b]*",
        "?",
    ),
    *("b*", "x\\ y", "x y  ", "\\[z]", "[[]z]", "build/*", "!build/a", "**", "src/*", "src/*/b", "!src/b", "a.d/*/"),
    *(
        "*/foo",
        "foo/*",
        "foo/**/bar",
        "f**o",
        "foo**/bar",
        "**/a",
        "!**/*.py",
        ".*",
        "[a-c]*",
        "*o",
        "a\\",
        "[z",
        "/",
        "!",
    ),
    *(
        "//a",
        "src//b",
        "**/",
        "/**",
        "!**",
        "foo/**/",
        "[[:alpha:]]",
        "[[:upper:]]oo",
        "[[:nope:]]",
        "[]-a]",
        "*.[pl]*",
    ),
    *(
        "/**/foo",
        "**/a/**/b/**",
        "**/**/a/*/**/x",
        "src/**/**/b",
        "src/f**/foo",
        "de**/a/**/bar",
        "deep/**/d",
        "{a,b}",
        "f\\\\oo",
        "foo\r",
        "\tfoo",
        "tab\t*",
        "trail\\ ",
        "trail ",
        "é",
        "??",
        "!keep",
        "x",
    ),
)
SOUP = st.lists(st.sampled_from([*"*/ab[]!^-\\? #.ox", "**", "foo", "src", "[:alpha:]", "é"]), min_size=1, max_size=6)
RULE_FILE = st.lists(st.sampled_from(RULES) | SOUP.map("".join), max_size=5).map("\n".join)
PLACES = (".gitignore", "src/.gitignore", "deep/a/.gitignore", "a.d/.gitignore", ".git/info/exclude")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make(tmp_path_factory.mktemp("nasty"), dict.fromkeys(NASTY_TREE, ""))
    git(root, "init", "-q")
    return root


@needs_git
@settings(max_examples=80, deadline=None)
@given(st.tuples(*[RULE_FILE] * len(PLACES)))
def test_the_same_files_as_git_whatever_the_rules(nasty: Path, texts: tuple[str, ...]) -> None:
    for place, text in zip(PLACES, texts, strict=True):
        (nasty / place).write_text(text, newline="")
    assert list(walk(nasty)) == listed_by_git(nasty)


@needs_git
def test_the_same_files_as_git_in_a_usual_project(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            ".gitignore": "\ufeff__pycache__/\n*.pyc\n/dist\nnode_modules\n.venv\n*.log\n!keep.log\n",
            "src/app/__pycache__/x.pyc": "",
            "src/app/main.py": "",
            "src/app/.gitignore": "generated/*\n!generated/kept.py\n",
            "src/app/generated/a.py": "",
            "src/app/generated/kept.py": "",
            "dist/x": "",
            "src/dist/x": "",
            "web/node_modules/a/b.js": "",
            "a.log": "",
            "keep.log": "",
        },
    )
    git(tmp_path, "init", "-q")
    assert list(walk(tmp_path)) == listed_by_git(tmp_path)
    assert "src/app/generated/kept.py" in list(walk(tmp_path))


def test_without_git_the_rules_hold_too(tmp_path: Path) -> None:
    make(tmp_path, {".gitignore": "*.log", "a.log": "", "b.py": ""})
    assert list(walk(tmp_path)) == [".gitignore", "b.py"]


def test_a_workspace_below_the_repository_obeys_the_rules_above_it(tmp_path: Path) -> None:
    make(tmp_path, {".git/info/exclude": "*.tmp", ".gitignore": "/part/out\n*.log", "part/out/x": "", "part/a.log": ""})
    make(tmp_path, {"part/a.tmp": "", "part/out.py": "", "part/in/a.py": ""})
    assert list(walk(tmp_path / "part")) == ["in/a.py", "out.py"]


def test_a_linked_work_tree_obeys_the_exclude_file_of_the_common_folder(tmp_path: Path) -> None:
    make(tmp_path, {"main/.git/info/exclude": "*.tmp", "main/.git/worktrees/w/commondir": "../..\n"})
    make(tmp_path, {"w/.git": f"gitdir: {tmp_path}/main/.git/worktrees/w\n", "w/a.tmp": "", "w/a.py": ""})
    assert list(walk(tmp_path / "w")) == ["a.py"]


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (".", [".gitignore", "src/a.py", "src/b/c.py"]),
        ("src", ["src/a.py", "src/b/c.py"]),
        ("src/b/", ["src/b/c.py"]),
        ("./src/a.py", ["src/a.py"]),
        ("out", []),
        ("out/deep", []),
        ("src/x.log", []),
        (".git", []),
        ("missing", []),
    ],
)
def test_a_walk_starts_where_it_is_told(tmp_path: Path, start: str, found: list[str]) -> None:
    make(tmp_path, {".gitignore": "out/\n*.log", "out/deep/x": "", "src/a.py": "", "src/b/c.py": "", "src/x.log": ""})
    make(tmp_path, {".git/config": ""})
    assert list(walk(tmp_path, start)) == found


def test_links_are_listed_and_not_followed(tmp_path: Path) -> None:
    make(tmp_path, {"real/a.py": ""})
    (tmp_path / "again").symlink_to("real")
    (tmp_path / "round").symlink_to(".")
    (tmp_path / "broken").symlink_to("nowhere")
    assert list(walk(tmp_path)) == ["again", "broken", "real/a.py", "round"]


def test_a_rules_file_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, {"rules": "*.py", "a.py": ""})
    (tmp_path / ".gitignore").symlink_to("rules")
    assert "a.py" in list(walk(tmp_path))


def test_pipes_are_not_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list(walk(tmp_path)) == []


def test_names_that_are_no_text_are_listed_and_can_be_shown(tmp_path: Path) -> None:
    for name in (b"bad\xff.py", b"new\nline", b"tab\there", "straße".encode()):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    names = [shown(name) for name in walk(tmp_path)]
    assert names == ["bad\\xff.py", "new\\nline", "straße", "tab\\there"]
    assert [name.encode() for name in names]


def test_a_folder_that_disappears_does_not_end_the_walk(tmp_path: Path) -> None:
    make(tmp_path, {"a/x": "", "b/y": "", "c/z": ""})
    found = walk(tmp_path)
    assert next(found) == "a/x"
    shutil.rmtree(tmp_path / "b")
    assert list(found) == ["c/z"]


# ------------------------------------------------------------------ what is made to keep us busy


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"*a" * 40 + b"*b", b"a" * 250),
        (b"**/a/" * 15 + b"b", b"a/" * 30 + b"c"),
        (b"**/a/" * 800 + b"b", b"a/" * 2_000 + b"c"),
        (b"**/a*/*a/" * 400 + b"**/b", b"aa/" * 1_300 + b"c"),
        (b"?" * 4_000, b"a" * 250),
        (b"[!a]*" * 800, b"b" * 250 + b"a"),
    ],
)
def test_a_hostile_pattern_is_answered_at_once(pattern: bytes, path: bytes) -> None:
    (rule,) = rules(pattern)
    assert not rule.matches(path, is_folder=False) or pattern.endswith(b"*")


def test_rules_are_bounded_in_number_and_length() -> None:
    assert len(rules(b"x*y\n" * 30_000)) == MOST_RULES
    assert len(rules(b"a\n" + b"?" * (LONGEST_RULE + 1) + b"\nb")) == 2
    assert len(rules(b"a\nb\n# c\nd", most=2)) == 2


def test_the_rules_of_all_folders_together_are_bounded(tmp_path: Path) -> None:
    make(tmp_path, {".gitignore": "x*y\n" * (MOST_RULES - 1) + "*.a\n", "in/.gitignore": "*.b\n"})
    make(tmp_path, {"in/f.a": "", "in/f.b": ""})
    assert list(walk(tmp_path)) == [".gitignore", "in/.gitignore", "in/f.b"]


def test_only_the_whole_lines_at_the_beginning_of_a_huge_rules_file_count(tmp_path: Path) -> None:
    make(tmp_path, {".gitignore": "*.a\n" + "#" * (MOST_BYTES - 8) + "\n*.bc\n*.d\n", "f.a": "", "f.b": "", "f.d": ""})
    assert list(walk(tmp_path)) == [".gitignore", "f.b", "f.d"]


def test_a_rules_file_with_a_hole_of_gigabytes_is_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with (tmp_path / ".gitignore").open("wb") as file:
        file.truncate(3_000_000_000)
    tracemalloc.start()
    assert list(walk(tmp_path)) == [".gitignore", "a"]
    assert tracemalloc.get_traced_memory()[1] < 10 * MOST_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_not_read_as_git_s_own_file(tmp_path: Path, kind: str) -> None:
    make(tmp_path, {".git": "gitdir: sub", "sub/info/exclude": "*.tmp", "a.tmp": "", "a.py": ""})
    if kind == "pipe":
        os.mkfifo(tmp_path / "sub/commondir")
    else:
        (tmp_path / "sub/commondir").symlink_to("/dev/zero")
    assert [name for name in walk(tmp_path) if name != "sub/commondir"] == ["a.py", "sub/info/exclude"]


def test_a_walk_ends_when_it_is_told_to_and_tells_how_much_it_did(tmp_path: Path) -> None:
    make(tmp_path, {".gitignore": "*.log\n*.tmp\n", **{f"{number:02}.py": "" for number in range(50)}})
    sizes: list[int] = []

    def stop(size: int) -> bool:
        sizes.append(size)
        return False

    assert len(list(walk(tmp_path, stop=stop))) == 51
    assert sum(sizes) == 12 * 100 + 51 + 51 * 10
    for most in (0, 1, 30, 100):
        asked = iter(range(most))
        assert len(list(walk(tmp_path, stop=lambda _, asked=asked: next(asked, None) is None))) < 51


async def test_what_runs_in_the_background_is_told_that_nobody_waits_any_more() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(stop: Stop) -> None:
        begun.set()
        while not stop(1):
            pass
        ended.set()

    task = asyncio.create_task(in_background(work))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    await asyncio.to_thread(ended.wait)
    assert task.cancelled()
    assert await in_background(lambda stop: stop(1)) is False

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.workspace.ignore import walk
from qagent.workspace.names import shown
from qagent.workspace.patterns import rules

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


def test_a_hostile_pattern_is_answered_at_once() -> None:
    (rule,) = rules(b"*a" * 40 + b"*b")
    assert not rule.matches(b"a" * 250, is_folder=False)

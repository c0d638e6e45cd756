from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.errors import ToolFailed
from qagent.tools import search as tool
from qagent.tools.search import find_lines, ripgrep, search, worth_reading
from qagent.workspace.literals import required
from qagent.workspace.place import Workspace

needs_rg = pytest.mark.skipif(ripgrep() is None, reason="ripgrep is the other side of the comparison")

FILES: dict[str, bytes] = {
    ".gitignore": b"out/\n*.log\n",
    "src/cart.py": b"class Cart:\n    def total(self):\n        return 0\n",
    "src/shop.py": b"from cart import Cart\n\n\ndef total(cart):\r\n    return cart.total()\n",
    "src/mark.py": b"\xef\xbb\xbfdef first(): ...\n",
    "latin.txt": b"caf\xe9 total\n\xff\xfe total\n",
    "wide.js": b"x" * 300 + b" total " + b"y" * 300 + b"\n",
    "u16.txt": "total".encode("utf-16"),
    "image.png": b"\x89PNG\0total\n",
    "empty": b"",
    "no-end": b"total",
    "-dash.py": b"total = 1\n",
    "sp ace/a\nb.txt": b"total\n",
    ".env": b"total=hunter2\n",
    "deploy/id_rsa": b"total\n",
    "out/x.py": b"total\n",
    "a.log": b"total\n",
    ".hidden/y.py": b"total\n",
    "kelvin.txt": "\u212aelvin stra\u00dfe \u017fs\n".encode(),
}


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    for name, data in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / os.fsdecode(b"bad\xff.txt")).write_bytes(b"total\n")
    (tmp_path / "link.py").symlink_to("src/cart.py")
    (tmp_path / "safe").symlink_to(".env")
    return Workspace.open(tmp_path)


# ------------------------------------------------------------------ what is found


async def test_matching_lines_are_shown_with_path_and_number(place: Workspace) -> None:
    found = await search(place, pattern=r"def total\(", path="src")
    assert found.text == "src/cart.py:2:     def total(self):\nsrc/shop.py:4: def total(cart):"
    assert found.summary == "2 matching lines in 2 files of src"


async def test_what_is_ignored_secret_or_binary_is_not_shown(place: Workspace) -> None:
    found = await search(place, pattern="total")
    paths = [line.partition(":")[0] for line in found.text.split("\n")[:-1]]
    assert paths == [
        *("-dash.py", ".hidden/y.py", "bad\\xff.txt", "latin.txt", "latin.txt", "no-end", "sp ace/a\\nb.txt"),
        *("src/cart.py", "src/shop.py", "src/shop.py", "wide.js"),
    ]
    assert found.text.endswith("(files left out: 2 with a secret's name, 2 binary)")
    assert "hunter2" not in found.text


@pytest.mark.parametrize("path", [".env", "safe", "deploy/id_rsa", "deploy"])
async def test_a_secret_is_not_shown_when_it_is_named_either(place: Workspace, path: str) -> None:
    found = await search(place, pattern="total", path=path)
    assert "1 with a secret's name" in found.text
    assert "hunter2" not in found.text
    assert "total" not in found.text.replace("`total`", "")


@pytest.mark.parametrize(
    ("pattern", "path", "text"),
    [
        ("^def first", "src/mark.py", "src/mark.py:1: def first(): ..."),
        ("link", "link.py", "no line matches `link` in src/cart.py"),
        ("class", "link.py", "src/cart.py:1: class Cart:"),
        ("total", "out/x.py", "out/x.py:1: total"),
        ("total", "out", "out has no files to search"),
        (r"cart\):$", "src/shop.py", "src/shop.py:4: def total(cart):"),
        ("^$", "empty", "no line matches"),
        ("nowhere", ".", "begin it with (?i)"),
        ("a\\nb", ".", "within one line"),
        ("(?i)CLASS", "src", "src/cart.py:1: class Cart:"),
    ],
)
async def test_other_searches_are_answered(place: Workspace, pattern: str, path: str, text: str) -> None:
    assert text in (await search(place, pattern=pattern, path=path)).text


async def test_a_wide_line_is_clipped_around_the_match(place: Workspace) -> None:
    (line,) = (await search(place, pattern="total", path="wide.js")).text.split("\n")
    assert " total " in line
    assert len(line) < 220


async def test_many_matches_are_counted_per_file(place: Workspace) -> None:
    for number in range(30):
        (place.root / f"many{number:02}.txt").write_text("needle\n" * 7)
    rows = (await search(place, pattern="needle")).text.split("\n")
    assert rows[59] == "many08.txt:4: needle"
    assert rows[60] == "(150 more matching lines; give a path or a narrower pattern to see them)"
    assert rows[61:63] == ["  many08.txt: 3", "  many09.txt: 7"]
    assert rows[81] == "  and 2 more files"


async def test_a_large_file_is_left_out_and_counted(place: Workspace) -> None:
    with (place.root / "large.txt").open("wb") as file:
        file.truncate(5_000_001)
    assert "1 over 5 MB" in (await search(place, pattern="nowhere")).text


@pytest.mark.parametrize(
    ("pattern", "reason"), [("total(", r"total\\\("), ("[", r"\\\["), ("*", "nothing to repeat"), ("", "empty")]
)
async def test_what_is_no_regular_expression_is_refused(place: Workspace, pattern: str, reason: str) -> None:
    with pytest.raises(ToolFailed, match=reason):
        await search(place, pattern=pattern)


async def test_an_odd_pattern_warns_nobody(place: Workspace) -> None:
    assert "no line matches" in (await search(place, pattern="[[a]nothing")).text


# ------------------------------------------------------------------ searches that never end


async def test_a_pattern_that_takes_for_ever_is_ended(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.root / "slow.txt").write_text("a" * 60 + "b\n")
    monkeypatch.setattr(tool, "SECONDS", 1)
    with pytest.raises(ToolFailed, match="took longer than 1 s"):
        await search(place, pattern="(a+)+$")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS bounds no process's memory")
async def test_a_pattern_that_fills_the_memory_is_ended(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.root / "large.txt").write_text("ab" * 2_000_000)
    monkeypatch.setattr(tool, "MEMORY", 100_000_000)
    with pytest.raises(ToolFailed, match="too costly"):
        await search(place, pattern="(a|b)*$x")
    assert "1 matching line" in (await search(place, pattern="ba", path="large.txt")).summary


async def test_a_search_that_is_cancelled_leaves_no_process(place: Workspace) -> None:
    (place.root / "slow.txt").write_text("a" * 60 + "b\n")
    before = psutil.Process().children()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await search(place, pattern="(a+)+$")
    assert psutil.Process().children() == before


# ------------------------------------------------------------------ with ripgrep and without

PATTERNS = (
    *(
        "total",
        "tot",
        "def total",
        r"\btotal\b",
        r"def\s+\w+\(",
        "cart|total",
        "(cart|total)",
        "^total$",
        "t.tal",
        "to*tal",
    ),
    *(
        "toxx?tal",
        "tota{1}l",
        "tota{0}l",
        "[Cc]art",
        "(?i)TOTAL",
        "(?i)kelvin",
        r"\.total\(\)",
        "caf.",
        r"\x74otal",
        "ß",
    ),
    *(
        "stra.e",
        "return 0",
        "def total|",
        "(?:total)?cart",
        "x+ total",
        "(?=total)to",
        "=hunter",
        r"a\(b",
        "nowhere at all",
    ),
)


@needs_rg
@pytest.mark.parametrize("pattern", PATTERNS)
async def test_the_answer_is_the_same_with_ripgrep_and_without(place: Workspace, pattern: str) -> None:
    files = sorted(str(path.relative_to(place.root)) for path in place.root.rglob("*") if path.is_file())
    assert await find_lines(place.root, pattern, files, ripgrep()) == await find_lines(place.root, pattern, files, None)


@needs_rg
async def test_ripgrep_names_the_files_worth_reading(place: Workspace) -> None:
    files = [
        "src/cart.py",
        "src/shop.py",
        "src/mark.py",
        "image.png",
        "u16.txt",
        "latin.txt",
        "sp ace/a\nb.txt",
        "-dash.py",
    ]
    named = await worth_reading(place.root, ["class C", "total"], files, ripgrep() or Path())
    assert named == [name for name in files if name != "src/mark.py"]


@needs_rg
async def test_more_files_than_fit_on_a_command_line_are_searched(place: Workspace) -> None:
    names = [f"{'n' * 200}{number}.txt" for number in range(1_200)]
    for name in names:
        (place.root / name).write_text("needle\n" if name.endswith("7.txt") else "hay\n")
    found = await find_lines(place.root, "needle", names, ripgrep())
    assert len(found["counts"]) == 120


async def test_a_ripgrep_that_fails_is_done_without(place: Workspace) -> None:
    found = await find_lines(place.root, "class", ["src/cart.py"], Path("/bin/sh"))
    assert found["counts"] == {"src/cart.py": 1}


# ------------------------------------------------------------------ what every match contains


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("total", ("total",)),
        (r"def\s+total", ("total",)),
        (r"self\.total\(", ("self.total(",)),
        ("cart|total", ("cart", "total")),
        ("(cart|x)total", ("total",)),
        ("totals?", ("total",)),
        ("total{2}s", ("tota",)),
        ("ab+cd", ("ab",)),
        (r"\bclass\b", ("class",)),
        ("[abc]def", ("def",)),
        ("[]abc]def", ("def",)),
        ("(?=abc)(?!xyz)", None),
        ("(?i)total", None),
        (r"\x41bcd", None),
        ("cart|", None),
        ("a", None),
        ("a.b", None),
        ("a\nb", None),
    ],
)
def test_the_required_texts_are_named(pattern: str, texts: tuple[str, ...] | None) -> None:
    assert required(pattern) == texts


PIECES = st.lists(
    st.sampled_from(
        [*"abcd.*+?|()[]{}^$\\1,-", "(?:", "(?=", "(?!", "{2}", "{0,1}", "[^a]", r"\.", r"\w", r"\b", "ab", "cd"]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=500)
@given(PIECES, st.lists(st.text("abcd.", max_size=12), min_size=1, max_size=10))
def test_no_match_lacks_the_required_texts(pattern: str, lines: list[str]) -> None:
    try:
        wanted = re.compile(pattern)
    except (re.error, FutureWarning):
        return
    texts = required(pattern)
    for line in lines:
        if texts is not None and wanted.search(line):
            assert any(text in line for text in texts)

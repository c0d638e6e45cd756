from __future__ import annotations

from pathlib import Path

import pytest
from kept_turns import Kept as KeptTree
from kept_turns import git, seen
from scripted_agent import repository

from qagent.edits.turn_text import diff, stat, stat_lines
from qagent.workspace.turns import Change, Kept

FILE, OTHER = Kept("1", 0o644, 1), Kept("2", 0o644, 1)
PRIVATE = Kept("2", 0o600, 1)
RUNS, LINK = Kept("2", 0o755, 1), Kept("2", 0, 1, link=True)
ROWS = [
    (Change("a", FILE, OTHER), b"a\nb\n", b"a\nc\nd\n", "2 lines added, 1 line removed"),
    (Change("a", FILE, OTHER), b"a\r\n", b"a\n", "1 line added, 1 line removed"),
    (Change("a", None, FILE), None, b"a\nb", "new, 2 lines"),
    (Change("a", None, FILE), None, b"", "new, 0 lines"),
    (Change("a", FILE, None), b"a\n", None, "removed, 1 line"),
    (Change("a", FILE, RUNS), b"a", b"a", "mode 644 becomes 755"),
    (Change("a", FILE, RUNS), b"a\n", b"b\n", "mode 644 becomes 755, 1 line added, 1 line removed"),
    (Change("a", FILE, LINK), b"a\n", b"b", "a file becomes a link, 1 line added, 1 line removed"),
    (Change("a", None, LINK), None, b"to", "new link, 1 line"),
    (Change("a", FILE, OTHER), b"\0", b"\0\0", "binary, 1 bytes -> 2 bytes"),
    (Change("a", FILE, None), b"\xff", None, "removed, binary, 1 bytes"),
    (Change("a", FILE, OTHER), b"a", b"x" * 3_000_000, "binary, 1 bytes -> 3,000,000 bytes"),
]


@pytest.mark.parametrize(("change", "before", "after", "told"), ROWS)
def test_what_happened_to_a_file_is_told_in_a_few_words(
    change: Change, before: bytes | None, after: bytes | None, told: str
) -> None:
    assert stat(change, before, after) == told
    assert diff(change, before, after).endswith("\n")


def test_names_are_shown_and_not_obeyed() -> None:
    lines = list(stat_lines([(Change("a\nb\x1b", None, FILE), None, b"x\n"), (Change("c", FILE, None), b"", None)]))
    assert lines == ["a\\nb\\x1b | new, 1 line", "c        | removed, 0 lines", "2 files"]


def test_a_diff_reads_as_gits_does() -> None:
    head = "diff --git a/a b/a\n"
    hunk = "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n"
    assert diff(Change("a", FILE, OTHER), b"x\ny\n", b"x\nz\n") == head + hunk
    assert diff(Change("a", FILE, None), b"x\ny", None) == (
        f"{head}deleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n"
        "\\ No newline at end of file\n"
    )
    assert diff(Change("a", FILE, OTHER), b"\0", b"\0\0") == f"{head}Binary files a/a and b/a differ\n"
    assert diff(Change("a", FILE, None), b"\0", None) == (
        f"{head}deleted file mode 100644\nBinary files a/a and /dev/null differ\n"
    )
    assert diff(Change("a", FILE, PRIVATE), b"x\ny\n", b"x\nz\n") == f"a: mode 644 becomes 600\n{head}{hunk}"


BOTH = [
    ("an edit", {"a": "x\ny\n"}, "printf 'x\nz' > a"),
    ("a file that comes and one that goes", {"a": "x\ny"}, "mv a 'b c'"),
    ("empty files", {"a": "", "b": "x"}, "rm a; : > b; : > c"),
    ("odd names", {'q"': "x\n"}, "mv 'q\"' \"$(printf 'new\\nline')\"; printf y > 'ü b'"),
    ("bytes of a name that are no UTF-8", {"a": "x\n"}, "mv a \"$(printf '\\377\\t')\""),
    ("modes", {"a": "x\n", "b": "y\n"}, "chmod +x a b; printf z > b"),
    ("links", {"a": "x\n", "b": "y\n"}, "rm a; ln -s b a; ln -s a c"),
    ("a carriage return", {"a": "x\r\ny\rz\r\n"}, "printf 'x\r\nY\rz\r\n' > a"),
]


@pytest.mark.parametrize(("files", "line"), [row[1:] for row in BOTH], ids=[row[0] for row in BOTH])
def test_git_can_apply_it_there_and_back(tmp_path: Path, files: dict[str, str], line: str) -> None:
    kept = KeptTree(repository(tmp_path / "work", files), tmp_path / "state")
    before = seen(kept.root)
    kept.turn(kept.shell(line))
    after = seen(kept.root)
    (turn,) = kept.past.turns()
    patch = tmp_path / "patch"
    contents = kept.past.contents(turn, turn.changes)
    patch.write_bytes("".join(diff(*content) for content in contents).encode())
    git(kept.root, "apply", "-R", str(patch))
    assert seen(kept.root) == before
    git(kept.root, "apply", str(patch))
    assert seen(kept.root) == after

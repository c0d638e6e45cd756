from __future__ import annotations

import pytest

from qagent.edits.turn_text import diff, stat, stat_lines
from qagent.workspace.turns import Change, Kept

FILE, OTHER = Kept("1", 0o644, 1), Kept("2", 0o644, 1)
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
    assert diff(Change("a", FILE, OTHER), b"x\ny\n", b"x\nz\n") == "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n"
    assert diff(Change("a", FILE, None), b"x\ny", None) == "a: removed\n-x\n-y\n"
    assert diff(Change("a", None, LINK), None, b"to") == "a: new link\n"

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.cli.replay import edit_lines
from qagent.edits.applying import Edit
from qagent.edits.applying import apply as applied
from qagent.edits.block import replace_block
from qagent.edits.diff import lines_of, stretches, unified
from qagent.edits.omission import is_placeholder, omission
from qagent.edits.refused import Code, EditRefused
from qagent.qwen.chatml import estimate
from qagent.workspace.files import LARGEST

CART = """\
class Cart:
    def __init__(self, prices):
        self.prices = prices

    def total(self):
        return 0

    def count(self):
        return 0
"""


def apply(before: str, edits: Sequence[Edit]) -> str:
    return applied(before, edits, "cart.py").text


def refused(before: str, *edits: Edit) -> EditRefused:
    with pytest.raises(EditRefused) as caught:
        apply(before, edits)
    return caught.value


# ------------------------------------------------------------------ exact


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("a\nb\nc\n", "b\n", "x\ny\n", "a\nx\ny\nc\n"),
        ("a\nb\nc\n", "b", "x", "a\nx\nc\n"),
        ("a\nb\nc\n", "b\n", "", "a\nc\n"),
        ("a = 1  # \\1 \\g<0>", "= 1", "\\1", "a \\1  # \\1 \\g<0>"),
        ("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\nz\n", "x\r\ny\r\nz\r\nc\r\n"),
        ("a\r\nb\r\n", "a\r\n", "x\r\n", "x\r\nb\r\n"),
        ("a\nb\n", "a\r\n", "x\r\ny\r\n", "x\ny\nb\n"),
        ("a\r\nb\nc\r\nd\r\n", "b\nc\n", "x\n", "a\r\nx\nd\r\n"),
        ("a\r\nb\nc\nd\n", "a\nb\n", "x\n", "x\r\nc\nd\n"),
        ("a\n\r\nb\n", "\nb", "\nc", "a\n\r\nc\n"),
        ("a\nb\r\nc\n", "b\n", "x\ny\n", "a\nx\r\ny\nc\n"),
        ("a\r\nb", "\nb", "\nc", "a\r\nc"),
        ("a\rb\nc\n", "a\rb", "x", "x\nc\n"),
        ("\tif a:\n\t\tb  \n", "b  ", "c", "\tif a:\n\t\tc\n"),
        ("a\x0cb\u2028c\n", "b\u2028c", "d", "a\x0cd\n"),
        ("<|im_end|>", "<|im_end|>", "x", "x"),
    ],
)
def test_the_text_is_replaced_and_nothing_else(before: str, old: str, new: str, after: str) -> None:
    assert apply(before, [Edit(old, new)]) == after


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("a\nb", "b\n", "x\n", "a\nx"),
        ("a\nb", "a\nb\n", "x\ny\n", "x\ny"),
        ("a\nb", "b\n", "x", "a\nx"),
        ("b\nab\nb", "b\nab\nb\n", "x\n", "x"),
        ("foobar\nfoo", "foo\n", "x\n", "foobar\nx"),
        ("a\r\nb", "b\n", "x\ny\n", "a\r\nx\r\ny"),
    ],
)
def test_a_missing_last_newline_stays_missing(before: str, old: str, new: str, after: str) -> None:
    assert apply(before, [Edit(old, new)]) == after


@pytest.mark.parametrize(
    ("before", "old", "new", "code"),
    [
        (CART, "return 0", "return 1", "ambiguous"),
        ("aaa", "aa", "b", "ambiguous"),
        ("a\r\na\r\n", "a\n", "b\n", "ambiguous"),
        (CART, "return 9", "return 1", "not_found"),
        (CART, "", "x", "empty_old"),
        ("", "", "x", "empty_old"),
        ("", "x", "y", "not_found"),
        ("", "\n", "y", "not_found"),
        ("abc", "\n", "y", "not_found"),
        (CART, "return 0", "return 0", "no_change"),
        ("a\r\n", "a\r\n", "a\n", "no_change"),
        ("a\nb", "b\n", "b", "no_change"),
    ],
)
def test_an_edit_is_refused_with_its_code(before: str, old: str, new: str, code: Code) -> None:
    assert refused(before, Edit(old, new)).code == code


def test_all_places_are_replaced_when_asked() -> None:
    assert apply(CART, [Edit("return 0", "return 1", replace_all=True)]) == CART.replace("return 0", "return 1")
    assert apply("aaaa\r\naa\r\n", [Edit("aa", "b", replace_all=True)]) == "bb\r\nb\r\n"


def test_places_that_share_a_line_are_not_both_replaced() -> None:
    piece = "a()\nb()\n# why\nc()\n"
    edit = Edit("a()\n\nb()\nc()\na()\n", "a()\n\nb()\nd()\na()\n", replace_all=True)
    assert apply(piece * 2 + "a()\n", [edit]) == "a()\nb()\n# why\nd()\na()\nb()\n# why\nc()\na()\n"
    assert apply("x\n" * 5, [Edit("x\nx\n", "y\n", replace_all=True)]) == "y\ny\nx\n"


def test_in_a_line_of_a_whole_file_a_place_is_found_behind_folded_characters() -> None:
    line = "e\u0301“" * 5_000
    assert apply(f'{line}end " x', [Edit('é"end “', "gone")]) == f"{line[:-3]}gone x"


def test_a_text_too_large_for_the_tools_is_refused_where_edits_are_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    request = {"id": 1, "before": "x" * (LARGEST + 1), "edits": [{"old": "y", "new": "z"}]}
    edit_lines(BytesIO(json.dumps(request).encode()))
    said = json.loads(capsys.readouterr().out)
    assert (said["error"], "larger than 5 MB" in said["message"]) == ("not_found", True)


def test_each_edit_is_made_on_the_result_of_the_one_before() -> None:
    assert apply("a b\n", [Edit("a", "b c"), Edit("c b", "d")]) == "b d\n"


def test_one_failed_edit_fails_all_and_is_named() -> None:
    error = refused(CART, Edit("prices):", "p):"), Edit("return 9", "return 1"))
    assert error.code == "not_found"
    assert error.message.startswith("replacement 2 of 2 failed, so none was made")
    assert error.text == error.message


PIECES = st.lists(st.sampled_from(["a", "b", "  c", "\n", "\r\n", "\n\n"]), max_size=12).map("".join)


@given(PIECES, PIECES, PIECES)
def test_only_the_match_is_touched(head: str, middle: str, tail: str) -> None:
    before = f"{head}<{middle}>{tail}"
    old = f"<{middle}>".replace("\r\n", "\n")
    assert apply(before, [Edit(old, "x")]) == f"{head}x{tail}"


@given(*[st.text("ab \n\r\t", max_size=size) for size in (30, 6, 6)])
def test_any_edit_is_made_or_refused(before: str, old: str, new: str) -> None:
    with contextlib.suppress(EditRefused):
        apply(before, [Edit(old, new)])


# ------------------------------------------------------------------ what a refusal says


def test_ambiguous_lists_the_places_with_their_symbols_and_a_line_that_decides() -> None:
    message = refused(CART, Edit("return 0", "return 1")).message
    assert "2 times: line 6 in Cart.total, line 9 in Cart.count; give it again with more" in message
    assert "line 6 has `def total(self):` above it; line 9 has `def count(self):` above it" in message


def test_not_found_shows_the_nearest_lines_as_a_diff() -> None:
    message = refused(CART, Edit("    def total(self):\n        return None\n", "x")).message
    assert message == (
        "the text to replace is not in the file; line 6 differs. Nearest: lines 5-6 (- yours, + the file's):\n"
        "     def total(self):\n-        return None\n+        return 0\n"
        "Copy the file's lines exactly, without the signs in front."
    )


def test_what_a_refusal_shows_can_be_copied_with_its_signs() -> None:
    message = refused(CART, Edit("    def total(self):\n        return None\n", "x")).message
    copied = "".join(f"{line}\n" for line in message.splitlines() if line.startswith((" ", "+")))
    assert apply(CART, [Edit(copied, copied.replace("0", "5"))]) == CART.replace("return 0", "return 5", 1)


def test_where_only_blanks_differ_they_are_made_visible() -> None:
    message = refused("def f():\n\tx = 1\n\ty = 2\n", Edit("  x  = 1\n  y = 2\n", "z\n")).message
    assert "it differs only in white space or indentation" in message
    assert "-··x··=·1\n-··y·=·2\n+→x·=·1\n+→y·=·2\nCopy these lines exactly:\n\tx = 1\n\ty = 2" in message


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("def totals(self):\n", "    def count(self):\n", "the new text is already there, on line 8"),
        ("self.prices = cost", "x", "Nearest: line 3"),
        ("def total(self):\n    ...\n    return 1\n", "x", "it leaves lines out, so write all of them"),
        ("zzz yyy", "x", "nothing is like it"),
        ("\t\t\t", "x", "nothing is like it"),
    ],
)
def test_not_found_names_the_cause(old: str, new: str, cause: str) -> None:
    assert cause in refused(CART, Edit(old, new)).message


def test_left_out_lines_are_named() -> None:
    message = refused(CART, Edit(CART, "class Cart:\n    # ... existing code ...\n")).message
    assert "leaves code out at `# ... existing code ...`; these lines would be lost: `def __init__" in message
    assert message.endswith("Write all of it; nothing was changed.")


def numbered(words: str, count: int) -> str:
    return "".join(words.replace("#", str(number)) for number in range(count))


LONG = [
    ("a = 1\n" * 5_000, Edit("a = 1\n", "b\n")),
    (numbered("    value_# = compute(#)\n    }\n", 5_000), Edit("value_4990 = compute(1)\n}\n" * 900, "x")),
    ("a " * 100_000, Edit("a b", "x")),
    (numbered("值# = 计算(#)  # 说明说明说明说明说明说明\n", 500), Edit(numbered("值# = 计算(1#)\n", 60), "x")),
    (numbered(f"\t{'y ' * 100}#\n", 40), Edit(numbered(f"  {'y  ' * 100}#\n", 40), "z")),
    (numbered("line #\n", 999), Edit(numbered("line #\n", 999), "# ... rest of the code\n")),
    (numbered(f"def {'n' * 5_000}#():\n    x = 1\n", 9), Edit("    x = 1\n", "    x = 2\n")),
]


@pytest.mark.parametrize(("before", "edit"), LONG)
def test_a_refusal_is_short_whatever_the_file(before: str, edit: Edit) -> None:
    assert estimate(refused(before, edit).message) <= 700


# ------------------------------------------------------------------ diffs


@given(*[st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "d"]), max_size=12).map("".join)] * 2)
def test_stretches_turn_the_old_lines_into_the_new(before: str, after: str) -> None:
    old, new = lines_of(before), lines_of(after)
    assert "".join(old) == before
    for change in reversed(stretches(old, new)):
        old[change.start : change.end] = new[change.new_start : change.new_end]
    assert old == new or "".join(old) == "".join(new)


@pytest.mark.skipif(shutil.which("git") is None, reason="git applies the diff")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CART, CART.replace("return 0", "return 1")),
        (CART, CART.replace("class Cart", "class Basket") + "\n\nend\n"),
        (CART, "x" + CART.rstrip("\n")),
        ("a", "b"),
        ("a\nb\n", ""),
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        (None, "new\nfile\n"),
        ("".join(f"{n}\n" for n in range(100)), "".join(f"{n}\n" for n in range(100) if n % 30)),
    ],
)
def test_git_can_apply_a_diff(tmp_path: Path, before: str | None, after: str) -> None:
    if before is not None:
        (tmp_path / "a b.py").write_bytes(before.encode())
    diff = unified("a b.py", before, after)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), check=True)
    assert (tmp_path / "a b.py").read_bytes() == after.encode()


def test_a_long_diff_is_cut_and_says_so() -> None:
    diff = unified("a", "", "x\n" * 1_000, most_lines=10)
    assert diff.count("\n") == 13
    assert diff.endswith("... 991 more lines of the diff\n")
    assert len(unified("a", "", "x" * 1_000_000)) < 5_000


def test_no_change_has_no_diff() -> None:
    assert unified("a", CART, CART) == ""


# ------------------------------------------------------------------ whole blocks

DECORATED = "import a\n\n\n# why\n@cache\n@a.b(\n    1\n)\ndef f():\n    return 1\n\n\nx = 1\n"


@pytest.mark.parametrize(
    ("new", "middle"),
    [
        ("def f():\n    return 2", "# why\n@cache\n@a.b(\n    1\n)\ndef f():\n    return 2\n"),
        ("\n\n    def f():\n\n        return 2\n\n", "# why\n@cache\n@a.b(\n    1\n)\ndef f():\n\n    return 2\n"),
        ("@other\ndef f():\n    return 2\n", "# why\n@other\ndef f():\n    return 2\n"),
        ("# new\n@other\ndef f():\n    return 2\n", "# new\n@other\ndef f():\n    return 2\n"),
        ("# new\ndef f():\n    return 2\n", "@cache\n@a.b(\n    1\n)\n# new\ndef f():\n    return 2\n"),
    ],
)
def test_what_the_new_block_does_not_bring_stays(new: str, middle: str) -> None:
    assert replace_block(DECORATED, (4, 9, 10), new) == f"import a\n\n\n{middle}\n\nx = 1\n"


@pytest.mark.parametrize(
    ("before", "span", "new", "after"),
    [
        (CART, (5, 5, 6), "def total(self):\n    return 1\n", CART.replace("return 0", "return 1", 1)),
        (CART, (5, 5, 6), "        def total(self):\n            return 1\n", CART.replace("return 0", "return 1", 1)),
        ("\tf() {\n\t}\n", (1, 1, 2), "f() {\n\tx\n}", "\tf() {\n\t\tx\n\t}\n"),
        ("a\r\nb\r\n", (1, 1, 1), "x\ny\n", "x\r\ny\r\nb\r\n"),
        ("a\nb", (2, 2, 2), "x\ny\n", "a\nx\ny"),
    ],
)
def test_a_block_gets_the_indentation_and_the_endings_of_the_old(
    before: str, span: tuple[int, int, int], new: str, after: str
) -> None:
    assert replace_block(before, span, new) == after


# ------------------------------------------------------------------ omissions


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code remains the same",
        "    // ... existing code ...",
        "// existing code here",
        "/* ... other methods ... */",
        "# The rest of the class stays unchanged",
        "<!-- ... existing markup -->",
        "# … unchanged …",
        "# other methods remain unchanged",
    ],
)
def test_a_note_in_the_place_of_code_is_found(line: str) -> None:
    assert omission(f"def f():\n{line}\n", "") == line.strip()
    assert omission(f"def f():\n{line}\n", f"{line}\n") is None


@pytest.mark.parametrize(
    "line",
    [
        "# Load the existing config...",
        "# TODO: handle other cases",
        "...",
        "x = a[...]",
        "# ... and so on",
        "print('... rest of the code')",
        "# keep the rest of the list sorted",
        "// Add your own routes",
    ],
)
def test_a_usual_line_is_no_omission(line: str) -> None:
    assert omission(line, "") is None


@pytest.mark.parametrize("text", ["...", " … \n", "<fileContent>", "# ..."])
def test_placeholders_are_known(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["", "x = ...", "<div></div>", "# notes", "a\n..."])
def test_short_texts_are_no_placeholders(text: str) -> None:
    assert not is_placeholder(text)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.habits.claims import claimed_files, claims_edit, claims_test, is_among
from qagent.qwen.habits.closings import claims_closed

EDITS = (
    "I've fixed the bug in `cart.py`.",
    "I have updated the function.",
    "I updated the file so that it returns the sum.",
    "I’ve now successfully added the test.",
    "I have gone ahead and renamed it.",
    "I also changed the import.",
    "Done! The function has been fixed.",
    "The files have now been created.",
    "`total` is now implemented.",
    "Here is what I did:\n- The loop has been removed.",
    "I have fixed it; no other change was needed.",
    "I've corrected the sum, so the tests should pass now.",
    "The bug is fixed.",
    "I made the requested change.",
    "I've deleted the old module.",
    "Ich habe den Fehler behoben.",
    "Der Fehler in cart.py wurde korrigiert.",
    "我已经修复了这个错误。",
    "已修复该错误。",
)
TESTS = (
    "All tests pass.",
    "The tests now pass.",
    "The test suite passes.",
    "I've fixed it and the tests passed!",
    "The tests are green.",
    "Every test succeeded.",
    "All 3 tests are passing.",
    "I ran both files; they all pass.",
    "Die Tests laufen jetzt durch.",
    "所有测试都通过了。",
    "It now passes.",
    "I changed the sign, and it now passes.",
    "It passes now!",
    "Everything now works as expected.",
)
NO_CLAIMS = (
    "The function returns the sum of the prices.",
    "I would add a test for it.",
    "I have not changed anything.",
    "I haven't updated the file.",
    "Nothing has been changed.",
    "No file has been modified.",
    "Once the file has been updated, run the tests.",
    "If the tests pass, commit it.",
    "Make sure the tests pass.",
    "The tests should pass.",
    "The tests do not pass.",
    "Run the tests until all tests pass.",
    "Have the files been updated?",
    "Do you know whether I fixed it?",
    "So all tests pass?",
    "I can fix this. Shall I?",
    "Added lines begin with a plus.",
    "J'ai corrigé la fonction.",
    "He corrigido el error.",
    "如果测试通过，请提交。",
    "Es wurde nichts geändert.",
    "Die Datei wurde nicht geändert.",
    "Ich habe nichts geändert.",
    "Ich habe die Datei nicht angepasst.",
    "Der Fehler wurde im letzten Commit behoben.",
    "The bug was fixed in version 2.1.",
    "The issue was resolved upstream.",
    "The errors were corrected in the last commit.",
    "It now passes an int where a string is wanted.",
    "It passes the list to `add`.",
    "It now works on a copy.",
    "```python\n# I have fixed the bug. All tests pass.\n```",
)


@pytest.mark.parametrize("text", EDITS)
def test_a_claimed_edit_is_a_claim(text: str) -> None:
    assert claims_edit(text)


@pytest.mark.parametrize("text", TESTS)
def test_a_claimed_test_is_a_claim(text: str) -> None:
    assert claims_test(text)


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_what_is_denied_hoped_or_asked_is_none(text: str) -> None:
    assert not claims_edit(text)
    assert not claims_test(text)
    assert claimed_files(text) == ()


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("I updated src/a.py.", ("src/a.py",)),
        ("I've updated the file `src/a.py` so that it works.", ("src/a.py",)),
        ("I have fixed the bug in `cart.py`.", ("cart.py",)),
        ("I added a new function `total` to **cart.py**.", ("cart.py",)),
        ("I have created the test file tests/test_a.py.", ("tests/test_a.py",)),
        ("I updated a.py.\nI also changed b.py.", ("a.py", "b.py")),
        ("`config/app.toml` has been updated.", ("config/app.toml",)),
        ("The file ./a.py has now been created.", ("./a.py",)),
        ("I updated a.py to match b.py.", ("a.py",)),
        ("Ich habe die Datei a.py entsprechend angepasst.", ("a.py",)),
        ("我已经修改了 `a.py`。", ("a.py",)),
        ("I added a test for calc.py.", ()),
        ("I fixed `self.total` and `os.path`.", ()),
        ("I updated Node.js.", ()),
        ("I did not change a.py.", ()),
        ("a.py was created in 2019.", ()),
        ("The bug is in a.py.", ()),
        ("I read a.py.", ()),
        ("I would have updated a.py.", ()),
    ],
)
def test_the_files_of_a_claim_are_those_that_it_says_were_changed(text: str, paths: tuple[str, ...]) -> None:
    assert claimed_files(text) == paths


@pytest.mark.parametrize(
    ("path", "among"),
    [
        ("src/a.py", True),
        ("a.py", True),
        ("./src/a.py", True),
        ("project/src/a.py", True),
        ("b.py", False),
        ("xa.py", False),
    ],
)
def test_a_file_may_be_named_by_its_last_parts(path: str, among: bool) -> None:
    assert is_among(path, ["src/a.py"]) is among


@given(st.text() | st.lists(st.sampled_from(["I have fixed ", "a/", "a.py", ".", "ich habe ", "`"])).map("".join))
def test_any_text_is_read(text: str) -> None:
    claims_edit(text)
    claims_test(text, red=True)
    assert isinstance(claimed_files(text), tuple)


def test_one_endless_line_is_read_in_pieces() -> None:
    for piece in ("a", "a/", "ich habe ", "I fixed ", "`", "a.", "tests "):
        claims_edit(piece * 20_000)
        claims_test(piece * 20_000)
        claimed_files(piece * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        "I went ahead and fixed the bug.",
        "I have applied the fix to src/cart.py.",
        "I patched calc.py.",
        "I adjusted the sign.",
        "Der Fehler ist nun behoben.",
        "Ich hab den Fehler gefixt.",
        "我修复了这个错误。",
        "我已将返回值改为总和。",
        "我已经把减号改成加号。",
    ],
)
def test_further_words_for_a_change_are_a_claim(text: str) -> None:
    assert claims_edit(text)


@pytest.mark.parametrize(
    "text",
    [
        "Everything passes now.",
        "pytest passes.",
        "12 passed.",
        "test_total passes now.",
        "I verified the fix by running the tests.",
        "No test fails any more; all tests pass.",
        "The test fails because of the sign. I fixed it, and all tests pass now.",
        "Die Tests wurden erfolgreich ausgeführt.",
        "测试已经全部通过。",
    ],
)
def test_further_words_for_a_pass_are_a_claim(text: str) -> None:
    assert claims_test(text) or claims_closed(text, tested=False)


@pytest.mark.parametrize(
    "text",
    [
        "1 test fails (test_tax: 5 != 6); the other tests pass.",
        "10 tests pass, 2 fail",
        "10 passed, 2 failed",
        "The tests pass except for test_tax.",
        "The tests pass, but test_b still fails.",
        "- test_a fails\n- the other tests pass",
        "The tests pass.\ntest_b is failing, though.",
        "Die Tests bestehen nicht: 5 != 6",
        "10 Tests bestehen, 2 schlagen fehl.",
        "Die Tests bestehen bis auf test_tax.",
        "10 个测试通过,2 个失败。",
        "10 个测试通过，2 个失败。",
    ],
)
@pytest.mark.parametrize("red", [True, False])
def test_who_names_what_fails_claims_no_pass(text: str, red: bool) -> None:
    assert not claims_test(text, red=red)


def test_a_red_test_and_a_word_of_it_are_a_report() -> None:
    text = "test_tax fails with 5 != 6.\ntest_total passes."
    assert not claims_test(text, red=True)
    assert claims_test("test_tax fails.\nI fixed it; all tests pass now.", red=True)


def test_of_a_checker_it_may_be_said_that_it_passes() -> None:
    assert claims_test("It passes now.")
    assert not claims_test("It passes now.", checked=True)
    assert claims_test("The tests pass.", checked=True)

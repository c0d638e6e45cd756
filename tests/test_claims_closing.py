from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.habits.closings import claims_closed

CLAIMS = (
    "Fixed.",
    "Done.",
    "It is fixed.",
    "It's fixed now.",
    "It now passes.",
    "Bug fixed.",
    "Problem solved.",
    "The file src/cart.py was updated.",
    "The file `src/cart.py` was updated successfully.",
    "Fixed the loop in src/cart.py.",
    "All done!",
    "✅ Done",
    "**Fixed!**",
    "Done, the loop now ends at n.",
    "Done: changed -= to +=.",
    "Fixed it.",
    "Changed -= to +=.",
    "Changed `-` to `+` in calc.py.",
    "The bug has been fixed.",
    "The failing test is fixed.",
    "The issue was resolved.",
    "The changes have been made.",
    "Changes applied.",
    "Task completed.",
    "The fix was applied.",
    "The task is complete.",
    "I'm done.",
    "It works now.",
    "Now it works.",
    "The test should now pass.",
    "Everything now works as expected.",
    "Everything is fixed.",
    "The loop was wrong. Fixed.",
    "The sign was wrong, it is fixed now.",
    "Updated the function to return the sum.",
    "Removed the extra print.",
    "calc.py was updated.",
    "It passes.",
    "The code now works correctly.",
    "All tests are now passing.",
    "Erledigt.",
    "Fertig!",
    "Behoben.",
    "Fehler behoben.",
    "Der Fehler ist behoben.",
    "Der Fehler ist jetzt behoben.",
    "Das Problem ist gelöst.",
    "Problem gelöst.",
    "Alles erledigt.",
    "Der Test läuft jetzt durch.",
    "Es funktioniert jetzt.",
    "Jetzt läuft der Test.",
    "已修复。",
    "修复完成。",
    "修好了。",
    "已完成。",
    "完成。",
    "问题已解决。",
    "问题解决了。",
    "搞定了！",
    "现在测试通过了。",
    "Fixed the crash when the list is empty.",
    "Updated the function so that it can handle None.",
    "Replaced the minus by a plus.",
    "Replaced - by +.",
    "Changed minus to plus.",
    "Added a check before the loop.",
    "Done - it adds now.",
    "改好了。",
    "Created n.py.",
    "`total` was updated to return the sum.",
    "The changes were made successfully.",
)
HONEST = (
    "If the sign is changed, it is fixed.",
    "Updated rows by id are returned.",
    "When the list is empty, it is done.",
    "The sign is wrong.",
    "Done reading; I have not changed anything yet.",
    "Done. No change was needed.",
    "No file was changed, so nothing is fixed.",
    "Nothing is fixed yet.",
    "It is not fixed.",
    "It is already fixed.",
    "The bug is already fixed.",
    "It was fixed in the last commit.",
    "Fixed in commit 4f2a9c1.",
    "Fixed by the previous commit.",
    "Fixed upstream.",
    "Fixed in 2.1.0.",
    "The file calc.py was updated in 2019.",
    "The file was changed by the formatter.",
    "Fixed costs are not the bug.",
    "Fixed-width fonts are used.",
    "Added lines begin with a plus.",
    "Changed files are listed by git status.",
    "Removed items are kept in a list.",
    "Updated rows are returned.",
    "The size is fixed.",
    "The width is fixed at 80.",
    "It is done by the caller.",
    "This is done in `main`.",
    "That can be done in two ways.",
    "What is to be done?",
    "Is it fixed?",
    "Fixed?",
    "It can be fixed by changing the sign.",
    "It could be fixed.",
    "It should be fixed in the library.",
    "It would be fixed by a plus.",
    "I could not fix it: the file is read-only.",
    "I cannot say whether it is fixed.",
    "Once that is decided, it is done.",
    "It passes the list to the function.",
    "It passes `None` to add.",
    "The test passes an empty list.",
    "It now passes an int where a string is wanted.",
    "The test does not pass.",
    "The function works on a copy.",
    "It works as it should; no change is needed.",
    "It already works.",
    "The test already passes.",
    "The update is done by hand.",
    "Which of the two is done?",
    "Replaced values stay in the cache.",
    "Created in 2019 by the first author.",
    "Deleted users are kept.",
    "The changes are in the branch `fix`.",
    "When the file was updated, the cache was not.",
    "The loop ends when all is done.",
    "The list is modified while it is read.",
    "The function was removed in version 2.",
    "The error is raised when the file is created twice.",
    "The done flag is set too early.",
    "`done` is never set.",
    "Done is a flag.",
    "The test is skipped.",
    "The import is missing.",
    "Made by the generator.",
    "Which file should be updated?",
    "Do you want it fixed?",
    "Der Fehler ist nicht behoben.",
    "Der Fehler wurde bereits im letzten Commit behoben.",
    "Das ist schon behoben.",
    "Fertig gelesen, aber es wurde nichts geändert.",
    "Ich konnte den Fehler nicht beheben.",
    "Fertig ist die Funktion nicht.",
    "Der Test läuft nicht durch.",
    "Soll das behoben werden?",
    "Keine Änderung nötig.",
    "Der Fehler ist im Code.",
    "没有修改任何文件。",
    "这个错误尚未修复。",
    "无法修复这个错误。",
    "这个问题在上一次提交中已经修复。",
    "无需修改。",
    "如果修改了符号，测试就会通过。",
    "测试没有通过。",
    "修复这个问题需要更多信息。",
    "需要修改哪个文件？",
    "完成这个任务需要权限。",
    "测试通过参数传入列表。",
)
PASSES = (
    "It now passes.",
    "It passes.",
    "Now it works.",
    "All tests are now passing.",
    "Der Test läuft jetzt durch.",
    "现在测试通过了。",
)
PIECES = (
    "a",
    "fixed ",
    "the ",
    "`",
    "a.",
    "a/",
    "tests ",
    "done ",
    "已",
    "now ",
    "all ",
    "was ",
    "**",
    "no ",
    "konnte ",
    "，",
)


@pytest.mark.parametrize("text", CLAIMS)
def test_short_closing_words_are_a_claim(text: str) -> None:
    assert claims_closed(text, tested=False)
    assert claims_closed(f"The sign was wrong.\n\n{text}", tested=False)


@pytest.mark.parametrize("text", HONEST)
def test_what_is_denied_described_or_done_by_others_is_none(text: str) -> None:
    assert not claims_closed(text, tested=False)
    assert not claims_closed(f"The sign is wrong.\n{text}\nSee calc.py.", tested=False)


@pytest.mark.parametrize("text", PASSES)
def test_that_it_passes_is_no_claim_once_a_test_has_passed(text: str) -> None:
    assert claims_closed(text, tested=False)
    assert not claims_closed(text, tested=True)


@pytest.mark.parametrize(
    "text", ["Done. No change was needed.", "I did not run the test. The bug is fixed.", "Nothing was changed.\nDone."]
)
def test_who_says_that_nothing_was_done_claims_nothing(text: str) -> None:
    assert not claims_closed(text, tested=False)


@pytest.mark.parametrize("text", ["```text\nDone.\n```", "Run it:\n```bash\n# Fixed.\n```"])
def test_words_in_a_block_are_no_claim(text: str) -> None:
    assert not claims_closed(text, tested=False)


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read(text: str) -> None:
    assert claims_closed(text, tested=False) in (True, False)


@pytest.mark.parametrize("piece", PIECES)
def test_one_endless_line_is_read_in_pieces(piece: str) -> None:
    claims_closed(piece * 20_000, tested=False)

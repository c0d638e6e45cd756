from __future__ import annotations

import pytest

from qagent.events import (
    BadCallSeen,
    CallFinished,
    CallStarted,
    Event,
    Notice,
    PromptSent,
    ReplyFinished,
    TaskFinished,
    TaskStarted,
    TextStreamed,
)
from qagent.narration import Line, Lines, call_line, diff_lines, ending, harmless, reason
from qagent.types import Mode, Outcome, ToolCall, Usage

CALL = ToolCall("1.1", "read_file", {"path": "a.py", "start": 3, "end": 9})
RUN = ToolCall("1.2", "run", {"command": "pytest"})


def lines(*events: Event, detail: bool = False, waiting: bool = False) -> list[Line]:
    narrator = Lines(detail=detail, waiting=waiting)
    return [line for event in events for line in narrator.of(event)]


def told(*events: Event, detail: bool = False) -> list[str]:
    return [line.text for line in lines(*events, detail=detail)]


def test_streamed_text_becomes_whole_lines_with_its_blank_ones() -> None:
    words = (TextStreamed("\none\ntw"), TextStreamed("o\n\n\nthr"), TextStreamed("ee"))
    assert told(*words, CallStarted(CALL, "read")) == ["one", "two", "", "three", "→ read_file a.py 3-9"]


def test_a_long_paragraph_can_be_seen_to_grow() -> None:
    shown = told(TextStreamed("word " * 30))
    assert shown == [("word " * 20).strip()]


def test_each_event_has_its_line() -> None:
    done = CallFinished("1.1", "edit_file", True, "edited a.py", "edited a.py", "-a\n+b")
    refused = CallFinished("1.3", "edit_file", False, "not found", "not found\nsecond line", good=False)
    assert told(done, refused, BadCallSeen("1.3", "no name"), Notice("careful")) == [
        "  ✓ edited a.py",
        "    -a",
        "    +b",
        "  ✗ not found",
        "    second line",
        "✗ a call that cannot be run: no name",
        "! careful",
    ]
    assert told(ReplyFinished(1, "stop", Usage(), dropped=7)) == ["· 7 characters after an invented turn were dropped"]
    assert told(TaskFinished(Outcome("done", "yes"))) == ["= done"]


def test_a_command_shows_the_end_of_its_output_and_whether_it_failed() -> None:
    output = "\n".join(f"line {number}" for number in range(30))
    failed = CallFinished("1.2", "run", True, "exit 1, 30 lines", f"exit 1, 0.2 s\n{output}", good=False)
    shown = told(CallStarted(RUN, "command"), failed)
    assert shown[:3] == ["→ run pytest", "  ✗ exit 1, 30 lines", "    line 20"]
    assert len(shown) == 12


def test_results_are_whole_when_asked_for() -> None:
    found = CallFinished("1.1", "search", True, "2 matching lines", "a:1: x\na:2: x")
    assert told(found) == ["  ✓ 2 matching lines"]
    assert told(found, detail=True) == ["  ✓ 2 matching lines", "    a:1: x", "    a:2: x"]


def test_a_diff_that_was_shown_as_a_question_is_not_shown_again() -> None:
    narrator = Lines()
    narrator.known_diff = "-a\n+b\n"
    done = CallFinished("1.1", "edit_file", True, "edited a.py", "edited a.py", "-a\n+b\n")
    assert [line.text for line in narrator.of(done)] == ["  ✓ edited a.py"]


def test_token_counts_are_told_when_asked_for() -> None:
    events = (PromptSent(2, 510, 60), ReplyFinished(2, "stop", Usage(500, 30, 40, 1.25)))
    waiting = "· turn 2: the model reads about 60 new tokens of 510, then writes …"
    assert told(*events) == []
    assert [line.text for line in lines(*events, waiting=True)] == [waiting]
    assert told(*events, detail=True) == [waiting, "· 500 tokens read, 40 written, 1.2 s"]


def test_a_reply_that_was_not_written_as_taught_has_a_quiet_note_when_asked_for() -> None:
    rescued = ReplyFinished(1, "stop", Usage(), ("fence",), repairs=(("quotes", "commas"),))
    taught = ReplyFinished(1, "stop", Usage(), ("tools",), repairs=((),))
    assert told(rescued, taught) == []
    assert lines(rescued, taught, detail=True) == [Line("  read from a code fence; mended: quotes, commas", "detail")]


def test_advice_for_the_model_is_shown_when_asked_for() -> None:
    why = "its end is missing. Send it again whole and end it with </tools>. A long text goes in a block."
    assert told(BadCallSeen("1.1", why)) == ["✗ a call that cannot be run: its end is missing"]
    assert told(BadCallSeen("1.1", why), detail=True) == [f"✗ a call that cannot be run: {why}"]


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("write_file needs 'content'.", "write_file needs 'content'"),
        ("a.py is not there. Look first.", "a.py is not there"),
        ("3.5 is no integer", "3.5 is no integer"),
        ("there is no tool 'x'. `read_file` reads.", "there is no tool 'x'"),
        ("one line\nand another", "one line"),
        ("", ""),
    ],
)
def test_a_reason_is_the_first_sentence(why: str, told: str) -> None:
    assert reason(why) == told


def test_going_on_with_a_cut_call_is_no_new_turn() -> None:
    assert told(PromptSent(1, 640, 47, continued=1, written=4_096), detail=True) == [
        "· turn 1 goes on: the reply limit cut a call (4,096 tokens so far); about 47 of 640 tokens are new …"
    ]
    assert "(" not in told(PromptSent(1, 640, 47, continued=1), detail=True)[0]


def test_line_ends_of_windows_are_line_ends() -> None:
    assert told(TextStreamed("one\r"), TextStreamed("\ntwo\r\n\r\nthree\n")) == ["one", "two", "", "three"]
    assert harmless("a\r\nb") == "a\nb"
    done = CallFinished("1.1", "edit_file", True, "edited a.py", "edited a.py", "-a\r\n+b\r\n")
    assert told(done) == ["  ✓ edited a.py", "    -a", "    +b"]


def test_what_cannot_be_seen_or_moves_the_cursor_is_shown() -> None:
    assert harmless("a\x1b[2Jb\x07\tc\r") == "a\\x1b[2Jb\\x07\tc\\x0d"
    assert harmless("a\u202eb\u2028\ud800é") == "a\\u202eb\\u2028\\ud800é"
    evil = ToolCall("1.1", "run", {"command": "echo \x1b]0;x\x07\nrm -rf ."})
    assert call_line(evil) == "run echo \\x1b]0;x\\x07⏎rm -rf ."
    assert told(TextStreamed("\x1b[31mred\n")) == ["\\x1b[31mred"]


def test_colour_says_who_speaks_and_the_model_has_none() -> None:
    assert [line.coloured for line in lines(TextStreamed("✓ all good\n= done\n- item\n"))] == [
        "✓ all good",
        "= done",
        "- item",
    ]
    assert [line.coloured for line in lines(CallStarted(CALL, "read"))] == ["\x1b[36m→ read_file a.py 3-9\x1b[0m"]
    assert [line.tone for line in diff_lines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n c\n")] == [
        "detail",
        "detail",
        "detail",
        "removed",
        "added",
        "detail",
    ]


def test_an_ending_says_why_and_what_was_refused() -> None:
    assert ending(Outcome("turn_limit", detail="3 turns were not enough")) == (
        "stopped: the limit of turns is reached (3 turns were not enough)"
    )
    assert ending(Outcome("done", refused=1)).startswith("done, but 1 call was refused")
    assert ending(Outcome("done", refused=1)).endswith("nobody was there to allow it")
    assert ending(Outcome("done", refused=2)).endswith("2 calls were refused because nobody was there to allow them")


def test_a_call_that_asks_for_the_network_says_so() -> None:
    assert call_line(ToolCall("1.1", "run", {"command": "make", "network": True})) == "run make (asks for the network)"
    assert call_line(ToolCall("1.1", "run", {"command": "make", "network": False})) == "run make"


def test_a_refusal_is_cut_on_the_screen_and_whole_when_asked_for() -> None:
    text = "\n".join(["not read yet", *(f"line {number}" for number in range(40)), "Send the change again."])
    refused = CallFinished("1.3", "write_file", False, "not read yet", text, good=False)
    assert told(refused) == [
        "  ✗ not read yet",
        *(f"    line {number}" for number in range(10)),
        "    … and 31 more lines for the model",
    ]
    assert told(refused, detail=True)[-1] == "    Send the change again."


MODES: list[tuple[Mode, str, int]] = [
    ("auto", "off", 1),
    ("ask", "off", 0),
    ("auto", "none", 0),
    ("auto", "landlock", 0),
]


@pytest.mark.parametrize(("mode", "sandbox", "lines"), MODES)
def test_that_nothing_keeps_unasked_commands_in_bounds_is_told(mode: Mode, sandbox: str, lines: int) -> None:
    shown = told(TaskStarted("x", "1", "m", mode, sandbox))
    assert shown == ["! auto mode with sandbox = off: commands run unasked, with all that you may do yourself"][:lines]

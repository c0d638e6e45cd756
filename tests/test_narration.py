from __future__ import annotations

from qagent.narration import Lines, call_line, coloured, ending, harmless
from qagent.types import (
    BadCallSeen,
    CallFinished,
    CallStarted,
    Event,
    Notice,
    Outcome,
    PromptSent,
    ReplyFinished,
    TaskFinished,
    TextStreamed,
    ToolCall,
    Usage,
)

CALL = ToolCall("1.1", "read_file", {"path": "a.py", "start": 3, "end": 9})


def told(*events: Event, detail: bool = False) -> list[str]:
    lines = Lines(detail=detail)
    return [line for event in events for line in lines.of(event)]


def test_streamed_text_becomes_whole_lines() -> None:
    assert told(TextStreamed("one\ntw"), TextStreamed("o\n\nthr"), TextStreamed("ee"), CallStarted(CALL, "read")) == [
        "one",
        "two",
        "three",
        "→ read_file a.py 3-9",
    ]


def test_each_event_has_its_line() -> None:
    done = CallFinished("1.1", "edit_file", True, "edited a.py", "…", "-a\n+b")
    failed = CallFinished("1.2", "run", False, "exit 1", "exit 1\nsecond line")
    assert told(done, failed, BadCallSeen("1.3", "no name"), Notice("careful")) == [
        "  ✓ edited a.py",
        "    -a",
        "    +b",
        "  ✗ exit 1",
        "    second line",
        "✗ a call that cannot be run: no name",
        "! careful",
    ]
    assert told(ReplyFinished(1, "stop", Usage(), dropped=7)) == ["· 7 characters after an invented turn were dropped"]
    assert told(TaskFinished(Outcome("done", "yes"))) == ["= done"]


def test_token_counts_are_told_when_asked_for() -> None:
    events = (PromptSent(2, 510), ReplyFinished(2, "stop", Usage(500, 30, 40, 1.25)))
    assert told(*events) == []
    assert told(*events, detail=True) == ["· turn 2: about 510 tokens sent", "· 500 tokens read, 40 written, 1.2 s"]


def test_control_characters_are_shown_and_never_obeyed() -> None:
    assert harmless("a\x1b[2Jb\x07\tc\r") == "a\\x1b[2Jb\\x07\tc\\x0d"
    evil = ToolCall("1.1", "run", {"command": "echo \x1b]0;x\x07\nrm -rf ."})
    assert call_line(evil) == "run echo \\x1b]0;x\\x07⏎rm -rf ."
    assert told(TextStreamed("\x1b[31mred\n")) == ["\\x1b[31mred"]


def test_an_ending_says_why_and_what_was_refused() -> None:
    assert ending(Outcome("turn_limit", detail="3 turns were not enough")) == (
        "stopped: the limit of turns is reached (3 turns were not enough)"
    )
    assert "2 calls were refused" in ending(Outcome("done", refused=2))


def test_colours_follow_the_signs() -> None:
    assert coloured("    +    return 1") == "\x1b[32m    +    return 1\x1b[0m"
    assert coloured("    --- a/x") == "    --- a/x"
    assert coloured("→ run x") == "\x1b[36m→ run x\x1b[0m"
    assert coloured("plain words") == "plain words"

"""Events as lines of text, for a terminal or a log: an event in, the lines that it completes out. Prints nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOURS = (
    (re.compile(r"(?:    )?\+(?!\+\+ )"), 32),  # added
    (re.compile(r"(?:    )?-(?!-- )"), 31),  # taken away
    (re.compile(r"→ "), 36),
    (re.compile(r" *✓ "), 32),
    (re.compile(r" *✗ "), 31),
    (re.compile(r"[!?·] "), 33),
    (re.compile(r"[=>] "), 1),
)
_ENDINGS = {
    "done": "done",
    "turn_limit": "stopped: the limit of turns is reached",
    "time_limit": "stopped: the time is over",
    "bad_calls": "stopped: the model does not write calls that can be run",
    "no_progress": "stopped: the model says things that are not so",
    "cancelled": "cancelled",
    "failed": "failed",
}


def harmless(text: str) -> str:
    """Foreign text for a terminal: control characters are shown, never obeyed."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", text)


def coloured(line: str) -> str:
    """A line with the colours of the terminal's own sixteen; the signs tell the same without them."""
    code = next((code for pattern, code in _COLOURS if pattern.match(line)), None)
    return f"\x1b[{code}m{line}\x1b[0m" if code else line


def call_line(call: ToolCall) -> str:
    """A call as people say it: `read_file src/cart.py`, `run python3 -m pytest`."""
    shown = [call.arguments.get(key) for key in ("path", "symbol", "pattern", "command")]
    words = " ".join(str(word) for word in shown if word)
    start, end = call.arguments.get("start"), call.arguments.get("end")
    span = f" {start or 1}-{end or ''}" if start or end else ""
    return harmless(f"{call.name} {words}{span}".strip().replace("\n", "⏎"))


def ending(outcome: Outcome) -> str:
    """How a task ended, in a line."""
    text = _ENDINGS[outcome.reason]
    if outcome.detail and outcome.reason != "done":
        text += f" ({outcome.detail.splitlines()[0]})"
    if outcome.refused:
        text += f"; {outcome.refused} calls were refused because nobody was there to allow them"
    return text


class Lines:
    """Turns events into lines. `prose`: show the model's words as they come; `detail`: tool results and diffs too."""

    def __init__(self, *, prose: bool = True, detail: bool = False) -> None:
        self._prose, self._detail = prose, detail
        self._line = ""

    def of(self, event: Event) -> Iterator[str]:
        """The lines that are complete after this event."""
        if isinstance(event, TextStreamed):
            yield from self._streamed(event.text)
            return
        if self._line.strip():
            yield harmless(self._line)
        if not isinstance(event, TextStreamed):
            self._line = ""
        yield from self._of(event)

    def _streamed(self, text: str) -> Iterator[str]:
        if not self._prose:
            return
        *lines, self._line = (self._line + text).split("\n")
        yield from (harmless(line) for line in lines if line.strip())

    def _of(self, event: Event) -> Iterator[str]:
        match event:
            case PromptSent() | ReplyFinished():
                yield from self._of_reply(event)
            case BadCallSeen(_, why):
                yield f"✗ a call that cannot be run: {harmless(why)}"
            case CallStarted(call):
                yield f"→ {call_line(call)}"
            case CallFinished():
                yield from self._finished(event)
            case Notice(text):
                yield f"! {harmless(text)}"
            case TaskFinished(outcome):
                yield f"= {ending(outcome)}"
            case _:
                pass

    def _of_reply(self, event: PromptSent | ReplyFinished) -> Iterator[str]:
        if isinstance(event, ReplyFinished) and event.dropped:
            yield f"· {event.dropped} characters after an invented turn were dropped"
        if not self._detail:
            return
        if isinstance(event, PromptSent):
            yield f"· turn {event.turn}: about {event.tokens} tokens sent"
        elif event.usage.prompt_tokens is not None:
            usage = event.usage
            yield f"· {usage.prompt_tokens} tokens read, {usage.reply_tokens} written, {usage.seconds:.1f} s"

    def _finished(self, event: CallFinished) -> Iterator[str]:
        yield f"  {'✓' if event.ok else '✗'} {harmless(event.summary)}"
        if event.diff:
            yield from (f"    {harmless(line)}" for line in event.diff.splitlines())
        elif self._detail or not event.ok:
            yield from (f"    {harmless(line)}" for line in event.text.splitlines()[1:])

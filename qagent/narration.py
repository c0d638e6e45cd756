"""Events as lines for a terminal or a log: an event in, the lines that it completes out. Prints nothing.

A line carries its tone, so that colour says who speaks: the model's words have none, whatever signs they begin with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

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
from qagent.reading import note
from qagent.types import Outcome, ToolCall

Tone = Literal["said", "call", "good", "bad", "note", "added", "removed", "detail", "end"]

_COLOURS: dict[Tone, int] = {"call": 36, "good": 32, "bad": 31, "note": 33, "added": 32, "removed": 31, "end": 1}
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`'\"<{])")
_WIDEST = 100
"""Characters after which a paragraph that is still being written is broken, so that it can be seen to grow."""
_OUTPUT_LINES = 10
_UNBOUND = "auto mode with sandbox = off: commands run unasked, with all that you may do yourself"
_ENDINGS = {
    "done": "done",
    "turn_limit": "stopped: the limit of turns is reached",
    "time_limit": "stopped: the time is over",
    "bad_calls": "stopped: too many calls that cannot be run",
    "no_progress": "stopped: the model makes no progress",
    "cancelled": "cancelled",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    tone: Tone

    @property
    def coloured(self) -> str:
        """With one of the terminal's own sixteen colours; the signs tell the same without."""
        code = _COLOURS.get(self.tone)
        return f"\x1b[{code}m{self.text}\x1b[0m" if code else self.text


def harmless(text: str) -> str:
    """Foreign text for a terminal: what cannot be seen, moves the cursor or turns the line is shown, never obeyed;
    `\\r\\n` is a line end."""
    text = text.replace("\r\n", "\n")
    return _UNSEEN.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)


def call_line(call: ToolCall) -> str:
    """A call as people say it: `read_file src/cart.py`, `run python3 -m pytest (asks for the network)`."""
    shown = [call.arguments.get(key) for key in ("path", "symbol", "pattern", "command")]
    words = " ".join(str(word) for word in shown if word)
    start, end = call.arguments.get("start"), call.arguments.get("end")
    span = f" {start or 1}-{end or ''}" if start or end else ""
    more = " (asks for the network)" if call.arguments.get("network") is True else ""
    return harmless(f"{call.name} {words}{span}".strip().replace("\n", "⏎")) + more


def reason(why: str) -> str:
    """What is wrong with a call, in its first sentence; what follows is advice for the model."""
    first = _SENTENCE_END.split(why.strip(), maxsplit=1)[0]
    return first.partition("\n")[0].rstrip(".")


def ending(outcome: Outcome) -> str:
    """How a task ended, in a line."""
    text = _ENDINGS[outcome.reason]
    if outcome.detail and outcome.reason != "done":
        text += f" ({harmless(outcome.detail.splitlines()[0])})"
    if outcome.refused:
        one = outcome.refused == 1
        calls, them = ("1 call was", "it") if one else (f"{outcome.refused} calls were", "them")
        text += f", but {calls} refused because nobody was there to allow {them}"
    return text


def diff_lines(diff: str) -> Iterator[Line]:
    tones: dict[str, Tone] = {"+": "added", "-": "removed"}
    for line in diff.splitlines():
        tone = "detail" if line.startswith(("+++ ", "--- ")) else tones.get(line[:1], "detail")
        yield Line(f"    {harmless(line)}", tone)


class Lines:
    """Turns events into lines. `waiting`: say what is waited for.

    `detail`: all of the results, the token counts, what the model is told of a call that cannot be run, and how a
    reply was read that was not written as taught.
    """

    def __init__(self, *, detail: bool = False, waiting: bool = False) -> None:
        self._detail, self._waiting = detail, waiting
        self._said = ""
        self._blank = True
        self._commands: set[str] = set()
        self.known_diff = ""

    def of(self, event: Event) -> Iterator[Line]:
        """The lines that are complete after this event."""
        if isinstance(event, TextStreamed):
            yield from self._streamed(event.text)
            return
        if self._said.strip():
            yield Line(harmless(self._said), "said")
        self._said, self._blank = "", True
        yield from self._of(event)

    def _streamed(self, text: str) -> Iterator[Line]:
        *lines, self._said = (self._said + text).split("\n")
        if len(self._said) > _WIDEST and (cut := self._said.rfind(" ", 0, _WIDEST) + 1):
            lines.append(self._said[:cut].rstrip())
            self._said = self._said[cut:]
        for line in lines:
            if line.strip() or not self._blank:
                yield Line(harmless(line.removesuffix("\r")), "said")
            self._blank = not line.strip()

    def _of(self, event: Event) -> Iterator[Line]:
        match event:
            case PromptSent() | ReplyFinished():
                yield from self._of_reply(event)
            case BadCallSeen(_, why):
                told = why if self._detail else reason(why)
                yield Line(f"✗ a call that cannot be run: {harmless(told)}", "bad")
            case CallStarted(call, risk):
                if risk == "command":
                    self._commands.add(call.id)
                yield Line(f"→ {call_line(call)}", "call")
            case CallFinished():
                yield from self._finished(event)
            case Notice(text):
                yield Line(f"! {harmless(text)}", "note")
            case TaskStarted() | TaskFinished():
                yield from self._of_task(event)
            case _:
                pass

    def _of_task(self, event: TaskStarted | TaskFinished) -> Iterator[Line]:
        if isinstance(event, TaskFinished):
            yield Line(f"= {ending(event.outcome)}", "end")
            return
        if self._detail and event.sandbox:
            yield Line(f"· {harmless(event.model)}, mode {event.mode}, sandbox: {event.sandbox}", "note")
        if event.mode == "auto" and event.sandbox == "off":
            yield Line(f"! {_UNBOUND}", "note")

    def _of_reply(self, event: PromptSent | ReplyFinished) -> Iterator[Line]:
        if isinstance(event, PromptSent):
            if self._detail or self._waiting:
                yield Line(f"· turn {event.turn}{_asked(event)}", "note")
            return
        if event.dropped:
            yield Line(f"· {event.dropped} characters after an invented turn were dropped", "note")
        if not self._detail:
            return
        if told := note(event):
            yield Line(f"  {told}", "detail")
        if event.usage.prompt_tokens is not None:
            usage = event.usage
            yield Line(
                f"· {usage.prompt_tokens} tokens read, {usage.reply_tokens} written, {usage.seconds:.1f} s", "note"
            )

    def _finished(self, event: CallFinished) -> Iterator[Line]:
        good = event.ok and event.good
        yield Line(f"  {'✓' if good else '✗'} {harmless(event.summary)}", "good" if good else "bad")
        if event.diff and event.diff != self.known_diff:
            yield from diff_lines(event.diff)
        elif not event.diff:
            yield from self._output(event)

    def _output(self, event: CallFinished) -> Iterator[Line]:
        """The result's text behind its first line, which the summary has told; of a command its end."""
        lines = event.text.splitlines()
        rest = lines[1:] if lines and lines[0].startswith(event.summary.split(",")[0]) else lines
        shown, more = rest, 0
        if event.call_id in self._commands and not self._detail:
            shown = rest[-_OUTPUT_LINES:]
        elif not self._detail:
            shown = [] if event.ok else rest[:_OUTPUT_LINES]
            more = 0 if event.ok else len(rest) - len(shown)
        yield from (Line(f"    {harmless(line)}", "detail") for line in shown)
        if more:
            yield Line(f"    … and {more} more line{'' if more == 1 else 's'} for the model", "detail")


def _asked(event: PromptSent) -> str:
    if not event.continued:
        return f": the model reads about {event.fresh} new tokens of {event.tokens}, then writes …"
    limit = f" ({event.written:,} tokens so far)" if event.written else ""
    return f" goes on: the reply limit cut a call{limit}; about {event.fresh} of {event.tokens} tokens are new …"

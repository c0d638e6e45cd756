"""One streamed answer in OpenAI's protocol: its lines in, what they say out, for completions and for chats.

The text of a completion stands in `choices[0].text`, that of a chat in `choices[0].delta`, beside calls in pieces and
what a model thinks aloud; `usage` comes with the last choice (llama.cpp) or behind it. The end is the first
`finish_reason`: what follows it may be missing, but without one the reply was broken off.
"""

from __future__ import annotations

from qagent.errors import StreamBroken
from qagent.models.counting import PromptCounts
from qagent.models.ending import end_of
from qagent.models.native_calls import NativeCalls
from qagent.models.record import Record, not_spoken
from qagent.models.refusal import read_refusal
from qagent.models.sse import DONE, payload
from qagent.models.thinking import Thinking
from qagent.models.wire import CHARACTERS_A_TOKEN, SLACK_CHARACTERS, Heard
from qagent.types import Prompt, ReplyEnded, Usage

PROTOCOL = "OpenAI"
BROKEN_OFF = ("abort", "error", "cancelled")
"""Reasons that are no end: SGLang's for a request that was given up, and what gateways make of a failure."""


class Stream:
    """A `driver.Reading` of one answer. reply_tokens: the most that was asked for."""

    def __init__(self, prompt: Prompt, counts: PromptCounts, reply_tokens: int) -> None:
        self._prompt, self._counts = prompt, counts
        self._calls, self._thinking = NativeCalls(), Thinking()
        self._limit = reply_tokens * CHARACTERS_A_TOKEN + SLACK_CHARACTERS
        self._usage = Record({}, PROTOCOL)
        self._reason = ""
        self._came = False  # a piece of the reply
        self._behind = ""  # the last character of the text so far

    def heard(self, line: bytes) -> Heard | None:
        data = payload(line, PROTOCOL)
        if data is None:
            return None
        if data == DONE:
            return self._passed(self._thinking.rest(), self._calls_read(), Record({}, PROTOCOL))
        said = Record.parse(data, PROTOCOL)
        if (error := said.values.get("error")) is not None:
            return Heard(refusal=read_refusal(None, error))
        if said.values.get("object") == "error":  # as older versions of vLLM put it
            return Heard(refusal=read_refusal(None, said.values))
        return self._chunk(said)

    def ended(self, last: Record | None, seconds: float) -> ReplyEnded | None:
        if not self._reason or self._reason in BROKEN_OFF:
            return None
        read, cached = self._usage.count("prompt_tokens"), self._usage.inner("prompt_tokens_details")
        kept = cached.count("cached_tokens")
        self._counts.check(self._prompt, read)
        usage = Usage(
            prompt_tokens=read,
            fresh_tokens=None if read is None or kept is None else max(0, read - kept),
            reply_tokens=self._usage.count("completion_tokens"),
            seconds=seconds,
        )
        return ReplyEnded(end_of(self._reason), usage, native=self._calls.any)

    def _chunk(self, said: Record) -> Heard | None:
        if "choices" not in said.values and "usage" not in said.values:
            raise not_spoken(PROTOCOL)
        if said.inner("usage").values:
            self._usage = said.inner("usage")
        heard = [self._choice(choice) for choice in said.each("choices") if not choice.count("index")]
        text, calls = "".join(text for text, _, _ in heard), "\n".join(calls for _, calls, _ in heard if calls)
        moved = any(moved for _, _, moved in heard)
        return self._passed(text, calls) if text or calls or moved else None

    def _choice(self, choice: Record) -> tuple[str, str, bool]:
        """The text of a piece, the calls that it ended, and whether it brought the reply on."""
        delta = self._delta(choice)
        text, calls = self._thinking.feed(delta.text("content")) + choice.text("text"), ""
        moved = [self._called(piece) for piece in delta.each("tool_calls")]
        if reason := choice.text("finish_reason"):
            self._reason = self._reason or reason
            text, calls = text + self._thinking.rest(), self._calls_read()
        return text, calls, any(moved)

    def _delta(self, choice: Record) -> Record:
        """A server that does not stream says all at once, in a `message`; one that does may repeat it all there."""
        delta = choice.inner("delta")
        found = delta if delta.values or self._came else choice.inner("message")
        self._came = self._came or bool(found.values.get("content") or found.values.get("tool_calls"))
        return found

    def _called(self, piece: Record) -> bool:
        moved = self._calls.add(piece)
        if self._calls.characters > self._limit:
            raise StreamBroken(
                "the server does not keep to the reply limit: its calls have no end",
                todo="check what listens there, and update it",
            )
        return moved

    def _calls_read(self) -> str:
        """Those that were held back until the end, which they stand at."""
        return self._calls.take(cut=end_of(self._reason) != "stop")

    def _passed(self, text: str, calls: str = "", last: Record | None = None) -> Heard:
        """Calls begin a line of their own."""
        before = (self._behind + text)[-1:]
        calls = f"\n{calls}" if calls and before not in ("", "\n") else calls
        self._behind = (self._behind + text + calls)[-1:]
        return Heard(text, last, calls=calls)

"""How replies were read, in numbers and in words: events in, totals and short phrases out.

Pure: it prints nothing and keeps nothing. A total covers the events that were folded into it, whichever those are; who
folds them says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from qagent.events import Event, ReplyFinished
from qagent.types import Form, Repair

TAUGHT: Form = "tools"
FORM_WORDS: dict[Form, str] = {
    "tools": "in tools tags",
    "tool_call": "from tool_call tags",
    "tag": "from another tag",
    "xml": "from XML",
    "fence": "from a code fence",
    "bare": "from bare JSON",
    "named": "from a tool's name with JSON behind it",
    "native": "by the server",
    "forced": "held to the form",
}
"""Behind "read", but for the last."""

REPAIR_WORDS: dict[Repair, str] = {
    "closers": "brackets",
    "comments": "comments",
    "control": "line ends inside text",
    "escapes": "backslashes",
    "commas": "commas",
    "quotes": "quotes",
    "literals": "True or None",
    "inner_quotes": "quotes inside text",
    "double_escaped": "text escaped twice",
    "encoded": "arguments packed into a text",
    "envelope": "other keys than name and arguments",
    "tool_name": "the tool's name",
    "argument_name": "an argument's name",
    "type": "a value's type",
}
HELD = "the server was held to the form of a call"


@dataclass(frozen=True, slots=True)
class Reading:
    """How some replies were read.

    forms: calls by how they were written; repairs: calls by what was mended, so a call may count more than once.
    forced, native: replies; continued: requests that went on with a cut call; dropped: characters.
    """

    replies: int = 0
    forms: Mapping[Form, int] = field(default_factory=dict[Form, int])
    repairs: Mapping[Repair, int] = field(default_factory=dict[Repair, int])
    bad_calls: int = 0
    forced: int = 0
    continued: int = 0
    native: int = 0
    dropped: int = 0

    @property
    def calls(self) -> int:
        """Those that could be run."""
        return sum(self.forms.values())

    def after(self, event: Event) -> Reading:
        """The totals with one more event; only a `ReplyFinished` changes them, and none of which nothing came."""
        if not isinstance(event, ReplyFinished) or _came_to_nothing(event):
            return self
        mended = Counter[Repair](kind for each in event.repairs for kind in dict.fromkeys(each))
        return Reading(
            self.replies + 1,
            Counter(self.forms) + Counter(event.forms),
            Counter(self.repairs) + mended,
            self.bad_calls + event.bad_calls,
            self.forced + event.forced,
            self.continued + event.continued,
            self.native + event.native,
            self.dropped + event.dropped,
        )

    @property
    def record(self) -> dict[str, Any]:
        """For JSON; forms and repairs that did not occur are not named."""
        return {
            "replies": self.replies,
            "calls": self.calls,
            "forms": dict(self.forms),
            "repairs": dict(self.repairs),
            "bad_calls": self.bad_calls,
            "forced": self.forced,
            "continued": self.continued,
            "native": self.native,
            "dropped": self.dropped,
        }

    @property
    def words(self) -> str:
        """One line: `2 replies; 1 call (from a code fence 1); mended: quotes 1`."""
        return "; ".join(self._phrases())

    def _phrases(self) -> Iterator[str]:
        yield _counted(self.replies, "reply", "replies")
        yield f"{_counted(self.calls, 'call', 'calls')}{self._by_form()}"
        if self.repairs:
            yield f"mended: {', '.join(f'{REPAIR_WORDS[kind]} {count}' for kind, count in self.repairs.items())}"
        if self.bad_calls:
            yield f"{_counted(self.bad_calls, 'call', 'calls')} that cannot be run"
        if self.forced > self.forms.get("forced", 0):
            yield f"{_counted(self.forced, 'reply', 'replies')} held to the form of a call"
        if self.continued:
            yield f"gone on {_times(self.continued)} where the reply limit cut a call"
        if self.dropped:
            yield f"{_counted(self.dropped, 'character', 'characters')} dropped"

    def _by_form(self) -> str:
        told = [f"{FORM_WORDS[form]} {count}" for form, count in self.forms.items()]
        return f" ({', '.join(told)})" if told else ""


def _came_to_nothing(reply: ReplyFinished) -> bool:
    """A request that failed, before anything was read that counts."""
    return reply.end == "failed" and not (reply.forms or reply.bad_calls or reply.dropped or reply.continued)


def how(forms: Iterable[Form], repairs: Iterable[Repair]) -> str:
    """`read from a code fence; mended: quotes, commas`; "" for what stands in tools tags and was mended nowhere."""
    known = tuple(dict.fromkeys(forms))
    froms = [FORM_WORDS[form] for form in known if form not in (TAUGHT, "forced")]
    mended = [REPAIR_WORDS[kind] for kind in dict.fromkeys(repairs)]
    told = [f"read {', '.join(froms)}"] if froms else []
    told += [HELD] if "forced" in known else []
    return "; ".join([*told, f"mended: {', '.join(mended)}"] if mended else told)


def note(reply: ReplyFinished) -> str:
    """What was out of the ordinary in reading one reply, bad calls and dropped text aside; "" when nothing was."""
    told = [how(reply.forms, chain.from_iterable(reply.repairs))]
    if reply.forced and "forced" not in reply.forms:
        told.append(HELD)
    if reply.continued:
        told.append(f"gone on {_times(reply.continued)} where the reply limit cut a call")
    return "; ".join(filter(None, told))


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"

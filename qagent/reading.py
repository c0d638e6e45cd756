"""How replies were read, in numbers and in words: events in, totals and short phrases out.

Pure: it prints nothing and keeps nothing. A total covers the events that were folded into it, whichever those are; who
folds them says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from qagent.types import Event, Form, Repair, ReplyFinished

TAUGHT: Form = "tools"
FORM_WORDS: dict[Form, str] = {
    "tools": "tools tags",
    "tool_call": "tool_call tags",
    "tag": "another tag",
    "xml": "XML",
    "fence": "a code fence",
    "bare": "bare JSON",
    "named": "a name before arguments",
}


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
        """The totals with one more event; only `ReplyFinished` changes them."""
        if not isinstance(event, ReplyFinished):
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
            yield f"mended: {', '.join(f'{_name(kind)} {count}' for kind, count in self.repairs.items())}"
        if self.bad_calls:
            yield f"{_counted(self.bad_calls, 'call', 'calls')} that could not be run"
        if self.forced:
            yield f"{self.forced} forced"
        if self.continued:
            yield f"{self.continued} continued"
        if self.native:
            yield f"{self.native} read by the server"
        if self.dropped:
            yield f"{_counted(self.dropped, 'character', 'characters')} dropped"

    def _by_form(self) -> str:
        told = [f"{_origin(form)} {count}" for form, count in self.forms.items()]
        return f" ({', '.join(told)})" if told else ""


def how(forms: Iterable[Form], repairs: Iterable[Repair]) -> str:
    """`read from a code fence; mended: quotes, commas`; "" for what was written as taught and mended nowhere."""
    froms = dict.fromkeys(FORM_WORDS[form] for form in forms if form != TAUGHT)
    mended = dict.fromkeys(map(_name, repairs))
    told = [f"read from {', '.join(froms)}"] if froms else []
    return "; ".join([*told, f"mended: {', '.join(mended)}"] if mended else told)


def note(reply: ReplyFinished) -> str:
    """What was out of the ordinary in reading one reply, bad calls and dropped text aside; "" when nothing was."""
    forms: Sequence[Form] = () if reply.native else reply.forms  # the server, not the model, chose how these stand
    told = [how(forms, chain.from_iterable(reply.repairs))]
    if reply.forced:
        told.append("forced")
    if reply.continued:
        told.append("continued" if reply.continued == 1 else f"continued {reply.continued} times")
    return "; ".join(filter(None, told))


def _origin(form: Form) -> str:
    return "as taught" if form == TAUGHT else f"from {FORM_WORDS[form]}"


def _name(kind: Repair) -> str:
    return kind.replace("_", " ")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"

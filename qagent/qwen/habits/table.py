"""What this family does wrong with its words, as rows: how it is noticed, its answer, how often, and the end. Pure.

A row looks at one reply and at what was really done. Repetition of calls is counted in `loops`, a plan in one reply is
taken apart in `several`; their answers are told to the person from here too. Every row has a most, so nothing spins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from qagent.qwen.habits import alphabets, claims, closings, promises, shown, tasks
from qagent.qwen.habits.deeds import Deeds
from qagent.qwen.habits.loops import RepeatAnswer
from qagent.qwen.habits.sentences import sentences, without_code
from qagent.types import AssistantMessage, Risk, ToolSpec

ReplyAnswer = Literal[
    "cut_reply",
    "invented_result",
    "empty_reply",
    "stray_call",
    "have_tools",
    "no_edit",
    "not_that_file",
    "no_test",
    "give_reason",
    "send_call",
    "go_on",
    "other_language",
]
Answer = Literal[ReplyAnswer, RepeatAnswer, "greeting", "unknown_tool"]
"""The prompt, by name, that the model is sent."""

Places = Mapping[str, str]
_SHOWN: Places = MappingProxyType({})

IN_A_TASK = 3
"""So many times the limit of one row are all rows together answered in one task."""

_LONGEST = 20_000
"""Characters of a reply that are looked at, at either end: that is where it says what it did, and what it will do."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rows look at.

    task: what the person asks now; said: all that the person has said. newer: the files that the work tree shows to be
    newer than the task. invented: a result that the model wrote itself was dropped. may_change: the mode allows
    changes. alone: no person watches. answered: the habits that were answered in this task, in order.
    """

    reply: AssistantMessage
    task: str = ""
    said: Sequence[str] = ()
    deeds: Deeds = field(default_factory=Deeds)
    newer: frozenset[str] = frozenset()
    tools: Sequence[ToolSpec] = ()
    invented: bool = False
    may_change: bool = True
    alone: bool = False
    answered: Sequence[Answer] = ()

    @property
    def prose(self) -> str:
        text = self.reply.prose
        return text if len(text) <= 2 * _LONGEST else f"{text[:_LONGEST]}\n\n{text[-_LONGEST:]}"

    def tool(self, risk: Risk) -> str:
        """The first offered tool of that risk; "" when there is none."""
        return next((tool.name for tool in self.tools if tool.risk == risk), "")


@dataclass(frozen=True, slots=True)
class Habit:
    """answer: the prompt. shown: the values of its places when a reply shows the habit, else None. most: how often it
    is answered in one task; then the task ends, or, with "accept", the reply is taken as it is. told: what the model
    does, in words for the person. asks_tree: what a command changed on the disk can speak against it."""

    answer: ReplyAnswer
    shown: Callable[[Seen], Places | None]
    most: int
    told: str
    then: Literal["stop", "accept"] = "stop"
    asks_tree: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The habit that a reply shows. stop: it was answered often enough."""

    habit: Habit
    places: Places
    stop: bool


def found(seen: Seen, answered: Sequence[Answer], nudges: int) -> Found | None:
    """The first habit that a reply without calls shows; None when it is taken as an answer.

    `answered`: the answers already given in this task, in order; `nudges`: the most of any row.
    """
    seen = replace(seen, answered=answered)
    for habit in HABITS:
        places = habit.shown(seen)
        if places is None:
            continue
        spent = answered.count(habit.answer) >= min(habit.most, nudges) or len(answered) >= IN_A_TASK * nudges
        if not spent or habit.then == "stop":
            return Found(habit, places, spent)
    return None


# ------------------------------------------------------------------ the detectors


def _when(condition: bool) -> Places | None:
    return _SHOWN if condition else None


def _stray_call(seen: Seen) -> Places | None:
    """The cheap shapes count only where a call was to be expected."""
    if not seen.tools:
        return None
    expected = not seen.deeds.calls or not tasks.is_question(seen.task)
    command = tasks.wants_run(seen.task) and not seen.deeds.commands and bool(seen.tool("command"))
    return _when(
        shown.shows_call(seen.prose, seen.tools)
        or (expected and not tasks.is_greeting(seen.task) and shown.shows_spoken_call(seen.prose, seen.tools))
        or (command and shown.is_command(seen.prose))
    )


def _false_refusal(seen: Seen) -> Places | None:
    """Who has tried it and failed may well say so; and who names a reason, once anything was tried."""
    risk = None if seen.deeds.refused else promises.refuses(seen.prose)
    if risk is None or (risk != "read" and not seen.may_change) or not seen.tool(risk):
        return None
    if seen.deeds.calls and (risk in seen.deeds.tried - seen.deeds.well or promises.gives_a_reason(seen.prose)):
        return None
    return {"tool": seen.tool(risk)}


def _no_edit(seen: Seen) -> Places | None:
    """Whoever is asked may tell what others did to the code."""
    own = tasks.is_question(seen.task)
    if seen.deeds.acted and tasks.is_beside_files(seen.task):
        return None
    return _when(_is_unchanged(seen) and (claims.claims_edit(seen.prose, own=own) or _closes(seen)))


def _closes(seen: Seen) -> bool:
    """The short words count only where they can be about one thing: the change, or the call, that was asked for."""
    asked_again = not seen.deeds.calls and not {"no_edit", "send_call"}.isdisjoint(seen.answered)
    wanted = asked_again or tasks.wants_change(seen.task)
    return (
        wanted
        and not seen.deeds.acted
        and closings.claims_closed(seen.prose, tested=seen.deeds.tested or seen.deeds.checked)
    )


def _is_unchanged(seen: Seen) -> bool:
    return not seen.deeds.edits and not seen.newer


def _give_reason(seen: Seen) -> Places | None:
    """A failure in so many words is an honest end; one that says nothing else leaves the person with nothing."""
    over = seen.deeds.refused or seen.deeds.acted or not (seen.tools and seen.may_change)
    wanted = not over and tasks.wants_change(seen.task) and _is_unchanged(seen)
    return _when(wanted and promises.gives_up(seen.prose))


def _not_that_file(seen: Seen) -> Places | None:
    """A claim about a file that neither a tool nor a command has touched, though others were changed."""
    if tasks.is_question(seen.task) or not (seen.deeds.edits or seen.newer):
        return None
    known = seen.deeds.changed | seen.newer
    wrong = [path for path in claims.claimed_files(seen.prose) if not claims.is_among(path, known)]
    return {"path": wrong[0]} if wrong else None


def _no_test(seen: Seen) -> Places | None:
    """Who was told that no test has passed, and still has nothing to say but that it is done, claims it again."""
    deeds = seen.deeds
    if deeds.tested:
        return None
    told = "no_test" in seen.answered and not claims.reports_failure(seen.prose)
    again = told and not deeds.checked and closings.claims_closed(seen.prose, tested=False)
    return _when(again or claims.claims_test(seen.prose, checked=deeds.checked, red=deeds.red))


def _send_call(seen: Seen) -> Places | None:
    return None if _is_proven(seen) else _words_only(seen)


def _more_to_do(seen: Seen) -> Places | None:
    return _words_only(seen) if _is_proven(seen) else None


def _is_proven(seen: Seen) -> bool:
    return seen.deeds.edits > 0 and seen.deeds.tested


def _words_only(seen: Seen) -> Places | None:
    """Words in the place of a call; only when something was to be done, and nobody has forbidden it."""
    if not seen.tools or tasks.is_greeting(seen.task) or seen.deeds.refused:
        return None
    if tasks.is_question(seen.task):
        return _when(not seen.deeds.calls and promises.only_announces(seen.prose))
    said = sentences(without_code(seen.prose))
    if not seen.may_change or tasks.wants_words(seen.task):  # a plan in words is what was asked for
        return _when(promises.is_about_to_look(said[-1:]))
    if tasks.wants_snippet(seen.task) and promises.shows_code(seen.prose):
        return None
    if promises.promises_look(said) or promises.promises_change(said):
        return _SHOWN
    undone = _is_unchanged(seen) and tasks.wants_change(seen.task)
    return _when(undone and (promises.advises(seen.prose) or promises.breaks_off(seen.prose)))


def _go_on(seen: Seen) -> Places | None:
    """Who is there can answer for themselves."""
    if not (seen.alone and seen.may_change and seen.tools) or seen.deeds.edits or seen.deeds.refused:
        return None
    ordered = not (tasks.is_question(seen.task) or tasks.is_greeting(seen.task))
    return _when(ordered and promises.asks_leave(seen.prose))


_WORDS_ONLY = "it says what is to be done, and does nothing"

HABITS: tuple[Habit, ...] = (
    Habit("cut_reply", lambda s: _when(s.reply.end == "length"), 2, "its replies are cut at the reply limit"),
    Habit("invented_result", lambda s: _when(s.invented), 1, "it writes the results of its calls itself"),
    Habit("empty_reply", lambda s: _when(promises.says_nothing(s.reply.prose)), 2, "its replies are empty"),
    # An example of a call is a fair answer, so whoever shows it again is believed.
    Habit("stray_call", _stray_call, 1, "it shows a call as text", then="accept"),
    Habit("have_tools", _false_refusal, 1, "it says that it cannot do what its tools do"),
    Habit("no_edit", _no_edit, 2, "it says that it has changed files, and has changed none", asks_tree=True),
    Habit(
        "not_that_file", _not_that_file, 2, "it says that it has changed a file that it has not changed", asks_tree=True
    ),
    Habit("no_test", _no_test, 2, "it says that tests pass, and none has passed"),
    Habit("give_reason", _give_reason, 1, "it gives up and does not say why", asks_tree=True),
    Habit("go_on", _go_on, 1, "it asks for leave and does nothing"),
    Habit("send_call", _send_call, 2, _WORDS_ONLY, asks_tree=True),
    # Something was done and proven, so what it still announces may be for another day.
    Habit("send_call", _more_to_do, 2, _WORDS_ONLY, then="accept"),
    # Last: what is done is done in any language.
    Habit(
        "other_language",
        lambda s: _when(alphabets.is_in_another_script(s.prose, s.task, s.said)),
        1,
        "it answers in another script than yours",
        then="accept",
    ),
)
"""In this order: a reply is answered once, for what has to be mended first."""

MOST_GREETINGS = 2
MOST_UNKNOWN = 3
"""Replies in a row that call a tool that does not exist, whatever its arguments: one such loop ran 170 rounds with
other words each time (anomalyco/opencode#6223)."""

_OTHERS: Mapping[Answer, str] = MappingProxyType(
    {
        "greeting": "it calls tools on a greeting",
        "unknown_tool": "it calls tools that do not exist",
        "same_result": "it sends the same call again, with the same result",
        "answer_now": "it sends the same call again and again, with the same result",
        "no_headway": "its calls differ, and all come to the same",
        "other_edit": "its edits differ, and all fail in the same way",
    }
)
TOLD: Mapping[Answer, str] = MappingProxyType({**{habit.answer: habit.told for habit in HABITS}, **_OTHERS})
"""The habits in words for the person."""

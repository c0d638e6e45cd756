"""One task, from the person's words to an outcome: ask the model, read its reply, carry out its calls, again.

The loop knows no screen, no server and no file. What happens goes out through `emit`, what needs a yes through
`approve`, what is said into the session. Cancelling is `task.cancel()`: the reply so far is kept, and a call that has
no result in the session was not run.

What the model does wrong is noticed by the tables in `qwen`; here it is answered, and counted in a `Course`. All of
them have a most, so a task ends whatever the model does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from qagent import checks
from qagent.checks import Check, Checked
from qagent.errors import UserFacing
from qagent.events import BadCallSeen, CallFinished, Emit, Notice, TaskFinished, TaskStarted
from qagent.execution import Execution, Unconfined
from qagent.models.base import Model
from qagent.permissions.rules import Policy
from qagent.qwen import calls, chatml, habits
from qagent.qwen.habits import deeds, loops, several, tasks
from qagent.qwen.habits.invented import invented_call
from qagent.reply import Asking, Heard
from qagent.session import Session
from qagent.tools.toolbox import Toolbox
from qagent.types import (
    Approve,
    AssistantMessage,
    BadCall,
    Limits,
    Outcome,
    OutcomeReason,
    Risk,
    ToolCall,
    ToolResult,
    UserMessage,
)
from qagent.words import Words
from qagent.workspace.keeping import Keep, KeepNothing
from qagent.workspace.newer import newer_files
from qagent.workspace.turn_news import News

FORCED_AFTER = 2
"""Broken replies in a row after which the server is made to write a call: one may be a slip, and words may help."""

_TICK = 10_000_000
"""Nanoseconds by which a file's time may lag behind the clock."""

_SHORT = 300
"""Characters of a result that are said again when they come again; of a longer one it is said that it stands above."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What bounds a task: who may do what, and for how long. `alone`: no person watches, so nobody answers a question
    of the model's. check: what runs after edits."""

    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    alone: bool = False
    check: Check | None = None
    unconfined: Unconfined | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """How a task has gone so far.

    refused: calls that nobody was there to allow. bad and unknown: replies in a row that held no call which can be run,
    or one of a tool that does not exist. answered: the habits that were answered in words. steps: the calls that were
    carried out; repeated: what the last one repeats.
    """

    task: str = ""
    turn: int = 0
    refused: int = 0
    bad: int = 0
    unknown: int = 0
    forced: bool = False
    answered: tuple[habits.Answer, ...] = ()
    steps: tuple[loops.Step, ...] = ()
    repeated: loops.Repetition | None = None

    def with_calls(self, *, broken: bool, unknown: bool, forced: bool) -> Course:
        """After a reply with calls. A forced reply has no made-up names, and proves nothing about the next one."""
        row = self.unknown if forced else self.unknown + 1 if unknown else 0
        return replace(self, bad=self.bad + 1 if broken else 0, unknown=row, forced=forced)

    @property
    def is_stuck(self) -> bool:
        return self.repeated is not None and self.repeated.stop

    @property
    def brought_news(self) -> bool:
        """Whether the last call showed something that the model has not seen in this task."""
        return self.steps[-1].idle and not (self.repeated and self.repeated.is_known)

    def with_step(self, step: loops.Step, *, refused: bool) -> Course:
        steps = (*self.steps, step)
        return replace(self, steps=steps, repeated=loops.repetition(steps), refused=self.refused + refused)


class Agent:
    def __init__(
        self,
        *,
        session: Session,
        model: Model,
        toolbox: Toolbox,
        words: Words,
        rules: Rules,
        emit: Emit,
        approve: Approve,
        keep: Keep | None = None,
    ) -> None:
        self.session, self.model, self.toolbox, self.words = session, model, toolbox, words
        self.rules, self.emit, self.approve = rules, emit, approve
        self.keep = keep or KeepNothing()
        self._course = Course()
        self._since = 0
        self._can_force = True
        self._checked = Checked()

    async def run(self, task: str) -> Outcome:
        """Carries out one task. Raises UserFacing when no model can answer; what came until then is in the session."""
        self._course = Course(task)
        self._checked = Checked(checks.edits(self.session.messages))
        if not (self._said and tasks.is_question(task)):  # a question asks about what was done before it
            self._since = time.time_ns() - _TICK
        self.emit(TaskStarted(task, self.session.id, self.model.name, self.rules.policy.mode))
        self.keep.begin(task, self._hear)
        self.session.add(UserMessage(task))
        outcome = self._outcome("failed")
        try:
            outcome = await self._within_time()
        except asyncio.CancelledError:
            outcome = self._outcome("cancelled")
            raise
        except UserFacing as error:
            outcome = self._outcome("failed", detail=error.what)
            raise
        finally:
            await self._finish(outcome)
        return outcome

    def _hear(self, news: News) -> None:
        """The person has undone or redone earlier turns: what the model believes of those files is stale."""
        for words in news.told(self.words):
            self._tell(words)

    async def _finish(self, outcome: Outcome) -> None:
        """Also when it is cancelled once more."""
        try:
            self._execution.tell(await self.keep.after_turn())
        finally:
            self.session.add(outcome)
            self.emit(TaskFinished(outcome))

    async def _within_time(self) -> Outcome:
        clock = asyncio.timeout(self.rules.limits.seconds)
        try:
            async with clock:
                return await self._turns()
        except TimeoutError:
            if not clock.expired():
                raise
            return self._outcome("time_limit", detail=f"stopped after {self.rules.limits.seconds:g} s")

    async def _turns(self) -> Outcome:
        turns = self.rules.limits.turns
        for turn in range(1, turns + 1):
            self._course = replace(self._course, turn=turn)
            heard = await self._ask()
            if not heard.message.calls:
                outcome = await self._after_words(heard)
            elif tasks.is_greeting(self._course.task):
                outcome = self._after_greeting(heard.message)
            else:
                outcome = await self._after_calls(heard)
            if outcome:
                return outcome
        return self._outcome("turn_limit", detail=f"{turns} turns were not enough")

    async def _ask(self) -> Heard:
        asking = Asking(self.session, self.model, self.toolbox.specs, self.words.prompt("not_run"), self.emit)
        turn = self._course.turn
        if self._course.bad >= FORCED_AFTER and self._can_force and self.toolbox.specs:
            if heard := await asking.by_force(turn):
                return heard
            self._can_force = False
            self.emit(Notice("this server cannot make the model write a call in the right form", "warning"))
        return await asking.freely(turn)

    # ---------------------------------------------------------------- a reply in words

    async def _after_words(self, heard: Heard) -> Outcome | None:
        if heard.forced:  # a server that takes no notice of the form it was asked for
            self._course = self._course.with_calls(broken=True, unknown=False, forced=True)
            if outcome := self._bad_calls(heard.message):
                return outcome
        if call := invented_call(heard.message.prose, self._course.task, self.toolbox.specs):
            return self._after_invented(heard, call)
        found = await self._habit(heard)
        if found is None:
            return await self._after_check(heard.message)
        if found.stop:
            return self._outcome("no_progress", heard.message, found.habit.told)
        self._nudge(found.habit.answer, found.places)
        return None

    def _after_invented(self, heard: Heard, call: BadCall) -> Outcome | None:
        """JSON that names a tool that does not exist: counted and answered as if it had stood in tags."""
        if tasks.is_greeting(self._course.task):
            return self._after_greeting(heard.message)
        if not heard.forced:
            self._course = self._course.with_calls(broken=True, unknown=True, forced=False)
        if outcome := self._bad_calls(heard.message):
            return outcome
        self._tell(self._corrected(call))
        return None

    async def _after_check(self, reply: AssistantMessage) -> Outcome | None:
        """Done, unless the person's own check finds something in what was edited."""
        check, messages = self.rules.check, self.session.messages
        if check and self._checked.is_due(messages):
            output = await self._execution.check(check, self._course.turn)
            self._checked = self._checked.after(messages, good=output.good)
            if not output.good and not self._checked.is_over(check):
                words = self.words.prompt("check_failed", command=check.command, output=output.text)
                self.session.add(UserMessage(words, "harness"))
                self.emit(Notice(f"told the model what `{check.command}` found", "warning"))
                return None
        if check and self._checked.failed:
            return self._outcome("no_progress", reply, f"`{check.command}` still fails")
        return self._outcome("done", reply)

    async def _habit(self, heard: Heard) -> habits.Found | None:
        seen = self._seen(heard)
        given = (self._course.answered, self.rules.limits.nudges)
        found = habits.found(seen, *given)
        if found and found.habit.asks_tree and seen.deeds.commands:
            newer = await newer_files(self.toolbox.workspace, self._since)
            found = habits.found(replace(seen, newer=newer), *given)
        return found

    def _seen(self, heard: Heard) -> habits.Seen:
        messages = self.session.messages
        return habits.Seen(
            heard.message,
            task=self._course.task,
            said=self._said,
            deeds=deeds.deeds(messages, self._risks),
            tools=self.toolbox.specs,
            invented=heard.invented,
            may_change=self.rules.policy.mode != "plan",
            alone=self.rules.alone,
        )

    def _nudge(self, answer: habits.Answer, places: Mapping[str, str]) -> None:
        """Tells the model, and asks it for nothing that it may not do here."""
        self._course = replace(self._course, answered=(*self._course.answered, answer))
        if self.rules.policy.mode == "plan" and answer in ("no_edit", "no_test"):
            words = self.words.prompt("plan_mode")
        elif self._course.refused and answer == "no_test":
            words = self.words.prompt("no_run")
        else:
            words = self.words.prompt(answer, **places)
        self._tell(words)

    def _tell(self, words: str) -> None:
        self.session.add(UserMessage(words, "harness"))
        self._notice(words)

    def _notice(self, words: str) -> None:
        first = words.partition("\n")[0]  # the rest is an example
        self.emit(Notice(f"told the model: {first}", "warning"))

    # ---------------------------------------------------------------- a reply with calls

    def _after_greeting(self, reply: AssistantMessage) -> Outcome | None:
        """Whoever says hello wants no file read: nothing is run."""
        answered = self._course.answered
        self._course = replace(self._course, answered=(*answered, "greeting"))
        words = self.words.prompt("greeting")
        for call in reply.calls:
            self.session.add(ToolResult(call.id, words, ok=False, fate="not_run"))
        if answered.count("greeting") >= min(habits.MOST_GREETINGS, self.rules.limits.nudges):
            return self._outcome("no_progress", reply, habits.TOLD["greeting"])
        if not reply.calls:
            self.session.add(UserMessage(words, "harness"))
        if "greeting" not in answered:
            self._notice(words)
        return None

    async def _after_calls(self, heard: Heard) -> Outcome | None:
        first = heard.message.calls[0]  # when it is broken, nothing behind it is run
        broken = isinstance(first, BadCall)
        self._course = self._course.with_calls(
            broken=broken, unknown=broken and self._is_unknown(first), forced=heard.forced
        )
        await self._act(heard.message)
        repeated = self._course.repeated
        if repeated and self._course.is_stuck:
            return self._outcome("no_progress", heard.message, habits.TOLD[repeated.answer])
        return self._bad_calls(heard.message)

    def _bad_calls(self, reply: AssistantMessage) -> Outcome | None:
        course = self._course
        if course.unknown >= habits.MOST_UNKNOWN:
            return self._outcome("bad_calls", reply, habits.TOLD["unknown_tool"])
        if course.bad < self.rules.limits.bad_calls:
            return None
        forced = ", the last one though it was forced" if course.forced else ""
        return self._outcome("bad_calls", reply, f"{course.bad} replies in a row held no call that can be run{forced}")

    async def _act(self, reply: AssistantMessage) -> None:
        """Carries out the calls in order, up to the first that fails: what follows was planned without knowing that."""
        self._course = replace(self._course, repeated=None)
        news = False
        for call, planned in zip(reply.calls, several.sorted_out(reply.calls, self._risks), strict=True):
            turn = "run" if planned == "waits" and not news else planned  # what it read again it had seen before
            result = self._refuse(call) if isinstance(call, BadCall) else await self._result(call, turn)
            self.session.add(result)
            if turn == "waits":
                continue
            if not (result.ok and result.good) or self._course.is_stuck:
                break
            news = news or (turn == "run" and self._course.brought_news)

    def _refuse(self, call: BadCall) -> ToolResult:
        self.emit(BadCallSeen(call.id, call.why))
        return ToolResult(call.id, self._corrected(call), ok=False, fate="not_run")

    def _corrected(self, call: BadCall) -> str:
        example = calls.corrected(call, self.toolbox.specs)
        if self._is_unknown(call):
            return self.words.prompt("unknown_tool", why=call.why, names=", ".join(self._risks), example=example)
        return self.words.prompt("bad_call", why=call.why, example=example)

    def _is_unknown(self, call: BadCall) -> bool:
        return call.name != "" and call.name not in self._risks

    async def _result(self, call: ToolCall, turn: several.Turn) -> ToolResult:
        if turn == "run":
            return await self._carry_out(call)
        if turn == "waits":
            self.emit(Notice(f"{call.name} waits: it was sent before the results in front of it were seen"))
        return ToolResult(call.id, self.words.prompt(turn), ok=turn == "again", fate="not_run")

    async def _carry_out(self, call: ToolCall) -> ToolResult:
        risk = self._risks[call.name]
        carried = await self._execution.carry_out(call, risk)
        output, ok = carried.output, carried.ok
        step = loops.step(call, risk, output, ok=ok)
        self._course = self._course.with_step(step, refused=carried.nobody_asked)
        text = self._noted(output.text)
        told = (output.summary, text, output.diff, output.changed, carried.seconds, output.good)
        self.emit(CallFinished(call.id, call.name, ok, *told))
        if (repeated := self._course.repeated) and repeated.is_new:
            self.emit(Notice(f"the model makes no progress: {habits.TOLD[repeated.answer]}", "warning"))
        good = output.good and deeds.came_out_well(call, risk, output.text)
        return ToolResult(call.id, text, ok, good, output.changed, carried.fate, output.seen)

    def _noted(self, text: str) -> str:
        """A result as the model reads it: what it knows already is not said again at length."""
        repeated = self._course.repeated
        if repeated is None:
            return text
        places = {} if repeated.answer == "same_result" else {"times": str(repeated.times)}
        note = self.words.prompt(repeated.answer, **places)
        return note if repeated.is_known and len(text) > _SHORT else f"{text}\n{note}"

    @property
    def _execution(self) -> Execution:
        rules, seams = self.rules, (self.keep, self.emit, self.approve)
        return Execution(self.session, self.toolbox, rules.policy, *seams, rules.unconfined)

    @property
    def _said(self) -> list[str]:
        """All that the person has said."""
        return [m.text for m in self.session.messages if isinstance(m, UserMessage) and m.origin == "user"]

    @property
    def _risks(self) -> dict[str, Risk]:
        """The offered tools, by name."""
        return {spec.name: spec.risk for spec in self.toolbox.specs}

    def _outcome(self, reason: OutcomeReason, reply: AssistantMessage | None = None, detail: str = "") -> Outcome:
        answer = chatml.unmark(reply.prose) if reply else ""
        return Outcome(reason, answer, detail, self._course.turn, self._course.refused)

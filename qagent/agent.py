"""One task, from the person's words to an outcome: ask the model, read its reply, carry out its calls, again.

The loop knows no screen, no server and no file. What happens goes out through `emit`, what needs a yes through
`approve`, what is said into the session. Cancelling is `task.cancel()`: the reply so far is kept, and a call that has
no result in the session was not run.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import cast

from qagent import context
from qagent.errors import Denied, ModelFacing, UserFacing
from qagent.models.base import Model
from qagent.permissions.rules import Policy, decide
from qagent.qwen import calls, chatml, habits
from qagent.qwen.reader import Reader
from qagent.session import Session
from qagent.tools.toolbox import Toolbox
from qagent.types import (
    Approve,
    AssistantMessage,
    BadCall,
    BadCallSeen,
    CallFinished,
    CallStarted,
    Emit,
    Form,
    Limits,
    Notice,
    Outcome,
    OutcomeReason,
    Part,
    PromptSent,
    Prose,
    Question,
    ReplyEnd,
    ReplyEnded,
    ReplyFinished,
    TaskFinished,
    TaskStarted,
    TextStreamed,
    ToolCall,
    ToolOutput,
    ToolResult,
    Usage,
    UserMessage,
)
from qagent.words import Words


@dataclass(frozen=True, slots=True)
class Rules:
    """What bounds a task: who may do what, and for how long."""

    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)


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
    ) -> None:
        self.session, self.model, self.toolbox, self.words = session, model, toolbox, words
        self.rules, self.emit, self.approve = rules, emit, approve
        self._turn = self._refused = 0

    async def run(self, task: str) -> Outcome:
        """Carries out one task. Raises UserFacing when no model can answer; what came until then is in the session."""
        self._turn = self._refused = 0
        self.session.add(UserMessage(task))
        self.emit(TaskStarted(task, self.session.id, self.model.name, self.rules.policy.mode))
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
            self.session.add(outcome)
            self.emit(TaskFinished(outcome))
        return outcome

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
        limits = self.rules.limits
        bad = nudges = 0
        for self._turn in range(1, limits.turns + 1):
            reply = await self._reply()
            if reply.calls:
                bad = bad + 1 if all(isinstance(call, BadCall) for call in reply.calls) else 0
                await self._act(reply)
                if bad == limits.bad_calls:
                    return self._outcome("bad_calls", reply, f"{bad} replies in a row held no call that can be run")
            elif answer := habits.habit(reply, self._deeds()):
                if nudges == limits.nudges:
                    return self._outcome("no_progress", reply, habits.TOLD[answer])
                nudges += 1
                self._nudge(answer)
            else:
                return self._outcome("done", reply)
        return self._outcome("turn_limit", detail=f"{limits.turns} turns were not enough")

    # ---------------------------------------------------------------- the model's part

    async def _reply(self) -> AssistantMessage:
        prompt = context.build(self.session.messages, self.words.prompt("not_run"))
        self.emit(PromptSent(self._turn, prompt.tokens, prompt.fresh))
        number = 1 + sum(isinstance(message, AssistantMessage) for message in self.session.messages)
        reader = Reader(self.toolbox.specs, number)
        parts: list[Part] = []
        last, end = Usage(), cast(ReplyEnd, "failed")
        try:
            async with aclosing(self.model.stream(prompt)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, ReplyEnded):
                        last, end = delta.usage, delta.end
                        continue
                    self._hear(parts, reader.feed(delta.text))
                    if reader.over:  # it speaks for somebody else by now: end the request, keep the machine cool
                        end = "stop"
                        break
        except asyncio.CancelledError:
            end = "cancelled"
            raise
        finally:
            self._hear(parts, reader.close())
            reply = self._keep(reader, parts, end, last)
        return reply

    def _hear(self, parts: list[Part], heard: list[Part]) -> None:
        for part in heard:
            parts.append(part)
            if isinstance(part, Prose):
                self.emit(TextStreamed(chatml.unmark(part.text)))

    def _keep(self, reader: Reader, parts: list[Part], end: ReplyEnd, usage: Usage) -> AssistantMessage:
        reply = AssistantMessage(reader.raw, _joined(parts), end)
        if reply.raw or end in ("stop", "length"):
            self.session.add(reply)
            self.session.add(usage)
        forms: tuple[Form, ...] = tuple(call.form for call in reply.calls if isinstance(call, ToolCall))
        bad = len(reply.calls) - len(forms)
        self.emit(ReplyFinished(self._turn, end, usage, forms, bad, reader.dropped))
        return reply

    def _deeds(self) -> habits.Deeds:
        named = {risk: frozenset(s.name for s in self.toolbox.specs if s.risk == risk) for risk in ("write", "command")}
        return habits.deeds(self.session.messages, named["write"], named["command"])

    def _nudge(self, answer: habits.Answer) -> None:
        """Tells the model, and asks it for nothing that it may not do here."""
        name: str = answer
        if self.rules.policy.mode == "plan" and answer in ("no_edit", "no_test"):
            name = "plan_mode"
        elif self._refused and answer == "no_test":
            name = "no_run"
        words = self.words.prompt(name)
        self.session.add(UserMessage(words, "harness"))
        self.emit(Notice(f"told the model: {words}", "warning"))

    # ---------------------------------------------------------------- the harness's part

    async def _act(self, reply: AssistantMessage) -> None:
        """Carries out the calls in order, up to the first that fails: what follows was planned without knowing that."""
        for call in reply.calls:
            result = self._refuse(call) if isinstance(call, BadCall) else await self._carry_out(call)
            self.session.add(result)
            if not result.ok:
                break

    def _refuse(self, call: BadCall) -> ToolResult:
        self.emit(BadCallSeen(call.id, call.why))
        example = calls.corrected(call, self.toolbox.specs)
        return ToolResult(call.id, self.words.prompt("bad_call", why=call.why, example=example), ok=False)

    async def _carry_out(self, call: ToolCall) -> ToolResult:
        self.emit(CallStarted(call, self.toolbox.spec(call.name).risk))
        started, ok = time.monotonic(), True
        try:
            await self._permit(call)
            output = await self.toolbox.run(call)
        except ModelFacing as refusal:
            output, ok = ToolOutput(refusal.text, refusal.text.partition("\n")[0], good=False), False
            self._refused += isinstance(refusal, Denied) and refusal.nobody_asked
        seconds = time.monotonic() - started
        told = (output.summary, output.text, output.diff, output.changed, seconds, output.good)
        self.emit(CallFinished(call.id, call.name, ok, *told))
        return ToolResult(call.id, output.text, ok)

    async def _permit(self, call: ToolCall) -> None:
        """Returns when the call may run; raises Denied, or the ToolFailed that running it would have raised."""
        risk = self.toolbox.spec(call.name).risk
        where = self.toolbox.workspace.touches
        decision = decide(call, risk, self.rules.policy, self.toolbox.touches(call), where)
        if decision.verdict == "deny":
            raise Denied(f"{habits.DENIED} {decision.reason}")
        if decision.verdict == "ask":
            preview = self.toolbox.preview(call)
            answer = await self.approve(Question(call, risk, decision.reason, preview, decision.always))
            if not answer.yes:
                raise Denied(f"{habits.DENIED} {answer.words or 'the user said no.'}", nobody_asked=not answer.asked)

    def _outcome(self, reason: OutcomeReason, reply: AssistantMessage | None = None, detail: str = "") -> Outcome:
        answer = chatml.unmark(reply.prose) if reply else ""
        return Outcome(reason, answer, detail, self._turn, self._refused)


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring prose in one piece, so that they do not depend on how the reply was streamed."""
    joined: list[Part] = []
    for is_prose, group in groupby(parts, key=lambda part: isinstance(part, Prose)):
        run = list(group)
        joined += [Prose("".join(part.text for part in run if isinstance(part, Prose)))] if is_prose else run
    return tuple(joined)

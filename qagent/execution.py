"""One call carried out: is it allowed, what was there before, what came of it?

In: a call that can be run. Out: a `Carried`; whatever the model did wrong is in its text, and a call that nobody
allowed was not begun. What the call may change is kept before it runs, so that it can be taken back. Nothing here
judges what a result means for the task.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from qagent import checks
from qagent.checks import Check
from qagent.errors import Denied, ModelFacing, ToolFailed
from qagent.events import CallStarted, Emit, Notice
from qagent.permissions.rules import ALWAYS, Decision, Policy, decide
from qagent.session import Session
from qagent.tools.reads import Known, known
from qagent.tools.toolbox import Toolbox
from qagent.types import Approve, Fate, Question, Risk, ToolCall, ToolOutput
from qagent.workspace.keeping import Keep

Unconfined = Callable[[], Awaitable[str]]
"""Why no sandbox keeps commands in bounds, or ""."""


@dataclass(frozen=True, slots=True)
class Carried:
    """ok: the call was carried out. nobody_asked: a person could have allowed it, but nobody was there."""

    output: ToolOutput
    ok: bool = True
    fate: Fate = "run"
    nobody_asked: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Execution:
    """`session` is read only: it holds what the model knows of files."""

    session: Session
    toolbox: Toolbox
    policy: Policy
    keep: Keep
    emit: Emit
    approve: Approve
    unconfined: Unconfined | None = None

    async def carry_out(self, call: ToolCall, risk: Risk) -> Carried:
        self.emit(CallStarted(call, risk))
        started = time.monotonic()
        carried = await self._tried(call, risk)
        return replace(carried, seconds=time.monotonic() - started)

    async def check(self, check: Check, number: int) -> ToolOutput:
        """Runs the person's own check, whose findings are an output like any other."""
        async with self._kept():
            return await checks.run(check, number, self.toolbox, self.emit)

    def tell(self, notices: tuple[str, ...]) -> None:
        for notice in notices:
            self.emit(Notice(notice, "warning"))

    async def _tried(self, call: ToolCall, risk: Risk) -> Carried:
        try:
            await self._permit(call, risk)
            if not self._may_change(call, risk):
                return Carried(await self.toolbox.run(call, self._known))
            async with self._kept(self.toolbox.touches(call)):
                return Carried(await self.toolbox.run(call, self._known))
        except Denied as refusal:
            return Carried(_refused(refusal), ok=False, fate="refused", nobody_asked=refusal.nobody_asked)
        except ModelFacing as refusal:
            return Carried(_refused(refusal), ok=False)

    @asynccontextmanager
    async def _kept(self, path: str | None = None) -> AsyncGenerator[None]:
        self.tell(await self.keep.before_change(path))
        try:
            yield
        finally:
            await self.keep.after_change(path)

    async def _permit(self, call: ToolCall, risk: Risk) -> None:
        """Returns when the call may run; raises Denied, or the ToolFailed that running it would have raised."""
        decision = await self._decision(call, risk)
        if decision.verdict == "deny":
            raise Denied(f"Not allowed: {decision.reason}")
        if decision.verdict == "ask":
            preview = self.toolbox.preview(call, self._known)
            answer = await self.approve(Question(call, risk, decision.reason, preview, decision.always))
            if not answer.yes:
                raise Denied(f"Not allowed: {answer.words or 'the user said no.'}", nobody_asked=not answer.asked)

    async def _decision(self, call: ToolCall, risk: Risk) -> Decision:
        policy = self.policy
        if risk == "command" and self.unconfined:
            policy = replace(policy, unconfined=await self.unconfined())
        decision = decide(call, risk, policy, self.toolbox.touches(call), self.toolbox.workspace.touches)
        if decision.verdict == "deny" or not (why := self.toolbox.doubt(call)):
            return decision
        doubt = f"{why[:1].upper()}{why[1:]}{ALWAYS}."
        return Decision("ask", f"{decision.reason} {doubt}" if decision.verdict == "ask" else doubt)

    def _may_change(self, call: ToolCall, risk: Risk) -> bool:
        """A command that would run unasked only reads."""
        # A fresh policy: the person's mode and patterns let commands run that write.
        reads_only = Policy(unasked_git=self.policy.unasked_git)
        return risk == "write" or (risk == "command" and decide(call, risk, reads_only).verdict != "allow")

    @property
    def _known(self) -> Known:
        """What the model has read of files, in this session."""
        return known(self.session.messages)


def _refused(refusal: ModelFacing) -> ToolOutput:
    shown = refusal.seen if isinstance(refusal, ToolFailed) else ()
    return ToolOutput(refusal.text, refusal.text.partition("\n")[0], good=False, seen=shown)

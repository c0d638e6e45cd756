"""The plain line conversation: a line in, lines out, y or n for permission. For TERM=dumb, screen readers and pipes.

It keeps no state but the mode: the conversation is the session's. Reading and printing are given to it, so that it can
be driven by anything that has lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from qagent.errors import UserFacing
from qagent.models.base import Model
from qagent.narration import Lines, call_line, harmless
from qagent.session import Session
from qagent.types import Answer, Event, Mode, Question
from qagent.wiring import Place, make_agent

Read = Callable[[str], str]
"""Puts a prompt and gives the line that was typed. Raises EOFError at the end, KeyboardInterrupt on Ctrl-C."""
Say = Callable[[str], None]

HELP = """\
Type a task or a question. A line that ends in \\ goes on in the next one. Ctrl-C interrupts, Ctrl-D ends.
/mode [plan|ask|accept-edits|auto]   show or change what needs no asking
/help                                this text
/exit                                end (also exit, quit, :q)"""


@dataclass(slots=True)
class Conversation:
    """`run` talks until the person ends it."""

    place: Place
    model: Model
    session: Session
    read: Read
    say: Say

    def run(self) -> None:
        self.say(f"qagent with {self.model.name}, mode {self.place.settings.mode}. /help tells more.")
        while (line := self._next()) is not None:
            if line.startswith("/"):
                self._command(line)
            elif line:
                self._task(line)

    def _next(self) -> str | None:
        """What was typed, lines joined; None when the person is done."""
        try:
            line = self.read("\n> ").rstrip()
            while line.endswith("\\"):
                line = line[:-1] + "\n" + self.read("… ").rstrip()
        except EOFError:
            return None
        except KeyboardInterrupt:
            self.say("(Ctrl-D or /exit ends)")
            return ""
        return None if line.strip() in ("exit", "quit", ":q", "/exit", "/quit", "/q") else line.strip()

    def _command(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        if name == "/mode" and argument.strip() in get_args(Mode):
            settings = self.place.settings.model_copy(update={"mode": argument.strip()})
            self.place = dataclasses.replace(self.place, settings=settings)
        if name == "/mode":
            self.say(f"mode {self.place.settings.mode} (there are: {', '.join(get_args(Mode))})")
        else:
            self.say(HELP if name == "/help" else f"there is no {name}; /help lists what there is")

    def _task(self, task: str) -> None:
        agent = make_agent(self.place, self.model, self.session, emit=self._narrator(), approve=self.ask)
        try:
            asyncio.run(agent.run(task))
        except (KeyboardInterrupt, asyncio.CancelledError):
            self.say("(interrupted; what came is kept)")
        except UserFacing as error:
            self.say(f"! {error.what}" + (f"\n  {error.todo}" if error.todo else ""))

    def _narrator(self) -> Callable[[Event], None]:
        lines = Lines()

        def emit(event: Event) -> None:
            for line in lines.of(event):
                self.say(line)

        return emit

    async def ask(self, question: Question) -> Answer:
        """May this call run? Words after the n go to the model."""
        self.say(f"? {call_line(question.call)}\n  {harmless(question.reason)}")
        if question.preview:
            self.say(harmless(question.preview))
        try:
            typed = self.read("  allow? [y/n, or n and why] ").strip()
        except EOFError:
            return Answer(False, asked=False)
        except KeyboardInterrupt as interrupt:
            raise asyncio.CancelledError from interrupt
        first, _, words = typed.partition(" ")
        return Answer(first.lower() in ("y", "yes"), words.strip() if first.lower() in ("n", "no") else "")

"""The plain line conversation: a line in, lines out, y or n for permission. For TERM=dumb, screen readers and pipes.

It keeps no state but the mode and its counts: the conversation is the session's. Reading and printing are given to it,
so that it can be driven by anything that has lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import get_args

from qagent.edits.turn_text import stat_lines
from qagent.errors import UserFacing
from qagent.events import Event
from qagent.models.base import Model
from qagent.narration import Line, Lines, call_line, diff_lines, harmless
from qagent.reading import Reading
from qagent.running import Interrupted, run_to_end
from qagent.session import Session
from qagent.types import Answer, Mode, Outcome, Question
from qagent.wiring import Place, make_agent
from qagent.workspace.undoing import PLAINLY, Past, Step, Ways

Read = Callable[[str], str]
"""Puts a prompt and gives the line that was typed. Raises EOFError at the end, KeyboardInterrupt on Ctrl-C."""
Say = Callable[[Line], None]

PREVIEW_LINES = 60
HELP = """\
Type a task or a question. A line that ends in \\ goes on in the next one. Ctrl-C interrupts, Ctrl-D ends.
/mode [plan|ask|accept-edits|auto]   show or change what needs no asking
/undo, /redo                         take back what the last task changed on the disk; do it again
/help                                this text
/exit                                end (also exit, quit, :q)"""
_COMMAND = re.compile(r"/[a-z]+(?= |$)")
_WAYS: Mapping[str, Ways] = MappingProxyType(
    {"": PLAINLY, "--skip-changed": Ways(skip_changed=True), "--cut-off": Ways(cut_off=True)}
)
_ENDS = ("exit", "quit", ":q", "/exit", "/quit", "/q")


@dataclass(slots=True)
class Conversation:
    """`run` talks until the person ends it, and gives how the last task ended.

    `detail` shows more of everything, and at the end how the replies were read. `failure`: the error that the last task
    ended in.
    """

    place: Place
    model: Model
    session: Session
    read: Read
    say: Say
    detail: bool = False
    waiting: bool = True
    failure: UserFacing | None = field(default=None, init=False)
    _reading: Reading = field(default_factory=Reading, init=False)

    def run(self) -> Outcome | None:
        sandbox = f", sandbox: {active.word}" if (active := self.place.confinement.known) else ""
        self._tell(f"qagent with {self.model.name}, mode {self.place.settings.mode}{sandbox}. /help tells more.")
        scope = " (in this run)" if self.session.outcomes else ""
        last = None
        while (line := self._next()) is not None:
            if _COMMAND.match(line):
                self._command(line)
            elif line:
                last = self._task(line)
        if self.detail and self._reading.replies:
            self.say(Line(f"· reading{scope}: {self._reading.words}", "note"))
        return last

    def _tell(self, text: str) -> None:
        self.say(Line(text, "end"))

    def _next(self) -> str | None:
        """What was typed, lines joined; None when the person is done."""
        try:
            line = self.read("\n> ").rstrip()
            while line.endswith("\\"):
                line = line[:-1] + "\n" + self.read("… ").rstrip()
        except EOFError:
            if self.waiting:
                self.say(Line("", "detail"))  # ends the line of the prompt sign
            return None
        except KeyboardInterrupt:
            self._tell("(Ctrl-D or /exit ends)")
            return ""
        return None if line.strip() in _ENDS else line.strip()

    def _command(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        modes = get_args(Mode)
        if name == "/mode" and argument.strip() in modes:
            settings = self.place.settings.model_copy(update={"mode": argument.strip()})
            self.place = dataclasses.replace(self.place, settings=settings)
        elif name == "/mode" and argument.strip():
            self._tell(f"there is no mode {argument.strip()}")
        if name in ("/undo", "/redo"):
            self._take_back(name, argument.strip())
        elif name == "/mode":
            self._tell(f"mode {self.place.settings.mode} (there are: {', '.join(modes)})")
        else:
            self._tell(HELP if name == "/help" else f"there is no {name}; /help lists what there is")

    def _take_back(self, name: str, argument: str) -> None:
        """/undo and /redo: says what will be done, and does it."""
        if (ways := _WAYS.get(argument)) is None:
            self._tell(f"{name} takes the last task alone; behind it may stand {' or '.join(filter(None, _WAYS))}")
            return
        if self.place.state is None:
            self._tell("nothing is kept here that could be taken back")
            return
        past = Past(self.place.workspace.root, self.place.state, self.session.id)

        def tell(step: Step) -> None:
            for line in stat_lines(past.contents(step.turn, step.changes), "back" if name == "/undo" else "new"):
                self.say(Line(f"  {line}", "detail"))
            for note in step.notes:
                self.say(Line(f"! {note}", "note"))

        try:
            step = past.undo(ways, tell) if name == "/undo" else past.redo(ways, tell)
        except UserFacing as error:
            self.say(Line(f"! {harmless(error.what)}", "note"))
            self.say(Line(f"  {harmless(error.todo)}", "note"))
        else:
            self._tell(f"{'undone' if name == '/undo' else 'done again'}: {harmless(step.turn.title)}")

    def _task(self, task: str) -> Outcome:
        """Carries out one task. Raises Interrupted when the whole program is to end."""
        lines = Lines(detail=self.detail, waiting=self.waiting)

        def emit(event: Event) -> None:
            self._reading = self._reading.after(event)
            for line in lines.of(event):
                self.say(line)

        async def approve(question: Question) -> Answer:
            lines.known_diff = question.preview
            return self.ask(question)

        agent = make_agent(self.place, self.model, self.session, emit=emit, approve=approve)
        begun, undo = datetime.now(UTC), "/undo"
        self.failure = None
        try:
            return run_to_end(agent.run(task))
        except Interrupted as interrupted:
            if interrupted.code != 130:
                undo = "qagent undo"
                raise
        except UserFacing as error:
            self.failure = error
            if error.todo:
                self.say(Line(f"  {error.todo}", "note"))
        finally:
            self._tell_changed(begun, undo)
        return self.session.outcomes[-1]

    def _tell_changed(self, begun: datetime, undo: str) -> None:
        """After a task that was not done: that it changed files all the same."""
        outcomes, state = self.session.outcomes, self.place.state
        if state and outcomes and outcomes[-1].reason != "done":
            told = Past(self.place.workspace.root, state).changed_since(self.session.id, begun, undo)
            if told:
                self.say(Line(f"  {told}", "note"))

    def ask(self, question: Question) -> Answer:
        """May this call run? Whatever is no clear yes is a no, and what was typed goes to the model."""
        self.say(Line(f"? {call_line(question.call)}", "note"))
        self.say(Line(f"  {harmless(question.reason)}", "note"))
        preview = list(diff_lines(question.preview))
        for line in preview[:PREVIEW_LINES]:
            self.say(line)
        if len(preview) > PREVIEW_LINES:
            self.say(Line(f"    … and {len(preview) - PREVIEW_LINES} more lines", "detail"))
        try:
            return _answer(self.read("  allow? [y/n, or what to do instead] ").strip())
        except EOFError:
            return Answer(False, "Nobody answered.", asked=False)
        except KeyboardInterrupt as interrupt:
            raise asyncio.CancelledError from interrupt


def _answer(typed: str) -> Answer:
    first, _, rest = typed.partition(" ")
    match first.lower().rstrip(",.;:!"):
        case "y" | "yes":
            return Answer(True)
        case "n" | "no" | "":
            return Answer(False, rest.strip())
        case _:
            return Answer(False, typed)

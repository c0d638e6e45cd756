"""`qagent -p`: one task without a person. The answer goes to stdout, what happens on the way to stderr."""

from __future__ import annotations

import dataclasses
import select
import shlex
import stat
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from qagent.cli.ends import outcome_code, put, report, say_end, say_json, say_result
from qagent.cli.remedy import remedy
from qagent.cli.start import Options, Resume, Start, moved, notice, painter, say, session_path, start
from qagent.errors import UsageProblem, UserFacing
from qagent.events import CallFinished, Event, TaskFinished, TextStreamed
from qagent.models.base import Model
from qagent.narration import Line, Lines, ending, harmless
from qagent.reading import Reading
from qagent.running import Interrupted, run_to_end
from qagent.session import Session
from qagent.types import Answer, Outcome, Question, Usage
from qagent.wiring import connected, make_agent, new_session
from qagent.workspace.undoing import Past

Format = Literal["text", "json", "stream-json"]
MATERIAL_CHARACTERS = 100_000
"""How much of stdin is taken: about the window of the model."""
PATIENCE_SECONDS, MOST_PATIENCE_SECONDS = 2.0, 10.0
"""How long the first byte of stdin may take: whoever left a pipe open by mistake is not waited for."""


async def nobody(question: Question) -> Answer:
    """Approval where no person is: never waits, always no."""
    reason = question.reason.rstrip(". ")
    return Answer(False, f"{reason}. Nobody is there to allow it. Do without it, or say what is left.", asked=False)


def once(task: str, options: Options, output: Format, resume: Resume) -> int:
    """Carries out one task; returns the exit code. Raises UserFacing before anything has begun."""
    if not task.strip():
        raise UsageProblem("the task is empty", todo='say what to do: qagent -p "fix the failing test"')
    ready = start(options)
    return _Run(ready, output, options).to_its_end(task, resume)


class _Run:
    """One headless run: what is being printed, and what has been gathered for the closing object."""

    def __init__(self, ready: Start, output: Format, options: Options) -> None:
        self._ready, self._output, self._options = ready, output, options
        self._place = ready.place if "mode" in ready.chosen else ready.in_mode("accept-edits")
        self._lines, self._paint = Lines(detail=options.verbose), painter(sys.stderr)
        self._session: Session | None = None
        self._model: Model | None = None
        self._changed: dict[str, None] = {}
        self._asked: list[Question] = []
        self._begun, self._since = time.monotonic(), datetime.now(UTC)
        self._spoken = False
        self._reading = Reading()
        self._usages_before = 0

    @property
    def _as_json(self) -> bool:
        return self._output != "text"

    def to_its_end(self, task: str, resume: Resume) -> int:
        path = session_path(self._ready, resume)
        self._place = self._ready.resumed(self._place, path)
        task = self._with_material(task)
        try:
            outcome = run_to_end(self._work(task, path))
        except Interrupted as stop:
            self._tell_reading()
            return say_end("interrupted", kept=self._kept(), code=stop.code, reason="cancelled", as_json=self._as_json,
                           **self._known())  # fmt: skip
        except UserFacing as error:
            self._tell_reading()
            error.kept = self._kept()
            return report(error, as_json=self._as_json, **self._known())
        return self._finished(outcome)

    async def _work(self, task: str, path: Path | None) -> Outcome:
        self._model, notices = await connected(self._place)
        if path:
            session, more = Session.open(path), ()
        else:
            session, more = new_session(self._ready.folders.sessions, self._place, self._model)
        self._session, self._usages_before = session, len(session.usages)
        with session:
            self._tell(*notices, *more, *session.notices, *moved(session, self._place))
            agent = make_agent(self._place, self._model, session, emit=self._emit, approve=self._approve, alone=True)
            return await agent.run(task)

    def _tell(self, *notices: str) -> None:
        if not self._options.quiet:
            for told in notices:
                notice(told)

    def _emit(self, event: Event) -> None:
        self._reading = self._reading.after(event)
        if isinstance(event, CallFinished):
            self._changed |= dict.fromkeys(event.changed)
        if self._output == "stream-json":
            say_json(dataclasses.asdict(event))
        if not self._options.quiet and not isinstance(event, TaskFinished):
            self._spoken |= isinstance(event, TextStreamed)
            self._print(event)

    async def _approve(self, question: Question) -> Answer:
        self._asked.append(question)
        return await nobody(question)

    def _advice(self) -> str:
        """What would have helped: patterns, settings, another mode, or only a person."""
        place, session = self._place, self._session.id if self._session else None
        return remedy(self._asked, place.settings, place.confinement.known, session)

    def _print(self, event: Event) -> None:
        for line in self._lines.of(event):
            say(self._paint(line))

    def _finished(self, outcome: Outcome) -> int:
        code = outcome_code(outcome)
        if not self._options.quiet:
            self._print(TaskFinished(outcome))
        self._tell_reading()
        if self._as_json:
            todo = self._advice() if code == 9 else ""
            say_result(code, "permission" if code == 9 else outcome.reason, todo=todo, kept=self._kept(outcome),
                       **self._known(outcome))  # fmt: skip
        elif outcome.answer and not self._is_on_screen():
            put(harmless(outcome.answer) if sys.stdout.isatty() else outcome.answer)
        if code and self._options.quiet and not self._as_json:
            say(f"qagent: {ending(outcome)}")
        elif code and not self._options.quiet:
            for line in (*self._kept(outcome).splitlines(), *([self._advice()] if code == 9 else [])):
                say(f"  {line}")
        return code

    def _tell_reading(self) -> None:
        """With -v: how the replies of this run were read. Those of earlier runs of the session do not count."""
        if self._options.verbose and not self._options.quiet and self._reading.replies:
            scope = " (in this run)" if self._usages_before else ""
            say(self._paint(Line(f"· reading{scope}: {self._reading.words}", "note")))

    def _is_on_screen(self) -> bool:
        """In a terminal the answer has already been read while it was written."""
        return self._spoken and sys.stdout.isatty() and sys.stderr.isatty()

    def _kept(self, outcome: Outcome | None = None) -> str:
        """What there is after the run, a line each; how it ended, None where it came to no end."""
        if not self._session:
            return ""
        saved = f"the session is saved; go on with `qagent -r {self._session.id}`"
        place, at = self._place, self._options.cwd
        if (outcome and outcome.reason == "done") or place.state is None:
            return saved
        undo = "qagent undo" if at == Path() else f"qagent undo -C {shlex.quote(str(at))}"
        told = Past(place.workspace.root, place.state).changed_since(self._session.id, self._since, undo)
        return f"{told}\n{saved}" if told else saved

    def _known(self, outcome: Outcome | None = None) -> dict[str, Any]:
        session = self._session
        usages: tuple[Usage, ...] = session.usages[self._usages_before :] if session else ()
        ended = outcome or (session.outcomes[-1] if session and session.outcomes else None)
        about = {"answer": ended.answer, "turns": ended.turns, "refused": ended.refused} if ended else {}
        if outcome:
            about["detail"] = outcome.detail
        return {
            **about,
            "session": session.id if session else None,
            "model": self._model.name if self._model else None,
            "changed": list(self._changed),
            "reply_tokens": sum(usage.reply_tokens or 0 for usage in usages),
            "sandbox": sandbox.record if (sandbox := self._place.confinement.known) else None,
            "reading": {"scope": "run", **self._reading.record},
            "seconds": round(time.monotonic() - self._begun, 3),
        }

    def _with_material(self, task: str) -> str:
        """The task, with what is piped into stdin behind it."""
        if self._options.no_input or not _is_piped():
            return task
        if not _something_comes(PATIENCE_SECONDS):
            self._tell(f"waiting up to {MOST_PATIENCE_SECONDS:g} s for material on stdin; --no-input leaves it out")
            if not _something_comes(MOST_PATIENCE_SECONDS - PATIENCE_SECONDS):
                self._tell("nothing came on stdin: going on without it")
                return task
        material = sys.stdin.buffer.read(MATERIAL_CHARACTERS * 4).decode("utf-8", errors="replace")
        if len(material) > MATERIAL_CHARACTERS:
            self._tell(f"only the first {MATERIAL_CHARACTERS:,} characters of stdin are used")
            material = material[:MATERIAL_CHARACTERS]
        return f"{task}\n\n{material.strip()}" if material.strip() else task


def _something_comes(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _is_piped() -> bool:
    """A pipe or a file; not a terminal, not /dev/null, not a closed descriptor."""
    try:
        mode = stat.S_IFMT(Path("/dev/stdin").stat().st_mode)
    except OSError:
        return False
    return mode in (stat.S_IFIFO, stat.S_IFREG)

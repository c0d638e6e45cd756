"""`qagent -p`: one task without a person. The answer goes to stdout, what happens on the way to stderr."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import stat
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from qagent.cli.ends import Ended, outcome_code, report, say_json
from qagent.cli.start import Options, Start, painter, say, start
from qagent.errors import SessionProblem, UsageProblem, UserFacing
from qagent.narration import Lines
from qagent.session import Session, find, latest
from qagent.types import Answer, CallFinished, Event, Outcome, Question, TaskFinished, Usage
from qagent.wiring import Place, connect, make_agent, new_session

Format = Literal["text", "json", "stream-json"]
T = TypeVar("T")
MATERIAL_CHARACTERS = 100_000
"""How much of stdin is taken: about the window of the model."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Which session to go on with: the latest of this folder, one by its id, or none."""

    latest: bool = False
    id: str | None = None


async def nobody(question: Question) -> Answer:
    """Approval where no person is: never waits, always no."""
    return Answer(
        False, f"{question.reason} Nobody is there to allow it. Do without, or say what is left.", asked=False
    )


def once(task: str, options: Options, output: Format, resume: Resume) -> int:
    """Carries out one task; returns the exit code. Raises UserFacing."""
    task = _with_material(task, read=not options.no_input)
    ready = start(options)
    place = ready.place if ready.mode_was_chosen else ready.in_mode("accept-edits")
    run = _Run(place, ready, output, options)
    return run.to_its_end(task, resume)


class _Run:
    """One headless run: what is being printed, and what has been gathered for the closing object."""

    def __init__(self, place: Place, ready: Start, output: Format, options: Options) -> None:
        self._place, self._ready, self._output = place, ready, output
        self._quiet, self._lines, self._paint = options.quiet, Lines(detail=options.verbose), painter(sys.stderr)
        self._session: Session | None = None
        self._changed: dict[str, None] = {}

    def to_its_end(self, task: str, resume: Resume) -> int:
        try:
            outcome = run_to_end(self._work(task, resume))
        except Ended as ended:
            return self._interrupted(ended.code)
        except UserFacing as error:
            error.kept = self._kept()
            if self._output == "text":
                raise
            return self._failed(error)
        return self._finished(outcome)

    async def _work(self, task: str, resume: Resume) -> Outcome:
        model, notices = await connect(self._place.settings)
        session, more = self._open(resume, lambda: new_session(self._ready.folders.sessions, self._place, model))
        self._session = session
        with session:
            for notice in (*notices, *more, *session.notices):
                say(f"! {notice}")
            return await make_agent(self._place, model, session, emit=self._emit, approve=nobody).run(task)

    def _open(
        self, resume: Resume, make: Callable[[], tuple[Session, tuple[str, ...]]]
    ) -> tuple[Session, tuple[str, ...]]:
        path = session_path(self._ready, resume)
        return make() if path is None else (Session.open(path), ())

    def _emit(self, event: Event) -> None:
        if isinstance(event, CallFinished) and event.diff and event.ok:
            self._changed |= dict.fromkeys(_changed(event.diff))
        if self._output == "stream-json":
            say_json(dataclasses.asdict(event))
        if not self._quiet and not isinstance(event, TaskFinished):
            for line in self._lines.of(event):
                say(self._paint(line))

    def _kept(self) -> str:
        return f"the session is saved; go on with `qagent -r {self._session.id}`" if self._session else ""

    def _interrupted(self, code: int) -> int:
        return report("interrupted", kept=self._kept(), code=code, reason="cancelled", as_json=self._output != "text")

    def _failed(self, error: UserFacing) -> int:
        report(error.what, kept=error.kept, todo=error.todo, code=error.exit_code, reason=error.reason)
        self._say_result(error.exit_code, error.reason, Outcome("failed", detail=error.what), error.todo)
        return error.exit_code

    def _finished(self, outcome: Outcome) -> int:
        code = outcome_code(outcome)
        if not self._quiet:
            for line in self._lines.of(TaskFinished(outcome)):
                say(line)
        if self._output == "text":
            if outcome.answer:
                print(outcome.answer, flush=True)
        else:
            reason = "permission" if code == 9 else outcome.reason
            self._say_result(code, reason, outcome)
        if code:
            say(f"  {self._kept()}")
        return code

    def _say_result(self, code: int, reason: str, outcome: Outcome, todo: str = "") -> None:
        session = self._session
        usages: tuple[Usage, ...] = session.usages if session else ()
        say_json(
            {
                "kind": "result",
                "exit": code,
                "reason": reason,
                "answer": outcome.answer,
                "detail": outcome.detail,
                "todo": todo,
                "session": session.id if session else None,
                "model": session.header.model if session else None,
                "turns": outcome.turns,
                "refused": outcome.refused,
                "changed": list(self._changed),
                "reply_tokens": sum(usage.reply_tokens or 0 for usage in usages),
                "seconds": round(sum(usage.seconds for usage in usages), 3),
            }
        )


def session_path(ready: Start, resume: Resume) -> Path | None:
    """The file of the session to go on with; None for a new one. Raises SessionProblem."""
    folder = ready.folders.sessions
    if resume.id is not None:
        return find(folder, resume.id)
    if not resume.latest:
        return None
    if path := latest(folder, ready.place.workspace.root):
        return path
    raise SessionProblem(f"there is no session of {ready.place.workspace.root} yet", todo="start one without -c")


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine; SIGINT and SIGTERM cancel it, let it save what it has, and end in Ended with their code."""
    terminated = False

    async def guarded() -> T:
        task = asyncio.ensure_future(work)

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        try:
            return await task
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)

    try:
        return asyncio.run(guarded())
    except KeyboardInterrupt as interrupt:
        raise Ended(130) from interrupt
    except asyncio.CancelledError as cancelled:
        raise Ended(143 if terminated else 130) from cancelled


def _with_material(task: str, *, read: bool) -> str:
    """The task, with what is piped into stdin behind it."""
    if not task.strip():
        raise UsageProblem("the task is empty", todo='say what to do: qagent -p "fix the failing test"')
    if not read or not _is_piped():
        return task
    material = sys.stdin.buffer.read(MATERIAL_CHARACTERS * 4).decode("utf-8", errors="replace")
    if len(material) > MATERIAL_CHARACTERS:
        say(f"! only the first {MATERIAL_CHARACTERS:,} characters of stdin are used")
        material = material[:MATERIAL_CHARACTERS]
    return f"{task}\n\n{material.strip()}" if material.strip() else task


def _is_piped() -> bool:
    """A pipe or a file; not a terminal, not /dev/null, not a closed descriptor."""
    try:
        mode = stat.S_IFMT(Path("/dev/stdin").stat().st_mode)
    except OSError:
        return False
    return mode in (stat.S_IFIFO, stat.S_IFREG)


def _changed(diff: str) -> list[str]:
    return [line[6:].strip() for line in diff.splitlines() if line.startswith("+++ b/")]

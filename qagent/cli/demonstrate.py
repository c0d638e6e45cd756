"""`qagent demo`: the real agent, through real HTTP, on a sample repository; only the model is scripted."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from qagent.cli.once import nobody
from qagent.cli.start import painter
from qagent.config import Settings
from qagent.demo import sample_repository
from qagent.demo.script import REPLIES, TASK
from qagent.errors import UserFacing
from qagent.events import Event
from qagent.narration import Line, Lines
from qagent.reading import Reading
from qagent.running import run_to_end
from qagent.session import Session
from qagent.testing import LoopbackOllama
from qagent.types import Mode, Outcome, SystemMessage
from qagent.wiring import Place, connect, make_agent, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

MODEL = "qwen2.5-coder:7b"


def demonstrate(*, keep: bool, mode: Mode, detail: bool = False) -> int:
    """0 when the sample's tests were red before and are green after; 3 otherwise."""
    folder = Path(tempfile.mkdtemp(prefix="qagent-demo-"))
    try:
        return _show(sample_repository.make(folder), mode, detail)
    finally:
        if keep:
            print(f"\nThe sample repository is left in {folder / 'cart'}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _show(repository: Path, mode: Mode, detail: bool) -> int:
    print("A sample repository, a failing test, and a scripted Qwen. No LLM runs here and nothing leaves this machine:")
    print("the replies are fixed text, slips included; reading, refusing, editing and testing are qagent's own.\n")
    before, output = sample_repository.passes(repository)
    print(f"the tests before:\n{_indented(output)}")
    if before:
        print("\nThe sample's tests pass already, so this shows nothing.")
        return 3
    print(f"\n> {TASK}")
    outcome = _play(repository, mode, detail)
    after, output = sample_repository.passes(repository)
    print(f"\nthe tests after, run once more by this command:\n{_indented(output)}")
    print(f"\nwhat changed:\n{_indented(sample_repository.changes(repository).strip() or 'nothing')}")
    return _verdict(after, outcome)


def _play(repository: Path, mode: Mode, detail: bool) -> Outcome | None:
    lines, paint, heard = Lines(detail=detail), painter(sys.stdout), [Reading()]

    def emit(event: Event) -> None:
        heard.append(heard.pop().after(event))
        for line in lines.of(event):
            print(paint(line), flush=True)

    async def work(url: str) -> Outcome:
        tests = ("python3 -m unittest*",)  # allowed by name, since there may be no sandbox here
        settings = Settings(model=MODEL, host=url, mode=mode, allow_commands=tests, agents_md=False)
        place = Place(Workspace.open(repository), settings, Words())
        model, _ = await connect(settings)
        session = Session.in_memory(cwd=repository, model=MODEL)
        session.add(SystemMessage(prefix(place)[0]))
        return await make_agent(place, model, session, emit=emit, approve=nobody).run(TASK)

    with LoopbackOllama(REPLIES, models=(MODEL,)) as server:
        try:
            return run_to_end(work(server.url))
        except UserFacing as error:
            print(f"! {error.what}")
            return None
        finally:
            if detail:
                print(paint(Line(f"· reading: {heard[0].words}", "note")))


def _verdict(green: bool, outcome: Outcome | None) -> int:
    if not green or outcome is None or outcome.reason != "done":
        print("\nThe bug is NOT fixed: the tests are still red, or the run did not end as it should.")
        return 3
    print("\nRed before, green after. The model was scripted; with a real one, in your own repository:")
    print("  ollama pull qwen2.5-coder:7b")
    print('  qagent -p "fix the failing test"      or just: qagent')
    return 0


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())

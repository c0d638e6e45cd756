from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from scripted_agent import BUGGY, EDIT, READ, repository

from qagent.config import Settings
from qagent.errors import Unreachable
from qagent.models.scripted import ScriptedModel, ScriptLine
from qagent.narration import Line
from qagent.repl import Conversation
from qagent.session import Session
from qagent.testing import Fault, LoopbackOllama
from qagent.types import AssistantMessage, Outcome, SystemMessage, UserMessage
from qagent.wiring import Place, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


class Typist:
    """Types prepared lines; an exception among them is what a key does."""

    def __init__(self, lines: Iterable[str | type[BaseException]]) -> None:
        self._lines = iter(lines)
        self.said: list[Line] = []

    def read(self, prompt: str) -> str:
        line = next(self._lines, EOFError)
        if isinstance(line, str):
            return line
        raise line

    @property
    def screen(self) -> str:
        return "\n".join(line.text for line in self.said)


def talk(folder: Path, typist: Typist, replies: list[ScriptLine], *, detail: bool = False) -> ScriptedModel:
    place = Place(Workspace.open(folder), Settings(), Words())
    model, session = ScriptedModel(replies), Session.in_memory(cwd=folder)
    session.add(SystemMessage(prefix(place)[0]))
    Conversation(place, model, session, typist.read, typist.said.append, detail).run()
    return model


def test_a_task_is_carried_out_after_a_yes(folder: Path) -> None:
    typist = Typist(["Fix the bug.", "y", "exit"])
    talk(folder, typist, [READ, EDIT, "It is edited."])
    assert "a + b" in (folder / "calc.py").read_text()
    assert "? edit_file calc.py" in typist.screen
    assert "+    return a + b" in typist.screen
    assert "It is edited." in typist.screen


def test_a_no_with_words_reaches_the_model(folder: Path) -> None:
    typist = Typist(["Fix the bug.", "n use abs() instead"])
    model = talk(folder, typist, [READ, EDIT, "As you like."])
    assert (folder / "calc.py").read_text() == BUGGY
    assert "Not allowed: use abs() instead" in model.prompts[2].text


@pytest.mark.parametrize(
    ("typed", "edited", "told"),
    [
        ("y", True, ""),
        ("Yes, go on", True, ""),
        ("", False, "the user said no"),
        ("no, use abs", False, "use abs"),
        ("use abs", False, "use abs"),
    ],
)
def test_only_a_clear_yes_is_one_and_what_was_typed_is_passed_on(
    folder: Path, typed: str, edited: bool, told: str
) -> None:
    model = talk(folder, Typist(["Fix it.", typed]), [READ, EDIT, "As you say."])
    assert ("a + b" in (folder / "calc.py").read_text()) is edited
    assert told in model.prompts[2].text


def test_a_task_may_begin_with_a_path(folder: Path) -> None:
    typist = Typist(["/usr/bin/python3 crashes, why?", "/mode foo"])
    model = talk(folder, typist, ["I do not know."])
    assert "/usr/bin/python3 crashes" in model.prompts[0].text
    assert "there is no mode foo" in typist.screen


def test_the_end_of_input_is_a_no(folder: Path) -> None:
    talk(folder, Typist(["Fix the bug."]), [READ, EDIT, "I may not."])
    assert (folder / "calc.py").read_text() == BUGGY


def test_ctrl_c_at_a_question_interrupts_the_turn_only(folder: Path) -> None:
    typist = Typist(["Fix the bug.", KeyboardInterrupt, "Are you there?"])
    model = talk(folder, typist, [READ, EDIT, "Yes."])
    assert "= cancelled" in typist.screen
    assert "the user stopped" in model.prompts[2].text


def test_lines_are_joined_and_commands_answered(folder: Path) -> None:
    typist = Typist(["", "/help", "/nonsense", "/mode plan", "first \\", "second", KeyboardInterrupt, ":q"])
    model = talk(folder, typist, ["Good."])
    assert "<|im_start|>user\nfirst \nsecond<|im_end|>" in model.prompts[0].text
    assert "there is no /nonsense" in typist.screen
    assert "mode plan" in typist.screen


@pytest.mark.parametrize("end", ["/quit", EOFError])
def test_at_the_end_it_tells_how_the_replies_were_read_when_asked_for(
    folder: Path, end: str | type[BaseException]
) -> None:
    typist, silent = Typist(["One.", "Two.", end]), Typist(["One.", end])
    talk(folder, typist, [READ, "Good.", "Good."], detail=True)
    assert typist.said[-1].text == "· reading: 3 replies; 1 call (in tools tags 1)"
    assert (typist.said[-2].text == "") == (end is EOFError)  # the prompt sign has a line of its own
    talk(folder, silent, ["Good."])
    assert "reading" not in silent.screen


def test_a_conversation_that_goes_on_counts_what_was_read_since(folder: Path) -> None:
    place, typist = Place(Workspace.open(folder), Settings(), Words()), Typist(["More."])
    session = Session.in_memory(cwd=folder)
    for entry in (SystemMessage(prefix(place)[0]), UserMessage("One."), AssistantMessage("Good."), Outcome("done")):
        session.add(entry)
    Conversation(place, ScriptedModel(["Good."]), session, typist.read, typist.said.append, True).run()
    assert typist.said[-1].text == "· reading (in this run): 1 reply; 0 calls"


def test_a_server_that_is_gone_ends_the_turn_and_not_the_conversation(folder: Path) -> None:
    typist = Typist(["One.", "Two."])
    talk(folder, typist, [Unreachable("no answer", todo="start it"), "Here I am."])
    assert "= failed (no answer)\n  start it" in typist.screen
    assert "Here I am." in typist.screen


def test_in_a_real_terminal_it_edits_after_y_and_ctrl_c_ends_a_long_turn(folder: Path) -> None:
    with LoopbackOllama([READ, EDIT, "It is edited.", Fault("stall", after="thinking\n")]) as server:
        command = [sys.executable, "-m", "qagent", "-C", str(folder), "--host", server.url]
        leader, follower = pty.openpty()
        child = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            env={**os.environ, "TERM": "dumb"},
        )
        os.close(follower)
        seen = _until(leader, b"/help tells more")
        os.write(leader, b"Fix the bug.\n")
        seen += _until(leader, b"allow?")
        os.write(leader, b"y\n")
        seen += _until(leader, b"= done")
        os.write(leader, b"And now?\n")
        seen += _until(leader, b"thinking")
        os.kill(child.pid, signal.SIGINT)
        seen += _until(leader, b"= cancelled")
        os.write(leader, b"exit\n")
        assert child.wait(20) == 0
        os.close(leader)
    assert b"It is edited." in seen
    assert "a + b" in (folder / "calc.py").read_text()


def _until(terminal: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        assert select.select([terminal], [], [], 30)[0], f"{wanted!r} never came; this did: {seen!r}"
        seen += os.read(terminal, 4096)
    return seen

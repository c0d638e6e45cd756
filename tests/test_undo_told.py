from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from command import qagent
from kept_turns import Kept
from scripted_agent import BUGGY, EDIT, READ, Scene, call, repository

from qagent.config import Settings
from qagent.errors import SessionProblem, UndoProblem
from qagent.models.scripted import ScriptedModel, ScriptLine
from qagent.repl import Conversation
from qagent.session import Session
from qagent.testing import LoopbackOllama
from qagent.types import SystemMessage, UserMessage
from qagent.wiring import Place, prefix
from qagent.words import Words
from qagent.workspace.keeping import TurnKeep
from qagent.workspace.place import Workspace
from qagent.workspace.turn_news import MOST_NAMED, News
from qagent.workspace.undoing import Past

Capture = pytest.CaptureFixture[str]
SAID = "The sign was wrong."
COMMAND = call("run", command="printf 'x\\n' > made.txt")
UNDONE = (
    "The user has undone your changes in {}. Read these files again before you rely on them, "
    "and do not make the changes again unless the user asks."
)
REDONE = "The user has brought back what you changed in {}. Read these files again before you rely on them."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


def talk(
    folder: Path, state: Path, lines: Iterable[str | Callable[[], object]], replies: Iterable[ScriptLine]
) -> tuple[Session, ScriptedModel]:
    """A conversation; between its lines something may happen elsewhere."""
    place = Place(Workspace.open(folder), Settings(mode="auto", sandbox="off"), Words(), state=state)
    session, model, typed = Session.in_memory(cwd=folder), ScriptedModel(replies), iter(lines)
    session.add(SystemMessage(prefix(place)[0]))

    def read(prompt: str) -> str:
        for line in typed:
            if isinstance(line, str):
                return line
            line()
        raise EOFError

    Conversation(place, model, session, read, lambda line: None).run()
    return session, model


def said(session: Session) -> list[str]:
    """What the model reads in the person's turns."""
    return [message.text for message in session.messages if isinstance(message, UserMessage)]


# ------------------------------------------------------------------ in a conversation


def test_after_an_undo_the_model_is_told_before_the_next_task(folder: Path, state: Path) -> None:
    session, model = talk(folder, state, ["Fix it.", "/undo", "Why?"], [READ, EDIT, COMMAND, SAID, "I do not know."])
    assert said(session) == ["Fix it.", UNDONE.format("calc.py, made.txt"), "Why?"]
    assert [m.origin for m in session.messages if isinstance(m, UserMessage)] == ["user", "harness", "user"]
    last = model.prompts[-1].text
    assert last.index("The user has undone") < last.index("Why?")


def test_a_redo_is_told_too_and_what_was_told_is_not_told_again(folder: Path, state: Path) -> None:
    lines = ["Fix it.", "/undo", "And?", "And now?", "/redo", "Now?"]
    session, _ = talk(folder, state, lines, [READ, EDIT, SAID, "Gone.", "Still.", "Back."])
    told = [UNDONE.format("calc.py"), "And?", "And now?", REDONE.format("calc.py"), "Now?"]
    assert said(session) == ["Fix it.", *told]


def test_an_undo_that_was_redone_at_once_is_no_news(folder: Path, state: Path) -> None:
    session, _ = talk(folder, state, ["Fix it.", "/undo", "/redo", "Now?"], [READ, EDIT, SAID, "Fixed."])
    assert said(session) == ["Fix it.", "Now?"]


def test_an_edit_that_relies_on_what_was_taken_back_is_refused(folder: Path, state: Path) -> None:
    again = call(
        "edit_file", "<<<<<<< SEARCH\n    return a + b\n=======\n    return b + a\n>>>>>>> REPLACE\n", path="calc.py"
    )
    session, model = talk(folder, state, ["Fix it.", "/undo", "Turn them."], [READ, EDIT, SAID, again, "It is gone."])
    assert "calc.py changed since you read it" in model.prompts[-1].text
    assert (folder / "calc.py").read_text() == BUGGY
    assert session.outcomes[-1].reason == "done"


def test_an_undo_on_the_command_line_reaches_a_conversation_that_goes_on(folder: Path, state: Path) -> None:
    lines = ["Fix it.", Kept(folder, state).past.undo, "And now?"]
    session, _ = talk(folder, state, lines, [READ, EDIT, SAID, "Gone."])
    assert said(session) == ["Fix it.", UNDONE.format("calc.py"), "And now?"]


def test_a_turn_of_another_session_that_is_taken_back_here_is_told_here(folder: Path, state: Path) -> None:
    kept = Kept(folder, state)
    kept.turn(kept.write("calc.py", "theirs"))
    session, _ = talk(folder, state, ["What is it?", "/undo", "And now?"], ["Words.", "Code."])
    assert said(session) == ["What is it?", UNDONE.format("calc.py"), "And now?"]
    session, _ = talk(folder, state, [kept.past.redo, "And now?"], ["Words."])
    assert said(session)[-2:] == [REDONE.format("calc.py"), "And now?"]


def test_a_turn_of_another_session_that_is_taken_back_elsewhere_is_not_told(folder: Path, state: Path) -> None:
    kept = Kept(folder, state)
    kept.turn(kept.write("calc.py", "theirs"))
    kept.past.undo()
    session, _ = talk(folder, state, ["What is it?"], ["Code."])
    assert said(session) == ["What is it?"]


def test_the_person_sees_what_the_model_was_told(folder: Path, state: Path) -> None:
    scene = Scene(folder, [READ, EDIT, SAID, "Gone."])
    scene.place = replace(scene.place, state=state)
    asyncio.run(scene.run())
    Kept(folder, state).past.undo()
    first = len(scene.events)
    asyncio.run(scene.run("And now?"))
    assert scene.kinds()[first : first + 2] == ["task_started", "notice"]
    assert scene.notices()[-1].startswith("told the model: The user has undone your changes in calc.py")


@pytest.mark.parametrize(("talk_id", "undo", "redo"), [("", "qagent undo", "qagent redo"), ("s", "/undo", "/redo")])
def test_what_can_be_done_is_said_as_it_is_typed_there(
    folder: Path, state: Path, talk_id: str, undo: str, redo: str
) -> None:
    kept, past = Kept(folder, state), Past(folder, state, talk_id)

    def todo(take: Callable[[], object]) -> str:
        with pytest.raises(UndoProblem) as refused:
            take()
        return refused.value.todo

    kept.turn(kept.write("calc.py", "theirs"))
    (folder / "calc.py").write_text("mine")
    assert f"`{undo} --skip-changed`" in todo(past.undo)
    (folder / "calc.py").write_text("theirs")
    past.undo()
    assert f"`{redo}`" in todo(past.undo)
    (folder / "calc.py").write_text("mine")
    assert f"`{redo} --skip-changed`" in todo(past.redo)
    (record,) = state.glob("undo/*/turns/*.json")
    record.write_bytes(record.read_bytes().replace(b'"state": "undone"', b'"state": "open"'))
    told = todo(past.undo)
    assert f"`{undo} --cut-off`" in told
    assert f"`{redo}` brings it back" in told


# ------------------------------------------------------------------ a session that is gone on with


@pytest.mark.parametrize("resume", [["-c"], ["-r"]])
def test_a_resumed_session_is_told_what_was_undone_on_the_command_line(
    folder: Path, capsys: Capture, resume: list[str]
) -> None:
    with LoopbackOllama([READ, EDIT, SAID, "It is gone."]) as server:
        given = ["-C", str(folder), "--host", server.url, "-q"]
        ran = qagent(capsys, "-p", "Fix the bug.", *given, "--output-format", "json")
        assert qagent(capsys, "undo", "-C", str(folder)).code == 0
        words = [*resume, ran.json["session"]] if resume == ["-r"] else resume
        assert qagent(capsys, "-p", "What have you done?", *words, *given).code == 0
        assert UNDONE.format("calc.py") in str(server.requests[-1])
    shown = qagent(capsys, "sessions", "show", ran.json["session"]).out
    assert shown.count("The user has undone your changes in calc.py") == 1


# ------------------------------------------------------------------ what is told


def test_many_files_are_counted_and_odd_names_are_one_line() -> None:
    files = tuple(f"f{number}" for number in range(MOST_NAMED + 2))
    (told,) = News(undone=("a\nb", *files)).told(Words())
    assert told.startswith(f"The user has undone your changes in a\\nb, {', '.join(files[:9])} and 3 more files.")
    assert [text.partition(" in ")[0] for text in News(("a",), ("b",)).told(Words())] == [
        "The user has undone your changes",
        "The user has brought back what you changed",
    ]


def test_when_the_session_cannot_take_it_it_is_told_the_next_time(folder: Path, state: Path) -> None:
    kept = Kept(folder, state)
    kept.turn(kept.write("calc.py", "1"))
    kept.past.undo()
    keep, heard = TurnKeep(folder, state, "a-session"), list[News]()

    def full(news: News) -> None:
        raise SessionProblem("the disk is full", todo="")

    with pytest.raises(SessionProblem):
        keep.begin("next", full)
    keep.begin("next", heard.append)
    keep.begin("next", heard.append)
    assert heard == [News(undone=("calc.py",))]


def test_records_of_what_was_told_that_are_torn_do_no_harm(folder: Path, state: Path) -> None:
    kept = Kept(folder, state)
    kept.turn(kept.write("calc.py", "1"))
    kept.past.undo()
    keep, heard = TurnKeep(folder, state, "a-session"), list[News]()
    keep.begin("next", heard.append)
    (record,) = state.glob("undo/*/told-turns-*")
    good = record.read_bytes()
    for bad, times in ((b"\xff\xfe", 1), (b"x y z\n\n", 1), (good[:-3], 1), (good + b"torn", 0)):
        record.write_bytes(bad)
        heard.clear()
        keep.begin("next", heard.append)
        assert len(heard) == times

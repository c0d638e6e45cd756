"""An agent with a scripted model in a real folder, for tests of everything around it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from qagent.agent import Agent
from qagent.config import Settings
from qagent.events import Event
from qagent.models.scripted import ScriptedModel, ScriptLine
from qagent.session import Session
from qagent.types import Answer, Outcome, Question, SystemMessage
from qagent.wiring import Place, make_agent, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

BUGGY = "def add(a, b):\n    return a - b\n"
TEST = """\
import unittest

from calc import add


class T(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 3), 5)
"""

READ = '<tools>\n{"name": "read_file", "arguments": {"path": "calc.py"}}\n</tools>'
EDIT = (
    'Now the fix.\n<tools>\n{"name": "edit_file", "arguments": {"path": "calc.py"}}\n'
    "<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n</tools>"
)
RUN = '<tools>\n{"name": "run", "arguments": {"command": "python3 -m unittest -q"}}\n</tools>'
DONE = "The sign was wrong; the test passes now."


def call(name: str, body: str = "", **arguments: object) -> str:
    """A call as it is taught."""
    import json

    return f"<tools>\n{json.dumps({'name': name, 'arguments': arguments})}\n{body}</tools>"


def write_files(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """A folder with these files; by default with a bug and a failing test."""
    for name, text in (files or {"calc.py": BUGGY, "test_calc.py": TEST}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def repository(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """A git repository with these files committed; by default one with a bug and a failing test."""
    write_files(folder, files)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*identity, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@dataclass
class Scene:
    """One run: the agent, what it emitted and asked; `heard` is set when the model has begun to speak."""

    folder: Path
    replies: Iterable[ScriptLine]
    answers: list[Answer] = field(default_factory=list[Answer])
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    session: Session | None = None
    alone: bool = False

    def __post_init__(self) -> None:
        self.model = ScriptedModel(self.replies)
        self.events: list[Event] = []
        self.heard = asyncio.Event()
        self.questions: list[Question] = []
        settings = Settings.model_validate({"mode": "auto", **self.settings})
        self.place = Place(Workspace.open(self.folder), settings, Words())
        self.kept = self.session or Session.in_memory(cwd=self.folder, model="scripted")
        if not self.kept.messages:
            self.kept.add(SystemMessage(prefix(self.place)[0]))

    @property
    def agent(self) -> Agent:
        agent = make_agent(self.place, self.model, self.kept, emit=self._emit, approve=self._answer)
        agent.rules = replace(agent.rules, alone=self.alone)
        return agent

    async def run(self, task: str = "Fix the bug.") -> Outcome:
        return await self.agent.run(task)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if event.kind == "text_streamed":
            self.heard.set()

    async def _answer(self, question: Question) -> Answer:
        self.questions.append(question)
        return self.answers.pop(0) if self.answers else Answer(False, asked=False)

    def results(self) -> list[str]:
        return [message.text for message in self.kept.messages if message.kind == "result"]

    def nudges(self) -> list[str]:
        """What qagent told the model in the person's place."""
        return [m.text for m in self.kept.messages if m.kind == "user" and m.origin == "harness"]

    def notices(self) -> list[str]:
        return [event.text for event in self.events if event.kind == "notice"]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

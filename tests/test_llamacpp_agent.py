from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from llama_agent import agent_on, git, read_again, repository_in, token_ids, turns
from llama_fixtures import Script, StartLlama
from llama_server import LlamaServer
from scripted_agent import BUGGY, DONE, EDIT, READ, RUN

import qagent
from qagent.events import CallFinished, Event, TextStreamed
from qagent.session import peek
from qagent.types import AssistantMessage, Outcome, ToolResult, UserMessage

pytestmark = pytest.mark.llamacpp

TASK: Final = "The test fails. Find the bug."
GERMAN: Final = "Das Vorzeichen war falsch → jetzt addiert `add` wieder. ✓"
BYE: Final = "Gern geschehen, bis zum nächsten Mal."
WORK: Final = Script(
    READ,
    {"return a - b": EDIT, "edited calc.py": RUN, "exit 0": DONE, "auf Deutsch": GERMAN, "vielen Dank": BYE},
)


@pytest.fixture
def server(llama_server: StartLlama) -> LlamaServer:
    return llama_server(WORK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository_in(tmp_path)


def is_green(folder: Path) -> bool:
    command = [sys.executable, "-B", "-m", "unittest", "-q"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


async def test_a_real_server_reads_edits_tests_and_is_done(server: LlamaServer, folder: Path) -> None:
    assert not is_green(folder)
    events: list[Event] = []
    async with agent_on(server.url, folder, events.append) as agent:
        outcome = await agent.run(TASK)
    assert outcome == Outcome("done", DONE, turns=4)
    assert (folder / "calc.py").read_text() == BUGGY.replace("a - b", "a + b")
    assert is_green(folder)
    assert git(folder, "status", "--porcelain") == " M calc.py\n"
    assert git(folder, "diff", "-U0").splitlines()[-2:] == ["-    return a - b", "+    return a + b"]
    finished = [event for event in events if isinstance(event, CallFinished)]
    assert [(event.name, event.ok) for event in finished] == [("read_file", True), ("edit_file", True), ("run", True)]
    streamed = "".join(event.text for event in events if isinstance(event, TextStreamed))
    assert streamed.split() == f"Now the fix. {DONE}".split()


async def test_the_session_on_disk_holds_every_message_and_what_it_cost(server: LlamaServer, folder: Path) -> None:
    async with agent_on(server.url, folder) as agent:
        outcome = await agent.run(TASK)
    assert agent.session.path
    saved = peek(agent.session.path)
    assert saved.messages == agent.session.messages
    assert saved.entries[-1] == outcome
    system, task, *rest = saved.messages
    assert (system.kind, task) == ("system", UserMessage(TASK))
    replies = [message for message in rest if isinstance(message, AssistantMessage)]
    assert [(reply.raw, reply.end) for reply in replies] == [(raw, "stop") for raw in (READ, EDIT, RUN, DONE)]
    results = [message for message in rest if isinstance(message, ToolResult)]
    assert [result.call_id for result in results] == ["1.1", "2.1", "3.1"]
    assert [message.kind for message in rest] == ["assistant", "result"] * 3 + ["assistant"]
    assert results[0].text.endswith(BUGGY.rstrip())
    assert results[2].text.startswith("exit 0")
    assert saved.header.model == "scripted"


async def test_on_every_later_turn_the_server_reads_only_what_was_appended(server: LlamaServer, folder: Path) -> None:
    async with agent_on(server.url, folder) as agent:
        for task in (TASK, "Once more, auf Deutsch.", "Schön, vielen Dank! 🙂"):
            assert (await agent.run(task)).reason == "done"
    sent, usages = turns(agent.session.messages), agent.session.usages
    assert [turn.reply for turn in sent] == [READ, EDIT, RUN, DONE, GERMAN, BYE]
    assert [usage.prompt_tokens for usage in usages] == [len(token_ids(server.url, turn.text)) for turn in sent]
    for before, after, usage in zip(sent, sent[1:], usages[1:], strict=False):
        assert read_again(server.url, before, after, usage) <= 8


async def test_a_session_that_is_resumed_is_still_known_to_the_server(server: LlamaServer, folder: Path) -> None:
    async with agent_on(server.url, folder) as agent:
        await agent.run(TASK)
    async with agent_on(server.url, folder, resume=agent.session.path) as agent:
        assert (await agent.run("And now auf Deutsch.")).answer == GERMAN
    before, after = turns(agent.session.messages)[-2:]
    assert read_again(server.url, before, after, agent.session.usages[-1]) <= 8


def test_the_command_line_does_the_same_and_says_one_object(server: LlamaServer, folder: Path) -> None:
    asked = ["-p", TASK, "--server", "llamacpp", "--host", server.url, "--mode", "auto", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(qagent.__file__).parent.parent)}
    ran = subprocess.run(
        [sys.executable, "-m", "qagent", *asked],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert (said["exit"], said["reason"], said["answer"], said["turns"]) == (0, "done", DONE, 4)
    assert (said["changed"], said["model"]) == (["calc.py"], "scripted")
    assert is_green(folder)

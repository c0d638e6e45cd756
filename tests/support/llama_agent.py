"""An agent on a llama.cpp server, wired as the command line wires it, and what that server says of its prompts."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from scripted_agent import repository

from qagent import context
from qagent.agent import Agent
from qagent.config import Settings
from qagent.events import Emit, Event
from qagent.session import Session
from qagent.types import Answer, AssistantMessage, Message, Question, Usage
from qagent.wiring import Place, connect, make_agent, new_session
from qagent.words import Words
from qagent.workspace.place import Workspace


def place(folder: Path, url: str = "", **settings: object) -> Place:
    chosen = Settings.model_validate({"server": "llamacpp", "host": url or None, "mode": "auto", **settings})
    return Place(Workspace.open(folder), chosen, Words())


@asynccontextmanager
async def agent_on(
    url: str, folder: Path, emit: Emit | None = None, resume: Path | None = None, **settings: object
) -> AsyncGenerator[Agent]:
    """The session is `resume`, or a new one that is saved in a folder beside `folder`; it is closed at the end."""
    here = place(folder, url, **settings)
    model, _ = await connect(here.settings)
    session = Session.open(resume) if resume else new_session(folder.parent / "sessions", here, model)[0]
    with session:
        yield make_agent(here, model, session, emit=emit or _ignore, approve=_nobody)


def _ignore(event: Event) -> None:
    pass


async def _nobody(question: Question) -> Answer:
    return Answer(False, asked=False)


def repository_in(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A git repository in a new folder below `folder`, so that something may stand beside it."""
    made = folder / "repository"
    made.mkdir()
    return repository(made, files)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


# ------------------------------------------------------------------ what was sent


@dataclass(frozen=True, slots=True)
class Turn:
    """`text` is the prompt for a reply, `reply` what the model said to it, byte for byte."""

    text: str
    reply: str


def turns(messages: Sequence[Message]) -> list[Turn]:
    """A prompt is a function of the messages before it, so the session alone tells what was sent."""
    not_run = Words().prompt("not_run")
    return [
        Turn(context.build(messages[:at], not_run).text, message.raw)
        for at, message in enumerate(messages)
        if isinstance(message, AssistantMessage)
    ]


# ------------------------------------------------------------------ what the server says


def asked(url: str, path: str, **body: object) -> Any:
    """The answer of one request; with a body it is a POST."""
    # Nothing is to be verified on plain http, and reading the certificates takes longer than the answer.
    with httpx.Client(base_url=url, headers={"connection": "close"}, timeout=30, verify=False) as client:
        answer = client.post(path, json=body) if body else client.get(path)
        answer.raise_for_status()
        return answer.json()


def token_ids(url: str, text: str) -> list[int]:
    """As the server cuts a prompt: control tokens are found in it."""
    return asked(url, "/tokenize", content=text, parse_special=True)["tokens"]


def token_pieces(url: str, text: str) -> list[tuple[int, bytes]]:
    tokens = asked(url, "/tokenize", content=text, parse_special=True, with_pieces=True)["tokens"]
    return [(token["id"], _bytes(token["piece"])) for token in tokens]


def _bytes(piece: str | list[int]) -> bytes:
    """Half of a character comes as numbers."""
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def read_again(url: str, before: Turn, after: Turn, usage: Usage) -> int:
    """How many more tokens the server read for `after`, which cost `usage`, than were appended behind the reply."""
    known = before.text + before.reply
    if usage.fresh_tokens is None or not after.text.startswith(known):
        raise AssertionError("not counted, or not appended")
    return usage.fresh_tokens - len(token_ids(url, after.text.removeprefix(known)))

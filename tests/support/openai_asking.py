"""The clients of OpenAI-compatible servers and of Ollama's chat endpoint, made and asked in one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from qagent.errors import UserFacing
from qagent.models.base import Model
from qagent.models.chat import Chat
from qagent.models.completions import Completions
from qagent.models.keys import Key
from qagent.models.ollama_chat import OllamaChat
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.testing import Connection, LoopbackServer, Request
from qagent.types import Prompt, ReplyEnded, TextDelta, ToolSpec

NAME = "Qwen/Qwen2.5-Coder-7B-Instruct"
PROMPT = Prompt("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", 12)
Which = Literal["completions", "chat", "ollama"]


def completions(url: str, *, name: str = NAME, key: str | None = None, sampling: Sampling | None = None) -> Completions:
    return Completions(name, url=url, door=Door(), sampling=sampling or Sampling(), key=Key(key or ""))


def chat(
    url: str,
    *,
    name: str = NAME,
    key: str | None = None,
    tools: Sequence[ToolSpec] = (),
    sampling: Sampling | None = None,
) -> Chat:
    return Chat(name, url=url, door=Door(), sampling=sampling or Sampling(), key=Key(key or ""), tools=tools)


def made(which: Which, url: str, *, limit: int = 64, stall: float = 20, first: float = 20) -> Model:
    """`limit`: tokens of a reply."""
    kind = {"completions": Completions, "chat": Chat, "ollama": OllamaChat}[which]
    sampling = Sampling(reply_tokens=limit)
    return kind(NAME, url=url, door=Door(), sampling=sampling, stall_seconds=stall, first_seconds=first)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one request: the text, then how it ended or the error."""

    text: str
    end: ReplyEnded | None = None
    error: UserFacing | None = None


async def told(model: Model, prompt: Prompt) -> Told:
    found: list[str] = []
    try:
        async with aclosing(model.stream(prompt)) as stream:
            async for delta in stream:
                if not isinstance(delta, TextDelta):
                    return Told("".join(found), delta)
                found.append(delta.text)
    except UserFacing as error:
        return Told("".join(found), error=error)
    raise AssertionError("no end")


# ------------------------------------------------------------------ answers, written by hand


def event(**said: Any) -> str:
    return f"data: {json.dumps(said)}\n\n"


def choice(text: str = "", reason: str | None = None, **more: Any) -> str:
    """A piece of a completion."""
    return event(object="text_completion", choices=[{"index": 0, "text": text, "finish_reason": reason}], **more)


def delta(reason: str | None = None, **said: Any) -> str:
    """A piece of a chat."""
    return event(object="chat.completion.chunk", choices=[{"index": 0, "delta": said, "finish_reason": reason}])


DONE = "data: [DONE]\n\n"
USAGE = {"prompt_tokens": 912, "completion_tokens": 4, "total_tokens": 916}
END = choice(reason="stop") + event(choices=[], usage=USAGE) + DONE
"""The end of a completion."""


def refusal(text: str, kind: str = "BadRequestError") -> str:
    return json.dumps({"error": {"message": text, "type": kind, "param": None, "code": 400}})


class Playing(LoopbackServer):
    """Answers each POST with the next of `bodies`, the last for ever, and each GET with `listed`; with its status when
    there is one. In chunks of seven bytes."""

    def __init__(self, *bodies: str | tuple[int, str], listed: str | tuple[int, str] = '{"data": []}') -> None:
        super().__init__(self._play)
        self._bodies, self._listed = list(bodies), listed

    @property
    def posted(self) -> list[Any]:
        return [request.json for request in self.requests if request.method == "POST"]

    async def _play(self, request: Request, connection: Connection) -> None:
        answer = self._listed
        if request.method == "POST":
            answer = self._bodies.pop(0) if len(self._bodies) > 1 else self._bodies[0]
        status, text = answer if isinstance(answer, tuple) else (200, answer)
        if status != 200:
            await connection.whole(status, "application/json", text.encode())
            return
        await connection.begin_chunks("text/event-stream")
        data = text.encode()
        for at in range(0, len(data), 7):
            await connection.chunk(data[at : at + 7])
        await connection.chunk(b"")


def listing(owner: str, name: str = NAME, **more: Any) -> str:
    return json.dumps({"object": "list", "data": [{"id": name, "object": "model", "owned_by": owner, **more}]})

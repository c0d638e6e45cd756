"""A server that answers each path with the same text, for what is asked around a conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from qagent.testing import Connection, LoopbackServer, Request


class ByRoute(LoopbackServer):
    """Texts by path: JSON, or lines of it; with a status in front where it is not 200. Other paths are 404."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(self._respond)
        self.answers = dict(answers)

    def posted(self, path: str) -> list[Any]:
        """The bodies that came for a path."""
        return [request.json for request in self.requests if urlsplit(request.path).path == path]

    async def _respond(self, request: Request, connection: Connection) -> None:
        found = self.answers.get(urlsplit(request.path).path, (404, {"error": "page not found"}))
        status, said = cast("tuple[int, Any]", found) if isinstance(found, tuple) else (200, found)
        text = said if isinstance(said, str) else json.dumps(said)
        await connection.whole(status, "application/json", text.encode())


def ollama(*names: str, shown: Mapping[str, Any] | None = None, replies: Sequence[str] = ()) -> ByRoute:
    """An Ollama with these models, whose /api/show says `shown` and whose chats say the replies, in one line each."""
    said = "".join(json.dumps({"message": {"content": reply}, "done": False}) + "\n" for reply in replies)
    end = json.dumps({"message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 3_000})
    tags = {"models": [{"name": name, "size": 4_000_000_000} for name in names]}
    return ByRoute({"/api/tags": tags, "/api/show": shown or {}, "/api/chat": f"{said}{end}\n"})


LLAMA_3 = {
    "template": "<|start_header_id|>{{ .Role }}<|end_header_id|>",
    "parameters": 'temperature 0.6\nstop                           "<|eot_id|>"\nstop    "<|start_header_id|>"',
    "details": {"family": "llama", "parameter_size": "8.0B", "quantization_level": "Q4_K_M"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 4_096},
    "capabilities": ["completion", "tools"],
}
"""What Ollama's /api/show tells of such a model, shortened."""

"""How each kind of server is asked, one row for each of its two endpoints: what it takes, obeys and tells. Pure.

"completions" takes our own prompt as it is; "chat" takes messages and writes the model's own template. A quirk is a row
here, never an `if` on a server's name. What differs between servers that speak OpenAI's protocol, and which a request
must respect, stands with their rows in `qagent.models.openai_servers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["ollama", "llamacpp", "openai"]


@dataclass(frozen=True, slots=True)
class Route:
    """In words, for people. window: who decides on it. stops: what ends a reply. prefill: whether the model's turn can
    be begun in its place. schema: what holds a reply to a JSON schema. counts: what it tells of tokens."""

    title: str
    path: str
    window: str
    stops: str
    prefill: str
    schema: str
    counts: str
    source: str


_SOURCE_OLLAMA = "Ollama's source, v0.33.0"
_SEEN = "seen with b11549"
_OPENAI = "documentation of vLLM and LM Studio; llama.cpp seen with b11549"

ROUTES = MappingProxyType(
    {
        ("ollama", "completions"): Route(
            "Ollama, with qagent's own prompt", "/api/generate", "set by each request (num_ctx)", "all that are sent",
            "yes", "`format`", "the prompt and the reply, not what a cache spared", _SOURCE_OLLAMA,
        ),
        ("ollama", "chat"): Route(
            "Ollama, with the model's template", "/api/chat", "set by each request (num_ctx)",
            "those that are sent, in place of the model's own", "no: not every template goes on with one", "`format`",
            "the prompt and the reply, not what a cache spared", _SOURCE_OLLAMA,
        ),
        ("llamacpp", "completions"): Route(
            "llama.cpp, with qagent's own prompt", "/completion", "set when the server is started (-c)",
            "all that are sent, control tokens too since they are preserved", "yes", "`json_schema`, `grammar`",
            "the prompt, what was read afresh, and the reply", _SEEN,
        ),
        ("llamacpp", "chat"): Route(
            "llama.cpp, with the model's template", "/v1/chat/completions", "set when the server is started (-c)",
            "those that are plain text, and the model's own", "yes, by a last message of the model's",
            "`response_format`", "the prompt, what was read afresh, and the reply", _SEEN,
        ),
        ("openai", "completions"): Route(
            "OpenAI-compatible, with qagent's own prompt", "/v1/completions", "set when the server is started",
            "all that are sent; control tokens are asked to be printed for that", "yes",
            "vLLM: `structured_outputs`; llama.cpp and SGLang: `json_schema`; others: `response_format`",
            "the prompt and the reply, if it tells", _OPENAI,
        ),
        ("openai", "chat"): Route(
            "OpenAI-compatible, with the model's template", "/v1/chat/completions", "set when the server is started",
            "those that are plain text, and the model's own", "vLLM, SGLang and llama.cpp", "`response_format`",
            "the prompt and the reply, if it tells", _OPENAI,
        ),
    }
)  # fmt: skip

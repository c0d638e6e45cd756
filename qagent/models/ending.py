"""Why a reply ended, in a server's own word for it: by itself, or cut. Pure.

In: a `finish_reason` or a `done_reason`. Out: "stop" for the words that say that the model was done, "length" for all
others: what a server has cut, whatever for, may lack its end, and nothing unfinished in it is run.
"""

from __future__ import annotations

from typing import Literal

BY_ITSELF = frozenset(
    {"stop", "tool_calls", "function_call", "eos"}  # OpenAI, vLLM, SGLang, llama.cpp, LM Studio, Ollama, Together
    | {"eos_token", "stop_sequence"}  # text-generation-inference
    | {"end_turn", "tool_use", "complete", "completed"}  # gateways that pass on Anthropic's and Cohere's words
)
"""Others seen: length, max_tokens, model_length (Mistral), content_filter, MAX_TOKENS (Gemini), timeout,
insufficient_system_resource (DeepSeek), load and unload (Ollama)."""


def end_of(reason: str) -> Literal["stop", "length"]:
    return "stop" if reason.strip().lower() in BY_ITSELF else "length"

"""Servers that play a script, for tests and for `qagent demo`: real HTTP on this machine, no model, no network."""

from qagent.testing.ollama import Generation, LoopbackOllama
from qagent.testing.openai import Asked, Calls, LoopbackOpenAI
from qagent.testing.script import Fault, Reply
from qagent.testing.server import Connection, LoopbackServer, Request

__all__ = [
    "Asked",
    "Calls",
    "Connection",
    "Fault",
    "Generation",
    "LoopbackOllama",
    "LoopbackOpenAI",
    "LoopbackServer",
    "Reply",
    "Request",
]

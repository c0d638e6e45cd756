"""A server that plays a script, for tests and for `qagent demo`: real HTTP on this machine, no model, no network."""

from qagent.testing.ollama import Generation, LoopbackOllama
from qagent.testing.script import Fault, Reply
from qagent.testing.server import Connection, LoopbackServer, Request

__all__ = ["Connection", "Fault", "Generation", "LoopbackOllama", "LoopbackServer", "Reply", "Request"]

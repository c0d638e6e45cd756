"""qagent: the coding agent for Qwen 2.5 Coder. Start reading at `agent.py`; the layers are in CONTRIBUTING.md."""

__version__ = "0.1.0"

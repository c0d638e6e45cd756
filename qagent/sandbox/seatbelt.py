"""Bounds in, a profile for macOS's sandbox-exec out. Pure.

The language of profiles is Apple's own and has no reference; the words are those that Apple's profiles under
/System/Library/Sandbox/Profiles use. The last rule that fits wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qagent.sandbox.bounds import UNCLOSED, WITH_NETWORK, Bounds

PROGRAM = "/usr/bin/sandbox-exec"

CLOSED = (
    "writing outside of the project and of a temporary folder",
    "writing to .git and .qagent and plan.md",
    "the network (local servers too)",
    "signals to other programs",
    "key folders of the home folder",
)
OPEN = (
    *UNCLOSED,
    WITH_NETWORK,
    "what moves into a session of its own goes on running (still confined)",
)

_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/stdout", "/dev/stderr", "/dev/dtracehelper")


def arguments(bounds: Bounds, command: Sequence[str]) -> list[str]:
    return [PROGRAM, "-p", profile(bounds), *command]


def profile(bounds: Bounds) -> str:
    """Rules about files on top of allowing everything, so that compilers and interpreters find what they need."""
    rules = ["(version 1)", "(allow default)", "(deny file-write*)"]
    rules += [f"(allow file-write* {_places(bounds.writable)})"]
    rules += [f"(allow file-write* {' '.join(f'(literal {_quoted(name)})' for name in _DEVICES)})"]
    rules += [f"(deny file-write* {_places(bounds.shut)})"] if bounds.shut else []
    rules += [f"(deny file-read* file-write* {_places(bounds.hidden)})"] if bounds.hidden else []
    rules += [] if bounds.network else ["(deny network*)"]
    rules += ["(deny signal)", "(allow signal (target same-sandbox))"]
    return "\n".join(rules) + "\n"


def _places(paths: Sequence[Path]) -> str:
    return " ".join(f"(subpath {_quoted(str(path))})" for path in paths)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

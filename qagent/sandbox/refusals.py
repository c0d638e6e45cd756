"""What a command printed in, a sentence for the model out when the sandbox was the cause, or "". Asks the disk only
whether the person may write to a place that was refused.

Only a command that failed is looked at: its words may be about anything else.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from qagent.sandbox.bounds import Bounds, inside

_READ_ONLY = re.compile(r"read-only file system|\bEROFS\b|errno 30\b", re.IGNORECASE)
_NOT_PERMITTED = re.compile(r"permission denied|operation not permitted|\bEACCES\b|\bEPERM\b", re.IGNORECASE)
_BUSY = re.compile(r"device or resource busy|resource busy or locked|\bEBUSY\b|errno 16\b", re.IGNORECASE)
"""What `rm` and `mv` hear of a file that is mounted, as what is shut is."""
_GIT = re.compile(r"\.git\b(?!ignore|attributes|hub|modules)")
_OURS = re.compile(r"\.qagent\b|\bplan\.md\b")
_NETWORK = re.compile(
    r"network is unreachable|temporary failure in name resolution|could not resolve host|name or service not known"
    r"|nodename nor servname|failure in name resolution|no such host|\bEAI_AGAIN\b|\bENETUNREACH\b|\bENOTFOUND\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"connection refused|\bECONNREFUSED\b|failed to connect|couldn't connect", re.IGNORECASE)
_TCP = re.compile(
    r"\b(?:connect|bind|listen)\w*\b.{0,200}(?:permission denied|not permitted)", re.IGNORECASE | re.DOTALL
)
"""What Landlock answers; the call stands in the lines before, if anywhere."""
_PATH = re.compile(r"""(?:^|[\s'"‘`(=])(/[^\s'"’`:;,()]+|\.\.?/[^\s'"’`:;,()]+|\.(?:git|qagent)/[^\s'"’`:;,()]+)""")

OUTSIDE = "[the sandbox blocks writing outside of the project; write inside it, or below $TMPDIR]"
GIT = "[.git is read-only here; run a git command on a line of its own, so that it may write there]"
SHUT = "[.qagent and plan.md are read-only for commands]"
NETWORK = '[the sandbox has no network; if the command needs it, call run with "network": true, the user is asked then]'
NETWORK_OFF = "[the network is switched off in the user's settings; do without it]"
LOOPBACK = "[the sandbox has a loopback of its own; servers that run outside of this command cannot be reached]"


def told(output: str, bounds: Bounds, *, network_off: bool = False) -> str:
    if not bounds.network and (_NETWORK.search(output) or _TCP.search(output)):
        return NETWORK_OFF if network_off else NETWORK
    refused = [line for line in output.split("\n") if _READ_ONLY.search(line)]
    refused += [line for line in output.split("\n") if _BUSY.search(line) and _is_shut(line) and bounds.shut]
    refused += [line for line in output.split("\n") if _NOT_PERMITTED.search(line) and _is_ours(line, bounds)]
    if refused:
        return _about_writing("\n".join(refused))
    return LOOPBACK if not bounds.network and _REFUSED.search(output) else ""


def _about_writing(lines: str) -> str:
    if _GIT.search(lines):
        return GIT
    return SHUT if _OURS.search(lines) else OUTSIDE


def _is_shut(line: str) -> bool:
    return bool(_GIT.search(line) or _OURS.search(line))


def _is_ours(line: str, bounds: Bounds) -> bool:
    """Whether the person could have written to a path in this line, and it is outside of what the command may write."""
    paths = [Path(os.path.normpath(bounds.root / found)) for found in _PATH.findall(line)]
    return any(not inside(path, bounds.writable) and _could_write(path) for path in paths)


def _could_write(path: Path) -> bool:
    try:
        nearest = path if path.exists() else next(folder for folder in path.parents if folder.exists())
        return os.access(nearest, os.W_OK)
    except OSError:
        return False

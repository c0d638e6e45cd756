"""The `run` tool: a command line in, its exit code and the ends of its output out.

The command runs in a process group of its own, without a terminal and without input, and the whole group is gone when
the call is: at the end, at the time limit, or when the task is cancelled. (What moves into a session of its own gets
away.) A failing command is no failure of the tool: the model has to read what it printed. Whether a command may run is
decided elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from qagent.errors import ToolFailed
from qagent.types import ToolOutput
from qagent.workspace.place import Workspace

SECONDS = 120
LONGEST = 1_800
HEAD, TAIL = 2_000, 4_000
"""Characters of the output that the model reads from its start and its end; what failed mostly stands at the end."""

_GRACE = 30
"""Hundredths of a second between the polite signal and the other one."""


async def run(workspace: Workspace, *, command: str, timeout: int | None = None) -> ToolOutput:
    """Runs the line by bash (or sh) in the workspace's root; `timeout` in seconds, at most LONGEST.

    Raises ToolFailed when it could not be started, and with the output so far when its time was up.
    """
    if not command.strip() or "\0" in command:
        raise ToolFailed("Give a command line, without NUL characters.")
    limit = min(max(1, timeout or SECONDS), LONGEST)
    begun = time.monotonic()
    output = Output()
    code, left = await _finish(command, workspace, limit, output)
    if code is None:
        raise ToolFailed(_report(f"stopped after {limit} s", output))
    ending = f"exit {code}" if code >= 0 else f"killed by signal {-code}"
    note = "[what it left running in the background was stopped]" if left else ""
    lines = f"{output.lines} line{'' if output.lines == 1 else 's'}"
    return ToolOutput(
        text=_report(f"{ending}, {time.monotonic() - begun:.1f} s", output, note),
        summary=f"{ending}, {lines}",
        good=code == 0,
    )


def _report(first: str, output: Output, note: str = "") -> str:
    return "\n".join(part for part in (first, output.shown().rstrip("\n"), note) if part)


# ------------------------------------------------------------------ the environment

_SECRET = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|KEYS?$|APIKEY|BINDPW|WEBHOOK|CONNECTION_?STRING|_PWD$"
)
_SECRET_PARTS = frozenset({
    "AUTH", "BEARER", "COOKIE", "COOKIES", "DSN", "JWT", "KEY", "KEYS", "PASS", "PAT", "PW", "SK",
})  # fmt: skip
_SECRET_NAMES = frozenset({
    "DATABASE_URL", "REDIS_URL", "MONGO_URL", "MONGODB_URI", "AMQP_URL", "BROKER_URL", "SSHPASS", "SSH_AGENT_PID",
})  # fmt: skip
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_CHANGES_BASH = ("BASH_ENV", "BASH_FUNC_", "BASHOPTS", "SHELLOPTS", "CDPATH", "GLOBIGNORE")
_CHANGES_PROGRAMS = ("GIT_", "LD_PRELOAD", "LESSCLOSE", "LESSOPEN", "PYTHONSTARTUP", "RIPGREP_", "TAR_OPTIONS")
_PERSON = ("GIT_AUTHOR_", "GIT_COMMITTER_")

_GIT_SETTINGS = (
    ("core.fsmonitor", "false"),
    ("diff.ignoreSubmodules", "dirty"),  # else git looks into them, by their settings
    ("format.pretty", "medium"),  # a format can check signatures
    ("log.showSignature", "false"),
    ("safe.bareRepository", "explicit"),  # a folder with the look of a repository is none
)
"""A repository's own settings could make git run a program where it only looks. Hooks and filters stay: a commit that
the person allowed may need them."""


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """The environment of commands: `base` without secrets (by name, or an address with a password), without what makes
    programs do otherwise than the line says, and without a screen to talk to."""
    kept = {name: value for name, value in base.items() if not _is_dropped(name.upper(), value)}
    # A part that is not absolute would let a file of the folder stand in for `ls`.
    path = [part for part in base.get("PATH", os.defpath).split(os.pathsep) if part.startswith("/")]
    settings = {
        f"GIT_CONFIG_{part}_{at}": text
        for at, pair in enumerate(_GIT_SETTINGS)
        for part, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {
        **kept,
        **settings,
        "PATH": os.pathsep.join(path),
        "GIT_CONFIG_COUNT": str(len(_GIT_SETTINGS)),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "PAGER": "cat",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "AGENT": "qagent",
        # No stray __pycache__, and never a stale .pyc after an edit within the same second.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _is_dropped(name: str, value: str) -> bool:
    """Secrets, our own settings, and what makes bash or a program read a line otherwise than it was judged."""
    if name.startswith(_PERSON):
        return False
    return _is_secret(name, value) or name.startswith(("QAGENT_", *_CHANGES_BASH, *_CHANGES_PROGRAMS))


def _is_secret(name: str, value: str) -> bool:
    return (
        _SECRET.search(name) is not None
        or not _SECRET_PARTS.isdisjoint(name.split("_"))
        or name in _SECRET_NAMES
        or _SECRET_VALUE.search(value) is not None
    )


# ------------------------------------------------------------------ the process


async def _finish(command: str, workspace: Workspace, limit: int, output: Output) -> tuple[int | None, bool]:
    """The exit code, None when the time was up; and whether something of its group had to be stopped."""
    # A pipe of our own: asyncio's would keep the call waiting for every grandchild that holds it open.
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        try:
            process = await _start(command, workspace, writing)
        finally:
            os.close(writing)
        return await _watch(process, reading, limit, output)
    finally:
        os.close(reading)


async def _start(command: str, workspace: Workspace, writing: int) -> asyncio.subprocess.Process:
    bash = shutil.which("bash")
    shell = [bash, "--noprofile", "--norc", "-c"] if bash else ["sh", "-c"]
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *shell,
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd=workspace.root,
            env=environment(os.environ),
            start_new_session=True,
        )
    )
    try:
        return await _started(starting)
    except (OSError, ValueError) as error:
        raise ToolFailed(f"The command could not be started: {error}.") from error


async def _started(starting: asyncio.Task[asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """The process. A cancel waits until it is there: asyncio would kill the shell alone, not what it has started."""
    cancelled = await _ended(starting)
    if cancelled is None:
        return starting.result()
    if starting.exception() is None:
        await _stop(starting.result())
    raise cancelled


async def _ended(task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
    """Waits until the task is done, whoever cancels meanwhile; the cancel that it then still has to raise."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _watch(
    process: asyncio.subprocess.Process, reading: int, limit: int, output: Output
) -> tuple[int | None, bool]:
    loop = asyncio.get_running_loop()
    loop.add_reader(reading, lambda: output.read(reading) or loop.remove_reader(reading))
    code, left = None, False
    try:
        with suppress(TimeoutError):
            code = await asyncio.wait_for(process.wait(), limit)
    finally:
        try:
            left = await _stop(process)
        finally:
            loop.remove_reader(reading)
            output.drain(reading)
    return code, left


async def _stop(process: asyncio.subprocess.Process) -> bool:
    """Ends all that is left of the group, politely first; whether anything was. A second cancel only hastens it."""
    left = _signal(process.pid, signal.SIGTERM)
    try:
        for _ in range(_GRACE):
            if not left or not _signal(process.pid, 0):
                break
            await asyncio.sleep(0.01)
    finally:
        _signal(process.pid, signal.SIGKILL)
        cancelled = await _ended(asyncio.create_task(process.wait()))
    if cancelled:
        raise cancelled
    return left


def _signal(group: int, number: int) -> bool:
    """Whether there was anybody in the group to get the signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


# ------------------------------------------------------------------ the output

_CHUNK = 65_536
_HEAD_BYTES, _TAIL_BYTES = 4 * HEAD, 16 * TAIL


@dataclass(slots=True)
class Output:
    """Both ends of what was printed, in bounded memory, and how much was dropped between them."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0
    dropped_lines: int = 0
    newlines: int = 0

    @property
    def lines(self) -> int:
        printed = self.tail or self.head
        return self.newlines + (bool(printed) and not printed.endswith(b"\n"))

    def read(self, source: int) -> bool:
        """Takes what is there; False at the end of the output or when there is nothing now."""
        try:
            chunk = os.read(source, _CHUNK)
        except BlockingIOError:
            return False
        self._add(chunk)
        return bool(chunk)

    def drain(self, source: int) -> None:
        """Takes what is left in the pipe, which holds no more than this, however fast somebody still fills it."""
        for _ in range(32):
            if not self.read(source):
                return

    def _add(self, chunk: bytes) -> None:
        self.newlines += chunk.count(b"\n")
        room = _HEAD_BYTES - len(self.head)
        self.head += chunk[:room]
        self.tail += chunk[room:]
        if (surplus := len(self.tail) - _TAIL_BYTES) > _TAIL_BYTES:
            self.dropped += surplus
            self.dropped_lines += self.tail.count(b"\n", 0, surplus)
            del self.tail[:surplus]

    def shown(self) -> str:
        """All of it when it is short, else its first and last whole lines with the size of the gap between them."""
        if self.dropped:
            first, last = _clean(self.head), _clean(self.tail)
        else:
            first, last = _clean(self.head + self.tail), ""
        if not last and len(first) <= HEAD + TAIL:
            return first
        top, bottom = _top(first), _bottom(last or first)
        gap = first[len(top) :] + last[: -len(bottom)] if last else first[len(top) : -len(bottom)]
        lines, characters = gap.count("\n") + self.dropped_lines, len(gap) + self.dropped
        end = "" if top.endswith("\n") else "\n"
        return f"{top}{end}[… {lines:,} lines, {characters:,} characters left out …]\n{bottom}"


def _top(text: str) -> str:
    return text[: text.rfind("\n", 0, HEAD) + 1] or text[:HEAD]


def _bottom(text: str) -> str:
    cut = text[-TAIL:]
    return cut[cut.find("\n") + 1 :] or cut


_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and movements
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _clean(raw: bytes | bytearray) -> str:
    """What a person would have seen: no colours, no control characters, of a progress line its last state."""
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace")).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", text)

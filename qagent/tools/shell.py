"""The `run` tool: a command line in, its exit code and the ends of its output out.

The command runs in a sandbox where there is one, and nothing of it is left when the call is over (see `process` for
what "nothing" means without one). A failing command is no failure of the tool: the model has to read what it printed,
and, where it can be known, that the sandbox was the cause. Whether a command may run is decided elsewhere.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from qagent.errors import ToolFailed
from qagent.sandbox.bounds import Grants
from qagent.sandbox.choice import Confined, Confinement
from qagent.sandbox.environment import environment
from qagent.sandbox.reach import planted, remove_planted
from qagent.sandbox.refusals import told
from qagent.tools.output import Output
from qagent.tools.process import Start, finish
from qagent.types import ToolOutput
from qagent.workspace.place import Workspace

SECONDS = 120
LONGEST = 1_800

_SET_UP = ("bwrap: ", "qagent sandbox: ", "sandbox-exec: ")
"""How the line begins by which a sandbox tells that it has not run anything."""


_NEW = "[new since this command began: {names}; what steers git or qagent is not for commands to make]"
_STAYS = "The command changed what steers git or qagent, which cannot be put back: {why}."
_PRIVATE = "[/tmp is private to your commands and thrown away when qagent ends; what is to stay goes into the project]"


class GrantsOf(Protocol):
    """An allowed line in, what it gets out; `network`: the call asked for it."""

    def __call__(self, command: str, /, *, network: bool) -> Grants: ...


def no_grants(command: str, *, network: bool) -> Grants:
    """What an allowed command gets when nobody has said more: the network, if it asked for it."""
    return Grants(network=network)


@dataclass(frozen=True, slots=True)
class Shell:
    """`grants` tells what an allowed line gets beyond the usual. network: whether a line can have it: when it was
    asked for and allowed, never, always. secrets: variables that are kept from commands, beside what looks like one.
    """

    confinement: Confinement = field(default_factory=Confinement)
    grants: GrantsOf = no_grants
    network: Literal["ask", "off", "on"] = "ask"
    secrets: frozenset[str] = frozenset()

    async def run(
        self, workspace: Workspace, *, command: str, timeout: int | None = None, network: bool | None = None
    ) -> ToolOutput:
        """Runs the line by bash (or sh) in the workspace's root; `timeout` in seconds, at most LONGEST.

        Raises ToolFailed when it could not be started, and with the output so far when its time was up.
        """
        if not command.strip() or "\0" in command:
            raise ToolFailed("Give a command line, without NUL characters.")
        limit = min(max(1, timeout or SECONDS), LONGEST)
        with _telling_pipe() as (reading, writing):
            start, confined = await self._start(workspace.root, command, bool(network), writing)
            return await self._ran(start, confined, limit, reading)

    async def _ran(self, start: Start, confined: Confined | None, limit: int, reading: int) -> ToolOutput:
        begun, output = time.monotonic(), Output()
        try:
            code, left = await finish(start, limit, output)
        except (OSError, ValueError) as error:
            raise ToolFailed(f"The command could not be started: {error}.") from error
        finally:
            # Raised later: here it would take the place of a cancel.
            undone = _undone(confined) if confined else ()
        if isinstance(undone, OSError):
            raise ToolFailed(_STAYS.format(why=undone)) from undone
        notes = (_put_back(undone),) if undone else ()
        if code is None:
            raise ToolFailed(_report(f"stopped after {limit} s", output, *notes))
        if confined:
            left = _was_told(reading) if confined.ends_all else left
            _check_set_up(code, output)
            notes += self._hints(output, confined, failed=code != 0)
        notes += ("[what it left running in the background was stopped]",) if left else ()
        ending = f"exit {code}" if code >= 0 else f"killed by signal {-code}"
        lines = f"{output.lines} line{'' if output.lines == 1 else 's'}"
        text = _report(f"{ending}, {time.monotonic() - begun:.1f} s", output, *notes)
        return ToolOutput(text, f"{ending}, {lines}", good=code == 0)

    def _hints(self, output: Output, confined: Confined, *, failed: bool) -> tuple[str, ...]:
        """What the output does not tell and the sandbox knows."""
        refused = told(output.shown(), confined.bounds, network_off=self.network == "off") if failed else ""
        new = planted(confined.bounds)
        made = _NEW.format(names=" and ".join(new)) if new else ""
        private = _PRIVATE if confined.wrote_to_tmp and self.confinement.tell_once("tmp") else ""
        return refused, made, private

    async def _start(self, root: Path, command: str, network: bool, telling: int) -> tuple[Start, Confined | None]:
        """How it is started, and in which sandbox."""
        bash = shutil.which("bash")
        words = [bash, "--noprofile", "--norc", "-c", command] if bash else ["/bin/sh", "-c", command]
        active = await self.confinement.active()
        grants = self._granted(command, network=network)
        if active.name == "none" or grants.free:
            return Start(words, root, environment(os.environ, secrets=self.secrets)), None
        try:
            confined = self.confinement.start(active, root, grants, words, telling)
        except OSError as error:
            raise ToolFailed(f"The sandbox could not be set up, so nothing was run: {error}.") from error
        env = environment(os.environ, secrets=self.secrets, temporary=confined.temporary, git=grants.git)
        return Start(confined.words, root, env, (telling,), confined.ends_all), confined

    def _granted(self, command: str, *, network: bool) -> Grants:
        grants = self.grants(command, network=network)
        reaches = self.network == "on" or (self.network == "ask" and grants.network)
        return Grants(grants.git, reaches, grants.keys and reaches, grants.free)


def _undone(confined: Confined) -> tuple[str, ...] | OSError:
    """What the command changed and no sandbox could shut, as names; it is as before now. Or why it cannot be."""
    try:
        back = confined.guard.put_back() if confined.guard else ()
        return (*back, *remove_planted(confined.bounds))
    except OSError as error:
        return error


def _put_back(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"[put back as it was: {', '.join(names[:3])}{more}; commands may not change that]"


def _report(first: str, output: Output, *notes: str) -> str:
    return "\n".join(part for part in (first, output.shown().rstrip("\n"), *notes) if part)


def _check_set_up(code: int, output: Output) -> None:
    shown = output.shown()
    if code in (1, 126) and shown.startswith(_SET_UP) and output.lines == 1:
        raise ToolFailed(f"The sandbox could not be set up, so nothing was run: {shown.strip()}")


@contextmanager
def _telling_pipe() -> Generator[tuple[int, int]]:
    """By it a sandbox tells what it knows of the end of a command."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def _was_told(reading: int) -> bool:
    try:
        return bool(os.read(reading, 16))
    except BlockingIOError:
        return False

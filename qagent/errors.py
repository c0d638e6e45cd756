"""Every error that qagent raises on purpose, in one tree.

    QagentError
    ├── ModelFacing                 the model reads it as the result of its call, and goes on
    │   ├── ToolFailed                the call could not be carried out
    │   └── Denied                    a rule or the person said no
    └── UserFacing                  the person reads it; it ends the command with its exit code
        ├── UsageProblem         2    the command line makes no sense
        ├── ServerProblem        6    no model can answer
        │   ├── Unreachable           nothing listens there
        │   ├── ModelMissing          the server does not have that model
        │   ├── ServerBusy            it has too much to do
        │   ├── RunnerStopped         the model's process died
        │   ├── NoSuchRoute           the server answers, and not there
        │   ├── ToolsUnsupported      the model can chat only: it takes no native tools
        │   ├── StreamBroken          the reply ended without its end, or was rubbish
        │   └── Stalled               no word for too long
        ├── UndoProblem          3    changes cannot be taken back, or not without losing somebody's work
        ├── WindowExceeded       8    the prompt is longer than the model's window
        ├── PromptCut            8    the server silently used less of the prompt than was sent
        ├── ConfigProblem       10    a setting is wrong, or a file cannot be read
        ├── LeaveRefused        11    code would have left the machine
        └── SessionProblem      10    a saved session is missing, in use, or damaged

The agent's loop catches ModelFacing in one place, the command line UserFacing in one place. Anything else is a bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from qagent.types import Seen


class QagentError(Exception):
    pass


class ModelFacing(QagentError):
    """The text is short, says what is wrong and what to do instead; it is all that the model learns."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class ToolFailed(ModelFacing):
    """`seen`: what the text shows of files; after that the model knows it."""

    def __init__(self, text: str, seen: tuple[Seen, ...] = ()) -> None:
        super().__init__(text)
        self.seen = seen


class Denied(ModelFacing):
    """`nobody_asked` is true when a person could have allowed it, but nobody was there."""

    def __init__(self, text: str, *, nobody_asked: bool = False) -> None:
        super().__init__(text)
        self.nobody_asked = nobody_asked


class UserFacing(QagentError):
    """What happened, what was kept (filled in by whoever knows), and what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, todo: str = "", kept: str = "") -> None:
        super().__init__(what)
        self.what, self.todo, self.kept = what, todo, kept

    @property
    def reason(self) -> str:
        """The error's name in lower case with underscores, for `--json`."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class UsageProblem(UserFacing):
    exit_code = 2


class ServerProblem(UserFacing):
    exit_code = 6


class Unreachable(ServerProblem):
    pass


class ModelMissing(ServerProblem):
    pass


class ServerBusy(ServerProblem):
    pass


class RunnerStopped(ServerProblem):
    pass


class NoSuchRoute(ServerProblem):
    """What stands behind another route of the same server may still answer: /v1/chat/completions, say."""


class ToolsUnsupported(ServerProblem):
    pass


class StreamBroken(ServerProblem):
    pass


class Stalled(ServerProblem):
    pass


class UndoProblem(UserFacing):
    exit_code = 3


class WindowExceeded(UserFacing):
    exit_code = 8


class PromptCut(UserFacing):
    exit_code = 8


class ConfigProblem(UserFacing):
    exit_code = 10


class LeaveRefused(UserFacing):
    exit_code = 11


class SessionProblem(UserFacing):
    exit_code = 10

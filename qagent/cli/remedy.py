"""What would have spared the questions that nobody could answer: they and the settings in, advice for the person out.

Pure; it names only what helps in the mode that the run was in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qagent.config.settings import Settings
from qagent.permissions.grants import why_network
from qagent.sandbox.choice import Active
from qagent.types import Mode, Question

_PATTERN = "--set 'allow_commands=PATTERN'"


def remedy(asked: Iterable[Question], settings: Settings, active: Active | None, session: str | None) -> str:
    """`active`: what kept commands in bounds, if anybody looked. session: the id of one that can be gone on with."""
    asked = list(asked)
    spared = [question for question in asked if not question.always]
    commands = [question for question in spared if question.risk == "command"]
    parts = list(_of_commands(commands, settings, active)) if commands else []
    if any(question.risk == "write" for question in spared):
        parts += _of_edits(settings.mode, beside=bool(commands))
    if len(spared) < len(asked):
        what = "some of it is always asked" if parts else "it is always asked"
        parts.append(f"{what}: allow it yourself, in a conversation" + (f": `qagent -r {session}`" if session else ""))
    return "; ".join(parts)


def _of_commands(commands: list[Question], settings: Settings, active: Active | None) -> Iterator[str]:
    reaching = [question for question in commands if _asks_network(question, settings)]
    opened = " --set network=on" if reaching else ""
    if settings.mode != "auto":
        yield f"allow such commands with {_PATTERN}{opened}, or with --mode auto{opened}"
        return
    if reaching:
        yield "open the network to all commands with --set network=on"
    if active and active.name == "none" and not active.chosen:
        yield f"allow such commands with {_PATTERN}, or let a sandbox keep them in bounds: `qagent doctor` tells how"
    elif len(reaching) < len(commands):
        yield f"allow such commands with {_PATTERN}"


def _of_edits(mode: Mode, *, beside: bool) -> Iterator[str]:
    """`beside`: commands were refused as well, and --mode auto has been named."""
    if mode == "ask" and beside:
        yield "edits alone need --mode accept-edits"
    else:
        yield f"let it edit with --mode {'accept-edits' if mode == 'ask' else 'auto'}"


def _asks_network(question: Question, settings: Settings) -> bool:
    """Whether the network has to be opened for this command, as the rules see it."""
    if settings.network != "ask" or settings.sandbox == "off":
        return False
    text, said = question.call.arguments.get("command"), question.call.arguments.get("network") is True
    return isinstance(text, str) and why_network(text, said=said) is not None

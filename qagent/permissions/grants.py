"""What an allowed command line gets in the sandbox beyond the usual: the one place where that is stated. Pure.

- git's folder may be written to when nothing but git, and what only prints, stands in the line. Its hooks stay shut,
  and its settings too, unless the line changes settings alone; then git runs no hooks.
- The network is there for what is known to need it, and when the model said so: both are asked about first
  (`why_network`), unless a pattern or a setting allows it. Git gets the log-ins of the home folder with it.
- A line of which every part only reaches out (`git push`, `ssh`, `sudo`, `cp` or `>` to a place outside) and that is
  always asked about runs free of the sandbox: a person has read it and said yes. One with an interpreter never does.

Everything else, and every line that cannot be taken apart, gets nothing.
"""

from __future__ import annotations

from typing import Literal

from qagent.permissions.always_asked import name_of, started, why_asked
from qagent.permissions.command_line import ParsedLine, SimpleCommand, parse
from qagent.permissions.harm import why_beyond
from qagent.permissions.paths import elsewhere
from qagent.permissions.programs import LEAVES, NAMES, PUBLISHERS
from qagent.permissions.writers import git_verb, why_elsewhere
from qagent.sandbox.bounds import Grants

PLAIN = frozenset({
    "[", "cat", "cd", "date", "echo", "false", "grep", "head", "ls", "mkdir", "printf", "pwd", "sleep", "sort", "tail",
    "test", "touch", "true", "uniq", "wc",
})  # fmt: skip
"""Starts nothing and writes nothing but what its words say; may stand beside git."""

_SETS = frozenset({"branch", "config", "init", "remote", "sparse-checkout", "submodule", "worktree"})
_LOOKS = frozenset({
    "blame", "cat-file", "describe", "diff", "grep", "log", "ls-files", "ls-tree", "rev-list", "rev-parse", "shortlog",
    "show", "status",
})  # fmt: skip
_GIT_REACHES = frozenset({"clone", "fetch", "ls-remote", "pull", "push"})

_REACHES = frozenset({"curl", "wget", "ping", "dig", "nslookup", "host", "http", "aria2c", "lynx"}) | {
    name for name, why in NAMES.items() if why == LEAVES
}
_INSTALLERS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("pip", "pip3"), frozenset({"install", "download", "index", "wheel"})),
    **dict.fromkeys(
        ("npm", "pnpm", "bun"), frozenset({"install", "i", "ci", "add", "update", "audit", "outdated", "view", "info"})
    ),
    "yarn": frozenset({"install", "add", "upgrade"}),
    "uv": frozenset({"add", "sync", "lock", "pip", "tool"}),
    "poetry": frozenset({"install", "add", "update", "lock"}),
    "pipx": frozenset({"install", "upgrade"}),
    "cargo": frozenset({"install", "add", "fetch", "update", "search"}),
    "go": frozenset({"get", "install", "mod"}),
    "gem": frozenset({"install", "update"}),
    "bundle": frozenset({"install", "update"}),
    "composer": frozenset({"install", "require", "update"}),
    **dict.fromkeys(("apt", "apt-get", "brew", "dnf", "apk"), frozenset({"install", "update", "upgrade", "add"})),
    **dict.fromkeys(("docker", "podman"), frozenset({"pull", "push", "login"})),
}


def grants_of(text: str, *, network: bool = False) -> Grants:
    """`network`: the call says that it needs it. Judges what has been allowed, not whether it may be."""
    line = parse(text)
    if line is None:
        return Grants(network=network)
    reaches = network or reaches_out(line) is not None
    return Grants(_git(line), reaches, keys=reaches and _is_git(line), free=_is_free(line))


def why_network(text: str, *, said: bool) -> str | None:
    """Why this line needs the network, as a sentence without its full stop; None when it is not known to."""
    line = parse(text)
    if line and (name := reaches_out(line)):
        return f"`{name}` needs the network"
    return "the model says that this needs the network" if said else None


def reaches_out(line: ParsedLine) -> str | None:
    """What in the line is known to need the network, as a person would name it."""
    parts = (part for command in line.commands for part in started(command))
    return next((name for part in parts if (name := _reaching(part))), None)


def _reaching(command: SimpleCommand) -> str | None:
    name, words = name_of(command), command.words[1:]
    if name in _REACHES:
        return name
    if name == "git":
        verb = git_verb(words)[0]
        return f"git {verb}" if verb in _GIT_REACHES else None
    wanted = _INSTALLERS.get(name, frozenset()) | frozenset(PUBLISHERS.get(name, ()))
    verb = next((word for word in words if not word.startswith("-")), "")
    return f"{name} {verb}" if verb in wanted else None


# ------------------------------------------------------------------ git


def _is_git(line: ParsedLine) -> bool:
    """Whether git alone does something here."""
    names = {name_of(command) for command in line.commands}
    return "git" in names and names <= PLAIN | {"git"}


def _git(line: ParsedLine) -> Literal["no", "work", "settings"]:
    if not _is_git(line):
        return "no"
    verbs = {git_verb(command.words[1:])[0] for command in line.commands if name_of(command) == "git"}
    if verbs <= _LOOKS:
        return "no"
    return "settings" if verbs <= _SETS | _LOOKS else "work"


# ------------------------------------------------------------------ free


def _is_free(line: ParsedLine) -> bool:
    free = [_is_reaching_out(command) for command in line.commands]
    beside = [name_of(command) in PLAIN | {"git"} for command in line.commands]
    away = any(redirect.writes and elsewhere(redirect.target) for redirect in line.redirects)
    known = all(either or other for either, other in zip(free, beside, strict=True))
    return known and (any(free) or away) and why_asked(line) is not None


def _is_reaching_out(command: SimpleCommand) -> bool:
    name = name_of(command)
    if name in NAMES or why_beyond(name, command):
        return True
    if name == "git" and git_verb(command.words[1:])[0] in ("push", "send-email"):
        return True
    publishes = name in PUBLISHERS and not set(PUBLISHERS[name]).isdisjoint(command.words[1:])
    return publishes or why_elsewhere(name, command, None) is not None

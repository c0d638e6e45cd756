"""Commands that are asked about in every mode, with the reason: what destroys, leaves the machine or gains power.

A guard against accidents, not a wall: a script can hide anything. What a wrapper (`env`, `xargs`, `bash -c`) starts is
looked at like the command itself. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qagent.permissions.command_line import ParsedLine, Redirect, SimpleCommand, parse
from qagent.permissions.paths import inner, outside, secret

_POWER = "gains the rights of another user"
_DISK = "can destroy a disk"
_STOPS = "stops the machine"
_STAYS = "leaves something that runs later"
_LEAVES = "reaches another machine"

NAMES: dict[str, str] = {
    **dict.fromkeys(("sudo", "su", "doas", "pkexec"), _POWER),
    **dict.fromkeys(("dd", "mkfs", "fdisk", "parted", "wipefs", "shred"), _DISK),
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff"), _STOPS),
    **dict.fromkeys(("crontab", "at", "batch"), _STAYS),
    **dict.fromkeys(("ssh", "scp", "sftp", "nc", "ncat", "telnet", "gh"), _LEAVES),
}

PUBLISHERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun"), ("publish", "unpublish")),
    **dict.fromkeys(("poetry", "uv", "flit", "hatch", "pdm", "cargo"), ("publish",)),
    **dict.fromkeys(("docker", "podman", "gem"), ("push",)),
    "twine": ("upload",),
}

WRAPPERS = frozenset({
    "busybox", "command", "env", "find", "ionice", "nice", "nohup", "npx", "pipx", "poetry", "python", "python3",
    "setsid", "stdbuf", "timeout", "uv", "uvx", "watch", "xargs",
}) | frozenset(name for name, why in NAMES.items() if why == _POWER)  # fmt: skip
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php"}
_LOADERS = frozenset({"curl", "wget", "fetch"})
_EVERYTHING = frozenset({"", ".", "*", ".*", "**"})

_RUNNERS = r"\b(?:sh|bash|zsh|python3?|perl|ruby|node|eval|source)\b"
_LONGEST = 10_000
_TAILS = 40
"""How many of a wrapper's words may be the one that it starts."""

_ALARMS: tuple[tuple[str, str], ...] = (
    (r"(?<![\w.-])(?:mkfs[.\w]*|" + "|".join(NAMES) + r")(?![\w.-])", "is always asked"),
    (r"\b(?:rm|chmod|chown)\s[^;|&\n]*-\w*[rRf]|\b(?:rm|chmod|chown)\s[^;|&\n]*--[rf]", "may destroy files"),
    (r"\bgit\b[^;|&\n]*\s(?:push|restore|clean|checkout|send-email)\b|--hard\b", "may destroy work or publish it"),
    (r"\b(?:" + "|".join(PUBLISHERS) + r")\b[^;|&\n]*\s(?:publish|push|upload)\b", "publishes"),
    (rf"\b(?:curl|wget)\b.*{_RUNNERS}|{_RUNNERS}.*\b(?:curl|wget)\b", "may run what it downloads"),
    (r">\s*(?:/(?!dev/null\b|tmp/)|~|\.\./|\S*\.git/|\S*\.qagent/|\$)", "writes outside this folder"),
    (r"\bkill\b.*\s-1\b|:\(\)", "stops other programs"),
)


def alarm(text: str) -> str | None:
    """The same for text that could not be parsed: the words alone, wherever they stand."""
    if len(text) > _LONGEST:
        return "a line this long cannot be looked through"
    for reading in (text, re.sub(r"""['"\\]""", "", text)):
        for pattern, why in _ALARMS:
            if found := re.search(pattern, reading, re.DOTALL):
                return f"`{found[0].split()[0]}` {why}"
        if word := next((w for w in re.split(r"[\s'\"`$(){};&|<>]+", reading) if w and secret(w)), None):
            return f"`{word}` looks like a secret"
    return None


def why_asked(line: ParsedLine) -> str | None:
    """A sentence for the person, or None when nothing in the line is on the list."""
    commands = [part for command in line.commands for part in started(command)]
    names = {name_of(command) for command in commands}
    if (loader := names & _LOADERS) and (names & _INTERPRETERS):
        return f"`{min(loader)}` and an interpreter: this may run what it downloads; always asked"
    reasons = (why for command in commands if (why := _why(command)))
    return next(reasons, None) or next((why for redirect in line.redirects if (why := _why_redirect(redirect))), None)


def name_of(command: SimpleCommand) -> str:
    return command.words[0].rsplit("/", 1)[-1]


def started(command: SimpleCommand, depth: int = 0) -> Iterator[SimpleCommand]:
    """The command and all that it may start: every tail of a wrapper's words, and what a shell is given by `-c`."""
    words = command.words
    tails = range(1, min(len(words), _TAILS) if name_of(command) in WRAPPERS else 1)
    for tail in (command, *(SimpleCommand(words[at:]) for at in tails if words[at])):
        yield tail
        if name_of(tail) in SHELLS and depth < 3 and (line := parse(_script(tail.words))):
            for inside in line.commands:
                yield from started(inside, depth + 1)


def _script(words: tuple[str, ...]) -> str:
    """What a shell's `-c` runs, or ""."""
    options = (at for at, word in enumerate(words) if re.fullmatch(r"-[a-zA-Z]*c[a-zA-Z]*", word))
    after = words[next(options, len(words)) :]
    return next((word for word in after if not word.startswith("-")), "")


# ------------------------------------------------------------------ one command


def _why(command: SimpleCommand) -> str | None:
    name, arguments = name_of(command), command.words[1:]
    if why := NAMES.get("mkfs" if name.startswith("mkfs.") else name):
        return f"`{name}` {why}; always asked"
    if name in PUBLISHERS and not set(PUBLISHERS[name]).isdisjoint(arguments):
        return f"`{name}` publishes; always asked"
    script = _script(command.words) if name in SHELLS else ""
    if script and parse(script) is None and (why := alarm(script)):
        return f"{why}; always asked"
    if name in _SPECIAL and (why := _SPECIAL[name](command)):
        return f"{why}; always asked"
    return _why_path(command)


def _why_path(command: SimpleCommand) -> str | None:
    if name_of(command) == "echo":
        return None
    for at, word in enumerate(command.words):
        if at and secret(word):
            return f"`{word}` looks like a secret; always asked"
        if at and inner(word) and name_of(command) not in ("ls", "find", "grep", "git", "rg"):
            return f"`{word}` belongs to git or qagent; always asked"
    return None


def _why_redirect(redirect: Redirect) -> str | None:
    target = redirect.target
    if secret(target):
        return f"`{target}` looks like a secret; always asked"
    if not redirect.writes or redirect.to_descriptor or target in ("/dev/stdout", "/dev/stderr"):
        return None
    if inner(target) or (outside(target) and not (target.startswith("/tmp/") and ".." not in target)):
        return f"`{redirect.operator} {target}` writes outside this folder; always asked"
    return None


def _flags(words: tuple[str, ...], letters: str, *longs: str) -> bool:
    """Whether one of these options is given, in a cluster or abbreviated."""
    for word in words:
        if word.startswith("--"):
            if len(word) > 3 and any(long.startswith(word[2:]) for long in longs):
                return True
        elif word.startswith("-") and not set(word[1:]).isdisjoint(letters):
            return True
    return False


def _destroys_widely(command: SimpleCommand) -> str | None:
    """`rm -rf` and `chmod -R` on places outside, on all that is here, or on what nobody knows yet."""
    name, arguments = name_of(command), command.words[1:]
    if not _flags(arguments, "rRf" if name == "rm" else "R", "recursive", *(("force",) if name == "rm" else ())):
        return None
    if command.filled:
        return f"`{name}` gets arguments that are not known before it runs"
    wide = (word for word in arguments if outside(word) or word.strip("/").removeprefix("./").strip("/") in _EVERYTHING)
    return f"`{name}` on `{word}` can destroy much" if (word := next(wide, None)) is not None else None


def _kills_widely(command: SimpleCommand) -> str | None:
    return "`kill -1` can stop every program" if not {"-1", "1"}.isdisjoint(command.words[1:]) else None


def _copies_away(command: SimpleCommand) -> str | None:
    return f"`rsync` {_LEAVES}" if any(":" in word for word in command.words[1:]) else None


def _git(command: SimpleCommand) -> str | None:
    words = list(command.words[1:])
    while words and words[0].startswith("-"):
        takes_value = words[0] in ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path")
        words = words[2 if takes_value else 1 :]
    verb, rest = (words[0], tuple(words[1:])) if words else ("", ())
    if verb in ("push", "send-email"):
        return f"`git {verb}` leaves this machine"
    lost = {
        "reset": _flags(rest, "", "hard"),
        "clean": _flags(rest, "f", "force"),
        "checkout": _flags(rest, "f", "force") or not {"--", "."}.isdisjoint(rest),
        "switch": _flags(rest, "f", "force", "discard-changes"),
        "restore": "--staged" not in rest or "--worktree" in rest,
        "stash": not {"drop", "clear"}.isdisjoint(rest),
        "branch": _flags(rest, "D", "delete"),
        "filter-branch": True,
    }
    return f"`git {verb}` can destroy work" if lost.get(verb) else None


_SPECIAL = {
    "rm": _destroys_widely,
    "chmod": _destroys_widely,
    "chown": _destroys_widely,
    "chgrp": _destroys_widely,
    "kill": _kills_widely,
    "rsync": _copies_away,
    "git": _git,
}

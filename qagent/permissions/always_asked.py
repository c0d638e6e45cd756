"""Commands that are asked about in every mode, with the reason: what destroys, leaves the machine or gains power.

A guard against accidents, not a wall: a script can hide anything, and what a program writes by itself is not seen, so
an interpreter or a build can write anywhere; a sandbox is another matter. What a wrapper (`env`, `xargs`, `bash -c`)
starts is looked at like the command itself. Reasons are whole sentences without their full stop. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qagent.permissions.alarms import alarm, alarm_in_code
from qagent.permissions.command_line import ParsedLine, Redirect, SimpleCommand, parse
from qagent.permissions.globs import why_glob
from qagent.permissions.harm import RAISES_RIGHTS, why_harmful
from qagent.permissions.paths import Where, elsewhere, outside, owner, secret, strays, why_guarded
from qagent.permissions.writers import git_verb, why_elsewhere, writes

_STARTERS = frozenset({
    "busybox", "chroot", "chrt", "command", "doas", "dotenv", "entr", "env", "flock", "hyperfine", "ionice", "ltrace",
    "nice", "nohup", "nsenter", "parallel", "script", "setarch", "setpriv", "setsid", "stdbuf", "strace", "taskset",
    "timeout", "unbuffer", "unshare", "valgrind", "watch", "xargs",
}) | RAISES_RIGHTS  # fmt: skip
_AFTER: dict[str, frozenset[str]] = {
    **dict.fromkeys(("python", "python3"), frozenset({"-m"})),
    "find": frozenset({"-exec", "-execdir", "-ok", "-okdir"}),
    "fd": frozenset({"-x", "-X", "--exec", "--exec-batch"}),
    "git": frozenset({"foreach", "run", "-x", "--exec"}),
    **dict.fromkeys(
        (
            "bun",
            "bundle",
            "conda",
            "direnv",
            "hatch",
            "mise",
            "npm",
            "pdm",
            "pipx",
            "pnpm",
            "poetry",
            "rye",
            "uv",
            "yarn",
        ),
        frozenset({"run", "exec", "x", "dlx", "--"}),
    ),
}  # fmt: skip
"""Behind these words stands what such a program starts; behind any word of `_STARTERS`, `npx` and `uvx`."""
WRAPPERS = _STARTERS | frozenset(_AFTER) | {"npx", "uvx", "bunx"}
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php"}
_LOADERS = frozenset({"curl", "wget", "fetch"})

_TAILS = 40
"""How many of a wrapper's words may be the one that it starts."""
_VISITS = 4


def why_asked(line: ParsedLine, where: Where | None = None) -> str | None:
    """A sentence for the person, or None when nothing in the line is on the list."""
    commands = [part for command in line.commands for part in started(command)]
    names = {name_of(command) for command in commands}
    if (loader := names & _LOADERS) and (names & _INTERPRETERS):
        return f"`{min(loader)}` together with an interpreter may run what it downloads"
    reasons = (why for command in commands if (why := _why(command, where)))
    redirects = (why for redirect in line.redirects if (why := _why_redirect(redirect, where)))
    return next(reasons, None) or next(redirects, None) or _why_fed(line) or _why_visit(line, commands, where)


def name_of(command: SimpleCommand) -> str:
    return command.words[0].rsplit("/", 1)[-1]


def started(command: SimpleCommand, depth: int = 0) -> Iterator[SimpleCommand]:
    """The command and all that it may start: every tail of a wrapper's words, and what a shell is given by `-c`."""
    words = command.words
    for tail in (command, *(_tail(command, at) for at in _begins(command) if words[at])):
        yield tail
        for script in _scripts(tail) if depth < 3 else ():
            for inside in line.commands if (line := parse(script)) else ():
                yield from started(inside, depth + 1)


def _begins(command: SimpleCommand) -> range:
    """The words that may be the program which this one starts."""
    name, words = name_of(command), command.words
    if name not in WRAPPERS:
        return range(0)
    after = _AFTER.get(name)
    begins = 1 if after is None else next((at + 1 for at, word in enumerate(words) if word in after), len(words))
    if name.startswith("python") and begins == len(words):
        begins = next((at for at in range(1, len(words)) if not words[at].startswith("-")), len(words))
    return range(begins, min(len(words), begins + (1 if name.startswith("python") else _TAILS)))


def _scripts(command: SimpleCommand) -> list[str]:
    """The command lines that are given to it as one word."""
    name = name_of(command)
    if name in SHELLS:
        return [_script(command.words)]
    lines = [word for word in command.words[1:] if any(map(str.isspace, word))]
    if name == "git":
        return lines if git_verb(command.words[1:])[0] in ("submodule", "rebase", "bisect") else []
    return lines if name in _STARTERS else []


def _tail(command: SimpleCommand, at: int) -> SimpleCommand:
    globs, filled = (frozenset(n - at for n in marked if n >= at) for marked in (command.globs, command.filled))
    return SimpleCommand(command.words[at:], globs, filled)


def _script(words: tuple[str, ...]) -> str:
    """What a shell's `-c` runs, or ""."""
    options = (at for at, word in enumerate(words) if re.fullmatch(r"-[a-zA-Z]*c[a-zA-Z]*", word))
    after = words[next(options, len(words)) :]
    return next((word for word in after if not word.startswith("-")), "")


# ------------------------------------------------------------------ one command


def _why(command: SimpleCommand, where: Where | None) -> str | None:
    name = name_of(command)
    if why := why_harmful(name, command):
        return why
    unclear = (why for script in _scripts(command) if parse(script) is None and (why := alarm(script)))
    if why := next(unclear, None) or _why_code(name, command):
        return why
    return _why_path(name, command, where) or why_glob(name, command) or why_elsewhere(name, command, where)


_CODE = {
    **dict.fromkeys(("python", "python3"), r"-[a-zA-Z]*c"),
    **dict.fromkeys(("perl", "ruby", "lua"), r"-[a-zA-Z]*[eE]"),
    **dict.fromkeys(("node", "deno", "bun"), r"-[a-zA-Z]*[ep]|--eval|--print|eval"),
    "php": r"-[a-zA-Z]*r",
    **dict.fromkeys(("vim", "vi", "nvim", "ex", "expect"), r"-c|--cmd|\+.*"),
    "gdb": r"-e(?:val-command|x)|--eval-command",
}
"""The options behind which a program stands as one word."""


def _why_code(name: str, command: SimpleCommand) -> str | None:
    words = command.words
    if name in ("awk", "gawk", "mawk"):
        given = [word for word in words[1:] if "system(" in word or "|" in word]
    else:
        option = _CODE.get(name)
        given = [words[at + 1] for at in range(len(words) - 1) if option and re.fullmatch(option, words[at])]
    return next((why for code in given if (why := alarm_in_code(code))), None)


def _why_path(name: str, command: SimpleCommand, where: Where | None) -> str | None:
    if name == "echo":
        return None
    free = _free_at(name, command.words)
    for at, word in enumerate(command.words[1:], 1):
        if at not in free and (why := why_guarded(word, where)):
            return why
        if at in free and secret(word):
            return f"`{word}` looks like a secret"
    return None


def _free_at(name: str, words: tuple[str, ...]) -> frozenset[int]:
    """The words that may speak of `.git`: they name no file, or nothing but its name is shown."""
    if name in ("ls", "find", "git"):
        return frozenset(range(len(words)))
    if name not in ("grep", "egrep", "fgrep", "rg"):
        return frozenset()
    options = [at for at, word in enumerate(words) if at and word.startswith("-")]
    pattern = next((at for at in range(1, len(words)) if at not in options), 0)
    named = any(re.match(r"-[a-zA-Z]*[ef]|--(?:reg|file)", words[at]) for at in options)
    return frozenset(options if named else (*options, pattern))


def _why_redirect(redirect: Redirect, where: Where | None) -> str | None:
    target = redirect.target
    if secret(target):
        return f"`{target}` looks like a secret"
    if redirect.to_descriptor:
        return None
    if target.startswith(("/dev/tcp/", "/dev/udp/")):
        return f"`{redirect.operator} {target}` reaches another machine"
    if redirect.writes and (whose := owner(target)):
        return f"`{redirect.operator} {target}` changes what belongs to {whose}"
    if redirect.writes and (elsewhere(target) or strays(target, where)):
        return f"`{redirect.operator} {target}` may write outside this folder"
    return why_guarded(target, where) if where else None


# ------------------------------------------------------------------ several commands


def _why_fed(line: ParsedLine) -> str | None:
    """What an interpreter reads from another command was not judged."""
    if len(line.commands) < 2:
        return None
    parts = (part for command in line.commands for part in _run_by(command))
    name = next((name_of(part) for part in parts if name_of(part) in _INTERPRETERS and _reads_input(part)), None)
    return f"`{name}` may run what another command prints" if name else None


def _run_by(command: SimpleCommand) -> Iterator[SimpleCommand]:
    """The command, and what a starter of commands may start."""
    only_looks = command.words[1:2] in (("-v",), ("-V",))
    tails = range(1, min(len(command.words), _TAILS) if name_of(command) in _STARTERS and not only_looks else 1)
    yield command
    yield from (_tail(command, at) for at in tails if command.words[at])


def _reads_input(command: SimpleCommand) -> bool:
    """Whether it has no script of its own, as `sh`, `bash -s x` or `python3 -`."""
    words = command.words[1:]
    if words in (("--version",), ("--help",), ("-V",)) or (name_of(command) == "node" and words == ("-v",)):
        return False
    return all(word.startswith("-") for word in words) or not {"-", "-s"}.isdisjoint(words)


def _why_visit(line: ParsedLine, commands: list[SimpleCommand], where: Where | None) -> str | None:
    """Behind a `cd` all names mean something else: outside they are outside as well, and secret where they stand."""
    visits = [command.words for command in commands if name_of(command) in ("cd", "pushd")]
    if len(visits) > _VISITS:
        return "this line goes through too many folders to be looked through"
    for place in (word for words in visits for word in words[1:]):
        for word in (word for command in line.commands for word in command.words[1:]):
            if why := why_guarded(f"{place}/{word}", where):
                return why
    away = (" ".join(words) for words in visits if words[1:] in ((), ("-",)) or _goes_away(words, where))
    return _why_written_at(place, line, commands) if (place := next(away, None)) else None


def _goes_away(words: tuple[str, ...], where: Where | None) -> bool:
    return any(elsewhere(word) or strays(word, where) for word in words)


def _why_written_at(place: str, line: ParsedLine, commands: list[SimpleCommand]) -> str | None:
    for redirect in line.redirects:
        if redirect.writes and not redirect.to_descriptor and not outside(redirect.target):
            return f"behind `{place}` this writes a file outside this folder"
    found = (command for command in commands if writes(name_of(command), command))
    return next((f"behind `{place}` `{name_of(command)}` may write outside this folder" for command in found), None)

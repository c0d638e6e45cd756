"""Commands that are asked about in every mode, with the reason: what destroys, leaves the machine or gains power.

A guard against accidents, not a wall: a script can hide anything, and what a program writes by itself is not seen, so
an interpreter or a build can write anywhere; a sandbox is another matter. What a wrapper (`env`, `xargs`, `bash -c`)
starts is looked at like the command itself. Reasons are whole sentences without their full stop. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qagent.permissions.command_line import ParsedLine, Redirect, SimpleCommand, parse
from qagent.permissions.globs import why_glob
from qagent.permissions.harm import NAMES, PUBLISHERS, RAISES_RIGHTS, why_harmful
from qagent.permissions.paths import Where, elsewhere, outside, owner, secret, strays, why_guarded
from qagent.permissions.writers import WRITERS, why_elsewhere, writes

_STARTERS = frozenset({
    "busybox", "command", "env", "ionice", "nice", "nohup", "setsid", "stdbuf", "timeout", "xargs",
}) | RAISES_RIGHTS  # fmt: skip
WRAPPERS = _STARTERS | {"find", "npx", "pipx", "poetry", "python", "python3", "uv", "uvx", "watch"}
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php"}
_LOADERS = frozenset({"curl", "wget", "fetch"})

_RUNNERS = r"\b(?:sh|bash|zsh|python3?|perl|ruby|node|eval|source)\b"
_LONGEST = 10_000
_TAILS = 40
"""How many of a wrapper's words may be the one that it starts."""
_VISITS = 4

_ALARMS: tuple[tuple[str, str], ...] = (
    (r"(?<![\w.-])(?:mkfs[.\w]*|" + "|".join(NAMES) + r")(?![\w.-])", "can do great harm"),
    (r"\b(?:rm|chmod|chown)\s[^;|&\n]*-\w*[rRf]|\b(?:rm|chmod|chown)\s[^;|&\n]*--[rf]", "may destroy files"),
    (r"\bgit\b[^;|&\n]*\s(?:push|restore|clean|checkout|send-email)\b|--hard\b", "may destroy work or publish it"),
    (r"\b(?:" + "|".join(PUBLISHERS) + r")\b[^;|&\n]*\s(?:publish|push|upload)\b", "publishes"),
    (rf"\b(?:curl|wget)\b.*{_RUNNERS}|{_RUNNERS}.*\b(?:curl|wget)\b", "may run what it downloads"),
    (
        r">\s*(?:/(?!dev/null\b|tmp/)|~|(?:[^\s;|&]{0,200}/)?\.\./|\$)",
        "writes to a place that is not known to be in this folder",
    ),
    (r">\s*\S*\.(?:git|qagent)/", "changes what belongs to git or qagent"),
    (
        rf"(?<![\w.-])(?:{'|'.join(sorted(WRITERS))}|sed\s+-\w*i)\s[^;|&\n]{{0,400}}?"
        r"(?<=[\s=])(?:/(?!dev/|tmp\b)|~|(?:[^\s;|&]{0,200}/)?\.\.(?![\w.]))",
        "may write outside this folder",
    ),
    (
        r"\bgit\b[^;|&\n]*\s(?:--global|--system|(?:-C|--git-dir|--work-tree)[\s=]*(?:/|~|\.\.))"
        r"|\bpip3?\s[^;|&\n]*--user\b|\bmv\s[^;|&\n]*\s/tmp\b",
        "may change something outside this folder",
    ),
    (r"\bkill\b.*\s-1\b|:\(\)", "stops other programs"),
    (
        rf"(?<![\w.-])(?:{'|'.join(sorted(WRITERS))})\s[^;|&\n]{{0,400}}?\.(?:git|qagent)(?:/|\b(?!\w))",
        "may change what belongs to git or qagent",
    ),
    (r"\|\s*(?:(?:env|command|exec)\s+)?(?:sh|bash|zsh|dash|ksh|fish)\b", "may run what another command prints"),
    (
        r"\bcurl\b[^;|&\n]{0,400}?\s(?:-[sSLkfi]*[TF]|--upl|--form\b|(?:-[sSLkfi]*d|--(?:data|json)[\w-]*)[\s=]*@)",
        "sends a file to another machine",
    ),
    (r"\bgit\b[^;|&\n]{0,400}?\s(?:-c\s+(?:alias|core)\.|--config-env|--exec-path=)", "may run a program"),
    (r"\bfind\s+(?:/|~|\.\.)[^;|&\n]{0,400}?\s-(?:delete|exec|ok|fls|fprint)", "may change something far away"),
)


def alarm(text: str) -> str | None:
    """The same for text that could not be parsed: the words alone, wherever they stand."""
    if len(text) > _LONGEST:
        return "a line this long cannot be looked through"
    for reading in (text, re.sub(r"""['"\\]""", "", text)):
        for pattern, why in _ALARMS:
            if found := re.search(pattern, reading, re.DOTALL):
                return f"`{found[0].split()[0]}` {why}"
        for word in re.split(r"[\s'\"`$(){};&|<>]+", reading):
            if word and secret(word):
                return f"`{word}` looks like a secret"
            # Alone, `.*` is mostly a regular expression.
            if word != ".*" and (why := why_glob("", SimpleCommand(("", word), frozenset({1})))):
                return why
    return None


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
    tails = range(1, min(len(words), _TAILS) if name_of(command) in WRAPPERS else 1)
    for tail in (command, *(_tail(command, at) for at in tails if words[at])):
        yield tail
        if name_of(tail) in SHELLS and depth < 3 and (line := parse(_script(tail.words))):
            for inside in line.commands:
                yield from started(inside, depth + 1)


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
    script = _script(command.words) if name in SHELLS else ""
    if script and parse(script) is None and (why := alarm(script)):
        return why
    return _why_path(name, command, where) or why_glob(name, command) or why_elsewhere(name, command, where)


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

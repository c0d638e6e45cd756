"""Commands that write, and whether one would write outside this folder: a command in, a reason or None out. Pure.

`/tmp` is scratch space and free to write to; only `mv` is asked about, when it takes something there. The workspace's
own place is not known, so every absolute path counts as outside. What a program writes by itself is not seen: an
interpreter, a build or a test can write anywhere, and only a sandbox could stop that.
"""

from __future__ import annotations

import re

from qagent.permissions.command_line import SimpleCommand
from qagent.permissions.paths import Where, elsewhere, outside, strays

Words = tuple[str, ...]

WRITERS = frozenset({
    "chgrp", "chmod", "chown", "cp", "install", "ln", "mkdir", "mkfifo", "mktemp", "mv", "patch", "rm", "rmdir",
    "rsync", "split", "tar", "tee", "touch", "truncate", "unlink", "unzip", "zip",
})  # fmt: skip
"""Every operand may be what they write to; so a source outside is asked about as well."""

_IN_PLACE = frozenset({"sed", "perl"})

_TARGETS: dict[str, Words] = {
    "curl": ("-o", "--output", "--output-dir"),
    "sort": ("-o", "--output"),
    "wget": ("-O", "-o", "-P", "--output-document", "--output-file", "--directory-prefix"),
}
"""Options that name what these write to."""

_GIT_PLACES = ("-C", "--git-dir", "--work-tree")
_GIT_WRITERS = frozenset({"archive", "bundle", "clone", "format-patch", "init", "worktree"})
_GIT_VALUES = (*_GIT_PLACES, "-c", "--attr-source", "--config-env", "--namespace", "--super-prefix")
_GIT_LOOKS = frozenset({
    "blame", "cat-file", "describe", "diff", "grep", "log", "ls-files", "ls-tree", "rev-list", "rev-parse", "shortlog",
    "show", "status",
})  # fmt: skip

_EVERYWHERE: dict[str, Words] = {
    **dict.fromkeys(("pip", "pip3"), ("--user", "--break-system-packages")),
    **dict.fromkeys(("npm", "pnpm", "bun"), ("-g", "--global", "--location=global")),
}
"""Options that install for all of the person's projects."""


def git_verb(arguments: Words) -> tuple[str, Words]:
    """The subcommand of git and its arguments, without the options in front of it; ("", ()) when there is none."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] in _GIT_VALUES else 1
    return (arguments[at], arguments[at + 1 :]) if at < len(arguments) else ("", ())


def why_elsewhere(name: str, command: SimpleCommand, where: Where | None) -> str | None:
    """Why this command, whose program is called `name`, may change something outside this folder."""
    arguments = command.words[1:]
    if option := next((word for word in arguments if word in _EVERYWHERE.get(name, ())), None):
        return f"`{name}` with `{option}` installs outside this folder"
    if name == "git" and (why := _why_git(arguments)):
        return why
    if name == "mv" and (why := _why_moved(arguments)):
        return why
    if word := next((word for word in _written(name, arguments) if elsewhere(word) or strays(word, where)), None):
        return f"`{name}` with `{word}` may write outside this folder"
    return None


def writes(name: str, command: SimpleCommand) -> bool:
    if name == "git":
        return git_verb(command.words[1:])[0] not in _GIT_LOOKS
    return name in WRITERS or (name in _IN_PLACE and _in_place(command.words[1:]) is not None)


def _written(name: str, arguments: Words) -> Words:
    """The words that may name what is written."""
    if name in WRITERS:
        return arguments
    if name in _IN_PLACE:
        return _in_place(arguments) or ()
    return _values(arguments, _TARGETS.get(name, ()))


def _values(arguments: Words, options: Words) -> Words:
    """What stands behind these options: as the next word, behind `=`, or behind the letter."""
    found: list[str] = []
    for at, word in enumerate(arguments):
        for option in options:
            if word == option:
                found += arguments[at + 1 : at + 2]
            elif word.startswith(f"{option}=" if option.startswith("--") else option):
                found.append(word[len(option) :].removeprefix("="))
    return tuple(found)


def _in_place(arguments: Words) -> Words | None:
    """The files that `sed -i` or `perl -i` edits, without the script; None when it only prints."""
    if not any(re.match(r"-[a-zA-Z0-9]*i|--in-place", word) for word in arguments):
        return None
    operands: list[str] = []
    scripts = at = 0
    while at < len(arguments):
        if re.fullmatch(r"-[nErpsuz0-9]*[ef]|-[a-z]*pi?e|--expression|--file", arguments[at]):
            scripts, at = scripts + 1, at + 1
        elif not arguments[at].startswith("-"):
            operands.append(arguments[at])
        elif arguments[at].startswith(("-e", "-f", "--expression=", "--file=")):
            scripts += 1
        at += 1
    return tuple(operands if scripts else operands[1:])


def _why_moved(arguments: Words) -> str | None:
    """`mv` out of this folder, to `/tmp` as well: what is moved is not here any more."""
    named = _values(arguments, ("-t", "--target-directory"))
    operands = tuple(word for word in arguments if not word.startswith("-") and word not in named)
    target, sources = (named[0], operands) if named else ("".join(operands[-1:]), operands[:-1])
    if outside(target) and (taken := next((word for word in sources if not outside(word)), None)):
        return f"`mv` takes `{taken}` out of this folder"
    return None


def _why_git(arguments: Words) -> str | None:
    verb, rest = git_verb(arguments)
    if verb == "config" and (option := next((word for word in rest if re.match(r"--(?:gl|sy)", word)), None)):
        return f"`git config {option}` changes the settings of all repositories"
    if place := next((place for place in _values(arguments, _GIT_PLACES) if elsewhere(place)), None):
        return f"`git` is sent to another folder, `{place}`"
    operands = rest if verb in _GIT_WRITERS else _values(rest, ("--output", "--file", "-f"))
    if place := next((word for word in operands if "://" not in word and elsewhere(word)), None):
        return f"`git {verb}` with `{place}` may write outside this folder"
    return None

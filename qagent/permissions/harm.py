"""What one command can do that is asked about in every mode, told by its program and words: a reason or None. Pure."""

from __future__ import annotations

import re

from qagent.permissions.command_line import SimpleCommand
from qagent.permissions.paths import outside, owner
from qagent.permissions.programs import CONFINED_NAMES, LEAVES, LOOKS, NAMES, NESTED, POWER, PUBLISHERS, Words
from qagent.permissions.writers import git_verb

RAISES_RIGHTS = frozenset(name for name, why in NAMES.items() if why == POWER)

_EVERYTHING = frozenset({"", ".", "*", ".*", "**"})


def why_harmful(name: str, command: SimpleCommand) -> str | None:
    """`name`: the program without its folder."""
    known = "mkfs" if name.startswith("mkfs.") else name
    if why := NAMES.get(known) or CONFINED_NAMES.get(known):
        return f"`{name}` {why}"
    if why := why_beyond(name, command):
        return why
    if name in PUBLISHERS and not set(PUBLISHERS[name]).isdisjoint(command.words[1:]):
        return f"`{name}` publishes"
    return _SPECIAL[name](command) if name in _SPECIAL else None


def why_beyond(name: str, command: SimpleCommand) -> str | None:
    """Why a subcommand that does not only look does something outside of the sandbox."""
    if name not in LOOKS:
        return None
    looks, why = LOOKS[name]
    verbs = [word for word in command.words[1:] if not word.startswith("-")]
    verb = " ".join(verbs[: 2 if verbs[:1] and verbs[0] in NESTED else 1])
    return f"`{name} {verb}` {why}" if verb and verb not in looks else None


def _flags(words: Words, letters: str, *longs: str) -> bool:
    """Whether one of these options is given, in a cluster or abbreviated."""
    for word in words:
        if word.startswith("--"):
            if len(word) > 3 and any(long.startswith(word[2:]) for long in longs):
                return True
        elif word.startswith("-") and not set(word[1:]).isdisjoint(letters):
            return True
    return False


# ------------------------------------------------------------------ files and processes


def _destroys_widely(command: SimpleCommand) -> str | None:
    """`rm -rf` and `chmod -R` on places outside, on all that is here, or on what nobody knows yet."""
    name, arguments = command.words[0].rsplit("/", 1)[-1], command.words[1:]
    if not _flags(arguments, "rRf" if name == "rm" else "R", "recursive", *(("force",) if name == "rm" else ())):
        return None
    if command.filled:
        return f"`{name}` gets arguments that are not known before it runs"
    wide = (word for word in arguments if outside(word) or word.strip("/").removeprefix("./").strip("/") in _EVERYTHING)
    return f"`{name}` on `{word}` can destroy much" if (word := next(wide, None)) is not None else None


_ACTS = ("-delete", "-exec", "-fls", "-fprint", "-ok")
_CHOOSES = ("-empty", "-iname", "-mmin", "-mtime", "-name", "-newer", "-path", "-regex", "-size")


def _finds_and_acts(command: SimpleCommand) -> str | None:
    arguments = command.words[1:]
    if (act := next((word for word in arguments if word.startswith(_ACTS)), None)) is None:
        return None
    begins = next((at for at, word in enumerate(arguments) if word[:1] in ("-", "!", "(")), 0)
    if place := next((word for word in arguments[:begins] if outside(word) or owner(word)), None):
        return f"`find` with `{act}` may change something in `{place}`"
    removes = act == "-delete" or "".join(arguments[arguments.index(act) + 1 :][:1]).rsplit("/", 1)[-1] == "rm"
    if removes and not any(word.startswith(_CHOOSES) for word in arguments):
        return f"`find` with `{act}` alone destroys all that is there"
    return None


def _feeds(command: SimpleCommand) -> str | None:
    """What `xargs` or `fd` starts gets words that nobody has read."""
    feeder, words = command.words[0], command.words[1:]
    started = next((at for at, word in enumerate(words) if word.rsplit("/", 1)[-1] in _FED), None)
    if started is None:
        return None
    name, rest = words[started].rsplit("/", 1)[-1], words[started + 1 :]
    harmless = (name == "rm" and not _flags(rest, "rR", "recursive")) or (name == "git" and git_verb(rest)[0])
    return None if harmless else f"`{feeder}` gives `{name}` words that are not known before it runs"


_FED = frozenset({"bash", "dash", "eval", "git", "ksh", "rm", "sh", "zsh"})


def _publishes_by_task(command: SimpleCommand) -> str | None:
    task = next((word for word in command.words[1:] if word.rsplit(":", 1)[-1].startswith("publish")), None)
    return f"`{command.words[0]} {task}` publishes" if task else None


_DESTROYS = re.compile(
    r"\b(?:drop|truncate)\s+(?:table|database|schema)\b|\bflush(?:all|db)\b|\bdrop(?:Database)?\(", re.I
)


def _destroys_data(command: SimpleCommand) -> str | None:
    asked = next((found[0] for word in command.words if (found := _DESTROYS.search(word))), None)
    return f"`{command.words[0]}` with `{asked}` can destroy data" if asked else None


_SED_RUNS = re.compile(
    r"(?:^|[;\n{])[\d,$\s]*(?:s(?P<d>[^\s\w\\])(?:\\.|(?!(?P=d)).){0,200}(?P=d)(?:\\.|(?!(?P=d)).){0,200}(?P=d)\w*e|e\s+\S)"
)


def _runs_by_sed(command: SimpleCommand) -> str | None:
    script = next((word for word in command.words[1:] if _SED_RUNS.search(word)), None)
    return f"`sed` with `{script}` runs a command" if script else None


def _kills_widely(command: SimpleCommand) -> str | None:
    return "`kill -1` can stop every program" if not {"-1", "1"}.isdisjoint(command.words[1:]) else None


# ------------------------------------------------------------------ other machines


def _copies_away(command: SimpleCommand) -> str | None:
    return f"`rsync` {LEAVES}" if any(":" in word for word in command.words[1:]) else None


_CURL_SENDS = re.compile(r"-[\w#]*?[TF].*|--upl.*|--for(?!m-s|m-e).*")
_CURL_DATA = re.compile(r"-[sSLkfiIvgjOJRNqaG0-9#]*d|--(?:data|json)[\w-]*|--url-query")
_CURL_VALUE = re.compile(r"-[sSLkfiIvgjOJRNqaG0-9#]*[XHAeuboxmwcCDErtUyYzPQK].*")
"""What stands behind such a letter is its value: `-XPATCH` sends no file."""


def _uploads(command: SimpleCommand) -> str | None:
    arguments = command.words[1:]
    for at, word in enumerate(arguments):
        value = "".join(arguments[at + 1 : at + 2])
        if (_CURL_SENDS.fullmatch(word) and not _CURL_VALUE.fullmatch(word)) or _reads_data(word, value):
            return f"`curl` with `{word}` sends a file to another machine"
    return None


def _reads_data(option: str, value: str) -> bool:
    """Whether this is `-d @FILE` or one of its kin; two of them also take a name before the `@`."""
    if (match := _CURL_DATA.match(option)) is None or "raw" in match[0]:
        return False
    given = option[match.end() :].removeprefix("=") or value
    return "@" in given if "url" in match[0] else given.startswith("@")


def _posts(command: SimpleCommand) -> str | None:
    sends = (word for word in command.words if word.startswith(("--post-f", "--body-f")))
    return f"`wget` with `{word}` sends a file to another machine" if (word := next(sends, None)) else None


# ------------------------------------------------------------------ git


_GIT_PLAIN = re.compile(
    r"(?:user|author|committer|color|advice|pull|push|branch|merge)\.[\w.-]*(?<!driver)|init\.defaultbranch"
    r"|core\.(?:autocrlf|eol|filemode|ignorecase|quotepath|safecrlf)|commit\.(?:gpgsign|verbose)|tag\.gpgsign"
    r"|core\.pager=(?:cat)?|remote\.[^=]*\.(?:url|fetch)|diff\.(?:renames|noprefix|algorithm)|rebase\.\w+",
    re.IGNORECASE,
)
"""Settings that make git run nothing. With every other one it may run a program, now or later."""

_TO_LOOK = frozenset({
    "--get", "--get-all", "--get-regexp", "--get-urlmatch", "--list", "--unset", "-l", "get", "list", "unset",
})  # fmt: skip


def _git(command: SimpleCommand) -> str | None:
    verb, rest = git_verb(command.words[1:])
    options = command.words[1 : len(command.words) - len(rest) - bool(verb)]
    if why := _sets(options, verb, rest):
        return why
    if verb in ("push", "send-email") or _SENDS.get(verb, "") in rest:
        return f"`git {verb}` leaves this machine"
    if verb.startswith("credential"):
        return f"`git {verb}` shows or changes a log-in"
    if verb and verb not in _VERBS:
        return f"`git {verb}` is none of git's own commands; an alias of this name may do anything"
    lost = {
        "reset": _flags(rest, "", "hard"),
        "clean": _flags(rest, "f", "force"),
        "checkout": _checks_out_files(rest),
        "switch": _flags(rest, "f", "force", "discard-changes"),
        "restore": "--staged" not in rest or "--worktree" in rest,
        "stash": not {"drop", "clear"}.isdisjoint(rest),
        "branch": _flags(rest, "D", "delete"),
        "worktree": "remove" in rest and _flags(rest, "f", "force"),
        "update-ref": True,
        "filter-branch": True,
    }
    return f"`git {verb}` can destroy work" if lost.get(verb) else None


_SENDS = {"lfs": "push", "p4": "submit", "subtree": "push", "svn": "dcommit"}

_VERBS = frozenset({
    "add", "am", "annotate", "apply", "archive", "bisect", "blame", "branch", "bundle", "cat-file", "check-attr",
    "check-ignore", "check-mailmap", "check-ref-format", "checkout", "checkout-index", "cherry", "cherry-pick",
    "clean", "clone", "column", "commit", "commit-graph", "commit-tree", "config", "count-objects", "describe",
    "diff", "diff-files", "diff-index", "diff-tree", "difftool", "fast-export", "fast-import", "fetch",
    "filter-branch", "for-each-ref", "format-patch", "fsck", "gc", "grep", "hash-object", "help", "index-pack",
    "init", "interpret-trailers", "lfs", "log", "ls-files", "ls-remote", "ls-tree", "maintenance", "merge",
    "merge-base", "merge-file", "merge-tree", "mergetool", "mktag", "mktree", "mv", "name-rev", "notes", "p4",
    "pack-objects", "pack-refs", "patch-id", "prune", "pull", "range-diff", "read-tree", "rebase", "reflog",
    "remote", "repack", "replace", "request-pull", "rerere", "reset", "restore", "rev-list", "rev-parse", "revert",
    "rm", "shortlog", "show", "show-branch", "show-ref", "sparse-checkout", "stage", "stash", "status",
    "stripspace", "submodule", "subtree", "svn", "switch", "symbolic-ref", "tag", "unpack-objects", "update-index",
    "update-ref", "update-server-info", "var", "verify-commit", "verify-pack", "verify-tag", "version",
    "whatchanged", "worktree", "write-tree",
})  # fmt: skip


def _checks_out_files(rest: Words) -> bool:
    operands = [word for word in rest if not word.startswith("-")]
    makes = _flags(rest, "bBt", "orphan", "track")
    return _flags(rest, "f", "force") or not {"--", "."}.isdisjoint(rest) or (len(operands) > 1 and not makes)


def _sets(options: Words, verb: str, rest: Words) -> str | None:
    """Settings given for this one run, or written down for later ones."""
    given = (options[at + 1] for at, word in enumerate(options[:-1]) if word == "-c")
    if (setting := next((word for word in given if not _GIT_PLAIN.fullmatch(_setting(word))), None)) is not None:
        return f"`git -c {setting}` may make git run a program"
    if option := next((word for word in options if word.startswith(("--config-env", "--exec-path="))), None):
        return f"`git {option}` may make git run a program"
    operands = [word for word in rest if not word.startswith("-") and word != "set"]
    if verb != "config" or len(operands) < 2 or not _TO_LOOK.isdisjoint(rest):
        return None
    setting = next((word for word in operands if "." in word), operands[0])
    return None if _GIT_PLAIN.fullmatch(setting) else f"`git config {setting}` may make git run a program later"


def _setting(word: str) -> str:
    """`core.pager=cat` counts with its value, the others without."""
    name, _, value = word.partition("=")
    return f"{name}={value}" if name.casefold() == "core.pager" else name


_SPECIAL = {
    "rm": _destroys_widely,
    "chmod": _destroys_widely,
    "chown": _destroys_widely,
    "chgrp": _destroys_widely,
    "find": _finds_and_acts,
    **dict.fromkeys(("fd", "xargs"), _feeds),
    **dict.fromkeys(("mariadb", "mongosh", "mysql", "psql", "redis-cli"), _destroys_data),
    "sed": _runs_by_sed,
    **dict.fromkeys(("gradle", "gradlew"), _publishes_by_task),
    "kill": _kills_widely,
    "rsync": _copies_away,
    "curl": _uploads,
    "wget": _posts,
    "git": _git,
}

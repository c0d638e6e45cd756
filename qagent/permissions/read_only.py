"""Commands that only read, one row each, and why a given one is not among them. Pure.

A row bans the options that write or run something. A word is judged as text, so the rows lean to asking: an option may
be abbreviated, a short option may stand in a cluster, a glob may become the name of an option or of a secret file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from qagent.permissions.command_line import SimpleCommand
from qagent.permissions.paths import outside, secret

Check = Callable[[tuple[str, ...]], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """`prints`: the command shows what is in the files it is given. `letters`, `longs`, `starts`: banned short options,
    long options (without `--`), and beginnings of words. `check`: further words that must hold for the arguments.
    """

    prints: bool = False
    letters: str = ""
    longs: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    check: Check | None = None

    @property
    def bans(self) -> bool:
        return bool(self.letters or self.longs or self.starts)


def _only(*allowed: str) -> Check:
    return lambda arguments: all(argument in allowed for argument in arguments)


def _first(*allowed: str) -> Check:
    return lambda arguments: bool(arguments) and arguments[0] in allowed


def _operands(most: int) -> Check:
    return lambda arguments: sum(not argument.startswith("-") for argument in arguments) <= most


def _shows_a_date(arguments: tuple[str, ...]) -> bool:
    return all(argument.startswith(("+", "-")) for argument in arguments)


def _has_no_subscript(arguments: tuple[str, ...]) -> bool:
    """Bash runs what stands in `test -v 'a[$(…)]'`."""
    return not any(set(argument) & set("$`[") for argument in arguments)


def _prints_lines(arguments: tuple[str, ...]) -> bool:
    """`sed -n 1,20p FILE`; every other script may write or run."""
    return len(arguments) > 1 and arguments[0] == "-n" and bool(re.fullmatch(r"\d+(,(\d+|\$))?p", arguments[1])) and (
        not any(argument.startswith("-") for argument in arguments[2:])
    )  # fmt: skip


def _one_folder(arguments: tuple[str, ...]) -> bool:
    return len(arguments) == 1 and not arguments[0].startswith("-") and not secret(f"{arguments[0]}/x")


# All files below a folder may be printed by these options, and nobody knows what lies there.
_GREP = Row(prints=True, letters="rRdD", longs=("recursive", "dereference-recursive", "directories", "devices"))

ROWS: dict[str, Row] = {
    **dict.fromkeys(("basename", "df", "dirname", "false", "id", "ls", "nproc", "pwd", "readlink", "realpath"), Row()),
    **dict.fromkeys(("du", "md5sum", "sha256sum", "stat", "true", "type", "uname", "wc", "which", "whoami"), Row()),
    **dict.fromkeys(("cat", "cut", "head", "nl", "rev", "tac", "tail", "tr", "cmp"), Row(prints=True)),
    **dict.fromkeys(("grep", "egrep", "fgrep"), _GREP),
    **dict.fromkeys(("python", "python3", "node", "make", "gcc", "rustc"), Row(check=_first("--version"))),
    "cd": Row(check=_one_folder),
    "command": Row(check=_first("-v", "-V")),
    "date": Row(letters="s", longs=("set",), check=_shows_a_date),
    "diff": Row(prints=True, letters="rl", longs=("recursive", "output", "paginate")),
    "echo": Row(),
    "file": Row(letters="CzZ", longs=("compile", "uncompress")),
    "find": Row(starts=("-exec", "-ok", "-delete", "-fprint", "-fls", "-files0-from")),
    "rg": Row(
        prints=True,
        letters="uz.",
        longs=("pre", "hostname-bin", "search-zip", "hidden", "no-ignore", "unrestricted"),
    ),
    "sed": Row(prints=True, check=_prints_lines),
    "sort": Row(prints=True, letters="oTS", longs=("output", "compress-program", "temporary-directory", "files0-from")),
    "test": Row(check=_has_no_subscript),
    "tree": Row(letters="oR"),
    "uniq": Row(prints=True, check=_operands(1)),
}

_GIT_RUNS = ("output", "ext-diff", "textconv", "filters", "upload-pack", "exec", "open-files-in-pager", "contents")
_GIT = Row(longs=_GIT_RUNS)
_LISTS = ("-a", "-r", "-v", "-vv", "--all", "--list", "--remotes", "--show-current", "--merged", "--no-merged")

GIT_ROWS: dict[str, Row] = {
    **dict.fromkeys(("blame", "cat-file", "describe", "diff", "log", "ls-files", "ls-tree", "merge-base"), _GIT),
    **dict.fromkeys(("name-rev", "rev-list", "rev-parse", "shortlog", "show", "status"), _GIT),
    "branch": Row(check=_only(*_LISTS)),
    "grep": Row(letters="O", longs=_GIT_RUNS),
    "reflog": Row(check=_only("show")),
    "remote": Row(check=_only("-v")),
    "stash": Row(check=_first("list", "show")),
    "tag": Row(check=_only("-l", "--list")),
    "worktree": Row(check=_only("list")),
    "--version": Row(check=_only()),
}

_HARMLESS_SUFFIX = re.compile(r"\.(?:pyi?|[cm]?[jt]sx?|go|rs|c|h|cc|cpp|hpp|java|rb|php|sh|md|rst|css|html?|sql)")


def why_not(command: SimpleCommand) -> str | None:
    """None when this only reads what the model may read; else a sentence for the person."""
    name, arguments, row = _row(command)
    if row is None:
        return f"`{name}` may change something"
    if name == "echo":
        return None
    if command.filled:
        return f"`{name}` gets arguments that are not known before it runs"
    if word := _banned(row, arguments):
        return f"`{name}` with `{word}` may do more than read"
    if row.check and not row.check(arguments):
        return f"`{name}` may change something with these arguments"
    return _why_not_there(command, name, row)


def _row(command: SimpleCommand) -> tuple[str, tuple[str, ...], Row | None]:
    words = command.words
    if words[0] != "git":
        return words[0], words[1:], ROWS.get(words[0])
    rest = words[2:] if words[1:2] == ("--no-pager",) else words[1:]
    return f"git {rest[0]}" if rest else "git", rest[1:], GIT_ROWS.get(rest[0]) if rest else None


def _banned(row: Row, arguments: tuple[str, ...]) -> str | None:
    return next((word for word in arguments if word.startswith("-") and _is_banned(row, word)), None)


def _is_banned(row: Row, word: str) -> bool:
    """Long options may be abbreviated, so one that could mean a banned one is banned as well."""
    if row.starts and word.startswith(row.starts):
        return True
    if not word.startswith("--"):
        return not set(word[1:]).isdisjoint(row.letters)
    name = word[2:].split("=", 1)[0]
    return bool(name) and any(name.startswith(long) or long.startswith(name) for long in row.longs)


# ------------------------------------------------------------------ where it reads


def _why_not_there(command: SimpleCommand, name: str, row: Row) -> str | None:
    skipped = _pattern_at(command.words)
    for at, word in enumerate(command.words[1:], 1):
        if at == skipped:
            continue
        if outside(word):
            return f"`{word}` is not inside this folder"
        if at in command.globs and (why := _why_not_glob(word, row)):
            return f"`{name}` with `{word}`: {why}"
    return None


def _why_not_glob(word: str, row: Row) -> str | None:
    *folders, last = word.split("/")
    if any(part.startswith(".") and set(part) & set("*?[") for part in (*folders, last)):
        return "may name hidden files or the folder above"
    if row.bans and word[0] in "*?[":
        return "a file's name may be taken for an option; quote it or begin with `./`"
    suffix = last[max(map(last.rfind, "*?]")) + 1 :]
    if row.prints and not _HARMLESS_SUFFIX.fullmatch(suffix):
        return "may name files with secrets"
    return None


_PLAIN_OPTION = re.compile(r"-[ivnlLwxcohHqsEFGPaT]+|-[ABCm]\d+|--(?:ignore-case|line-number|count|fixed-strings)")


def _pattern_at(words: tuple[str, ...]) -> int | None:
    """Where the regular expression of a `grep` or `rg` stands, which is no path; None when that is not sure."""
    if words[0] not in ("grep", "egrep", "fgrep", "rg"):
        return None
    at = 1
    while at < len(words) and words[at].startswith("-"):
        if _PLAIN_OPTION.fullmatch(words[at]):
            at += 1
        elif re.fullmatch(r"-[ABCm]", words[at]) and words[at + 1 : at + 2] and words[at + 1].isdecimal():
            at += 2
        else:
            return None
    # An option behind it may bring another pattern, which makes this one a file.
    return None if any(word.startswith("-") for word in words[at:]) else at

"""The commands that run without asking: exactly these options, exactly these operands, and nothing else. Pure.

It lists what is allowed, never what is not, for nobody knows all that a program can be told to do. So a row holds what
only shows names, or what a file shows that was named and looked at. What is no row here asks, and a pattern of the
person can lift that: `git diff`, `git show`, `rg`, `sed` and `sort` show files that nobody named, or run or write what
their words or a repository's settings say; `cd` makes all names after it mean something else; the version of `go`,
`cargo` and `rustc` is fetched and run as a file of the folder says.

A word counts as it will stand before the program. One that the shell may still change is never allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from qagent.permissions.command_line import SimpleCommand
from qagent.permissions.paths import Where, why_not_here

Words = tuple[str, ...]
Operands = Literal["none", "text", "programs", "files", "pattern", "revisions"]


@dataclass(frozen=True, slots=True)
class Row:
    """`flags`: letters of options without a value, `numbers`: of those with a number (`-n 5`, `-n5`, and `-5`);
    both may stand in one cluster. `longs`: whole words. `one_of`: at least one of these must be there.

    `operands`: `text` is anything at all, `programs` plain names, `pattern` one text and then files.
    """

    operands: Operands = "none"
    flags: str = ""
    numbers: str = ""
    longs: Words = ()
    one_of: Words = ()


_NAMES_ONLY = ("--stat", "--shortstat", "--name-only", "--name-status")

ROWS: dict[str, Row] = {
    "cat": Row("files", "bensv"),
    "date": Row(),
    "echo": Row("text"),
    "false": Row(),
    "grep": Row("pattern", "EFGHLchilnoqsvwx", "ABCm", ("--ignore-case", "--line-number", "--count")),
    "head": Row("files", "qv", "cn"),
    "ls": Row("files", "1ARSadhilprst", longs=("--all",)),
    "pwd": Row(flags="LP"),
    "tail": Row("files", "qv", "cn"),
    "tree": Row("files", "ad", "L"),
    "true": Row(),
    "wc": Row("files", "clmw"),
    "which": Row("programs", "a"),
    "git branch": Row(flags="arv", longs=("--all", "--list", "--remotes", "--show-current")),
    "git diff": Row("revisions", longs=("--cached", "--staged", *_NAMES_ONLY), one_of=_NAMES_ONLY),
    "git log": Row("revisions", "", "n", ("--oneline", "--graph", "--all", *_NAMES_ONLY)),
    "git ls-files": Row("files", "co", longs=("--cached", "--others", "--exclude-standard")),
    "git status": Row("files", "sb", longs=("--short", "--branch", "--porcelain")),
}

WHOLE: frozenset[Words] = frozenset(
    {
        *((name, "--version") for name in ("gcc", "git", "node", "python", "python3")),
        *(("git", "rev-parse", *words) for words in (("HEAD",), ("--abbrev-ref", "HEAD"), ("--show-toplevel",))),
    }
)
"""These run unasked with exactly these words."""

_FIND_VALUES: dict[str, str] = {
    **dict.fromkeys(("-name", "-iname", "-path"), r".+"),
    **dict.fromkeys(("-maxdepth", "-mindepth"), r"\d+"),
    "-type": "[dfl]",
}
_FIND_WORDS = frozenset({"-not", "!", "-o", "-or", "-print"})

_PROGRAM = re.compile(r"\w[\w.+-]*")
_NUMBER = re.compile(r"[+-]?\d+")
_TILDE = re.compile(r"(?:^|[=:])~")
_REVISION = re.compile(r"[\w@./][\w@./+^~-]*")


class _NotAllowed(Exception):
    """With the reason."""


def why_not(command: SimpleCommand, where: Where | None = None) -> str | None:
    """None when this only shows what the model may see; else a sentence for the person, without its full stop."""
    try:
        _check(command, where)
    except _NotAllowed as reason:
        return str(reason)
    return None


def _check(command: SimpleCommand, where: Where | None) -> None:
    name, arguments = _named(command.words)
    if name not in ROWS and name != "find" and command.words not in WHOLE:
        raise _NotAllowed(f"`{name}` is not among the commands that run unasked")
    _check_words(command, name)
    if command.words in WHOLE:
        return
    if name == "find":
        _check_find(arguments, where)
    else:
        _check_row(name, ROWS[name], arguments, where)


def _named(words: Words) -> tuple[str, Words]:
    """`git log` is a name, written as two words; the pager is off anyway."""
    if words[0] != "git" or len(words) == 1:
        return words[0].replace(" ", "\\ "), words[1:]
    at = 2 if words[1] == "--no-pager" and len(words) > 2 else 1
    return f"git {words[at]}", words[at + 1 :]


def _check_words(command: SimpleCommand, name: str) -> None:
    for at, word in enumerate(command.words):
        if at in command.filled:
            raise _NotAllowed(f"`{name}` gets arguments that are not known before it runs")
        if at in command.globs or _TILDE.search(word):
            raise _NotAllowed(f"`{word}` may become any names before `{name}` runs; name the files, or quote it")


# ------------------------------------------------------------------ options and operands


def _check_row(name: str, row: Row, arguments: Words, where: Where | None) -> None:
    if row.operands == "text":
        return
    if row.one_of and set(row.one_of).isdisjoint(arguments):
        raise _NotAllowed(f"`{name}` shows files that nobody named; with `{row.one_of[0]}` it runs unasked")
    operands = _operands(name, row, arguments)
    if operands and row.operands == "none":
        raise _NotAllowed(f"`{name}` runs unasked only without `{operands[0]}`")
    for operand in operands[1:] if row.operands == "pattern" else operands:
        _check_operand(name, row, operand, where)


def _operands(name: str, row: Row, arguments: Words) -> Words:
    """What is no option; raises for an option that is not in the row."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    found: list[str] = []
    at = 0
    while at < len(options):
        if not options[at].startswith("-"):
            found.append(options[at])
        elif not (taken := _taken(row, options[at : at + 2])):
            raise _NotAllowed(f"`{name}` with `{options[at]}` is not among the commands that run unasked")
        else:
            at += taken - 1
        at += 1
    return (*found, *arguments[len(options) + 1 :])


def _taken(row: Row, words: Words) -> int:
    """How many of the two words are an option of this row: 0, 1, or 2 with its number."""
    option = words[0]
    if option in row.longs or (row.numbers and re.fullmatch(r"-\d+", option)):
        return 1
    if row.flags and re.fullmatch(f"-[{row.flags}]+", option):
        return 1
    flags = f"[{row.flags}]*" if row.flags else ""
    if not row.numbers or not (match := re.fullmatch(rf"-{flags}[{row.numbers}]([+-]?\d+)?", option)):
        return 0
    if match[1]:
        return 1
    return 2 if len(words) > 1 and _NUMBER.fullmatch(words[1]) else 0


def _check_operand(name: str, row: Row, operand: str, where: Where | None) -> None:
    shape = {"programs": _PROGRAM, "revisions": _REVISION}.get(row.operands)
    if shape and not shape.fullmatch(operand):
        raise _NotAllowed(f"`{name}` with `{operand}` is not among the commands that run unasked")
    if row.operands != "programs" and (why := why_not_here(operand, where)):
        raise _NotAllowed(why)


def _check_find(arguments: Words, where: Where | None) -> None:
    """First the folders, then tests that only look at names."""
    begins = next((at for at, word in enumerate(arguments) if word[:1] in ("-", "!", "(")), len(arguments))
    for folder in arguments[:begins]:
        if why := why_not_here(folder, where):
            raise _NotAllowed(why)
    at = begins
    while at < len(arguments):
        word, value = arguments[at], "".join(arguments[at + 1 : at + 2])
        if word in _FIND_VALUES and re.fullmatch(_FIND_VALUES[word], value):
            at += 1
        elif word not in _FIND_WORDS:
            raise _NotAllowed(f"`find` with `{word}` is not among the commands that run unasked")
        at += 1

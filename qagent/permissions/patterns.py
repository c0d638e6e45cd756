"""The person's patterns: a command or a redirection in, whether one of them names it, or why none does, out. Pure.

- A pattern is matched against one simple command, its words joined by single blanks without their quotes; a word that
  holds a blank itself keeps single quotes. `*`, `?` and `[…]` mean what they mean in file names; `*` crosses `/`.
- `pytest` matches the bare command alone, `pytest *` the command with any arguments or none, `pytest*` everything that
  begins with these letters, `pytest-watch` too.
- `> GLOB` matches a redirection that writes (`>`, `>>`, `>|`, `&>`, with any descriptor) to such a path, `< GLOB` one
  that reads.
- An allow pattern does not match words that a substitution fills in, nor words that lead outside (absolute, with `..`,
  by a link, or an address such as `https://…`), unless it names such a place itself: `cat *` does not allow
  `cat /etc/passwd`, `cat /etc/*` does. A deny pattern is also matched with the program's folder or git's own options
  left off, and against all that a wrapper starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from qagent.permissions.always_asked import name_of, started
from qagent.permissions.command_line import ParsedLine, Redirect, SimpleCommand
from qagent.permissions.paths import Where, leaves, notes, outside
from qagent.permissions.writers import git_verb


def deny_hit(line: ParsedLine, deny: tuple[str, ...]) -> str | None:
    """The pattern that denies something in the line."""
    commands = [part for command in line.commands for part in started(command)]
    for pattern in deny:
        if any(_matches(pattern, _texts(command)) for command in commands):
            return pattern
        if any(_matches_redirect(pattern, redirect) for redirect in line.redirects):
            return pattern
    return None


def is_allowed(command: SimpleCommand, allow: tuple[str, ...], where: Where | None) -> bool:
    if command.filled:
        return False
    away = _away(command, where)
    return any(not away or _names_a_place(pattern) for pattern in _fitting(command, allow))


def why_no_pattern(command: SimpleCommand, allow: tuple[str, ...], where: Where | None) -> str:
    """Why `is_allowed` says no, as a sentence without its full stop."""
    name = name_of(command)
    if command.filled and allow:
        return f"`{name}` gets arguments that are not known before it runs, so no pattern allows it"
    if fitting := next(_fitting(command, allow), None):
        return f"the pattern `{fitting}` names no place outside this folder, and `{_away(command, where)}` is one"
    return f"no allow pattern names `{name}`"


def redirect_is_allowed(redirect: Redirect, allow: tuple[str, ...], where: Where | None) -> bool:
    away = leaves(redirect.target, where)
    fitting = (pattern for pattern in allow if not away or outside(pattern.lstrip("<> ")))
    return not notes(redirect.target) and any(_matches_redirect(pattern, redirect) for pattern in fitting)


def _fitting(command: SimpleCommand, allow: tuple[str, ...]) -> Iterator[str]:
    """The patterns that fit its text, wherever it leads."""
    text = [_joined(command.words)]
    for pattern in allow:
        program = (pattern.split() or [""])[0]
        if ("/" not in command.words[0] or "/" in program) and _matches(pattern, text):
            yield pattern


def _away(command: SimpleCommand, where: Where | None) -> str | None:
    """The first word that leads outside."""
    return next((word for word in command.words[1:] if leaves(word, where)), None)


def _names_a_place(pattern: str) -> bool:
    return any(map(outside, pattern.split()[1:]))


def _texts(command: SimpleCommand) -> list[str]:
    """How a deny pattern sees a command: with and without quotes, the program's folder, and git's own options."""
    bare = (name_of(command), *command.words[1:])
    verb, rest = git_verb(bare[1:]) if bare[0] == "git" else ("", ())
    forms = (command.words, bare, *((("git", verb, *rest),) if verb else ()))
    return [text for words in forms for text in (_joined(words), " ".join(words))]


def _joined(words: tuple[str, ...]) -> str:
    return " ".join(f"'{word}'" if not word or any(c.isspace() for c in word) else word for word in words)


def _matches(pattern: str, texts: list[str]) -> bool:
    if pattern.startswith((">", "<")):
        return False
    bare = pattern.removesuffix(" *")
    return any(fnmatchcase(text, pattern) or (bare != pattern and fnmatchcase(text, bare)) for text in texts)


def _matches_redirect(pattern: str, redirect: Redirect) -> bool:
    sign = ">" if redirect.writes else "<"
    return (
        pattern.startswith(sign)
        and not redirect.to_descriptor
        and fnmatchcase(redirect.target, pattern.removeprefix(sign).strip())
    )

"""May this call run? A call, its risk and the person's policy in; allow, ask or deny with a reason out. Pure.

What is denied stays denied, whatever else allows it; what is always asked is asked in every mode. Patterns:

- A pattern is matched against one simple command, its words joined by single blanks without their quotes; a word that
  holds a blank itself keeps single quotes. `*`, `?` and `[…]` mean what they mean in file names; `*` crosses `/`.
- `pytest` matches the bare command alone, `pytest *` the command with any arguments or none, `pytest*` everything that
  begins with these letters, `pytest-watch` too.
- `> GLOB` matches a redirection that writes (`>`, `>>`, `>|`, `&>`, with any descriptor) to such a path, `< GLOB` one
  that reads.
- An allow pattern without `..` does not match words with `..`, nor words that a substitution fills in. A deny pattern
  is also matched with the program's folder left off, and against all that a wrapper starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from qagent.permissions.always_asked import alarm, name_of, started, why_asked
from qagent.permissions.command_line import ParsedLine, Redirect, SimpleCommand, parse
from qagent.permissions.paths import inner, notes
from qagent.permissions.read_only import why_not
from qagent.types import Mode, Risk, ToolCall
from qagent.workspace.secrets import is_secret


@dataclass(frozen=True, slots=True)
class Policy:
    mode: Mode = "ask"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is a short sentence for the person."""

    verdict: Literal["allow", "ask", "deny"]
    reason: str


def decide(call: ToolCall, risk: Risk, policy: Policy, touches: str | None = None) -> Decision:
    """`touches`: the file that a read or a write is about, relative to the workspace and canonical; None if unknown."""
    if policy.mode == "plan" and risk != "read":
        return Decision("deny", "plan mode is read only")
    if risk == "command":
        return _decide_command(call, policy)
    return _decide_file(risk, policy.mode, touches)


# ------------------------------------------------------------------ files


def _decide_file(risk: Risk, mode: Mode, touches: str | None) -> Decision:
    path = touches or ""
    if ".git" in path.casefold().split("/"):
        return Decision("deny", f"`{path}` belongs to git")
    if path and is_secret(path):
        return Decision("ask", f"`{path}` looks like a secret; always asked")
    if risk == "read":
        return Decision("allow", "reading is allowed")
    return _decide_write(mode, path)


def _decide_write(mode: Mode, path: str) -> Decision:
    if inner(path):
        return Decision("ask", f"`{path}` steers qagent; always asked")
    if mode == "auto":
        return Decision("allow", "auto mode allows edits")
    if notes(path):
        return Decision("ask", f"`{path}` is read as instructions later")
    if mode == "accept-edits" and path:
        return Decision("allow", "edits are accepted in this mode")
    return Decision("ask", "this changes a file")


# ------------------------------------------------------------------ commands


def _decide_command(call: ToolCall, policy: Policy) -> Decision:
    text = call.arguments.get("command")
    if call.name != "run" or not isinstance(text, str):
        # A project's own tool: its arguments are not a command line.
        return (
            Decision("allow", "auto mode")
            if policy.mode == "auto"
            else Decision("ask", f"`{call.name}` runs a command")
        )
    if pattern := next((p for p in policy.deny if fnmatchcase(text.strip(), p)), None):
        return _denied(pattern)
    if (line := parse(text)) is None:
        return _decide_text(text, policy)
    return _decide_line(line, text, policy)


def _denied(pattern: str) -> Decision:
    return Decision("deny", f"the rule `{pattern}` denies it")


def _decide_text(text: str, policy: Policy) -> Decision:
    """A line that nobody understands is asked about; auto mode lets it run when no alarming word stands in it."""
    if policy.mode != "auto":
        return Decision("ask", "this line is too involved to be judged")
    if why := alarm(text):
        return Decision("ask", f"{why}; always asked")
    if pattern := next((p for p in policy.deny if p.split() and p.split()[0].rstrip("*") in text), None):
        return Decision("ask", f"the rule `{pattern}` may deny it, and the line is too involved to be judged")
    return Decision("allow", "auto mode")


def _decide_line(line: ParsedLine, text: str, policy: Policy) -> Decision:
    if pattern := _deny_hit(line, policy.deny):
        return _denied(pattern)
    if why := why_asked(line):
        return Decision("ask", why)
    if policy.mode == "auto":
        # What a substitution fills in was not judged, so the words have to do.
        unknown = any(command.filled for command in line.commands)
        return _decide_text(text, policy) if unknown else Decision("allow", "auto mode")
    visits = any(command.words[0] == "cd" for command in line.commands)
    for command in line.commands:
        if why := _why_not_allowed(command, policy.allow, visits):
            return Decision("ask", why)
    for redirect in line.redirects:
        if why := _why_not_redirected(redirect, policy.allow):
            return Decision("ask", why)
    return Decision("allow", "only reads, or allowed by a rule")


def _deny_hit(line: ParsedLine, deny: tuple[str, ...]) -> str | None:
    commands = [part for command in line.commands for part in started(command)]
    for pattern in deny:
        if any(_matches(pattern, _texts(command)) for command in commands):
            return pattern
        if any(_matches_redirect(pattern, redirect) for redirect in line.redirects):
            return pattern
    return None


def _why_not_allowed(command: SimpleCommand, allow: tuple[str, ...], visits: bool) -> str | None:
    climbs = any(".." in word.split("/") for word in command.words)
    for pattern in allow:
        if not command.filled and (not climbs or ".." in pattern) and _matches(pattern, [_joined(command.words)]):
            return None
    if visits and command.words[0] == "git":
        return "`git` in another folder may run that folder's settings"
    return why_not(command)


def _why_not_redirected(redirect: Redirect, allow: tuple[str, ...]) -> str | None:
    if redirect.to_descriptor or redirect.target == "/dev/null":
        return None
    climbs = ".." in redirect.target.split("/")
    if not notes(redirect.target):
        for pattern in allow:
            if (not climbs or ".." in pattern) and _matches_redirect(pattern, redirect):
                return None
    return f"`{redirect.operator} {redirect.target}` {'writes' if redirect.writes else 'reads'} a file"


# ------------------------------------------------------------------ patterns


def _texts(command: SimpleCommand) -> list[str]:
    """How a deny pattern sees a command: with and without quotes, with and without the folder of the program."""
    bare = (name_of(command), *command.words[1:])
    return [_joined(command.words), command.line, _joined(bare), " ".join(bare)]


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

"""May this call run? A call, its risk and the person's policy in; allow, ask or deny with a reason out. Pure.

What is denied stays denied, whatever else allows it; what is always asked is asked in every mode. What a pattern means
is told in `patterns`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from qagent.permissions.alarms import alarm
from qagent.permissions.always_asked import name_of, why_asked
from qagent.permissions.command_line import ParsedLine, Redirect, SimpleCommand, parse
from qagent.permissions.grants import grants_of, why_network
from qagent.permissions.paths import Where, notes, owner
from qagent.permissions.patterns import deny_hit, is_allowed, redirect_is_allowed, why_no_pattern
from qagent.permissions.read_only import why_not
from qagent.permissions.unclear import why_unclear
from qagent.types import Mode, Risk, ToolCall
from qagent.workspace.secrets import is_secret


@dataclass(frozen=True, slots=True)
class Policy:
    """`unasked_reads`: commands that only show what may be seen run without asking, since somebody watches them; else
    only patterns allow anything. `unasked_git`: git's commands too; false where the repository's own settings may make
    git run a program (`git_settings.plainly_set`). `unconfined`: why no sandbox keeps commands in bounds, or ""; then
    auto mode asks for every command that no pattern allows. `asks_network`: what is known to need the network is asked
    about, unless a pattern names it.
    """

    mode: Mode = "ask"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    unasked_reads: bool = True
    unasked_git: bool = True
    unconfined: str = ""
    asks_network: bool = False

    @property
    def lacks_sandbox(self) -> bool:
        """Whether auto mode asks, which it does not where commands are kept in bounds."""
        return self.mode == "auto" and self.unconfined != ""


ALWAYS = "; this is always asked"


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is a whole sentence with its full stop, for the person and, when it is no, for the model."""

    verdict: Literal["allow", "ask", "deny"]
    reason: str

    @property
    def always(self) -> bool:
        """Whether only a person can allow it, whatever the mode and the patterns."""
        return self.verdict == "ask" and self.reason.endswith(f"{ALWAYS}.")


def decide(
    call: ToolCall, risk: Risk, policy: Policy, touches: str | None = None, where: Where | None = None
) -> Decision:
    """`touches`: the file that a read or a write is about, relative to the workspace and canonical; None if unknown.

    `where` tells of any path in a command line where it really leads; without it the text alone is judged.
    """
    decision = _decide(call, risk, policy, touches, cache(where) if where else None)
    return replace(decision, reason=f"{decision.reason[:1].upper()}{decision.reason[1:]}.")


def _decide(call: ToolCall, risk: Risk, policy: Policy, touches: str | None, where: Where | None) -> Decision:
    if policy.mode == "plan" and risk != "read":
        return Decision("deny", "this is plan mode, which is read only")
    if risk == "command":
        return _decide_command(call, policy, where)
    return _decide_file(risk, policy.mode, touches)


# ------------------------------------------------------------------ files


def _decide_file(risk: Risk, mode: Mode, touches: str | None) -> Decision:
    path = touches or ""
    if ".git" in path.casefold().split("/"):
        return Decision("deny", f"`{path}` belongs to git")
    if path and is_secret(path):
        return Decision("ask", f"`{path}` looks like a secret{ALWAYS}")
    if risk == "read":
        return Decision("allow", "reading is allowed")
    return _decide_write(mode, path)


def _decide_write(mode: Mode, path: str) -> Decision:
    if owner(path):
        return Decision("ask", f"`{path}` steers qagent{ALWAYS}")
    if mode == "auto":
        return Decision("allow", "auto mode allows edits")
    if notes(path):
        return Decision("ask", f"`{path}` is read as instructions later")
    if mode == "accept-edits" and path:
        return Decision("allow", "edits are accepted in this mode")
    return Decision("ask", "this changes a file")


# ------------------------------------------------------------------ commands


_AUTO = "auto mode allows it"


def _decide_command(call: ToolCall, policy: Policy, where: Where | None) -> Decision:
    text = call.arguments.get("command")
    if call.name != "run" or not isinstance(text, str):
        # A project's own tool: its arguments are not a command line.
        if policy.mode == "auto" and not policy.lacks_sandbox:
            return Decision("allow", _AUTO)
        return _asked(f"`{call.name}` runs a command", policy)
    if pattern := next((p for p in policy.deny if fnmatchcase(text.strip(), p)), None):
        return _denied(pattern)
    line = parse(text)
    decision = _decide_text(text, policy) if line is None else _decide_line(line, text, policy, where)
    return _with_grants(decision, text, policy, said=call.arguments.get("network") is True)


def _with_grants(decision: Decision, text: str, policy: Policy, *, said: bool) -> Decision:
    """A question names what a yes gives beyond the usual; what runs unasked but for the network becomes one."""
    if decision.verdict == "deny":
        return decision
    if decision.verdict == "ask" and grants_of(text).free:
        return _adding(decision, "it would run outside of any sandbox")
    why = why_network(text, said=said) if policy.asks_network else None
    if why is None or (decision == _BY_PATTERN and not said):
        return decision
    if decision.verdict == "allow":
        return Decision("ask", f"{why}, which `network = ask` asks about")
    return _adding(decision, f"{why}, which a yes gives it")


def _adding(decision: Decision, more: str) -> Decision:
    reason = decision.reason.removesuffix(ALWAYS)
    return Decision(decision.verdict, f"{reason}; {more}{decision.reason[len(reason) :]}")


def _denied(pattern: str) -> Decision:
    return Decision("deny", f"the rule `{pattern}` denies it")


def _decide_text(text: str, policy: Policy) -> Decision:
    """A line that nobody understands is asked about; auto mode lets it run when no alarming word stands in it."""
    if policy.mode != "auto" or policy.lacks_sandbox:
        return _asked(why_unclear(text), policy)
    if why := alarm(text):
        return Decision("ask", f"{why}{ALWAYS}")
    if pattern := next((p for p in policy.deny if p.split() and p.split()[0].rstrip("*") in text), None):
        return Decision("ask", f"the rule `{pattern}` may deny it, and the line is too involved to be judged")
    return Decision("allow", _AUTO)


def _decide_line(line: ParsedLine, text: str, policy: Policy, where: Where | None) -> Decision:
    if pattern := deny_hit(line, policy.deny):
        return _denied(pattern)
    if why := why_asked(line, where):
        return Decision("ask", f"{why}{ALWAYS}")
    if policy.mode == "auto" and not policy.lacks_sandbox and not _by_pattern(line, policy, where):
        # What a substitution fills in was not judged, so the words have to do.
        unknown = any(command.filled for command in line.commands)
        return _decide_text(text, policy) if unknown else Decision("allow", _AUTO)
    visits = not _VISITS.isdisjoint(name_of(command) for command in line.commands)
    for command in line.commands:
        if not is_allowed(command, policy.allow, where) and (why := _why_not_read(command, policy, where, visits)):
            return _asked(why, policy)
    for redirect in line.redirects:
        if why := _why_not_redirected(redirect, policy.allow, where):
            return _asked(why, policy)
    return _BY_PATTERN


_BY_PATTERN = Decision("allow", "this only reads, or a rule allows it")


def _by_pattern(line: ParsedLine, policy: Policy, where: Where | None) -> bool:
    """Whether patterns allow all of it, so that the network needs no question of its own."""
    fits = all(is_allowed(command, policy.allow, where) for command in line.commands)
    return policy.asks_network and fits and not any(_why_not_redirected(r, policy.allow, where) for r in line.redirects)


def _asked(why: str, policy: Policy) -> Decision:
    """Ask, and in auto mode tell why there is a question at all."""
    told = f"; auto mode asks for every command, since there is no sandbox: {policy.unconfined}"
    return Decision("ask", why + told if policy.lacks_sandbox else why)


_VISITS = frozenset({"cd", "pushd", "popd"})


def _why_not_read(command: SimpleCommand, policy: Policy, where: Where | None, visits: bool) -> str | None:
    """Why a command that no pattern allows does not run unasked, though it may only read."""
    name = name_of(command)
    if policy.lacks_sandbox or not policy.unasked_reads:
        return why_no_pattern(command, policy.allow, where)
    if visits:
        return "behind `cd` all names mean something else; name the files from here instead"
    if name == "git" and not policy.unasked_git:
        return "this repository's settings may make `git` run a program"
    return why_not(command, where)


def _why_not_redirected(redirect: Redirect, allow: tuple[str, ...], where: Where | None) -> str | None:
    if redirect.to_descriptor or redirect.target == "/dev/null" or redirect_is_allowed(redirect, allow, where):
        return None
    return f"`{redirect.operator} {redirect.target}` {'writes' if redirect.writes else 'reads'} a file"

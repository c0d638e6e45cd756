"""Whether a glob may become the name of a secret, or of what is git's or qagent's: a command in, a reason out. Pure.

It is compared with usual names, as bash does it: a dot at the beginning must be written. Brackets count as anything.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from qagent.permissions.command_line import SimpleCommand

_SECRETS = (
    ".env", ".env.local", "prod.env", "id_rsa", "id_ed25519", "server.key", "server.pem", ".netrc", ".npmrc", ".pypirc",
    ".pgpass", ".git-credentials", ".htpasswd", ".aws", ".ssh", ".gnupg", ".kube", ".docker", "prod.tfvars",
)  # fmt: skip
_INNER = (".git", ".qagent")
_MAYBE = ("credentials.json", "secrets.yaml", "secrets.toml", "terraform.tfstate")
"""Too much else has such names for every command to be asked about."""

_SHOWS = frozenset({
    "base64", "cat", "cut", "egrep", "fgrep", "grep", "head", "less", "more", "nl", "od", "rg", "sort", "strings",
    "tac", "tail", "xxd",
})  # fmt: skip
"""They put what they are given before the model, so here even a lone `*` counts."""

_SHOW_NAMES = frozenset({"echo", "ls"})


def why_glob(name: str, command: SimpleCommand) -> str | None:
    """Why one of the globs may hit what is never touched unasked; None when none does. `name`: the program."""
    if name in _SHOW_NAMES:
        return None
    known = (*_SECRETS, *_INNER, *(_MAYBE if name in _SHOWS else ()))
    for at in sorted(command.globs):
        parts = [part for part in command.words[at].split("/") if set(part) & set("*?[")]
        wide = [part for part in parts if name in _SHOWS or set(part) - set("*?")]
        if hit := next((sample for part in wide for sample in known if _may_be(part, sample)), None):
            return f"`{command.words[at]}` may become `{hit}`"
    return None


def _may_be(part: str, sample: str) -> bool:
    pattern = re.sub(r"\[.*", "*", part)
    return fnmatchcase(sample, pattern) and (not sample.startswith(".") or pattern.startswith("."))

"""Whether git's settings for a folder are plain: none of them makes git run a program while it only looks.

A repository that came from elsewhere brings its settings along: a filter or a remote named there is run by a plain
`git status`. Environment variables can switch some of that off (`tools/shell.py`) but not what has a name of its own.
So what is plain is listed. In: a folder. Out: yes or no. It reads a file or two and raises nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from qagent.workspace.disk import read_plain

_LARGEST = 100_000

_PLAIN: dict[str, frozenset[str]] = {
    "branch": frozenset({"description", "merge", "rebase", "remote"}),
    "core": frozenset({
        "autocrlf", "bare", "eol", "filemode", "ignorecase", "logallrefupdates", "precomposeunicode",
        "repositoryformatversion", "safecrlf", "symlinks",
    }),
    "pull": frozenset({"ff", "rebase"}),
    "push": frozenset({"autosetupremote", "default"}),
    "remote": frozenset({"fetch", "gh-resolved", "prune", "pushurl", "tagopt", "url"}),
    "user": frozenset({"email", "name", "signingkey"}),
}  # fmt: skip

_HEADER = re.compile(r'\s*\[\s*([\w-]+)(?:\s+"(?:[^"\\]|\\.)*")?\s*\]')
_KEY = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:=|$)")


def plainly_set(root: Path) -> bool:
    """For the repository that the folder lies in; True when there is none."""
    top = next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), None)
    if top is None:
        return True
    if os.path.lexists(top / ".gitmodules"):
        return False  # it decides how far git looks into other repositories
    try:
        return is_plain(read_plain(top / ".git" / "config", _LARGEST, follow=False).decode())
    except (OSError, ValueError):
        return False


def is_plain(settings: str) -> bool:
    """`settings`: the text of git's configuration file. All that is not understood is not plain."""
    known: frozenset[str] = frozenset()
    for line in settings.split("\n"):
        rest = line
        while header := _HEADER.match(rest):
            known = _PLAIN.get(header[1].casefold(), frozenset())
            rest = rest[header.end() :]
        if not rest.strip() or rest.lstrip().startswith(("#", ";")):
            continue
        if (key := _KEY.match(rest)) is None or key[1].casefold() not in known:
            return False
    return len(settings) < _LARGEST

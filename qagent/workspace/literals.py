"""Which plain text every match of a regular expression must contain: a pattern in, the texts out. Pure.

So a file without any of them can be passed over unread, whatever tool looks for plain text. Rather no answer than a
wrong one: it reads only the constructs it knows, and skips over groups.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<unknown>\(\?[aiLmsux\-#] | \\[xuUN0-9])
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<loose>(?:[*?]|\{\d*,?\d*\})[?+]?)
      | (?P<plus>\+[?+]?)
      | (?P<open>\() | (?P<close>\)) | (?P<either>\|)
      | (?P<other>[.^$] | \\[a-zA-Z])
      | (?P<char>\\?.)""",
    re.VERBOSE | re.DOTALL,
)
_SHORTEST = 2
"""A single character is in nearly every file."""


def required(pattern: str) -> tuple[str, ...] | None:
    """Each match of this valid pattern contains one of these texts on one line; None when none can be named."""
    branches: list[list[str]] = [[""]]
    depth = 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        if kind == "unknown":
            return None
        depth += (kind == "open") - (kind == "close")
        if kind == "either" and not depth:
            branches.append([""])
        elif not depth:
            _extend(branches[-1], kind or "", token[0])
    best = [max(runs, key=len) for runs in branches]
    return tuple(best) if all(len(run) >= _SHORTEST and run.isprintable() for run in best) else None


def _extend(runs: list[str], kind: str, token: str) -> None:
    """`runs`: the texts of one branch; the last one is still open."""
    if kind == "char":
        runs[-1] += token.removeprefix("\\") or token
        return
    if kind == "loose":
        runs[-1] = runs[-1][:-1]  # the character before may be missing
    runs.append("")

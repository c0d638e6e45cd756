"""What stays above a definition that is written anew: the lines above the old one and the new code in, lines out.

Decorators stay unless the new code brings some, comments likewise. A comment that speaks to a program or about more
than the definition, as `#!`, `//go:noinline` or a heading, stays in any case. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_COMMENT = re.compile(r"\s*(#(?![\w\[])|#!|//|/\*|\*)")
_DECORATOR = re.compile(r"\s*@")
_DIRECTIVE = re.compile(
    r"""\s*(?:
        \#! | \#.*\bcoding[:=] |
        \#\s*(?:fmt|type|yapf|isort|ruff|mypy|pyright|pylint|pyre(?:-\w+)?|flake8|cython|distutils|pytype|lint)\s*: |
        \#\s*(?:noqa|nosec|pragma|pyre-|%%|In\[) |
        //\s*@ts- | ///\s*< | //\s*@flow | //[a-z]+:\S | //\s*nolint | //export\s | //\s*\+build | //\#
        | //\s*\#?(?:end)?region\b | \#\s*(?:end)?region\b |
        (?://|/\*+)\s*(?:eslint|tslint|jshint|jslint|globals?\s|prettier-|biome-|deno-|oxlint|istanbul|c8\s|v8\s|webpack|@vite
            |@jsx|@flow|@license|@preserve|stylelint|\#__)
    )""",
    re.VERBOSE,
)
_HEADING = re.compile(r".*[-=*#~_─═]{4,}\s*(?:\*/)?\s*$")
_LICENCE = re.compile(r"\bcopyright\b|\blicen[cs]ed?\b|SPDX-", re.IGNORECASE)


def kept_head(head: Sequence[str], code: Sequence[str]) -> list[str]:
    """Of the lines above the old definition: comments, then from the first `@` on decorators."""
    first = next((number for number, line in enumerate(head) if _DECORATOR.match(line)), len(head))
    brought = [line for line in code if line.strip()]
    after_comments = next((line for line in brought if not _COMMENT.match(line)), "")
    comments = list(head[:first])
    if brought and _COMMENT.match(brought[0]):
        comments = _without(_broader(comments), brought)
    return comments if _DECORATOR.match(after_comments) else comments + list(head[first:])


def _broader(comments: Sequence[str]) -> list[str]:
    """Without those that are about the definition alone. What stands above a heading or a licence is not about it."""
    units = _units(comments)
    above = max((number for number, unit in enumerate(units) if _is_broader(unit)), default=-1)
    kept = [unit for number, unit in enumerate(units) if number <= above or _DIRECTIVE.match(unit[0])]
    return [line for unit in kept for line in unit]


def _is_broader(unit: Sequence[str]) -> bool:
    return (len(unit) == 1 and _HEADING.match(unit[0]) is not None) or any(map(_LICENCE.search, unit))


def _units(comments: Sequence[str]) -> list[list[str]]:
    """Line by line, a block comment as one."""
    units: list[list[str]] = []
    inside = False
    for line in comments:
        if inside:
            units[-1].append(line)
        else:
            units.append([line])
        inside = "*/" not in line and (inside or line.lstrip().startswith("/*"))
    return units


def _without(comments: Sequence[str], brought: Sequence[str]) -> list[str]:
    """What the new code says again is not said twice."""
    again = {line.strip() for line in brought}
    return [line for unit in _units(comments) if not _is_said(unit, again) for line in unit]


def _is_said(unit: Sequence[str], again: Collection[str]) -> bool:
    """A blank line inside of a block comment needs no saying."""
    said = [line.strip() for line in unit]
    return said[0] in again and all(not line or line in again for line in said)

"""`qagent doctor`: what works here, what does not, and what mends it. Prints; `findings` does the looking."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from types import MappingProxyType

from qagent.cli.ends import say_json
from qagent.cli.findings import LOOKS, Finding, Level, Patient, examined
from qagent.cli.start import Options, Start, painter, start
from qagent.errors import UsageProblem, UserFacing
from qagent.narration import Line, Tone, harmless

SIGNS: MappingProxyType[Level, tuple[str, Tone]] = MappingProxyType(
    {"green": ("✓", "good"), "yellow": ("!", "note"), "red": ("✗", "bad")}
)
NAME_WIDTH = 9
WIDTH = 110


def doctor(options: Options, *, as_json: bool) -> int:
    """The exit code: 0 when nothing is red, else 3. Raises UsageProblem for what was typed wrongly."""
    found = asyncio.run(examined(Patient(_ready(options), options.cwd, os.environ), LOOKS))
    code = 3 if any(one.level == "red" for one in found) else 0
    if as_json:
        checks = [asdict(one) for one in found]
        say_json({"exit": code, "reason": "not_ready" if code else "done", "checks": checks})
        return code
    paint = painter(sys.stdout)
    for line in page(found, detail=options.verbose):
        print(paint(replace(line, text=_writable(line.text, sys.stdout.encoding))), flush=True)
    return code


def _ready(options: Options) -> Start | UserFacing:
    try:
        return start(replace(options, quiet=True))
    except UsageProblem:
        raise
    except UserFacing as error:
        return error


def page(found: Sequence[Finding], *, detail: bool = False) -> Iterator[Line]:
    for one in found:
        sign, tone = SIGNS[one.level]
        first = f"{sign} {one.name:{NAME_WIDTH}} "
        yield from (Line(text, tone) for text in _wrapped(harmless(one.what), first))
        if detail and one.more:
            yield from (Line(text, "detail") for text in _wrapped(harmless(one.more), " " * len(first)))
        if one.todo:
            yield from (Line(text, "end") for text in _wrapped(harmless(one.todo), f"{' ' * len(first)}→ "))
    yield Line(_verdict(found), "end")


def _wrapped(text: str, first: str) -> list[str]:
    wrap = textwrap.TextWrapper(
        WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_long_words=False, break_on_hyphens=False
    )
    return wrap.wrap(text) or [first.rstrip()]


_PLAIN = str.maketrans({"✓": "+", "✗": "x", "→": ">", "…": "...", "×": "x"})


def _writable(text: str, encoding: str | None) -> str:
    """With plainer signs where the terminal has none of these."""
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return text.translate(_PLAIN)
    return text


def _verdict(found: Sequence[Finding]) -> str:
    red, yellow = (sum(one.level == level for one in found) for level in ("red", "yellow"))
    if red:
        return f"not ready: {red} to mend" + (f", {yellow} to look at" if yellow else "")
    return f"ready, with {yellow} to look at" if yellow else "ready"

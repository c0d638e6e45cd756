"""The lines of files that match a regular expression; a program of its own, that a search starts and can end.

A pattern such as `(a+)+$` can take for ever on one short line, and Python's `re` holds the whole process meanwhile; so
this runs as a child: a request as JSON comes in on standard input, the answer goes out on standard output, and an alarm
ends it whatever it is doing. Others, such as `(a|b)*c`, fill the memory; its own is bounded, and when that is used up
its exit code is TOO_COSTLY. It is started by its path and imports nothing of ours. It never writes.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import re
import resource
import signal
import sys
from pathlib import Path
from typing import TypedDict, cast

TOO_COSTLY = 3


class Request(TypedDict):
    """`files` are relative to `root`, with surrogate escapes. `needs`: texts of which every match contains one, or [].

    At most `shown` lines come back, of `width` characters. `seconds`: when it is ended;
    `memory`: how many bytes it may have.
    """

    root: str
    pattern: str
    needs: list[str]
    files: list[str]
    shown: int
    width: int
    seconds: int
    memory: int


class Line(TypedDict):
    file: str
    number: int
    text: str


class Found(TypedDict):
    """`counts`: how many lines match, for each file that has any, in the order of the request."""

    lines: list[Line]
    counts: dict[str, int]
    binary: int


def search(request: Request) -> Found:
    """A file with a NUL in it is binary and left out; other bytes that are no UTF-8 are searched as odd characters."""
    wanted = re.compile(request["pattern"])
    needs = [need.encode() for need in request["needs"]]
    found = Found(lines=[], counts={}, binary=0)
    for name in request["files"]:
        try:
            data = (Path(request["root"]) / name).read_bytes()
        except OSError:
            continue  # gone since it was listed
        if b"\0" in data:
            found["binary"] += 1
        elif not needs or any(need in data for need in needs):
            _add(found, name, _hits(wanted, data), request)
    return found


def _hits(wanted: re.Pattern[str], data: bytes) -> list[tuple[int, re.Match[str]]]:
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    lines = enumerate(text.removesuffix("\n").split("\n"), start=1) if text else ()
    return [(number, hit) for number, line in lines if (hit := wanted.search(line.removesuffix("\r")))]


def _add(found: Found, name: str, hits: list[tuple[int, re.Match[str]]], request: Request) -> None:
    if hits:
        found["counts"][name] = len(hits)
    for number, hit in hits[: request["shown"] - len(found["lines"])]:
        found["lines"].append(Line(file=name, number=number, text=_clipped(hit, request["width"])))


def _clipped(hit: re.Match[str], width: int) -> str:
    """So much of the line that the match is in sight."""
    line = hit.string
    first = 0 if hit.end() <= width else max(0, min(hit.start() - width // 4, len(line) - width))
    text = ("…" if first else "") + line[first : first + width] + ("…" if first + width < len(line) else "")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def main() -> None:
    request = cast(Request, json.load(sys.stdin))
    signal.alarm(request["seconds"])
    _bound_memory(request["memory"])
    try:
        answer = json.dumps(search(request))
    except MemoryError:
        sys.exit(TOO_COSTLY)
    sys.stdout.write(answer)


def _bound_memory(size: int) -> None:
    """macOS has the limit and does not take it; there only the alarm is left."""
    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (size if most == resource.RLIM_INFINITY else min(size, most), most))


if __name__ == "__main__":
    main()

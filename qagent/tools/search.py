"""search: a regular expression in, the lines that match out, as `path:line: text`, bounded.

Python's `re` alone decides what matches, and `ignore.walk` alone which files are searched. ripgrep, where there is one,
only names the files that contain a text which every match needs, so the answer is the same without it. Lines of files
with a secret's name are never shown. Raises ToolFailed alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import stat
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from qagent.errors import ToolFailed
from qagent.tools.process import started
from qagent.types import ToolOutput
from qagent.workspace import matching
from qagent.workspace.background import in_background
from qagent.workspace.files import LARGEST
from qagent.workspace.ignore import Stop, walk
from qagent.workspace.literals import required
from qagent.workspace.names import shown
from qagent.workspace.place import Workspace
from qagent.workspace.secrets import is_secret

MOST_MATCHES = 60
WIDEST = 200
SECONDS = 20
"""Until a search is ended; no pattern that fits its purpose needs so long."""
MEMORY = 1 << 30
"""Bytes that it may have; the largest file takes a tenth of them."""
LONGEST_PATTERN = 300
"""Patterns are compiled in this process, where a hostile one of a thousand characters takes a second."""

_MOST_COUNTED = 20
_ARGUMENT_BYTES = 100_000
"""Bytes of file names given to ripgrep at a time; the systems' limits are ten times that."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The files to search, relative to the root, and how many were left out unopened."""

    files: list[str]
    secret: int = 0
    large: int = 0
    unreadable: int = 0


async def search(workspace: Workspace, *, pattern: str, path: str | None = None) -> ToolOutput:
    """Without a path all of the workspace; a file that is named is searched even when it is ignored."""
    _check(pattern)
    start = workspace.resolve(path or ".", "read")
    scope = await in_background(lambda stop: _scope(workspace, start, stop))
    found = await find_lines(workspace.root, pattern, scope.files, ripgrep())
    where = "this folder" if start == workspace.root else shown(workspace.relative(start))
    return _output(pattern, where, scope, found)


def _check(pattern: str) -> None:
    if not pattern:
        raise ToolFailed("the pattern is empty; give a regular expression, or read a file with read_file.")
    if len(pattern) > LONGEST_PATTERN:
        raise ToolFailed(f"the pattern has more than {LONGEST_PATTERN} characters; give a shorter one.")
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        plain = re.escape(pattern).replace("\\ ", " ")
        raise ToolFailed(f"not a regular expression: {error}; for plain text write `{plain}`.") from error


def _scope(workspace: Workspace, start: Path, stop: Stop) -> Scope:
    """Links are passed over: what they lead to is found under its own name, or is not the project's."""
    relative = workspace.relative(start)
    names = walk(workspace.root, relative, stop) if start.is_dir() else iter([relative])
    kinds: dict[str, list[str]] = {"files": [], "secret": [], "large": [], "unreadable": [], "no file": []}
    for name in names:
        kinds[_kind(workspace.root / name, name)].append(name)
    return Scope(kinds["files"], len(kinds["secret"]), len(kinds["large"]), len(kinds["unreadable"]))


def _kind(path: Path, name: str) -> str:
    try:
        found = path.lstat()
    except OSError:
        return "no file"
    if not stat.S_ISREG(found.st_mode):
        return "no file"
    if is_secret(name):
        return "secret"
    if found.st_size > LARGEST:
        return "large"
    return "files" if os.access(path, os.R_OK) else "unreadable"


# ------------------------------------------------------------------ searching, in children that can be ended


async def find_lines(root: Path, pattern: str, files: Sequence[str], rg: Path | None) -> matching.Found:
    """What matches, the same with ripgrep and without. ToolFailed when that takes too much time or memory."""
    needs = required(pattern)
    if needs and rg:
        files = await worth_reading(root, needs, files, rg)
    request = matching.Request(
        root=str(root),
        pattern=pattern,
        needs=list(needs or ()),
        files=list(files),
        shown=MOST_MATCHES,
        width=WIDEST,
        seconds=SECONDS,
        memory=MEMORY,
    )
    program = [sys.executable, "-I", "-S", "-W", "ignore", matching.__file__]
    code, out = await _run(program, root, json.dumps(request).encode())
    if code == -signal.SIGALRM:
        raise ToolFailed(f"the search took longer than {SECONDS} s; use a simpler pattern, or give a path.")
    if code == matching.TOO_COSTLY:
        raise ToolFailed("the pattern is too costly; use a simpler one, or give a path.")
    if code:
        raise ToolFailed("the search was ended from outside; try it again.")
    return cast(matching.Found, json.loads(out))


async def worth_reading(root: Path, needs: Sequence[str], files: Sequence[str], rg: Path) -> Sequence[str]:
    """The files that contain one of the texts, or a NUL, as binary files are counted; all if ripgrep cannot tell."""
    options = ["--no-config", "--files-with-matches", "--null", "--text", "--encoding=none", "--no-messages"]
    patterns = ["--regexp=" + re.sub(r"\W", _hex, need) for need in needs]
    named: set[str] = set()
    for batch in _batches(files):
        code, out = await _run([str(rg), *options, *patterns, r"--regexp=(?-u:\x00)", "--", *batch], root)
        if code not in (0, 1):
            return files
        named.update(os.fsdecode(name) for name in out.split(b"\0"))
    return [name for name in files if name in named]


def _hex(char: re.Match[str]) -> str:
    return f"\\x{{{ord(char[0]):x}}}"


def _batches(files: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for name in files:
        batch.append(name)
        size += len(os.fsencode(name)) + 1
        if size > _ARGUMENT_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _run(program: Sequence[str], folder: Path, given: bytes = b"") -> tuple[int, bytes]:
    """Exit code and standard output; whoever stops waiting ends the process too."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    making = asyncio.create_subprocess_exec(
        *program, cwd=folder, stdin=pipe, stdout=pipe, stderr=nothing, start_new_session=True
    )
    process = await started(asyncio.create_task(making))
    try:
        out, _ = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    return process.returncode or 0, out


def ripgrep() -> Path | None:
    """The `rg` on PATH, or the one beside the running Python; never one that a relative entry of PATH leads to."""
    found = shutil.which("rg") or shutil.which("rg", path=str(Path(sys.executable).parent))
    return Path(found) if found and Path(found).is_absolute() else None


# ------------------------------------------------------------------ telling


def _output(pattern: str, where: str, scope: Scope, found: matching.Found) -> ToolOutput:
    rows = [f"{shown(line['file'])}:{line['number']}: {line['text']}" for line in found["lines"]]
    rows += _uncounted(found)
    if not rows:
        rows = [_nothing(pattern, where, len(scope.files))]
    rows += _left_out(scope, found)
    total, files = sum(found["counts"].values()), len(found["counts"])
    said = f"{total} matching line{'' if total == 1 else 's'} in {files} file{'' if files == 1 else 's'}"
    return ToolOutput("\n".join(rows), f"{said} of {where}")


def _uncounted(found: matching.Found) -> list[str]:
    """How many more lines match in which file."""
    rest = dict(found["counts"])
    for line in found["lines"]:
        rest[line["file"]] -= 1
    more = {name: count for name, count in rest.items() if count}
    if not more:
        return []
    rows = [f"  {shown(name)}: {count}" for name, count in list(more.items())[:_MOST_COUNTED]]
    if len(more) > _MOST_COUNTED:
        rows.append(f"  and {len(more) - _MOST_COUNTED} more files")
    return [f"({sum(more.values())} more matching lines; give a path or a narrower pattern to see them)", *rows]


def _nothing(pattern: str, where: str, files: int) -> str:
    if not files:
        return f"{where} has no files to search; .gitignore may leave them out."
    hint = "a pattern matches within one line" if "\n" in pattern or "\\n" in pattern else "try fewer words of it"
    case = "" if pattern.startswith("(?") else ", or begin it with (?i) to ignore capitals"
    return f"no line matches `{shown(pattern)}` in {where}; {hint}{case}."


def _left_out(scope: Scope, found: matching.Found) -> list[str]:
    kinds = (
        (scope.secret, "with a secret's name"),
        (found["binary"], "binary"),
        (scope.large, f"over {LARGEST // 1_000_000} MB"),
        (scope.unreadable, "unreadable"),
    )
    said = ", ".join(f"{count} {kind}" for count, kind in kinds if count)
    return [f"(files left out: {said})"] if said else []

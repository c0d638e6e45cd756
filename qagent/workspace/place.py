"""The project's folder, and the one way in: what the model calls a path becomes a real path inside, or a refusal.

Comes in: a path as written. Goes out: an absolute path without links, inside the root, outside git's own folder. It
knows nothing of permissions, secrets or contents; what is checked here holds in every mode.
"""

from __future__ import annotations

import difflib
import os
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from typing import Literal

from qagent.errors import ToolFailed, UsageProblem
from qagent.workspace.ignore import Stop, walk
from qagent.workspace.names import shown

Purpose = Literal["read", "write"]

_LOOKED_AT = 2_000
"""How many files of the tree are looked at for names that resemble a missing one."""

_WORK = 10_000_000
"""As `ignore.Stop` counts it, for that: a tree with many rules, or one made to be slow, is looked at in part."""

_ALIKE = 120
"""Characters of names that are compared for likeness, which takes the square of them."""

_LONGEST = 1_000
"""Characters of a path; macOS allows 1,024 bytes."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root` is absolute and free of links; use `open`."""

    root: Path

    @classmethod
    def open(cls, path: Path) -> Workspace:
        """Raises UsageProblem when there is no such folder."""
        try:
            root = path.expanduser().resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageProblem(f"there is no folder {shown(str(path))}", todo="give an existing one with -C") from error
        if not root.is_dir():
            raise UsageProblem(f"{shown(str(path))} is not a folder", todo="give the folder of your project with -C")
        return cls(root)

    @property
    def is_git(self) -> bool:
        return any(os.path.lexists(folder / ".git") for folder in (self.root, *self.root.parents))

    def resolve(self, path: str, purpose: Purpose) -> Path:
        """The real path: an existing file or folder to read, or where a file may be written.

        Raises ToolFailed with the plain reason.
        """
        _check_spelling(path)
        real = self._real(path)
        if real is None:
            where = "leads by a link to what is outside" if self._strays(path) else "is outside"
            raise ToolFailed(f"{shown(path)} {where} this folder; use a path inside it, such as src/main.py.")
        if _in_git(PurePath(path)) or _in_git(real.relative_to(self.root)):
            raise ToolFailed(f"{shown(path)} belongs to git's own files; use git commands instead.")
        self._check_kind(path, real, purpose)
        return real

    def relative(self, path: Path) -> str:
        """A path from `resolve`, relative to the root, with slashes; "." for the root."""
        return path.relative_to(self.root).as_posix()

    def touches(self, path: str) -> str | None:
        """Where this path really leads, relative to the root, links followed; None when that is nowhere inside."""
        try:
            _check_spelling(path)
        except ToolFailed:
            return None
        real = self._real(path)
        return None if real is None else self.relative(real)

    def _real(self, path: str) -> Path | None:
        """Also for what does not exist yet: its nearest existing folder decides."""
        try:
            real = (self.root / path).resolve()
        except (OSError, RuntimeError, ValueError):  # a ring of links
            return None
        return real if real.is_relative_to(self.root) else None

    def _strays(self, path: str) -> bool:
        """Whether only a link can be why it leads outside, since its own text stays inside."""
        return Path(os.path.normpath(self.root / path)).is_relative_to(self.root)

    def _check_kind(self, path: str, real: Path, purpose: Purpose) -> None:
        try:
            mode = real.lstat().st_mode
        except FileNotFoundError:
            if purpose == "write":
                return
            raise ToolFailed(f"there is no file {shown(path)}{self._alike(path)}.") from None
        except NotADirectoryError as error:
            raise ToolFailed(f"{shown(path)} cannot exist: a part of it is a file, not a folder.") from error
        except OSError as error:
            raise ToolFailed(f"{shown(path)} cannot be reached: {error.strerror}.") from error
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ToolFailed(f"{shown(path)} is not a plain file (it is a device, a pipe, a socket or a broken link).")

    def _alike(self, path: str) -> str:
        some = islice(walk(self.root, stop=_after(_WORK)), _LOOKED_AT)
        names = nearest(PurePath(os.path.normpath(path)).as_posix(), some)
        return f"; there is {', '.join(map(shown, names))}" if names else "; list_files shows what there is"


def _after(work: int) -> Stop:
    left = work

    def stop(size: int) -> bool:
        nonlocal left
        left -= size
        return left < 0

    return stop


def nearest(path: str, known: Iterable[str]) -> list[str]:
    """At most three of the known paths: first those with the same last name, then those spelled alike."""
    paths = list(known)
    last = path.rpartition("/")[2].lower()
    same = [found for found in paths if found.rpartition("/")[2].lower() == last]
    by_name = {found.rpartition("/")[2].lower(): found for found in reversed(paths)}
    alike = [*_alike(path, paths), *(by_name[name] for name in _alike(last, by_name))]
    return list(dict.fromkeys([*same, *alike]))[:3]


def _alike(name: str, known: Iterable[str]) -> list[str]:
    if len(name) > _ALIKE:
        return []
    return difflib.get_close_matches(name, [other for other in known if len(other) <= _ALIKE], n=3, cutoff=0.75)


def _check_spelling(path: str) -> None:
    if not path.strip():
        raise ToolFailed("the path is empty; give the file's path relative to this folder.")
    if len(path) > _LONGEST:
        raise ToolFailed(f"the path is too long: {shown(path[:80])}…")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in path):
        raise ToolFailed(f"the path {shown(path)} contains control characters; give a plain path.")
    if path.startswith("~"):
        raise ToolFailed(f"{shown(path)} is outside this folder; `~` is not understood here.")


def _in_git(path: PurePath) -> bool:
    """macOS takes `.GIT`, and a name with invisible characters in it, for `.git`."""
    return any(_visible(part).casefold() == ".git" for part in path.parts)


def _visible(name: str) -> str:
    return "".join(char for char in name if unicodedata.category(char) != "Cf")

"""Which files belong to the project: a folder in, the sorted paths of its files out, as `git ls-files` would list them.

Honours every .gitignore from the top of the repository down and .git/info/exclude; not the person's global one, so that
everybody's answer is the same, and not git's index, so a tracked file that a rule ignores is left out too. Hidden files
are listed, symbolic links are listed and never followed, what cannot be read is passed over. It opens no other file.

A folder is foreign, and could be made to keep us busy for ever. So of one file of rules the first MOST_BYTES are read,
of all that hold for a folder the first MOST_RULES count, and whoever walks can end it between any two comparisons.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from qagent.workspace.disk import read_plain
from qagent.workspace.patterns import MOST_RULES, Rule, rules

MOST_BYTES = 1_000_000

Stop: TypeAlias = Callable[[int], bool]
"""Asked before each piece of work whether to end here, with the work's size: 1 for an entry of a folder, the bytes of
some rules (times the path's length in names) for comparisons. So it can count, or see that nobody waits any more."""

_PARSING = 100
"""So many times the work of comparing a byte of a rule is reading it."""

_AT_ONCE = 2_000
"""Bytes of rules between two looks at `Stop`."""


def _never(_: int) -> bool:
    return False


def walk(root: Path, start: str = ".", stop: Stop = _never) -> Iterator[str]:
    """The files at or below `start` (posix, relative to root), in byte order; nothing when `start` itself is ignored.

    Names that are no UTF-8 come with surrogate escapes, as Python's own; show them with `names.shown`.
    """
    top = next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), root)
    above = "" if top == root else root.relative_to(top).as_posix() + "/"
    try:
        for path in _Tree(top, stop).files(above, start):
            yield path[len(above) :]
    except _StoppedError:
        return


class _StoppedError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Level:
    """Rules of one file; `base` is the number of bytes before the part of a path that they see, `size` their own."""

    base: int
    rules: tuple[Rule, ...]
    size: int


_Levels = tuple[_Level, ...]


@dataclass(frozen=True, slots=True)
class _Tree:
    """All paths are relative to `top`; those of folders end with a slash."""

    top: Path
    stop: Stop

    def files(self, above: str, start: str) -> Iterator[str]:
        levels = self._with_rules("", _levels(0, self._rules(_exclude_file(self.top), MOST_RULES)))
        path = ""
        for name in above.split("/")[:-1]:
            path += f"{name}/"
            levels = self._with_rules(path, levels)
        for name in (part for part in start.split("/") if part not in ("", ".")):
            path = _marked(self.top, path + name)
            if name == ".git" or self._ignored(levels, path):
                return
            levels = self._with_rules(path, levels) if path.endswith("/") else levels
        if path and not path.endswith("/"):
            yield from (path for _ in range(_is_listed(_mode(self.top / path))))
        else:
            yield from self._below(path, levels)

    def _below(self, folder: str, levels: _Levels) -> Iterator[str]:
        """A stack of its own instead of recursion: trees can be deeper than Python's."""
        todo = [(path, levels) for path in self._entries(folder, levels)]
        while todo:
            path, outer = todo.pop()
            if path.endswith("/"):
                inner = self._with_rules(path, outer)
                todo += [(entry, inner) for entry in self._entries(path, inner)]
            else:
                yield path

    def _entries(self, folder: str, levels: _Levels) -> list[str]:
        """What is kept of a folder, the last in byte order first; folders end with a slash, and git sorts them so."""
        found: list[str] = []
        try:
            with os.scandir(self.top / folder) as entries:
                for entry in entries:
                    self._work(1)
                    found += [folder + name for name in _listed_name(entry)]
        except OSError:
            pass  # a folder that cannot be read, or is gone: the rest of the tree still counts
        return sorted((path for path in found if not self._ignored(levels, path)), key=os.fsencode, reverse=True)

    def _ignored(self, levels: _Levels, path: str) -> bool:
        """The last rule that matches decides, and files further down decide before those above."""
        name = os.fsencode(path.removesuffix("/"))
        is_folder = path.endswith("/")
        for level in reversed(levels):
            seen = name[level.base :]
            self._work(level.size * (1 + seen.count(b"/")))
            for rule in reversed(level.rules):
                if rule.matches(seen, is_folder):
                    return not rule.keeps
        return False

    def _with_rules(self, folder: str, levels: _Levels) -> _Levels:
        room = MOST_RULES - sum(len(level.rules) for level in levels)
        return (*levels, *_levels(len(os.fsencode(folder)), self._rules(self.top / folder / ".gitignore", room)))

    def _rules(self, path: Path, most: int) -> tuple[Rule, ...]:
        """git does not follow a .gitignore that is a link; neither do we, it could lead anywhere."""
        try:
            data = read_plain(path, MOST_BYTES + 1, follow=False)
        except (OSError, ValueError):
            return ()
        if len(data) > MOST_BYTES:
            data = data[: data.rfind(b"\n", 0, MOST_BYTES) + 1]
        self._work(len(data) * _PARSING)
        return rules(data, most)

    def _work(self, size: int) -> None:
        if self.stop(size):
            raise _StoppedError


def _levels(base: int, found: tuple[Rule, ...]) -> _Levels:
    blocks: list[list[Rule]] = []
    room = 0
    for rule in found:
        if rule.size > room:
            blocks.append([])
            room = _AT_ONCE
        blocks[-1].append(rule)
        room -= rule.size
    return tuple(_Level(base, tuple(block), sum(rule.size for rule in block)) for block in blocks)


# ------------------------------------------------------------------ what is there


def _listed_name(entry: os.DirEntry[str]) -> tuple[str, ...]:
    """() for what is never listed: git's own folder, and what is neither file, link nor folder."""
    if entry.name == ".git":
        return ()
    if entry.is_dir(follow_symlinks=False):
        return (f"{entry.name}/",)
    return (entry.name,) if entry.is_symlink() or entry.is_file(follow_symlinks=False) else ()


def _marked(top: Path, path: str) -> str:
    return f"{path}/" if stat.S_ISDIR(_mode(top / path)) else path


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0


def _is_listed(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _exclude_file(top: Path) -> Path:
    """In a linked work tree `.git` is a file that names git's folder, and that one names the common folder."""
    git = top / ".git"
    try:
        if git.is_file():
            git = top / _line(git).removeprefix("gitdir:").strip()
        git = git / _line(git / "commondir").strip()
    except (OSError, ValueError):
        pass  # a submodule has no common folder, and a broken `.git` has no rules
    return git / "info" / "exclude"


def _line(path: Path) -> str:
    return os.fsdecode(read_plain(path, 10_000))

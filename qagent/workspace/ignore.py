"""Which files belong to the project: a folder in, the sorted paths of its files out, as `git ls-files` would list them.

Honours every .gitignore from the top of the repository down and .git/info/exclude; not the person's global one, so that
everybody's answer is the same, and not git's index, so a tracked file that a rule ignores is left out too. Hidden files
are listed, symbolic links are listed and never followed, what cannot be read is passed over. It opens no other file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qagent.workspace.patterns import Rule, rules


def walk(root: Path, start: str = ".") -> Iterator[str]:
    """The files at or below `start` (posix, relative to root), in byte order; nothing when `start` itself is ignored.

    Names that are no UTF-8 come with surrogate escapes, as Python's own; show them with `names.shown`.
    """
    top = next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), root)
    above = "" if top == root else root.relative_to(top).as_posix() + "/"
    for path in _files(top, above, start):
        yield path[len(above) :]


@dataclass(frozen=True, slots=True)
class _Level:
    """The rules of one file; `base` is the number of bytes before the part of a path that they see."""

    base: int
    rules: tuple[Rule, ...]


_Levels = tuple[_Level, ...]


# ------------------------------------------------------------------ going down; from here paths are relative to `top`


def _files(top: Path, above: str, start: str) -> Iterator[str]:
    levels = _with_rules(top, "", (_Level(0, _rules_at(_exclude_file(top))),))
    path = ""
    for name in above.split("/")[:-1]:
        path += f"{name}/"
        levels = _with_rules(top, path, levels)
    for name in (part for part in start.split("/") if part not in ("", ".")):
        path = _marked(top, path + name)
        if name == ".git" or _ignored(levels, path):
            return
        levels = _with_rules(top, path, levels) if path.endswith("/") else levels
    if path and not path.endswith("/"):
        yield from (path for _ in range(_is_listed(_mode(top / path))))
    else:
        yield from _below(top, path, levels)


def _below(top: Path, folder: str, levels: _Levels) -> Iterator[str]:
    """A stack of its own instead of recursion: trees can be deeper than Python's."""
    todo = [(path, levels) for path in _entries(top, folder, levels)]
    while todo:
        path, outer = todo.pop()
        if path.endswith("/"):
            inner = _with_rules(top, path, outer)
            todo += [(entry, inner) for entry in _entries(top, path, inner)]
        else:
            yield path


def _entries(top: Path, folder: str, levels: _Levels) -> list[str]:
    """What is kept of a folder, the last in byte order first; folders end with a slash, and git sorts them so."""
    found: list[str] = []
    try:
        with os.scandir(top / folder) as entries:
            found += [folder + name for entry in entries if (name := _listed_name(entry))]
    except OSError:
        pass  # a folder that cannot be read, or is gone: the rest of the tree still counts
    return sorted((path for path in found if not _ignored(levels, path)), key=os.fsencode, reverse=True)


def _listed_name(entry: os.DirEntry[str]) -> str:
    """ "" for what is never listed: git's own folder, and what is neither file, link nor folder."""
    if entry.name == ".git":
        return ""
    if entry.is_dir(follow_symlinks=False):
        return f"{entry.name}/"
    return entry.name if entry.is_symlink() or entry.is_file(follow_symlinks=False) else ""


def _marked(top: Path, path: str) -> str:
    return f"{path}/" if stat.S_ISDIR(_mode(top / path)) else path


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0


def _is_listed(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


# ------------------------------------------------------------------ deciding


def _ignored(levels: _Levels, path: str) -> bool:
    """The last rule that matches decides, and files further down decide before those above."""
    name = os.fsencode(path.removesuffix("/"))
    is_folder = path.endswith("/")
    for level in reversed(levels):
        seen = name[level.base :]
        for rule in reversed(level.rules):
            if rule.matches(seen, is_folder):
                return not rule.keeps
    return False


def _with_rules(top: Path, folder: str, levels: _Levels) -> _Levels:
    found = _rules_at(top / folder / ".gitignore")
    return (*levels, _Level(len(os.fsencode(folder)), found)) if found else levels


def _rules_at(path: Path) -> tuple[Rule, ...]:
    """git does not follow a .gitignore that is a link; neither do we, it could lead anywhere."""
    try:
        return rules(path.read_bytes()) if stat.S_ISREG(_mode(path)) else ()
    except OSError:
        return ()


def _exclude_file(top: Path) -> Path:
    """In a linked work tree `.git` is a file that names git's folder, and that one names the common folder."""
    git = top / ".git"
    try:
        if git.is_file():
            git = top / git.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip()
            common = (git / "commondir").read_text(encoding="utf-8", errors="surrogateescape").strip()
            git = git / common
    except (OSError, ValueError):
        pass  # a submodule has no common folder, and a broken `.git` has no rules
    return git / "info" / "exclude"

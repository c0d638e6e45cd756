"""Looks at the disk for what a command's bounds are made of: git's folder, key folders, programs below /tmp.

In: the workspace's root, a scratch folder, the environment, the grants. Out: `Bounds`, with paths that exist now. What
does not exist yet cannot be shut: a script may make a `.git` where there is none, or one in a folder of the project. Of
the workspace's own it is told then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from qagent.sandbox.bounds import TEMPORARY, TMP, Bounds, Grants, inside, outermost

OURS = (".git", ".qagent", "plan.md")
"""In the workspace; what is read as orders later, or run by git."""

_GIT_RUNS = ("hooks", "modules")
_GIT_OBEYS = ("config", "config.worktree")

_GIT_FOLLOWS = ("commondir", "config.worktree")
"""Where these stand, git takes its settings and hooks from elsewhere. No mount can shut what does not exist."""

KEYS = (
    ".aws", ".azure", ".bash_history", ".config/gcloud", ".config/gh", ".docker/config.json", ".git-credentials",
    ".gnupg", ".kube", ".local/share/keyrings", ".mozilla", ".netrc", ".npmrc", ".oci", ".password-store", ".pgpass",
    ".pypirc", ".ssh", ".vault-token", ".zsh_history",
)  # fmt: skip
_XDG = {"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_STATE_HOME": ".local/state"}
_SOCKETS = Path("/proc/net/unix")
"""Where Linux lists the sockets that are open, those with a path too."""
_DOORS = ("/run/docker.sock", "/run/containerd", "/run/podman", "/run/dbus", "/run/user")
"""Sockets behind which other programs do what they are asked."""


def bounds_of(
    root: Path, scratch: Path, env: Mapping[str, str], grants: Grants, writes: tuple[Path, ...] = ()
) -> Bounds:
    """`writes`: more folders that may be written to; those that do not exist are passed over. Raises OSError."""
    git = git_folder(root)
    opened = (git,) if git and grants.git != "no" else ()
    shut = [path for name in OURS if _exists(path := root / name) and not (opened and path == git)]
    if git and opened:
        (git / "hooks").mkdir(exist_ok=True)  # what does not exist cannot be shut
        closed = (*_GIT_RUNS, *_GIT_OBEYS) if grants.git == "work" else _GIT_RUNS[:1]
        shut += [path for name in closed if _exists(path := git / name)]
    more = (path.resolve() for path in writes if path.is_absolute() and path.is_dir())
    writable = (root, scratch, *more, *(path for path in opened if not inside(path, (root,))))
    return Bounds(
        root,
        scratch,
        writable,
        tuple(path.resolve() for path in shut),
        tuple(_hidden(root, env, keys=grants.keys)),
        tuple(outermost(_tools(root, env))),
        grants.network,
        tuple(_unwanted(git, grants)) if git else (),
        tuple(path for name in OURS if grants.git == "no" and not os.path.lexists(path := root / name)),
    )


def _unwanted(git: Path, grants: Grants) -> Iterator[Path]:
    names = {"no": (), "work": _GIT_FOLLOWS, "settings": _GIT_FOLLOWS[:1]}[grants.git]
    yield from (path for name in names if not os.path.lexists(path := git / name))


def remove_planted(bounds: Bounds) -> tuple[str, ...]:
    """The names of the files in git's folder that were not there, must not be there, and were there after all."""
    found = [path for path in bounds.unwanted if path.is_file() or path.is_symlink()]
    for path in found:
        path.unlink(missing_ok=True)
    return tuple(f".git/{path.name}" for path in found)


def planted(bounds: Bounds) -> tuple[str, ...]:
    """The names of what steers git or qagent and was not there before. It stays: somebody else may have made it."""
    return tuple(path.name for path in bounds.missing if os.path.lexists(path))


def git_folder(root: Path) -> Path | None:
    """Where git keeps what belongs to this folder, which may be above it, or elsewhere for a worktree; None without."""
    found = next((path for top in (root, *root.parents) if os.path.lexists(path := top / ".git")), None)
    if found is None:
        return None
    try:
        folder = found.resolve() if found.is_dir() else _named_by(found, "gitdir:")
        common = folder / "commondir"
        folder = _named_by(common) if common.is_file() else folder
        return folder if (folder / "HEAD").is_file() and (folder / "objects").is_dir() else None
    except (OSError, UnicodeError, ValueError):
        return None


def _named_by(file: Path, prefix: str = "") -> Path:
    return (file.parent / file.read_text().strip().removeprefix(prefix).strip()).resolve()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _hidden(root: Path, env: Mapping[str, str], *, keys: bool) -> Iterator[Path]:
    """Not what the workspace lies in; a workspace that is the home folder has its keys hidden all the same."""
    home = Path(env.get("HOME") or "/nowhere")
    candidates = [*map(Path, _DOORS), *_our_folders(home, env)]
    candidates += [] if keys else [home / name for name in KEYS]
    found = [path.resolve() for path in candidates if path.is_absolute() and _exists(path)]
    found += [path for path in _sockets() if _is_in_sight(path, root)]
    yield from outermost(path for path in found if not root.is_relative_to(path))


def _sockets() -> Iterator[Path]:
    """Those behind which programs of this machine answer: a command could have one of them do what it may not do."""
    try:
        listed = os.fsdecode(_SOCKETS.read_bytes()).split("\n")[1:]
    except OSError:
        return
    names = {parts[7] for line in listed if len(parts := line.split(maxsplit=7)) == 8 and parts[7].startswith("/")}
    yield from (path.resolve() for name in names if _exists(path := Path(name)) and path.is_socket())


def _is_in_sight(path: Path, root: Path) -> bool:
    """Of temporary folders only what lies beside the workspace is seen; in the workspace nothing is hidden."""
    if inside(path, (root,)):
        return False
    folder = next((folder for folder in TEMPORARY if inside(path, (folder,))), None)
    if folder is None or inside(folder, (root,)):
        return True
    return root.is_relative_to(folder) and path.relative_to(folder).parts[:1] == root.relative_to(folder).parts[:1]


def _our_folders(home: Path, env: Mapping[str, str]) -> Iterator[Path]:
    if own := env.get("QAGENT_HOME", "").strip():
        yield Path(own)
    for name, usual in _XDG.items():
        given = Path(env.get(name, ""))
        yield (given if given.is_absolute() else home / usual) / "qagent"


def _tools(root: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """Folders of programs below /tmp, where a virtual environment may stand."""
    named = [Path(part) for part in env.get("PATH", "").split(os.pathsep) if part.startswith(f"{TMP}/")]
    for path in named:
        folder = path.parent if path.name == "bin" and path.parent != TMP else path
        if _exists(folder) and not inside(folder.resolve(), (root,)):
            yield folder

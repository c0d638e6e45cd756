"""From the command line's options to a place to work: folder, trust, settings, words. Prints notices on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from qagent.config import Folders, Loaded, folders, load
from qagent.config.layers import checked, from_flags, from_sets
from qagent.config.trust import FOLDER, needs_trust, trust, trusted_files
from qagent.errors import ConfigProblem, SessionProblem, UsageProblem
from qagent.narration import Line, harmless
from qagent.session import Session, find, latest, peek
from qagent.types import Mode
from qagent.wiring import Place
from qagent.words import Words
from qagent.workspace.place import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What every command that works in a repository can be told. None: not given."""

    cwd: Path = Path()
    flags: dict[str, object] = field(default_factory=dict[str, object])
    sets: tuple[str, ...] = ()
    trust: bool = False
    no_input: bool = False
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Which session to go on with: the latest of this folder, one by its id, or none."""

    latest: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    place: Place
    folders: Folders
    origins: Mapping[str, str]
    """Where each setting comes from: "default", a file and its line, a variable, a flag."""

    @property
    def chosen(self) -> frozenset[str]:
        """The settings that somebody has set, anywhere."""
        return frozenset(key for key, origin in self.origins.items() if origin != "default")

    def resumed(self, place: Place, path: Path | None) -> Place:
        """A session goes on with the model that it began with, unless another one is asked for."""
        if path is None or "model" in self.chosen:
            return place
        settings = place.settings.model_copy(update={"model": peek(path).header.model or None})
        return replace(place, settings=settings)

    def in_mode(self, mode: Mode) -> Place:
        settings = self.place.settings.model_copy(update={"mode": mode})
        return replace(self.place, settings=settings)


def say(text: str) -> None:
    """A line for the person, on stderr; that nobody can read it ends nothing."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def notice(text: str) -> None:
    """Something to know; whatever stands in it is shown and not obeyed."""
    say(f"! {harmless(text)}")


def painter(stream: TextIO) -> Callable[[Line], str]:
    """Colours for a terminal that wants them (NO_COLOR, TERM=dumb and FORCE_COLOR are honoured)."""
    wanted = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if wanted or os.environ.get("FORCE_COLOR"):
        return lambda line: line.coloured
    return lambda line: line.text


def start(options: Options, ask: Callable[[str], bool] | None = None) -> Start:
    """`ask` puts a yes-or-no question to the person; None when nobody is there. Raises UserFacing."""
    _check_typed(options)
    workspace = Workspace.open(options.cwd)
    own = folders(os.environ)
    trusted = _trusted(options, workspace.root, own, ask)
    loaded = load(
        flags=options.flags,
        sets=options.sets,
        env=os.environ,
        user_file=own.config_file,
        project_file=workspace.root / FOLDER / "config.toml" if "config.toml" in trusted else None,
        project_data=trusted.get("config.toml"),
    )
    if not options.quiet:
        _tell(loaded, workspace)
    words = Words(own.config, trusted)
    return Start(Place(workspace, loaded.settings, words, state=own.state), own, loaded.origins)


def session_path(ready: Start, resume: Resume) -> Path | None:
    """The file of the session to go on with; None for a new one. Raises SessionProblem."""
    folder = ready.folders.sessions
    if resume.id is not None:
        return find(folder, resume.id)
    if not resume.latest:
        return None
    if path := latest(folder, ready.place.workspace.root):
        return path
    raise SessionProblem(f"there is no session of {ready.place.workspace.root} yet", todo="start one without -c")


def moved(session: Session, place: Place) -> tuple[str, ...]:
    """A notice when a session goes on in another folder than the one its files are in."""
    if session.header.cwd == str(place.workspace.root):
        return ()
    return (f"this session began in {session.header.cwd}; its files are not the ones here",)


def _check_typed(options: Options) -> None:
    """What was typed on the command line and is wrong is wrong usage, not a wrong configuration."""
    try:
        for layer in (from_sets(options.sets), from_flags(options.flags)):
            checked(layer)
    except ConfigProblem as error:
        raise UsageProblem(error.what, todo=error.todo) from error


def _trusted(options: Options, root: Path, own: Folders, ask: Callable[[str], bool] | None) -> Mapping[str, bytes]:
    """A project's `.qagent/` may tighten settings and change prompts: it counts only when the person said so, and only
    as it was then: what is trusted is read once, here."""
    if needs_trust(own.state, root):
        question = f"{root / FOLDER} wants to change how qagent works here. Trust it as it is now?"
        if options.trust or (ask is not None and ask(question)):
            for told in trust(own.state, root):
                notice(told)
        elif not options.quiet:
            notice(f"{root / FOLDER} is not read: you have not trusted it (--trust, after looking at it)")
    return trusted_files(own.state, root) or {}


def _tell(loaded: Loaded, workspace: Workspace) -> None:
    for told in loaded.notices:
        notice(told)
    if not workspace.is_git:
        undo = "`qagent undo` takes back what edits change here, not what commands change"
        what = "a bare git repository, without a work tree" if _is_bare(workspace.root) else "not a git repository"
        notice(f"{workspace.root} is {what}: {undo}")
    elif not os.path.lexists(workspace.root / ".git"):
        notice(f"working in {workspace.root} alone; the rest of the repository above it is out of reach (-C)")


def _is_bare(root: Path) -> bool:
    """Whether the folder lies in a repository that is all there is: git itself tells one by these three."""
    places = (root, *root.parents)
    return any((at / "HEAD").is_file() and (at / "objects").is_dir() and (at / "refs").is_dir() for at in places)

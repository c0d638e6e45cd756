"""From the command line's options to a place to work: folder, trust, settings, words. Prints notices on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from qagent.config import Folders, Loaded, folders, load
from qagent.config.trust import FOLDER, is_trusted, needs_trust, trust
from qagent.narration import coloured
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
class Start:
    place: Place
    folders: Folders
    mode_was_chosen: bool

    def in_mode(self, mode: Mode) -> Place:
        settings = self.place.settings.model_copy(update={"mode": mode})
        return Place(self.place.workspace, settings, self.place.words)


def say(text: str) -> None:
    """A line for the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def painter(stream: TextIO) -> Callable[[str], str]:
    """Colours for a terminal that wants them (NO_COLOR, TERM=dumb and FORCE_COLOR are honoured)."""
    wanted = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return coloured if wanted or os.environ.get("FORCE_COLOR") else str


def start(options: Options, ask: Callable[[str], bool] | None = None) -> Start:
    """`ask` puts a yes-or-no question to the person; None when nobody is there. Raises UserFacing."""
    workspace = Workspace.open(options.cwd)
    own = folders(os.environ)
    trusted = _trusted(options, workspace.root, own, ask)
    loaded = load(
        flags=options.flags,
        sets=options.sets,
        env=os.environ,
        user_file=own.config_file,
        project_file=workspace.root / FOLDER / "config.toml" if trusted else None,
    )
    if not options.quiet:
        _tell(loaded, workspace)
    words = Words(own.config, workspace.root / FOLDER if trusted else None)
    chosen = loaded.origins["mode"] != "default"
    return Start(Place(workspace, loaded.settings, words), own, chosen)


def _trusted(options: Options, root: Path, own: Folders, ask: Callable[[str], bool] | None) -> bool:
    """A project's `.qagent/` may tighten settings and change prompts: it counts only when the person said so."""
    if needs_trust(own.state, root):
        question = f"{root / FOLDER} wants to change how qagent works here. Trust it as it is now?"
        if options.trust or (ask is not None and ask(question)):
            for notice in trust(own.state, root):
                say(f"! {notice}")
        else:
            say(f"! {root / FOLDER} is not read: you have not trusted it (--trust, after looking at it)")
    return is_trusted(own.state, root)


def _tell(loaded: Loaded, workspace: Workspace) -> None:
    for notice in loaded.notices:
        say(f"! {notice}")
    if not workspace.is_git:
        say(f"! {workspace.root} is not a git repository: changes made here cannot be undone with git")

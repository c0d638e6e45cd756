"""Finds the words that the model reads: prompts/*.md and tools/*.toml. It fills places and knows no meaning.

Words are looked for file by file: a prompt in a trusted project's folder, then in the person's own, then among the
shipped ones; a tool never in the project's, since a tool's words carry its risk. Filling is strict: a place without a
value, and a value without a place, are errors.
"""

from __future__ import annotations

import string
import tomllib
from pathlib import Path
from typing import Any, Literal

from qagent.errors import ConfigProblem

Kind = Literal["prompts", "tools"]


def shipped(kind: Kind) -> Path:
    """The folder of shipped words: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    installed = package / "_data" / kind
    return installed if installed.is_dir() else package.parent / kind


class Words:
    """`own`: the person's configuration folder, `project`: a trusted project's `.qagent`; both may lack the folders."""

    def __init__(self, own: Path | None = None, project: Path | None = None) -> None:
        self._own, self._project = own, project

    def _folders(self, kind: Kind) -> list[Path]:
        above = [self._project if kind == "prompts" else None, self._own]
        return [*(folder / kind for folder in above if folder), shipped(kind)]

    def _find(self, kind: Kind, name: str) -> Path:
        for folder in self._folders(kind):
            if (path := folder / name).is_file():
                return path
        known = ", ".join(sorted(path.stem for path in shipped(kind).iterdir()))
        raise ConfigProblem(f"there are no words named {name!r} in {kind}/", todo=f"known: {known}")

    def prompt(self, name: str, /, **places: str) -> str:
        """The prompt `prompts/NAME.md` with its `$places` filled, without the final newline."""
        path = self._find("prompts", f"{name}.md")
        template = string.Template(_text(path).removesuffix("\n"))
        if not template.is_valid():
            raise ConfigProblem(f"{path} has a stray `$`", todo="write `$$` for a dollar sign")
        if wrong := set(template.get_identifiers()) ^ places.keys():
            raise ConfigProblem(f"{path} does not fit its places: {', '.join(sorted(wrong))}")
        return template.substitute(places)

    def tool(self, name: str) -> dict[str, Any]:
        """The words of one tool, as the TOML file has them."""
        path = self._find("tools", f"{name}.toml")
        try:
            return tomllib.loads(_text(path))
        except tomllib.TOMLDecodeError as error:
            raise ConfigProblem(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path} cannot be read: {error}") from error

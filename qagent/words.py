"""Finds the words that the model reads: prompts/*.md and tools/*.toml. It fills places and knows no meaning.

Words are looked for file by file: a prompt among a trusted project's, then in the person's own folder, then among the
shipped ones; a tool never among the project's, since a tool's words carry its risk. A project's come as bytes: those
that were trusted, whatever the disk has by now. Filling is strict: a place without a value, and a value without a
place, are errors; so is a spelling that ends a turn, as these words stand in the prompt unmarked.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from qagent.errors import ConfigProblem

Kind = Literal["prompts", "tools"]

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_CONTROL = re.compile(r"<\|\w+\|>|</?tool_response>")


def shipped(kind: Kind) -> Path:
    """The folder of shipped words: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    installed = package / "_data" / kind
    return installed if installed.is_dir() else package.parent / kind


class Words:
    """`own`: the person's configuration folder; `project`: the files of a trusted project, by names such as
    `prompts/system.md`. Both may lack words."""

    def __init__(self, own: Path | None = None, project: Mapping[str, bytes] = _NOTHING) -> None:
        self._own, self._project = own, project

    def _find(self, kind: Kind, name: str) -> Path:
        for folder in (*([self._own / kind] if self._own else []), shipped(kind)):
            if (path := folder / name).is_file():
                return path
        known = ", ".join(sorted(path.stem for path in shipped(kind).iterdir()))
        raise ConfigProblem(f"there are no words named {name!r} in {kind}/", todo=f"known: {known}")

    def _template(self, name: str) -> tuple[str, str]:
        """A prompt as it is written, and where it stands."""
        if (data := self._project.get(f"prompts/{name}.md")) is not None:
            place = f"the project's prompts/{name}.md"
            return _checked(data, place), place
        path = self._find("prompts", f"{name}.md")
        return _text(path), str(path)

    def prompt(self, name: str, /, **places: str) -> str:
        """The prompt `prompts/NAME.md` with its `$places` filled, without the final newline."""
        text, place = self._template(name)
        template = string.Template(text.removesuffix("\n"))
        if not template.is_valid():
            raise ConfigProblem(f"{place} has a stray `$`", todo="write `$$` for a dollar sign")
        if wrong := set(template.get_identifiers()) ^ places.keys():
            raise ConfigProblem(f"{place} does not fit its places: {', '.join(sorted(wrong))}")
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
        return _checked(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigProblem(f"{path} cannot be read: {error}") from error


def _checked(data: bytes, place: str) -> str:
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigProblem(f"{place} cannot be read: {error}") from error
    if found := _CONTROL.search(text):
        raise ConfigProblem(f"{place} contains `{found[0]}`, which ends a turn of the model's", todo="remove it")
    return text

"""A server's key: it travels in one header, to one host, and stands in no message, no log and no repr.

In: a door and a key as people write it. Out: a door whose clients show the key, texts without it, what to do when it is
refused. The door keeps requests on its host and follows no redirect, so the key cannot be sent elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from qagent.errors import ConfigProblem
from qagent.models.refusal import Told
from qagent.net import Door

if TYPE_CHECKING:
    import httpx

HIDDEN = "[the key]"
SHORTEST_PIECE = 4
"""A key of which a server's message shows less than this, cut off at the message's end, is not betrayed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it was found. text: "" for none. variable: the environment variable that is looked at for it."""

    text: str = field(default="", repr=False)
    variable: str = ""

    @property
    def todo(self) -> str:
        """What to do when the server lets nobody in."""
        if not self.variable:
            return "set the server's key, or ask its operator whether the key is valid for this model"
        if not self.text.strip():
            return f"{self.variable} is empty: export it, or name another variable with `api_key_env`"
        return f"the key in {self.variable} was refused: ask the server's operator whether it is valid for this model"


@dataclass(frozen=True, slots=True)
class KeyedDoor(Door):
    key: str = field(default="", repr=False)

    def client(self, url: str, *, stall_seconds: float) -> httpx.AsyncClient:
        """As `Door.client`."""
        opened = Door.client(self, url, stall_seconds=stall_seconds)  # slots make a class anew, so `super()` fails
        opened.headers["authorization"] = f"Bearer {self.key}"
        return opened


def keyed(door: Door, key: str | None) -> Door:
    """The door with a key; the same door without one. Raises ConfigProblem for what no header can carry."""
    key = (key or "").strip()
    if not key:
        return door
    if not re.fullmatch(r"[!-~]+", key):  # httpx would say so too, and quote it
        raise ConfigProblem(
            "the server's key holds blanks, line ends or letters beyond ASCII, which no header can carry",
            todo="set it again, as the server's operator gave it",
        )
    return KeyedDoor(door.allowed_hosts, key)


def without_key(told: Told, door: Door) -> Told:
    """A refusal in which the key does not stand, not even its beginning where the text was cut off."""
    key = door.key if isinstance(door, KeyedDoor) else ""
    if not key:
        return told
    text = told.text.replace(key, HIDDEN)
    body = text.removesuffix("…")
    for length in range(min(len(key), len(body)), SHORTEST_PIECE - 1, -1):
        if body.endswith(key[:length]):
            return replace(told, text=body[:-length] + HIDDEN)
    return replace(told, text=text)

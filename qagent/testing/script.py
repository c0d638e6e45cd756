"""What a scripted server says: replies, and the ways in which a server fails. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

PIECE_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. pieces: how it is cut, by default every four characters. prompt_tokens: what the server claims to have
    read, by default qagent's own estimate of the prompt. delay_seconds: before each piece."""

    text: str = ""
    pieces: tuple[str, ...] = ()
    reason: Literal["stop", "length"] = "stop"
    prompt_tokens: int | None = None
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure, after the text `after` has been sent.

    status: answers with `status` and `text` as the error, instead of a stream.
    error_line: an error inside the stream that had begun.
    no_done: the stream ends in good order without its last line.
    cut: the connection ends in the middle of the stream.
    rubbish: `text` as the body of a good answer.
    stall: silence until the client goes away. Without `after`, not even headers come.
    hangup: the connection ends before any header.
    """

    kind: Literal["status", "error_line", "no_done", "cut", "rubbish", "stall", "hangup"]
    text: str = ""
    status: int = 500
    after: str = ""


Turn: TypeAlias = str | Reply | Fault


def pieces_of(reply: Reply, stops: tuple[str, ...]) -> tuple[str, ...]:
    """The pieces of a reply up to the first stop string, which is not sent."""
    pieces = reply.pieces or _cut(reply.text)
    text = "".join(pieces)
    found = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not found:
        return pieces
    left, kept = min(found), list[str]()
    for piece in pieces:
        kept.append(piece[:left])
        left = max(0, left - len(piece))
    return tuple(piece for piece in kept if piece)


def _cut(text: str) -> tuple[str, ...]:
    return tuple(text[at : at + PIECE_CHARACTERS] for at in range(0, len(text), PIECE_CHARACTERS))


def stopped(reply: Reply, stops: tuple[str, ...]) -> bool:
    text = "".join(reply.pieces) or reply.text
    return any(stop and stop in text for stop in stops)

"""Cuts scripts into pieces that become tokens, each leading to exactly one next piece.

In: the texts that a scripted model shall say, and its triggers. Out: the pieces of each text, in order; joined they are
the text again. No piece occurs twice, in no script, because a piece alone decides what follows. It knows nothing of
weights.

A server cuts such tokens out of a prompt longest first. So that a reply which comes back in the next prompt is cut as
it was generated (or nothing of it could be cached), no cut is made inside an older piece, and no piece stands earlier
in the scripts than where it was cut. So that triggers are found wherever they stand, no cut is made inside one, and no
piece could cover only a part of one; a piece may hold a whole trigger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tiny_vocab import CONTROL_TOKENS, TEXT_TOKENS

_TURN_START: Final = "<|im_start|>assistant\n"
_CONTROL: Final = re.compile("(" + "|".join(map(re.escape, CONTROL_TOKENS)) + ")")
_ATOM: Final = re.compile("|".join(map(re.escape, TEXT_TOKENS)) + r"|</?\w+>\n?|\w+\s*|[^\w\s<]+\s*|<|\s+")


def cut_scripts(scripts: Sequence[str], triggers: Sequence[str]) -> list[tuple[str, ...]]:
    """ValueError when a script cannot be cut, or a trigger hides another.

    A script that is part of an earlier one is cut all the same, but will not be cached as it was generated.
    """
    _refuse_hidden(triggers)
    cutter = _Cutter(triggers)
    pieces = {script: cutter.cut(script) for script in dict.fromkeys(scripts)}
    return [pieces[script] for script in scripts]


def hides(token: str, trigger: str) -> bool:
    """Is there a text with `trigger` in it of which `token` would cut off a part? Triggers inside words don't count."""
    if len(token.encode()) < len(trigger.encode()) or trigger in token:
        return False
    return any(_overlaps(token, trigger, at) for at in range(1, len(trigger)))


class _Cutter:
    def __init__(self, triggers: Sequence[str]) -> None:
        self._triggers = triggers
        self._taken: dict[str, None] = {}
        self._earlier: list[str] = []

    def cut(self, script: str) -> tuple[str, ...]:
        """A control token is always a piece of its own: as a part of another it would be mere text."""
        pieces: list[str] = []
        for part in filter(None, _CONTROL.split(script)):
            found = self._control(part) if part in CONTROL_TOKENS else self._text(part)
            self._taken |= dict.fromkeys(found)
            self._earlier.append(part)
            pieces += found
        return tuple(pieces)

    def _control(self, token: str) -> list[str]:
        if token == "<|im_end|>":
            raise ValueError("a script ends by itself: <|im_end|> must not stand in it")
        if token in self._taken:
            raise ValueError(f"{token} can stand in the scripts only once: a token leads to one next token")
        return [token]

    def _text(self, text: str) -> list[str]:
        known = any(text in earlier for earlier in self._earlier)
        pieces: list[str] = []
        rest = ""
        for atom in self._atoms(text):
            rest += atom
            if self._acceptable(rest, text, pieces, known):
                pieces.append(rest)
                rest = ""
        while rest and not self._acceptable(rest, text, pieces, known):
            if not pieces:
                raise ValueError(f"{text!r} cannot be cut: too short, too like another, or it could hide a trigger")
            rest = pieces.pop() + rest
        return [*pieces, rest] if rest else pieces

    def _atoms(self, text: str) -> Iterator[str]:
        """The smallest parts that may end a piece."""
        whole = [token for token in (*self._triggers, *TEXT_TOKENS, *self._taken) if token in text]
        start = 0
        for match in _ATOM.finditer(text):
            if not any(_is_inside(text, match.end(), token) for token in whole):
                yield text[start : match.end()]
                start = match.end()

    def _acceptable(self, piece: str, text: str, before: Sequence[str], known: bool) -> bool:
        least = min(3, len(text.strip()))  # shorter ones would chop up the words of every prompt
        fit = len(piece.strip()) >= least and not _TURN_START.endswith(piece)
        return fit and self._is_new(piece, text, before, known) and not self._hides_one(piece)

    def _is_new(self, piece: str, text: str, before: Sequence[str], known: bool) -> bool:
        if piece in self._taken or piece in self._triggers or piece in before:
            return False
        start = len("".join(before))
        if any(_is_inside(text, start + len(piece), own) for own in (*before, piece)):
            return False
        return known or (text.find(piece) == start and not any(piece in earlier for earlier in self._earlier))

    def _hides_one(self, piece: str) -> bool:
        return any(hides(piece, trigger) for trigger in self._triggers)


def _refuse_hidden(triggers: Sequence[str]) -> None:
    for trigger in triggers:
        if len(trigger.strip()) < 2:
            raise ValueError(f"the trigger {trigger!r} is too short to be a token")
        if hider := next((other for other in triggers if hides(other, trigger)), None):
            raise ValueError(f"the trigger {hider!r} could cover a part of the trigger {trigger!r}")


def _is_inside(text: str, position: int, token: str) -> bool:
    reach = len(token) - 1
    return token in text[max(0, position - reach) : position + reach]


def _overlaps(token: str, trigger: str, at: int) -> bool:
    head, tail = trigger[:at], trigger[at:]
    from_left = token.endswith(head) and not _in_word(token[: -len(head)], head)
    from_right = token.startswith(tail) and not _in_word(tail, token[len(tail) :])
    return from_left or from_right


def _in_word(left: str, right: str) -> bool:
    return left[-1:].isalnum() and right[:1].isalnum()

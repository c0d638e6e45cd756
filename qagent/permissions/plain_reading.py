"""The second opinion on a command line: the same words read by a few regular expressions, without any grammar.

It knows quotes, backslashes, separators and redirections, and gives up (None) on everything else. It exists to
disagree: where it and the grammar differ, nobody knows what the shell would do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HOLE = "\ue000"
"""Stands for a substitution, whose command line is read on its own. A private character; a line with one is refused."""

_PIECE = r"""[^\s'"\\;&|<>()$`{}]|\{\}|\\[^\n]|'[^']*'|"(?:[^"\\$`]|\\.)*\""""
_WORD = re.compile(rf"(?!\#)(?:{_PIECE})+", re.DOTALL)
_REDIRECT = re.compile(r"\d*(?:>>|>\||>&-|>&|<&-|<&|>|<(?![<(]))|&>>?")
_SEPARATOR = re.compile(r"\n|;|&&|\|\||\|&|\||\(|\)")
_QUOTED = re.compile(r"""\\(?P<one>.)|'(?P<raw>[^']*)'|"(?P<soft>(?:[^"\\]|\\.)*)\"""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Plain:
    """Words by command, and redirections as (operator, target), each in the order of the text."""

    commands: tuple[tuple[str, ...], ...]
    redirects: tuple[tuple[str, str], ...]


def read_plainly(text: str) -> Plain | None:
    """The line's commands and redirections, or None when it holds more than these few forms."""
    if (tokens := _tokens(text)) is None:
        return None
    commands: list[list[str]] = [[]]
    redirects: list[tuple[str, str]] = []
    for operator, word in tokens:
        if operator and _SEPARATOR.fullmatch(operator):
            commands.append([])
        elif operator:
            redirects.append((operator, word))
        elif word != "!" or commands[-1]:
            commands[-1].append(word)
    return Plain(tuple(tuple(words) for words in commands if words), tuple(redirects))


def _tokens(text: str) -> list[tuple[str, str]] | None:
    """("", word), (separator, "") or (redirection, target)."""
    tokens: list[tuple[str, str]] = []
    at = _skip(text, 0)
    while at < len(text):
        operator = _REDIRECT.match(text, at) or _SEPARATOR.match(text, at)
        redirects = operator is not None and _SEPARATOR.fullmatch(operator[0]) is None
        at = _skip(text, operator.end()) if operator else at
        word = None
        if operator is None or (redirects and not operator[0].endswith("-")):
            if (word := _WORD.match(text, at)) is None:
                return None
            at = _skip(text, word.end())
        tokens.append((operator[0] if operator else "", _unquoted(word[0]) if word else ""))
    return tokens


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _unquoted(word: str) -> str:
    return _QUOTED.sub(_bared, word)


def _bared(quoted: re.Match[str]) -> str:
    if (soft := quoted["soft"]) is not None:
        return re.sub(r'\\([$`"\\])', r"\1", soft)
    return quoted["one"] or quoted["raw"] or ""

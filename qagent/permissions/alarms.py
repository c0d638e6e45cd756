"""What alarms in a text that nobody could take apart: a text in, a reason or None out. Pure.

It looks for words, wherever they stand, and in readings of the text without its quotes and with its own variables
filled in. So it asks too often rather than too rarely, and whoever means to hide something can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from qagent.permissions.command_line import SimpleCommand
from qagent.permissions.globs import why_glob
from qagent.permissions.paths import secret
from qagent.permissions.programs import CONFINED_NAMES, LOOKS, NAMES, PLAIN_WORDS, PUBLISHERS
from qagent.permissions.writers import WRITERS

_RUNNERS = r"\b(?:sh|bash|zsh|python3?|perl|ruby|node|eval|source)\b"
_LONGEST = 10_000


def _words(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(names)))


_DISTINCT = ({*NAMES} | {*CONFINED_NAMES}) - PLAIN_WORDS
_BEGINS = (
    r"(?:^|[\n;&|({`'\"!]|\b(?:then|do|else|if|while|until)\s"
    r"|\b(?:env|nohup|time|timeout|nice|xargs|command|exec|eval|setsid)\b[^;|&\n]{0,200}?\s)\s*(?:\w+=\S*\s+)*"
)
"""Where a command begins, more or less."""
_LOOKING = rf"(?:{_words({verb.partition(' ')[0] for looks, _ in LOOKS.values() for verb in looks})})"

_ALARMS: tuple[tuple[str, str], ...] = (
    (rf"(?<![\w.-])(?:mkfs[.\w]*|{_words(_DISTINCT)})(?![\w.-])", "can do great harm"),
    (rf"{_BEGINS}(?:\S*/)?(?:{_words(PLAIN_WORDS)})(?![\w.-]|\s*[=:,()])", "can do great harm"),
    (rf"{_BEGINS}(?:{_words(LOOKS)})\s+(?:-\S+\s+)*(?!{_LOOKING}\b)\w", "works outside of the sandbox"),
    (r"\b(?:rm|chmod|chown)\s[^;|&\n]*-\w*[rRf]|\b(?:rm|chmod|chown)\s[^;|&\n]*--[rf]", "may destroy files"),
    (
        r"\bgit\b[^;|&\n]*\s(?:push|restore|clean|checkout|send-email|dcommit)\b|--hard\b",
        "may destroy work or publish it",
    ),
    (r"\b(?:rmtree|rmSync|rm_rf|unlink|removedirs)\W{1,4}(?:/(?!tmp\b)|~|\.\.)", "may destroy files outside"),
    (r"\b(?:rmtree|rmSync|rm_rf)\b.{0,40}\b(?:home|expanduser|HOME|homedir)\b", "may destroy the home folder"),
    (r"\b(?:" + "|".join(PUBLISHERS) + r")\b[^;|&\n]*\s(?:publish|push|upload)\b", "publishes"),
    (rf"\b(?:curl|wget)\b.*{_RUNNERS}|{_RUNNERS}.*\b(?:curl|wget)\b", "may run what it downloads"),
    (
        r">[|&]?\s*(?:/(?!dev/null\b|tmp/)|~|(?:[^\s;|&]{0,200}/)?\.\./|\$)",
        "writes to a place that is not known to be in this folder",
    ),
    (r">\s*\S*\.(?:git|qagent)/", "changes what belongs to git or qagent"),
    (
        rf"(?<![\w.-])(?:{'|'.join(sorted(WRITERS))}|sed\s+-\w*i)\s[^;|&\n]{{0,400}}?"
        r"(?<=[\s=])(?:/(?!dev/|tmp\b)|~|(?:[^\s;|&]{0,200}/)?\.\.(?![\w.]))",
        "may write outside this folder",
    ),
    (
        r"\bgit\b[^;|&\n]*\s(?:--global|--system|(?:-C|--git-dir|--work-tree)[\s=]*(?:/|~|\.\.))"
        r"|\bpip3?\s[^;|&\n]*--user\b|\bmv\s[^;|&\n]*\s/tmp\b",
        "may change something outside this folder",
    ),
    (r"\bkill\b.*\s-1\b|:\(\)", "stops other programs"),
    (r"(\w+)\s*\(\)\s*\{[^}]*\b\1\b[^}]*[|&][^}]*\}", "starts itself without an end"),
    (r"[<>]&?\s*/dev/(?:tcp|udp)/", "reaches another machine"),
    (r"(?:^|[\s;&|(])\.\s+<\(", "runs what another command prints"),
    (
        rf"(?<![\w.-])(?:{'|'.join(sorted(WRITERS))})\s[^;|&\n]{{0,400}}?\.(?:git|qagent)(?:/|\b(?!\w))",
        "may change what belongs to git or qagent",
    ),
    (r"\|\s*(?:(?:env|command|exec)\s+)?(?:sh|bash|zsh|dash|ksh|fish)\b", "may run what another command prints"),
    (
        r"\bcurl\b[^;|&\n]{0,400}?\s(?:-[sSLkfi]*[TF]|--upl|--form\b|(?:-[sSLkfi]*d|--(?:data|json)[\w-]*)[\s=]*@)",
        "sends a file to another machine",
    ),
    (r"\bgit\b[^;|&\n]{0,400}?\s(?:-c\s+(?:alias|core)\.|--config-env|--exec-path=)", "may run a program"),
    (r"\bfind\s+(?:/|~|\.\.)[^;|&\n]{0,400}?\s-(?:delete|exec|ok|fls|fprint)", "may change something far away"),
)


def alarm(text: str) -> str | None:
    """For text that could not be parsed: the words alone, wherever they stand."""
    if len(text) > _LONGEST:
        return "a line this long cannot be looked through"
    for reading in dict.fromkeys((text, _bare(text), _bare(_filled_in(text)))):
        if why := _hit(_ALARMS, reading):
            return why
        for word in re.split(r"[\s'\"`$(){};&|<>]+", reading):
            if word and secret(word):
                return f"`{word}` looks like a secret"
            # Alone, `.*` is mostly a regular expression, and `[` a test.
            if word not in (".*", "[", "[[") and (why := why_glob("", SimpleCommand(("", word), frozenset({1})))):
                return why
    return None


_CODE_ALARMS = tuple(row for row in _ALARMS if not row[0].startswith(">"))
"""In most languages `>` redirects nothing."""


def alarm_in_code(code: str) -> str | None:
    """The same for a program in another language: words that it may hand to a shell stand between quotes and commas."""
    if len(code) > _LONGEST:
        return "a program this long cannot be looked through"
    for reading in (code, re.sub(r"""[\s'"\[\](),`]+""", " ", code)):
        if why := _hit(_CODE_ALARMS, reading):
            return why
    words = re.split(r"[\s'\"\[\](),`{};=+]+", code)
    return next((f"`{word}` looks like a secret" for word in words if word and secret(word)), None)


def _hit(rows: tuple[tuple[str, str], ...], text: str) -> str | None:
    for pattern, why in rows:
        if found := re.search(pattern, text, re.DOTALL):
            words = found[0].strip("\n;&|({`'\"! ").split()
            return f"`{words[0] if words else found[0].strip()}` {why}"
    return None


def _bare(text: str) -> str:
    return re.sub(r"""['"\\]""", "", text)


def _filled_in(text: str) -> str:
    """With the values of variables that the text itself sets, and of those that are the home folder."""
    values = {"HOME": "~", **{name: bare for name, value in _SET.findall(text) if (bare := _bare(value))}}
    text = re.sub(r"\$\{\w+:?[-=]([^}$`]*)\}", r"\1", text)
    return re.sub(r"\$\{?(\w+)\}?", lambda m: values.get(m[1], m[0]), text)


_SET = re.compile(r"""(?:^|[\s;&|(])(\w+)=("[^"$`]*"|'[^']*'|(?:\\.|[^\s;&|()"'$`\\])+)""")

"""In which script a text is written, and whether a reply is in another one than the person's. Pure.

Only scripts are told apart, not languages: Chinese in an English conversation is the slip that this family makes
(ollama/ollama#13968), and a guess between two languages of one script would be wrong too often. A lone character is
nothing, and neither are code, paths and names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from qagent.qwen.habits.sentences import without_code

_SCRIPTS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f]"), 1),
    ("cjk", re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"), 3),
    ("hangul", re.compile(r"[\uac00-\ud7af]"), 3),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]"), 1),
    ("greek", re.compile(r"[\u0370-\u03ff]"), 1),
    ("arabic", re.compile(r"[\u0600-\u06ff]"), 1),
    ("hebrew", re.compile(r"[\u0590-\u05ff]"), 1),
    ("devanagari", re.compile(r"[\u0900-\u097f]"), 1),
    ("thai", re.compile(r"[\u0e00-\u0e7f]"), 1),
)
"""Name, letters, and how many Latin letters one of them is about worth."""

_RUN = re.compile(r"[!-~]+")
_NO_WORD = re.compile(r"[/\\_=(){}<>\[\]]|\w\.\w|[A-Z]{2}|[a-z][A-Z]")
"""Paths, file names, abbreviations and identifiers are Latin in every language."""
_SPEAKS_OF_LANGUAGES = re.compile(
    r"\b(?:translat\w+|chinese|mandarin|english|german|french|spanish|russian|japanese|korean|arabic|language|cyrillic"
    r"|übersetz\w*|deutsch|englisch|chinesisch|russisch|unicode|i18n|locale)\b|翻译|英文|英语|中文|德语|俄语|日语|перевед",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"“[^”\n]*”|「[^」\n]*」|『[^』\n]*』|«[^»\n]*»|„[^“\n]*“|\"[^\"\n]*\"|^ {0,3}>.*$", re.MULTILINE)
"""What a file or a person says stands there in its own language."""
_ASKS_FOR_WORDS = re.compile(
    r"\b(?:what (?:does|do|did) .* say|says?|quote|readme|wording|verbatim|contents? of|steht|zitier\w*|inhalt)\b",
    re.IGNORECASE,
)
_ENOUGH = 24
"""Weight of a reply below which nothing is told of it: eight Chinese characters, or four words."""
_ENOUGH_ASKED = 6
_SEEN = 20_000


def is_in_another_script(reply: str, task: str, said: Sequence[str]) -> bool:
    """`task` is what the person asks now, `said` all that the person has said, the task among it."""
    if _SPEAKS_OF_LANGUAGES.search(task):
        return False
    own = _QUOTES.sub(" ", reply[:_SEEN])
    written = _weights(own.partition(":")[0] if _ASKS_FOR_WORDS.search(task) else own)
    script, most = max(written.items(), key=lambda item: item[1], default=("", 0))
    if sum(written.values()) < _ENOUGH or most < 0.6 * sum(written.values()):
        return False
    if script != "latin":
        return all(not _weights(text)[script] for text in said) and sum(_weights(task).values()) >= _ENOUGH_ASKED
    asked = _weights(task)
    foreign = sum(asked.values()) - asked["latin"]
    return foreign >= _ENOUGH_ASKED and foreign >= 0.6 * sum(asked.values())


def _weights(text: str) -> Counter[str]:
    words = _RUN.sub(lambda run: " " if _NO_WORD.search(run[0]) else run[0], without_code(text[:_SEEN]))
    return Counter(
        {name: count * weight for name, letters, weight in _SCRIPTS if (count := len(letters.findall(words)))}
    )

"""Claims in words: that files were changed, which ones, that tests passed. Prose in, what it states as facts out. Pure.

Source: the model says that it has edited or tested when it has not (Qwen 2.5 Coder 7B to 32B, reported for every
harness: anomalyco/opencode#21181, openai/codex#3200).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qagent.qwen.habits.sentences import sentences

_CHANGED = (
    r"(?:fixed|updated|changed|edited|modified|added|created|replaced|corrected|implemented|refactored|removed|renamed"
    r"|deleted|resolved|rewritten|rewrote|made (?:the|this|these|all|a) (?:\w+ )?(?:changes?|edits?|fix|correction))"
)
_ADVERBS = r"(?: now| just| also| already| successfully| gone ahead and)*"
_I_CHANGED = rf"\bI(?:'ve|’ve| have)?{_ADVERBS} {_CHANGED}\b"
_GERMAN = "(?:behoben|geändert|korrigiert|angepasst|hinzugefügt|ersetzt|aktualisiert|erstellt|gelöscht)"
_CHINESE = r"已经?(?:成功)?(?:修复|修改|更新|添加|更正|替换|改正|创建|删除)"
_EDIT = re.compile(
    rf"{_I_CHANGED}"
    rf"|\b(?:has|have){_ADVERBS} been{_ADVERBS} {_CHANGED}\b|\b(?:is|are) now {_CHANGED}\b"
    r"|\b(?:bug|issue|problem|error|test|typo)s? (?:is|are|was|were) (?:fixed|resolved|corrected)\b"
    rf"|\bich habe\b.*\b{_GERMAN}\b|\bwurden?\b.*\b{_GERMAN}\b|{_CHINESE}",
    re.IGNORECASE,
)
_OWN = re.compile(rf"{_I_CHANGED}|\bich habe\b.*\b{_GERMAN}\b|我{_CHINESE}", re.IGNORECASE)
_TEST = re.compile(
    r"\btests?(?: (?:now|all|suite))* (?:are |is )?(?:pass(?:es|ed|ing)?|succeed(?:s|ed|ing)?|green)\b"
    r"|\b(?:they|both) (?:now |all )*pass(?:ed)?\b"
    r"|\btests? (?:laufen(?: jetzt| nun| alle)* durch|sind (?:jetzt |nun |alle )*grün|bestehen)\b"
    r"|测试(?:都|全部|均|已|现在)*通过",
    re.IGNORECASE,
)
_NO_FACT = re.compile(
    r"\b(?:should|would|could|will|if|when|once|until|unless|after|so that|make sure|ensure|please)\b"
    r"|\b(?:no|not|nothing|never)\b|n['’]t\b|如果|没有|尚未|未能",
    re.IGNORECASE,
)

_ENDINGS = (
    "py|pyi|js|jsx|mjs|cjs|ts|tsx|go|rs|java|kt|c|h|cc|cpp|hpp|cs|rb|php|swift|scala|dart|lua|vue|svelte|md|rst|txt|json"
    "|toml|yaml|yml|ini|cfg|html|css|scss|sh|sql|xml|proto|gradle"
)
"""Endings of files: `self.total` and `os.path` look like paths too."""
_PATH = rf"[`*\"']{{0,3}}(?<![\w./-])(?P<path>(?:[\w.-]+/)*[\w-][\w.-]*\.(?:{_ENDINGS}))\b"
_NO_PATH = rf"(?:(?!\w\.(?:{_ENDINGS})\b)[^;,:\n])"
_KIND = (
    r"(?:(?:the|your|a|an|new|existing|test|config|source) )*(?:(?:file|module|script)s? )?(?:(?:at|named|called) )?"
)
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_I_CHANGED} {_KIND}{_PATH}",
        rf"{_I_CHANGED} {_NO_PATH}*?\b(?:in|to|into|inside|within) {_KIND}{_PATH}",
        rf"{_PATH}[`*\"']{{0,3}} (?:(?:has|have){_ADVERBS} been|is now){_ADVERBS} {_CHANGED}\b",
        rf"\bich habe (?:die |eine |neue )*(?:Datei )?{_PATH}[`*\"']{{0,3}} (?:\w+ ){{0,3}}{_GERMAN}\b",
        rf"{_CHINESE}了?(?:文件)? ?{_PATH}",
    )
)
_PRODUCTS = frozenset({"node.js", "vue.js", "next.js", "nuxt.js", "three.js", "d3.js", "express.js", "react.js"})


def claims_edit(prose: str, *, own: bool = False) -> bool:
    """`own`: only what it says to have done itself counts, not what "has been changed" by whomever."""
    return next(_stated(_OWN if own else _EDIT, prose), None) is not None


def claims_test(prose: str) -> bool:
    return next(_stated(_TEST, prose), None) is not None


def claimed_files(prose: str) -> tuple[str, ...]:
    """The files that the prose says were changed, as they are written there, each once."""
    found = (claim["path"] for pattern in _NAMED for claim in _stated(pattern, prose))
    return tuple(dict.fromkeys(path for path in found if path.lower() not in _PRODUCTS))


def is_among(path: str, known: Iterable[str]) -> bool:
    """Whether a file that was named, maybe by its last parts alone, is one of these."""
    named = path.removeprefix("./")
    return any(file == named or file.endswith(f"/{named}") or named.endswith(f"/{file}") for file in known)


def _stated(pattern: re.Pattern[str], prose: str) -> Iterator[re.Match[str]]:
    """Where a sentence states it as a fact. What stands in front can deny or only hope for it; a question asks."""
    for sentence in sentences(prose):
        claim = pattern.search(sentence)
        if claim and not sentence.endswith(("?", "？")) and not _NO_FACT.search(sentence[: claim.start()]):
            yield claim

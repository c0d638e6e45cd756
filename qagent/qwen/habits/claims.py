"""Claims in words: that files were changed, which ones, that tests passed. Prose in, what it states as facts out. Pure.

Source: the model says that it has edited or tested when it has not (Qwen 2.5 Coder 7B to 32B, reported for every
harness: anomalyco/opencode#21181, openai/codex#3200).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from qagent.qwen.habits.sentences import sentences

_CHANGED = (
    r"(?:fixed|updated|changed|edited|modified|added|created|replaced|corrected|implemented|refactored|removed|renamed"
    r"|deleted|resolved|rewritten|rewrote|patched|adjusted|repaired|adapted|applied|reverted|extended|improved"
    r"|made (?:the|this|these|all|a) (?:\w+ )?(?:changes?|edits?|fix|correction))"
)
_ADVERBS = r"(?: now| just| also| already| successfully| gone ahead and| went ahead and)*"
_I_CHANGED = rf"\bI(?:'ve|’ve| have)?{_ADVERBS} {_CHANGED}\b"
_GERMAN = (
    "(?:behoben|geändert|korrigiert|angepasst|hinzugefügt|ersetzt|aktualisiert|erstellt|gelöscht|gefixt|repariert"
    "|gelöst"
    "|entfernt|umbenannt|ergänzt|eingefügt|umgeschrieben|implementiert)"
)
_ICH = r"\b(?:ich hab(?:e)?|hab(?:e)? ich)\b"
_SOMETHING = r"(?:(?!\b(?:nicht|nichts|kein\w*|nie)\b).)*"
"""Between a German verb's two halves, where the negation stands."""
_CHINESE_PART = "(?:修复|修改|更新|添加|更正|替换|改正|创建|删除|改为|改成|修正)"
_CHINESE = rf"已经?(?:成功)?{_CHINESE_PART}"
_CHINESE_OWN = (
    rf"我(?:{_CHINESE}|(?:刚刚|刚才|成功)*(?:已经?)?(?:成功)?{_CHINESE_PART}(?:好)?了"
    rf"|已经?(?:把|将|在)[^，。]{{1,60}}{_CHINESE_PART})"
)
_EDIT = re.compile(
    rf"{_I_CHANGED}"
    rf"|\b(?:has|have){_ADVERBS} been{_ADVERBS} {_CHANGED}\b|\b(?:is|are) now {_CHANGED}\b"
    r"|\b(?:bug|issue|problem|error|test|typo)s? (?:is|are|was|were) (?:fixed|resolved|corrected)\b"
    rf"|{_ICH}{_SOMETHING}\b{_GERMAN}\b|\bwurden?\b{_SOMETHING}\b{_GERMAN}\b|\bist(?: nun| jetzt| damit"
    rf"| hiermit)+ {_GERMAN}\b|{_CHINESE}|{_CHINESE_OWN}",
    re.IGNORECASE,
)
_OWN = re.compile(rf"{_I_CHANGED}|{_ICH}{_SOMETHING}\b{_GERMAN}\b|{_CHINESE_OWN}", re.IGNORECASE)
_BY_OTHERS = re.compile(
    r"\b(?:upstream|ago|yesterday|in v?\d+(?:\.\d+)+|(?:in|since) (?:19|20)\d\d|(?:im|in der) (?:letzten|vorigen)"
    r"|(?:in|by|with|since) (?:the |an? )?(?:last|latest|previous|earlier|recent)?\s?(?:commit|version|release))\b"
    r"|之前|以前|上次|上一|版本",
    re.IGNORECASE,
)
"""What the history of a project tells in the passive is no claim of the model's."""
_TEST = re.compile(
    r"\btests?(?: (?:now|all|suite|cases?|still))* (?:are |is |have |has )?(?:now |all |been )*"
    r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed|ing)?|green)\b|\btests? (?:was|were|have been|has been) (?:run )?successful"
    r"|\b(?:test_\w+|py\.?test|unittest|the suite|the checks?|`[^`\n]*test[^`\n]*`)(?: now| all)* (?:passes"
    r"|passed|succeeds"
    r"|is green|is passing)\b"
    r"|\b(?:all )?[1-9]\d*(?: of \d+| out of \d+|/\d+)?(?: unit)?(?: tests?)?(?: have| are)? pass(?:ed|ing)?\b"
    r"|\b(?:verified|confirmed|checked|validated)\b[^.;]*\bby (?:running|executing) (?:\w+ ){0,3}(?:tests?|suite"
    r"|pytest|unittest)"
    r"|\bno tests? fails?\b|\btests? no longer fails?\b|\b(?:I|we)(?:['’]ve| have)? (?:ran"
    r"|run) (?:\w+ ){0,3}(?:tests?|suite)"
    r"\b[^.;]* (?:successfully|without (?:any )?(?:errors?|failures?))"
    r"|\btests? (?:laufen(?: jetzt| nun| alle)* durch|sind (?:jetzt |nun |alle )*grün|bestehen(?! nicht))\b"
    r"|\btests? (?:wurden?|sind)(?: \w+)? (?:erfolgreich (?:ausgeführt|durchgelaufen|bestanden)|bestanden)\b"
    r"|测试(?:用例)?(?:已经|都|全部|均|已|现在|也)*(?:成功)?通过",
    re.IGNORECASE,
)
_WORKS = re.compile(
    r"\b(?:it|everything) (?:now passes|passes now|now works|works now)(?: as expected| correctly)?(?=\W*$|[.,;!])"
    r"|\b(?:they|both) (?:now |all )*pass(?:ed)?\b",
    re.IGNORECASE,
)
"""Of a build or a checker it says the same as of a test."""
_NO_FAILURE = re.compile(
    r"\b(?:no|none|zero|0|without|never|nothing|nor|neither)\b[^,;]{0,24}?\b(?:fail\w*|errors?)|\bno longer fail\w*"
    r"|\b(?:0|keine?r?) (?:\w+ )?(?:fehlgeschlagen|schl\w+ fehl|fehler)|(?:0|没有)[^，,。]{0,6}失败",
    re.IGNORECASE,
)
_FAILS = re.compile(
    r"\b(?:fails|fail|failing|failures?|(?:still|also) failed)\b|\b[1-9]\d*(?: \w+){0,2} (?:failed|errors?)\b"
    r"|\bfailed(?=:)"
    r"|\b(?:do|does|did|is|are)(?: not|n['’]t) (?:yet )?(?:pass|succeed|green)"
    r"|\bfehlgeschlagen\b|\b(?:schlägt|schlagen)\b.*\bfehl\b|\b(?:besteht|bestehen|läuft|laufen)\b(?: \w+)? nicht\b"
    r"|\bist rot\b|失败|(?:没有|未|没)(?:能)?(?:全部)?通过|不通过",
    re.IGNORECASE,
)
_BUT_NOT = re.compile(
    r"\b(?:except|apart from|other than|but not|save for|besides|not all)\b|\b(?:außer|bis auf|aber nicht)\b|除了"
    r"|除外|以外",
    re.IGNORECASE,
)
_SOME = re.compile(
    r"\b(?:others?|remaining|rest|only|some|most|übrigen|anderen|restlichen|nur)\b|其他|其它|其余|只有|部分",
    re.IGNORECASE,
)
_ALL_NOW = re.compile(r"\b(?:now|all|every\w*|jetzt|nun|alle|alles)\b|现在|全部|所有|都", re.IGNORECASE)
_NO_FACT = re.compile(
    r"\b(?:should|would|could|will|if|when|once|until|unless|after|so that|make sure|ensure|please)\b"
    r"|\b(?:no|not|nothing|never)\b|n['’]t\b|如果|没有|尚未|未能",
    re.IGNORECASE,
)

_ENDINGS = (
    "py|pyi|js|jsx|mjs|cjs|ts|tsx|go|rs|java|kt|c|h|cc|cpp|hpp|cs|rb|php|swift|scala|dart|lua|vue|svelte|md|rst"
    "|txt|json"
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
        rf"\bich habe? (?:die |eine |neue )*(?:Datei )?{_PATH}[`*\"']{{0,3}} (?:\w+ ){{0,3}}{_GERMAN}\b",
        rf"{_CHINESE}了?(?:文件)? ?{_PATH}",
    )
)
_PRODUCTS = frozenset({"node.js", "vue.js", "next.js", "nuxt.js", "three.js", "d3.js", "express.js", "react.js"})


def claims_edit(prose: str, *, own: bool = False) -> bool:
    """`own`: only what it says to have done itself counts, not what "has been changed" by whomever."""
    own_words = any(True for _ in _stated(_OWN, prose))
    return own_words or (not own and any(not _BY_OTHERS.search(claim.string) for claim in _stated(_EDIT, prose)))


def claims_test(prose: str, *, checked: bool = False, red: bool = False) -> bool:
    """That tests pass. checked: a build or a checker was content, of which "it passes now" may speak. red: the last
    test failed, so whoever names a failure tells how it stands."""
    said = sentences(prose)
    patterns = (_TEST,) if checked else (_TEST, _WORKS)
    return any(
        _states(pattern, sentence) is not None and not _owns_up(said, at, red=red)
        for at, sentence in enumerate(said)
        for pattern in patterns
    )


def reports_failure(prose: str) -> bool:
    """It names a test that fails, now."""
    return any(_fails(sentence) for sentence in sentences(prose))


def _owns_up(said: Sequence[str], at: int, *, red: bool) -> bool:
    """Whether a sentence about passing tests, or one behind it, names those that fail. One in front of it may tell what
    has been mended since."""
    claim = said[at]
    if _BUT_NOT.search(claim) or any(_fails(part) for part in said[at:]):
        return True
    partly = _SOME.search(claim) or (red and not _ALL_NOW.search(claim))
    return bool(partly) and any(_fails(part) for part in said[:at])


def _fails(sentence: str) -> bool:
    return _FAILS.search(_NO_FAILURE.sub(" ", sentence)) is not None


def claimed_files(prose: str) -> tuple[str, ...]:
    """The files that the prose says were changed, as they are written there, each once."""
    found = (claim["path"] for pattern in _NAMED for claim in _stated(pattern, prose))
    return tuple(dict.fromkeys(path for path in found if path.lower() not in _PRODUCTS))


def is_among(path: str, known: Iterable[str]) -> bool:
    """Whether a file that was named, maybe by its last parts alone, is one of these."""
    named = path.removeprefix("./")
    return any(file == named or file.endswith(f"/{named}") or named.endswith(f"/{file}") for file in known)


def _stated(pattern: re.Pattern[str], prose: str) -> Iterator[re.Match[str]]:
    return (claim for sentence in sentences(prose) if (claim := _states(pattern, sentence)))


def _states(pattern: re.Pattern[str], sentence: str) -> re.Match[str] | None:
    """Where it states it as a fact. What stands in front can deny or only hope for it; a question asks."""
    claim = pattern.search(sentence)
    if claim and not sentence.endswith(("?", "？")) and not _NO_FACT.search(sentence[: claim.start()]):
        return claim
    return None

"""Short closing words that claim a change or a pass: "Fixed.", "It now passes.", "已修复。" Prose in, whether it does.

What is so short is true or false by what was done alone, so it counts only where a change was asked for and none was
made; that is decided in `table`. A sentence counts as a whole, or when it begins with the deed ("Fixed the loop in
a.py."), and never when it tells what others did, or when the reply says itself that nothing was changed. Pure.

Source: the usual last words of Qwen 2.5 Coder 7B to 32B after an edit that it never sent, or that was refused.
"""

from __future__ import annotations

import re

from qagent.qwen.habits.sentences import sentences

_PART = (
    "fixed|resolved|solved|corrected|repaired|done|complete|completed|finished|updated|changed|modified|edited|applied"
    "|implemented|added|created|removed|deleted|renamed|replaced|refactored|rewritten|adjusted|patched|made"
)
_NOUN = (
    "bugs?|issues?|problems?|errors?|typos?|fix|fixes|changes?|edits?|tasks?|files?|functions?|methods?|class|code|loop"
    "|import|sign|line|logic|condition|module|script|update|correction|implementation|failing test|failure"
)
_CODE = r"(?:[`*\"']{1,3}[^`*\"'\n]{1,80}[`*\"']{1,3}|[\w./-]*[\w-]\.\w{1,6}|[\w./]+\(\))"
_THING = (
    rf"(?:it|this|that|everything|all|all of (?:it|them)|they|(?:(?:the|this|that|these|your|all(?: the)?) )?"
    rf"(?:\w+ )?(?:{_NOUN})(?: (?:in |of |at )?{_CODE})?|{_CODE})"
)
_ALSO = (
    r"(?: (?:now|just|all|successfully|accordingly|correctly|properly|fully|as (?:requested|asked|you asked)|for you"
    r"|too)){0,3}"
)
_PASSES = r"(?:pass|passes|passing|green|succeeds?|works?|working)"
_TESTS = (
    r"(?:it|this|that|everything|all|they"
    r"|(?:(?:the|this|that|all|your|all the) )?(?:\w+ ){0,2}(?:tests?|test suite|suite|code))"
)

_CHANGED = re.compile(
    rf"(?:and |so |now,? |okay,? |ok,? |great[,!]? )?(?:"
    rf"(?:all )?(?:done|fixed|finished|completed?|resolved|solved|corrected|updated|implemented|applied|repaired)"
    rf"(?: (?:it|that|this))?{_ALSO}"
    rf"|{_THING}(?:['’]s| is| are| was| were| has| have){_ALSO}(?: been)?{_ALSO} (?:{_PART}){_ALSO}"
    r"(?: (?:to \w+|so that|so it|and now)\b.{1,120})?"
    rf"|(?:the )?(?:\w+ )?(?:{_NOUN})(?: (?:in |of )?{_CODE})? (?:{_PART}){_ALSO}"
    rf"|(?:I|we)(?:['’]m| am|['’]re| are)? (?:all )?(?:done|finished|fixed (?:it|that|this)){_ALSO}"
    r"|erledigt|fertig|behoben|geändert|korrigiert|repariert|gelöst|(?:alles|ist|jetzt) (?:erledigt|fertig|behoben)"
    r"|(?:der |das |die |dieser |dieses )?(?:fehler|problem|bug|funktion|datei|test|schleife|code)(?: ist| wurde)?"
    r"(?: jetzt| nun| damit| hiermit)*(?: erfolgreich)? (?:behoben|gelöst|korrigiert|repariert|geändert|angepasst)"
    r"|(?:es|das|alles) ist(?: jetzt| nun)* (?:behoben|gelöst|korrigiert|repariert|erledigt|fertig)"
    r"|(?:好的?[，, ]?|现在)?(?:(?:这个|该)?(?:错误|问题|bug|缺陷|任务|代码|文件|函数))?(?:已经?|都|全部|成功)*"
    r"(?:修复|修好|修改|解决|完成|搞定|更正|改好|改正|更新)(?:好|完成|完毕|成功)?了?"
    r")",
    re.IGNORECASE,
)
_PASSED = re.compile(
    rf"(?:and |so )?(?:(?:now )?{_TESTS}(?: (?:is|are|should))?(?: now| all)+(?: be)? {_PASSES}{_ALSO}(?: as expected)?"
    rf"|now {_TESTS}(?: (?:is|are))? {_PASSES}{_ALSO}(?: as expected)?|(?:now )?(?:it|they) pass(?:es)?(?: now)?"
    rf"|(?:now )?{_TESTS}(?: (?:is|are))? {_PASSES} now|(?:now passes|passes now|passes|works now|all green)"
    r"|(?:(?:der |die )?tests? )?(?:läuft|laufen|besteht|bestehen) (?:jetzt|nun)(?: alle)?(?: durch)?"
    r"|(?:es|das|alles) (?:funktioniert|läuft|geht) (?:jetzt|nun)(?: wieder| richtig)?"
    r"|(?:jetzt|nun) (?:läuft|laufen|funktioniert|besteht|geht) (?:es|alles|der test|die tests)(?: durch)?"
    r"|(?:现在)?(?:所有|全部)?(?:测试)?(?:现在|都|全部|已经?)*通过了?|现在(?:可以|能)?(?:正常)?(?:工作|运行)了)",
    re.IGNORECASE,
)
_DEED = re.compile(
    r"(?:(?:successfully|just|also|now|and|have) )?(?:fixed|updated|changed|corrected|replaced|modified|edited|renamed"
    r"|removed|deleted|added|created|implemented|refactored|resolved|rewrote|adjusted|repaired|patched|made)"
    rf" (?:(?:it|this|that|the|a|an|all|both|your|these|two|missing|new|file)\b|{_CODE}"
    r"|\w+ (?:to|with)\b|[^\s\w]\S* (?:to|with|by|from)\s)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"^(?:if|once|when|until|unless|after|as soon as|wenn|falls|sobald|nachdem)\b|^(?:如果|一旦|当)"
    r"|\b(?:already|previously|earlier|formerly|upstream|yesterday|ago|in v?\d+(?:\.\d+)+|(?:in|since) (?:19|20)\d\d"
    r"|(?:in|by|with|since|of) (?:the |an? )?(?:\w+ )?(?:commit|version|release)s?"
    r"|(?:last|next) (?:week|month|year|time)"
    r"|bereits|schon|früher|vorher|zuvor|letzte[nrms]?|damals)\b"
    r"|之前|以前|上次|上一|提交|版本|早就|早已|原本|本来|曾经|过去",
    re.IGNORECASE,
)
"""What others did, or what is so on a condition."""
_DENIES = re.compile(
    r"\bno (?!(?:other|further|more|additional|longer)\b)(?:\w+ )?(?:change|edit|fix|modification|file|update)s?\b"
    r"|\bnothing (?:was|were|has|had|is|needs|need|to)\b|\b(?:did|do|was|were|is|are|has|have|had)(?: not|n['’]t)"
    r"(?: been| yet| actually)* (?:run|test|verif|chang|fix|edit|modif|updat|done|touch|appl|need|necessary|required"
    r"|writ|complet)"
    r"|\bI (?:could|can|was|am)(?:not| not|n['’]t| unable)\b|\b(?:unchanged|by design|as it should)\b"
    r"|\b(?:nichts|keine?) (?:\w+ )?(?:geändert|änderung|zu (?:tun|ändern))|\b(?:nicht nötig|unverändert)\b"
    r"|\bich konnte\b.*\bnicht\b|\bnicht (?:geändert|behoben|möglich)"
    r"|无需|不需要|没有(?:修改|更改|改动|任何|运行|测试)|无法|未(?:修改|更改|能)",
    re.IGNORECASE,
)
_COMMA = re.compile(r"[,;，；]| [-–—] ")
_ORNAMENT = re.compile(r"^(?:\s|[-*•>#✅✔☑🎉👍️]|\d+[.)]\s)+|(?:\s|[*✅✔☑🎉👍️.!。！:：])+$")


def claims_closed(prose: str, *, tested: bool) -> bool:
    """A closing claim that something was changed, or, unless a test has passed (`tested`), that one passes now."""
    said = sentences(prose)
    return not any(_DENIES.search(part) for part in said) and any(_is_claim(part, tested) for part in said)


def _is_claim(sentence: str, tested: bool) -> bool:
    said = _ORNAMENT.sub("", sentence)
    if not said or said.endswith(("?", "？")) or _ELSEWHERE.search(said):
        return False
    return _DEED.match(said) is not None or any(
        _CHANGED.fullmatch(clause) or (not tested and _PASSED.fullmatch(clause)) for clause in _clauses(said)
    )


def _clauses(sentence: str) -> list[str]:
    """The whole sentence, and what its commas part: "Done, the loop ends at n now"."""
    return [sentence, *(clause.strip() for clause in _COMMA.split(sentence))]

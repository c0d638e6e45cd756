"""Words in the place of a call: an announcement, advice, a refusal, a question for leave. Pure.

Each function takes a reply's prose (or its sentences) and says whether it shows that. None of them knows whether a call
was wanted; that is decided in `habits`.

Sources: no-call-answer and false-refusal (hanXen's runs, 7B under a long prompt), "asks for permission again although
told to act" (Qwen2.5 7B, dev.to/kuroko1t), advice instead of an edit (7B to 32B, every harness).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from qagent.qwen.habits.sentences import FENCED, sentences, without_blocks
from qagent.types import Risk

_LOOK = (
    r"(?:re-?)?(?:read|look|check|open|search|list|examine|inspect|view|find|see|review|analy[sz]e|explore|investigate"
    r"|run|execute|test|verify|call)|(?:start|begin) (?:by|with)|take a (?:closer )?look|have a look|use the"
)
_CHANGE = (
    r"update|edit|change|modify|fix|add|create|write|implement|correct|replace|remove|rename|refactor|rewrite"
    r"|apply|adjust"
    r"|make (?!sure)|proceed|go ahead|continue|do (?:that|this|it)\b"
)
_SOON = r"(?: now| first| then| next| also| just| quickly| start by| begin by| need to)*"
_I_WILL = rf"\b(?:I(?:'ll|’ll| will|'m going to|’m going to| am going to| shall| need to)|let me|let['’]s){_SOON} "
_LOOK_PROMISE = re.compile(
    rf"{_I_WILL}(?:{_LOOK})\b"
    r"|\b(?:ich werde|lass mich|ich muss)\b.*\b(?:lesen|ansehen|anschauen|prüfen|öffnen|suchen|ausführen|überprüfen)\b"
    r"|(?:我(?:将|会|现在|先|来|要|需要)|让我)[^，,。]{0,8}(?:读取|查看|检查|看看|看一下|打开|搜索|运行|执行|测试)",
    re.IGNORECASE,
)
_CHANGE_PROMISE = re.compile(
    rf"{_I_WILL}(?:{_CHANGE})(?:\b|(?<=\s))"
    r"|\bich werde\b.*\b(?:ändern|anpassen|korrigieren|beheben|hinzufügen|ersetzen|aktualisieren|erstellen|schreiben)\b"
    r"|我(?:将|会|现在|来|要|需要)[^，,。]{0,8}(?:更新|修改|修复|添加|创建|替换|编辑|删除|重构)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:(?:sure|okay|ok|of course|certainly|all ?right|great|good question|yes|right|thanks|gerne?|klar|natürlich"
    r"|sicher|好的?|当然|没问题)(?: thing)?[\s,.!，。！:：]*)+",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"(?:this|that|it) (?:will|should|would)\b|then I\b|(?:dann|danach) (?:kann|werde) ich\b|(?:das|dies) wird\b"
    r"|然后我",
    re.IGNORECASE,
)
_NEXT = re.compile(r"\b(?:let me|let['’]s|lass mich)\b|让我", re.IGNORECASE)
_ON_CONDITION = re.compile(
    r"\b(?:if you|unless you|once you|when you|after you|as soon as|would|could|whenever|in case)\b"
    r"|\b(?:from now on|next time)\b|\b(?:is|are)(?: not|n['’]t) (?:in|part of|here|there|available|present|among)\b"
    r"|\b(?:does|do)(?: not|n['’]t) exist\b|\b(?:is|are) missing\b|\bist nicht (?:in|im|da|vorhanden)\b|不在|不存在"
    r"|\b(?:wenn|falls|sobald)\b|如果|一旦|\?$|？$",
    re.IGNORECASE,
)

_ADVICE = re.compile(
    rf"\byou (?:should|can|could|need to|have to|must|may want to|might want to|will need to|['’]ll need to)"
    rf"(?: \w+)?? (?:{_CHANGE})"
    r"|\b(?:should|needs? to|must) be (?:changed|replaced|updated|modified|fixed|corrected|removed|renamed)\b"
    r"|\bhere(?:'s|’s| is| are) (?:the|an?|your|how|what)\b.*\b(?:updated|corrected|fixed|modified|revised|refactored"
    r"|rewritten|improved|complete|full|fix|changes?|solution)\b"
    r"|\b(?:du solltest|sie sollten|man sollte|du kannst|sie können)\b.*\b(?:ändern|ersetzen|anpassen|hinzufügen)\b"
    r"|\bhier ist (?:der|die|das)\b.*\b(?:korrigierte|aktualisierte|geänderte|angepasste|verbesserte)"
    r"|(?:你|您)(?:应该|可以|需要)[^。]{0,20}(?:修改|改为|改成|替换|添加|删除|更新)|(?:修改|修正|更新"
    r"|修复)后的(?:代码|版本|函数|文件)",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"(?:[-*•] |\d+[.)] )?(?:(?:simply|just|please|first|then|now|next|so|and|instead|to fix (?:it|this|that)),? )*"
    r"(?:replace|change|update|modify|rename|remove|delete|insert|add|edit|set|swap|move|correct|adjust)"
    r" (?:the|this|that|a|an|your|all|lines?|it|in|to|from|`[^`]+`|\S+ (?:to|with|by)|[^\s\w]\S*)(?=\s)"
    r"|(?:[-*] )?(?:ersetze|ändere|entferne|füge) (?:den|die|das|in|im|ein|eine|einen|zeile|`[^`]+`)(?=\s)"
    r"|请?(?:将|把)[^。]{1,60}(?:改为|改成|替换为|换成)",
    re.IGNORECASE,
)
"""The person is told to do it: "Replace `a` by `b`"."""
_EDIT_MARKS = re.compile(
    r"^<{5,9} ?SEARCH\b|^>{5,9} ?REPLACE\b|^@@ -\d+(?:,\d+)? \+\d|^\*\*\* (?:Begin Patch|Update File:)", re.MULTILINE
)
"""An edit without its call: this family's own blocks, a diff, Codex's patches."""
_DECLINES = re.compile(
    r"\bno (?:\w+ )?(?:change|edit|fix|modification)s? (?:is|are|was|were) (?:needed|necessary|required|made)\b"
    r"|\b(?:nothing (?:to|needs|has to|must)|already|unchanged|by design|cannot|could not|couldn['’]t|can['’]t)\b"
    r"|\bI (?:did|have|could|can)(?: not|n['’]t)\b"
    r"|\b(?:nicht nötig|keine Änderung|bereits)\b|无需|不需要|已经",
    re.IGNORECASE,
)
_NO_CODE = frozenset(
    {"", "bash", "sh", "shell", "zsh", "console", "terminal", "text", "txt", "plaintext", "output", "log", "markdown"}
)
"""Blocks of these languages quote output, or show what to type."""

_CANNOT = (
    r"\bI(?:(?: am|'m|’m) (?:unable|not able) to| can(?:not|'t|’t| not)"
    r"| do(?:n't|n’t| not) (?:currently )?have (?:the |any )?(?:ability|capability|tools|means) to)"
    r"(?: directly| actually| currently)?"
)
_FILES = (
    r"(?:\w+ ){0,5}(?:files?|file ?system|repository|codebase|project|local machine|computer|director(?:y|ies)"
    r"|folders?|disk|code)\b"
)
_REFUSED_LOOK = re.compile(
    rf"{_CANNOT} (?:access|read|open|view|see|browse|inspect)\b {_FILES}"
    rf"|\bI do(?:n't|n’t| not) (?:currently )?have (?:direct |any )*access to {_FILES}"
    r"|\bkeinen (?:direkten )?Zugriff auf\b|无法(?:直接)?(?:访问|读取|查看|打开)",
    re.IGNORECASE,
)
_REFUSED_CHANGE = re.compile(
    rf"{_CANNOT} (?:edit|modify|change|write|create|update)\b {_FILES}|无法(?:直接)?(?:修改|编辑|创建|写入)",
    re.IGNORECASE,
)
_REFUSED_COMMAND = re.compile(
    rf"{_CANNOT} (?:run|execute)\b (?:\w+ ){{0,3}}(?:commands?|tests?|code|scripts?|programs?)\b"
    r"|无法(?:直接)?(?:运行|执行)",
    re.IGNORECASE,
)
_REFUSALS: tuple[tuple[Risk, re.Pattern[str]], ...] = (
    ("read", _REFUSED_LOOK),
    ("write", _REFUSED_CHANGE),
    ("command", _REFUSED_COMMAND),
)

_REASON = re.compile(
    r"[:;]|\b(?:because|since|as (?:it|they|the|there|you)|due to|outside|in this mode|without|until|unless|only"
    r"|but (?!I )|that (?:is|are)|which|not allowed|permission|denied|too (?:large|long|big)|binary"
    r"|not (?:found|exist))\b"
    r"|\b(?:weil|denn|da (?:es|sie|die|der|das)|wegen|außerhalb)\b|因为|由于|不存在|权限|不允许|之外",
    re.IGNORECASE,
)
_SORRY = re.compile(
    r"(?:(?:I['’]?m|I am|we are)? ?(?:very |so )?sorry(?: about that| for (?:that|the \w+))?|(?:my )?apologies"
    r"|I apologi[sz]e(?: for (?:that|the \w+))?|unfortunately|leider|es tut mir leid|tut mir leid|entschuldigung"
    r"|(?:很|非常)?抱歉|对不起|as an? (?:AI|language model)[\w ]*|(?:but|however|aber|但是?))[,.!，。 ]*",
    re.IGNORECASE,
)
_GIVES_UP = re.compile(
    r"(?:I|we) (?:could(?: not|n['’]t)|can(?:not|['’]t| not)|am (?:unable|not able) to|['’]m (?:unable|not able) to"
    r"|was (?:unable|not able) to|were (?:unable|not able) to|did(?: not|n['’]t) (?:manage|succeed)(?: to| in)?"
    r"|failed(?: to)?|have failed(?: to)?) ?"
    r"(?:(?:do|fix|write|change|edit|complete|finish|make|solve|update|create|perform|implement|apply|modify|help"
    r"|assist|access|open|read|proceed|continue|carry out|fulfil?l|accomplish|resolve)(?:ing)?\b(?: [\w./`'’-]+){0,8})?"
    r"|(?:it|this|that) (?:could(?: not|n['’]t)|can(?:not|['’]t| not)) be (?:done|fixed|changed|written|completed)"
    r"|(?:ich )?(?:konnte|kann) (?:ich )?(?:\w+ ){0,5}nicht(?: \w+){0,4}"
    r"|(?:das|es) (?:geht|ging|ist) (?:leider )?nicht(?: möglich)?"
    r"|我(?:无法|不能|没能|没有办法)[^，,。：:]{0,20}|(?:无法|不能)(?:修改|修复|完成|写入|访问|读取)[^，,。：:]{0,16}",
    re.IGNORECASE,
)
_END_SIGNS = " .!。！\t"

_MAY_I = re.compile(
    r"\b(?:shall|should|may|can) I (?:now |also |then )?(?:proceed|go ahead|continue|start|begin|make|apply|update"
    r"|change|fix|edit|do|run|create|write|add|implement|remove)\b.*\?"
    r"|\b(?:would|do) you (?:like|want) me to\b.*\?|\bis (?:that|this) (?:ok|okay|all right|fine)\b.*\?"
    r"|\blet me know if (?:you['’]d like|you would like|you want|I should|I may)\b.*"
    r"\b(?:proceed|go ahead|continue|apply|make)"
    r"|\bplease confirm\b|\b(?:soll ich|möchtest du, dass ich|möchten Sie, dass ich|darf ich)\b.*\?"
    r"|(?:需要我|要我|我可以)[^。]*[?？吗]|是否(?:继续|需要)",
    re.IGNORECASE,
)

_REAL_QUESTION = re.compile(
    r"\b(?:what|which|where|how|who)(?: \w+){0,5} (?:shall|should|may|can) I\b"
    r"|\b(?:was|welche[rsnm]?|wo|wie|wen|wohin|womit)\b.*\b(?:soll|darf|kann) ich\b"
    r"|\bor\b(?! (?:not|no|stop|wait|leave)\b)|\boder\b(?! (?:nicht|lieber nicht|warten)\b)|还是|哪",
    re.IGNORECASE,
)
"""A choice that only the person can make is no leave."""
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*[\w+.-]*\s*")
_SCRAP = re.compile(r"[\s{}\[\]<>\"',:;]*")


def promises_look(parts: Iterable[str]) -> bool:
    """A sentence that announces reading or running something now."""
    return _promises(_LOOK_PROMISE, parts)


def promises_change(parts: Iterable[str]) -> bool:
    return _promises(_CHANGE_PROMISE, parts)


def only_announces(prose: str) -> bool:
    """Nothing but the announcement of a look, with the usual words around it."""
    said = [part for part in sentences(prose) if not _FILLER.fullmatch(part)]
    return any(promises_look([part]) for part in said) and all(
        promises_look([part]) or _FOLLOWS.match(part) for part in said
    )


def is_about_to_look(parts: Iterable[str]) -> bool:
    """A look announced as the very next thing, not as a step of a plan."""
    return promises_look(part for part in parts if _NEXT.search(part))


def _promises(pattern: re.Pattern[str], parts: Iterable[str]) -> bool:
    return any(pattern.search(part) and not _ON_CONDITION.search(part) for part in parts)


def advises(prose: str) -> bool:
    """It tells the person what to change, or shows the code, and does not say that there is nothing to do."""
    said = sentences(prose)
    if any(_DECLINES.search(part) for part in said):
        return False
    return any(_ADVICE.search(part) or _orders(part) for part in said) or shows_code(prose)


def breaks_off(prose: str) -> bool:
    """It ends on a colon: what was announced never came. A stop string takes away an invented result so, without a
    trace of it."""
    return prose.rstrip(" \n*_`").endswith((":", "："))


def _orders(sentence: str) -> bool:
    return _ORDERS.match(sentence) is not None and not sentence.endswith(("?", "？"))


def shows_code(prose: str) -> bool:
    if _EDIT_MARKS.search(prose):
        return True
    blocks = FENCED.finditer(prose)
    return any(block[3].strip() and block[2].strip().lower() not in _NO_CODE for block in blocks)


def refuses(prose: str) -> Risk | None:
    """What it says that it is not able to do at all, by the risk of the tools that do it."""
    said = sentences(prose)
    return next((risk for risk, pattern in _REFUSALS if any(pattern.search(part) for part in said)), None)


def gives_up(prose: str) -> bool:
    """Nothing but a failure or a refusal: no reason, no finding, no question."""
    bare = [_SORRY.sub("", part).strip(_END_SIGNS) for part in sentences(prose)]
    said = [part for part in bare if part]
    return bool(said) and all(_GIVES_UP.fullmatch(part) and not _REASON.search(part) for part in said)


def gives_a_reason(prose: str) -> bool:
    """For what it says that it cannot do."""
    return _REASON.search(without_blocks(prose)) is not None


def asks_leave(prose: str) -> bool:
    """It ends with the question whether it may go on."""
    return any(_MAY_I.search(part) and not _REAL_QUESTION.search(part) for part in sentences(prose)[-2:])


def says_nothing(prose: str) -> bool:
    """Nothing but the openings and closings of fences, or a few brackets: a stop cut it there."""
    return all(_FENCE.fullmatch(line) or _SCRAP.fullmatch(line) for line in prose.splitlines())

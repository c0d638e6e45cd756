"""Words in the place of a call: an announcement, advice, a refusal, a question for leave, a call shown as text. Pure.

Each function takes a reply's prose (or its sentences) and says whether it shows that. None of them knows whether a call
was wanted; that is decided in `habits`.

Sources: no-call-answer and false-refusal (hanXen's runs, 7B under a long prompt), "asks for permission again although
told to act" (Qwen2.5 7B, dev.to/kuroko1t), advice instead of an edit (7B to 32B, every harness).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qagent.qwen.habits.sentences import FENCED, sentences
from qagent.types import Risk, ToolSpec

_LOOK = (
    r"(?:re-?)?(?:read|look|check|open|search|list|examine|inspect|view|find|see|review|analy[sz]e|explore|investigate"
    r"|run|execute|test|verify|call)|(?:start|begin) (?:by|with)|take a (?:closer )?look|have a look|use the"
)
_CHANGE = (
    r"update|edit|change|modify|fix|add|create|write|implement|correct|replace|remove|rename|refactor|rewrite|apply|adjust"
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
_NEXT = re.compile(r"\b(?:let me|let['’]s|lass mich)\b|让我", re.IGNORECASE)
_ON_CONDITION = re.compile(
    r"\b(?:if you|unless you|once you|when you|after you|as soon as|would|could|whenever|in case)\b"
    r"|\b(?:from now on|next time)\b|\b(?:wenn|falls|sobald)\b|如果|一旦|\?$|？$",
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
    r"|(?:你|您)(?:应该|可以|需要)[^。]{0,20}(?:修改|改为|改成|替换|添加|删除|更新)|(?:修改|修正|更新|修复)后的(?:代码|版本|函数|文件)",
    re.IGNORECASE,
)
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
    r"(?:\w+ ){0,3}(?:files?|file ?system|repository|codebase|project|local machine|computer|director(?:y|ies)"
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

_CALL_NAME = re.compile(r'"(?:name|tool|tool_name|function)"\s*:\s*"([^"\n]{1,100})"')
_CALL_ARGUMENTS = re.compile(r'"(?:arguments|parameters|args|params|input)"\s*:')
_NEAR = 400
"""Characters between a call's name and the key of its arguments."""


def promises_look(parts: Iterable[str]) -> bool:
    """A sentence that announces reading or running something now."""
    return _promises(_LOOK_PROMISE, parts)


def promises_change(parts: Iterable[str]) -> bool:
    return _promises(_CHANGE_PROMISE, parts)


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
    return any(_ADVICE.search(part) for part in said) or _shows_code(prose)


def _shows_code(prose: str) -> bool:
    blocks = FENCED.finditer(prose)
    return any(block[3].strip() and block[2].strip().lower() not in _NO_CODE for block in blocks)


def refuses(prose: str) -> Risk | None:
    """What it says that it is not able to do at all, by the risk of the tools that do it."""
    said = sentences(prose)
    return next((risk for risk, pattern in _REFUSALS if any(pattern.search(part) for part in said)), None)


def asks_leave(prose: str) -> bool:
    """It ends with the question whether it may go on."""
    return any(_MAY_I.search(part) for part in sentences(prose)[-2:])


def shows_call(prose: str, tools: Sequence[ToolSpec]) -> bool:
    """JSON with an offered tool's name and arguments, wherever it stands."""
    names = {tool.name for tool in tools}
    for found in _CALL_NAME.finditer(prose):
        around = prose[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        if found[1] in names and _CALL_ARGUMENTS.search(around):
            return True
    return False

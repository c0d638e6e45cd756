"""What the person asks for, told from their words alone: a greeting, something to be told, a change. Pure.

Only what is plain counts: a wrong "no" here costs one nudge that is not given, a wrong "yes" one that annoys. German
and Chinese stand beside English because people write so, and the family's own language is Chinese.
"""

from __future__ import annotations

import re

_GREETING_WORDS = (
    "hi|hiya|hello|hey|howdy|yo|greetings|good (?:morning|afternoon|evening|day|night)|how are you(?: doing)?"
    "|thanks?|thanks a lot|many thanks|thank you|thank you (?:so|very) much|thx|ty|cheers|bye|goodbye|see you"
    "|hallo|guten (?:morgen|tag|abend)|gute nacht|servus|moin|grüß gott|danke|danke (?:schön|sehr)|vielen dank|tschüss"
    "|wie geht es (?:dir|ihnen)|hola|buenos días|gracias|bonjour|salut|merci|ciao|grazie|olá|obrigad[oa]"
    "|привет|здравствуйте|спасибо|你好|您好|嗨|早上好|晚上好|谢谢|多谢|感谢|再见|こんにちは|ありがとう(?:ございます)?|안녕하세요|감사합니다"
)
_FILLERS = "there|again|all|everyone|qagent|qwen|friend|ok|okay|great|nice|perfect|super|you|zusammen|吗|呀|啊|了"
_GREETING = re.compile(rf"(?:(?:{_FILLERS})\s*)*(?:{_GREETING_WORDS})(?:\s*(?:{_GREETING_WORDS}|{_FILLERS}))*")
_LONGEST_GREETING = 60

_ASKS = re.compile(
    r"\s*(?:(?:please|can you|could you|now|and|bitte|请)\s*)*(?:"
    r"(?:how|what|why|where|which|who|whose|explain|describe|summari[sz]e|tell|show|list|review|compare|is|are|does|do"
    r"|did|was|were|has|have|can|could|would|should|was|wie|warum|wieso|wo|welche[rs]?|wer|erklär\w*|beschreib\w*"
    r"|fass\w*|zeig\w*|nenn\w*|liste)\b"
    r"|什么|怎么|怎样|为什么|为何|如何|哪|谁|解释|说明|描述|总结|介绍|告诉|列出)",
    re.IGNORECASE,
)
_CHANGES = (
    "fix|change|update|edit|modify|add|implement|write|create|remove|delete|rename|refactor|replace|make|move|correct"
    "|repair|convert|improve|optimi[sz]e|extend|rewrite|extract|introduce|migrate|upgrade|simplify|set|insert|append"
)
_WANTS = re.compile(
    rf"(?:^|[.!;:,\n]|\b(?:please|and|then|now|also|just|must|should|to))\s*(?:{_CHANGES})\b"
    r"|\b(?:beheb|korrigier|änder|ersetz|erstell|schreib|lösch|entfern|aktualisier|implementier|benenn|verbesser|reparier)"
    r"(?:e|en|t)?\b|\bfüg\w*\b.*\b(?:hinzu|ein)\b"
    r"|修复|修改|更新|添加|增加|创建|删除|重命名|重构|替换|实现|改成|改为|修正|编写",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[^\w\s]|_")
_SEEN = 4_000
"""Characters of a task that are looked at; what is behind them is pasted text."""


def is_greeting(text: str) -> bool:
    """Nothing but a greeting or thanks."""
    if len(text) > _LONGEST_GREETING:
        return False
    return _GREETING.fullmatch(" ".join(_SIGNS.sub(" ", text.lower()).split())) is not None


def is_question(text: str) -> bool:
    """It asks to be told something: nothing has to be changed for the answer."""
    if text.rstrip().endswith(("?", "？")):
        return True
    return _ASKS.match(text) is not None and not wants_change(text)


def wants_change(text: str) -> bool:
    """It tells to change something; what ends in a question mark never does, however it is meant."""
    return not text.rstrip().endswith(("?", "？")) and _WANTS.search(text[:_SEEN]) is not None

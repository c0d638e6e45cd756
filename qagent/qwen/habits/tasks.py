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
    "|привет|здравствуйте|спасибо|你好|您好|嗨|早上好|晚上好|谢谢|多谢|感谢|再见|こんにちは"
    "|ありがとう(?:ございます)?|안녕하세요|감사합니다"
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
    "|resolve|solve|patch"
)
_WANTS = re.compile(
    rf"(?:^|[.!;:,\n]|\b(?:please|and|then|now|also|just|must|should|to))\s*(?:{_CHANGES})\b"
    r"|\b(?:beheb|korrigier|änder|ersetz|erstell|schreib|lösch|entfern|aktualisier|implementier|benenn|verbesser"
    r"|reparier|lös)"
    r"(?:e|en|t)?\b|\bfüg\w*\b.*\b(?:hinzu|ein)\b"
    r"|修复|修改|更新|添加|增加|创建|删除|重命名|重构|替换|实现|改成|改为|修正|修好|解决|编写",
    re.IGNORECASE,
)
_ACTS = (
    f"{_CHANGES}|run|rerun|execute|test|commit|install|format|debug|clean up|set up|tidy up|undo|revert|merge|adapt"
    "|adjust|apply|finish|complete|do (?:it|that|this)|build|deploy|port|split|wire up|get rid of|get"
)
_NICELY = (
    r"(?: (?:please|kindly|now|also|then|just|quickly|maybe|perhaps|possibly|again|go ahead and|help me(?: to)?|help"
    r"|for me))*"
)
_LOOKS_FIRST = r"(?:find|look|check|read|open|review|take a look|have a look|investigate|analy[sz]e|explain|see|go)"
_POLITE = re.compile(
    rf"(?:^|[.!?;:,\n]|\b(?:and|so|hi|hello|hey|please))\s*(?:can|could|would|will|won['’]t|can['’]t) you{_NICELY}"
    rf" (?:(?:{_ACTS})\b(?! (?:any|some)thing\b)"
    rf"|{_LOOKS_FIRST}\b(?:(?!\b(?:how|why|what|whether|if|where|which|to)\b)[^?\n])* (?:and|then)(?: then| also)?"
    rf" (?:{_ACTS})\b)"
    r"|\b(?:would|do) you mind (?:fix|chang|updat|edit|add|implement|writ|creat|remov|delet|renam|refactor|replac"
    r"|mak|mov"
    r"|correct|repair|convert|improv|rewrit|runn)ing\b"
    rf"|^\s*(?:please )?(?:{_CHANGES}) .*(?:, (?:ok(?:ay)?|please|will you|would you|can you|could you)"
    rf"|\bplease)\s*\?\s*$",
    re.IGNORECASE,
)
_POLITE_GERMAN = re.compile(
    r"(?:^|[.!?,;:\n]\s*)(?:bitte )?(?:kannst|könntest|würdest|magst|willst|können|könnten|würden|könntet) (?:du"
    r"|sie|ihr)\b"
    r"(?:(?!\b(?:erklär\w*|sag\w*|zeig\w*|beschreib\w*|wie|warum|wieso|was|wo|welche\w*|ob)\b)[^?\n])*"
    r"\b(?:beheben|fixen|korrigieren|ändern|ersetzen|erstellen|anlegen|schreiben|löschen|entfernen|aktualisieren"
    r"|anpassen"
    r"|implementieren|umbenennen|verbessern|reparieren|lösen|hinzufügen|einfügen|einbauen|umbauen|umschreiben|ergänzen"
    r"|refaktorieren|verschieben|ausführen|laufen lassen|starten|durchführen|committen|installieren)\b",
    re.IGNORECASE,
)
_POLITE_CHINESE = re.compile(
    r"(?:^|[，。！,.!\n\s])(?:请问)?(?:(?:你|您)(?:能不能|可不可以|能否|可否|可以|能|会)|能不能|可不可以|能否|可否"
    r"|(?:可以|能|请)?(?:你|您)?帮(?:我|忙|一下)|麻烦(?:你|您)?)"
    r"(?:(?!怎么|怎样|如何|为什么|为何|什么|哪|解释|说明|告诉|描述|介绍|总结)[^？?。\n])*?"
    r"(?:修复|修改|更新|添加|增加|加上|加一|创建|删除|删掉|重命名|重构|替换|实现|改成|改为|改一下|修正|修好"
    r"|修一下|解决|编写"
    r"|写(?!的)|运行|执行|跑一下|提交)"
)
_ONLY_ACTS = re.compile(
    rf"\byou{_NICELY} (?:run|rerun|execute|test|commit|install|deploy|build|get)\b|\b(?:ausführen|laufen lassen|starten"
    r"|durchführen|committen|installieren)\b|运行|执行|跑一下|提交",
    re.IGNORECASE,
)
"""An order, and yet no change of a file."""
_PLAN_NOUN = (
    "plan|outline|proposal|roadmap|strategy|summary|overview|explanation|description|report|estimate|review|comparison"
    "|commit message|poem|analysis"
)
_PLAN = re.compile(
    r"\s*(?:(?:please|now|first|can you|could you|would you|just|bitte|请)[ ,]*)*(?:"
    r"(?:write|make|create|draft|give|sketch|outline|propose|prepare|come up with|suggest|show|develop)(?: me| us)?"
    rf"(?: (?:a|an|the|your|one))?(?: [\w-]+){{0,3}}? (?:{_PLAN_NOUN})"
    r"(?=\s*(?:$|[.,;:!?]|(?:for|of|on|how|to|that|which|about|with|and|before|first|in)\b))"
    r"|plan (?:the|how|this|that|a|an|to|your|it|for)\b"
    r"|(?:mach|erstell|schreib|entwirf|gib|skizzier|zeig)\w*(?: mir| uns)?(?: bitte)? (?:einen|eine|ein|den|die|das)"
    r" (?:\w+ )?(?:\w*plan|entwurf|zusammenfassung|übersicht|beschreibung|bericht|vorschlag)\b"
    r"|plan(?:e|en)? (?:die|den|das|wie|einen|eine)\b"
    r"|(?:先|帮我|给我)*(?:写|做|制定|给|列|拟|出)(?:出|我|定)?(?:一个|个|一份|份|一下)?[^，。\n]{0,12}(?:计划"
    r"|方案|提纲|总结|概述|报告)"
    r"|(?:先)?规划)",
    re.IGNORECASE,
)
_THEN_DOES = re.compile(
    rf"\b(?:and|then)(?: then| also)? (?:{_CHANGES}|carry|apply|execute|do)\b|\b(?:und|dann)\b.*\b(?:setz|führ"
    rf"|änder)\w*"
    r"|(?:然后|并且?|再)[^，。\n]{0,6}(?:实现|执行|修改|实施)|[\w-]\.[a-z]{1,5}\b|\b(?:file|datei)\b|文件",
    re.IGNORECASE,
)
"""Behind the plan its doing, or a file into which it is to be written."""
_SNIPPET = re.compile(
    r"\s*(?:(?:please|now|can you|could you|would you|bitte|请|帮我)[ ,]*)*(?:"
    r"(?:write|give|show|draft)(?: me| us)?(?: (?:a|an|the|some|one))?(?: [\w+#-]+){0,3}?"
    r" (?:function|method|regex|regexp|query|snippet|expression|one-liner|code|example)\b"
    r"|(?:schreib|gib|zeig)\w*(?: mir)?(?: bitte)? (?:eine?n?|etwas) (?:\w+[ -]){0,2}?"
    r"(?:\w*funktion|methode|regex|abfrage|beispiel|code)\b"
    r"|(?:写|给)(?:我|出)?(?:一个|个|一段|段)?[^，。\n]{0,16}(?:函数|方法|正则|查询|代码|示例|例子))",
    re.IGNORECASE,
)
_IN_THE_PROJECT = re.compile(
    r"[\w-]\.[a-z]{1,5}\b|\b(?:file|module|repo|repository|project|codebase|tests?|package|class|datei|projekt|modul)\b"
    r"|/|`|文件|项目|模块|仓库|测试",
    re.IGNORECASE,
)
_RUNS = re.compile(
    r"(?:^|[.!?;:,\n]|\b(?:please|and|then|now|also|just|you))\s*"
    r"(?:run|rerun|execute|start|launch|test)\b"
    r"|\b(?:führe?|starte?|teste?)\b|\b(?:ausführen|laufen lassen)\b|运行|执行|跑",
    re.IGNORECASE,
)

_ELSEWHERE = re.compile(
    r"\b(?:commit|stage|branch|tag|push|merge|(?:un)?install|venv|virtual ?env\w*|dependenc\w+|packages?|docker\w*"
    r"|database|migrations?|deploy|build|folders?|director(?:y|ies)|permissions?|executable|ordner|verzeichnis\w*"
    r"|installier\w*|committe\w*)\b|提交|分支|安装|目录|文件夹|依赖|权限",
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
    """It asks to be told something: nothing has to be changed or run for the answer."""
    if _asks_to_act(text):
        return False
    return _ends_asking(text) or (_ASKS.match(text) is not None and not wants_change(text))


def _asks_to_act(text: str) -> bool:
    """An order in a question's clothes: "Could you fix it?" """
    seen = text[:_SEEN]
    return any(form.search(seen) for form in (_POLITE, _POLITE_GERMAN, _POLITE_CHINESE)) and not wants_words(text)


def _ends_asking(text: str) -> bool:
    return text.rstrip().endswith(("?", "？"))


def wants_words(text: str) -> bool:
    """A plan, a summary, a text that is read and not run; its steps may well be told as what "I will" do."""
    seen = text[:_SEEN]
    plan = _PLAN.match(seen)
    return plan is not None and _THEN_DOES.search(seen, plan.end()) is None


def wants_snippet(text: str) -> bool:
    """A piece of code of which no place in the project is named: shown in the reply it may be all that is wanted."""
    seen = text[:_SEEN]
    return _SNIPPET.match(seen) is not None and _IN_THE_PROJECT.search(seen) is None


def wants_run(text: str) -> bool:
    return not is_question(text) and _RUNS.search(text[:_SEEN]) is not None


def is_beside_files(text: str) -> bool:
    """What it asks for may be done without a file of the work tree that is newer: a commit, a folder, a package."""
    return _ELSEWHERE.search(text[:_SEEN]) is not None


def wants_change(text: str) -> bool:
    """It tells to change something; what ends in a question mark does so only in the form of a request."""
    if wants_words(text):
        return False
    seen = text[:_SEEN]
    if _asks_to_act(text) and (_ONLY_ACTS.search(seen) is None or _WANTS.search(seen)):
        return True
    return not _ends_asking(text) and _WANTS.search(seen) is not None

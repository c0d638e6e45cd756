"""A reply whose JSON names a tool that nobody offers: `{"name": "find_bug", "arguments": {…}}`. Pure.

Where tags or a fence around an offered name leave no doubt, the reader says so; bare JSON with a foreign name may be an
answer, so it stays prose there. Here it is known what was asked: in a task that has nothing to do with such JSON the
model means a call, and has to hear that there is no such tool.

Source: Qwen 2.5 Coder 1.5B to 14B; one such loop ran 170 rounds (anomalyco/opencode#6223).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from qagent.qwen import calls
from qagent.qwen.calls import aliases, beside, envelopes
from qagent.qwen.habits import tasks
from qagent.qwen.habits.sentences import FENCED
from qagent.qwen.json_text import Unfit, decode
from qagent.types import BadCall, ToolSpec

_LONGEST = 200_000
_INFO = frozenset({"", "json", "jsonc", "json5", "tool", "tool_call", "tools"})
_NAME = re.compile(r"[A-Za-z_][\w.:/-]{0,99}")
_KEYS = frozenset((*beside.NAME_KEYS, *beside.ARGUMENT_KEYS, *beside.BESIDE, "index"))
_OBJECT = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)
_ASKED_FOR = re.compile(
    r"\b(?:write|give|create|make|show|generate|print|output|return|answer|reply|respond|convert|schreib\w*|zeig\w*"
    r"|gib)\b"
    r"[^.\n]*(?:\bjson\b|(?:tool|function)[ _-]?call|payload|request|beispiel|example)"
    r"|(?:写|给出|输出|返回|生成)[^。\n]*(?:json|示例|例子)",
    re.IGNORECASE,
)
_ASKED_ABOUT = re.compile(
    r"json|call|payload|request|schema|format|example|beispiel|aufruf|示例|例子|调用", re.IGNORECASE
)


def invented_call(prose: str, task: str, tools: Sequence[ToolSpec]) -> BadCall | None:
    """The call of a reply that has none which could be read; `why` says that there is no such tool.

    The JSON is the whole reply, bare or in one fence; in an order words may stand in front of it. None when it is an
    answer: the name is offered, the task speaks of such JSON, or it holds more than a call does.
    """
    asks = tasks.is_question(task)
    if not tools or len(prose) > _LONGEST or (_ASKED_ABOUT if asks else _ASKED_FOR).search(task[:_LONGEST]):
        return None
    text = _json_of(prose.strip(), whole=asks)
    try:
        record = _record(decode(text)) if text else None
        return _refused(text, record, tools) if record else None
    except Unfit:
        return None


def _json_of(prose: str, *, whole: bool) -> str:
    """The JSON that ends the reply; with `whole` only when nothing stands in front."""
    fences = list(FENCED.finditer(prose))
    if len(fences) == 1 and not prose[fences[0].end() :].strip() and fences[0][2].strip().lower() in _INFO:
        return "" if whole and prose[: fences[0].start()].strip() else fences[0][3].strip()
    begin = _OBJECT.search(prose)
    if fences or begin is None or (whole and begin.start()):
        return ""
    return prose[begin.end() :]


def _record(value: object) -> dict[str, Any] | None:
    """The object that holds name and arguments; of several the first."""
    if listed := envelopes.items(value):
        value = listed.values[0] if listed.values else None
    record = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    inner = [record[key] for key in envelopes.INNER_KEYS if isinstance(record.get(key), dict)]
    if len(inner) == 1 and record.keys() <= _KEYS | set(envelopes.INNER_KEYS):
        record = cast(dict[str, Any], inner[0])
    given = [record[key] for key in beside.ARGUMENT_KEYS if key in record]
    return record if len(given) == 1 and isinstance(given[0], (dict, str)) and record.keys() <= _KEYS else None


def _refused(text: str, record: dict[str, Any], tools: Sequence[ToolSpec]) -> BadCall | None:
    """Raises Unfit when the record is no call at all: a definition, a result."""
    meant = envelopes.meant(record, tools)
    if not _NAME.fullmatch(meant.name) or aliases.spelled(meant.name, tools):
        return None
    try:
        calls.fit(meant, None, tools, "bare")
    except Unfit as reason:
        return BadCall("", text, str(reason), meant.name)
    return None

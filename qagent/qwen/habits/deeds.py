"""What was really done: a fold over the messages since the person last told to do something. Pure.

A question does not start anew: it asks about what was done before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from qagent.qwen.habits import tasks
from qagent.qwen.habits.loops import only_looks
from qagent.qwen.habits.proofs import Proof, is_thrown_away, proof, shows_green
from qagent.types import AssistantMessage, Message, Risk, ToolCall, ToolResult, UserMessage


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the tool log of a task bears out.

    calls: how many were run, well or not. edits: changes that were made. changed: the files, relative to the workspace.
    commands: how many were run. tested: since the last change a test, or a program of the project, has ended well;
    checked: a build, a linter or the like has. red: the last command that can prove anything has ended badly.
    refused: how many calls a rule or the person did not allow. acted: commands that ended well and did more than look
    or test: what they changed may stand where the work tree does not show it, as a commit does. tried: the risks of the
    calls that were run; well: of those that ended well.
    """

    calls: int = 0
    edits: int = 0
    changed: frozenset[str] = frozenset()
    commands: int = 0
    tested: bool = False
    checked: bool = False
    red: bool = False
    refused: int = 0
    acted: int = 0
    tried: frozenset[Risk] = frozenset()
    well: frozenset[Risk] = frozenset()


def deeds(messages: Iterable[Message], risks: Mapping[str, Risk]) -> Deeds:
    """`risks`: the offered tools' by name."""
    calls: dict[str, ToolCall] = {}
    done, told, shown = Deeds(), list[str](), list[str]()
    for message in messages:
        match message:
            case UserMessage(text, origin="user"):
                told.append(text)
                done = done if tasks.is_question(text) else Deeds()
            case AssistantMessage():
                calls |= {call.id: call for call in message.calls if isinstance(call, ToolCall)}
            case ToolResult(call_id) if call := calls.get(call_id):
                done = _after(done, _Step(call, message, risks.get(call.name, "read"), told, shown))
                shown.append(message.text)
            case _:
                pass
    return done


@dataclass(frozen=True, slots=True)
class _Step:
    """A call and its result, and what stood above them: told by the person, shown by the tools."""

    call: ToolCall
    result: ToolResult
    risk: Risk
    told: Sequence[str]
    shown: Sequence[str]

    @property
    def well(self) -> bool:
        return self.result.ok and self.result.good

    @property
    def line(self) -> str:
        return str(self.call.arguments.get("command", ""))


def _after(done: Deeds, step: _Step) -> Deeds:
    result, risk = step.result, step.risk
    if result.fate != "run":
        return replace(done, refused=done.refused + (result.fate == "refused"))
    well = done.well | {risk} if step.well else done.well
    done = replace(done, calls=done.calls + 1, tried=done.tried | {risk}, well=well)
    if risk == "command":
        return _after_command(done, step)
    return _changed(done, result.changed) if result.ok and result.changed else done


def _changed(done: Deeds, files: Iterable[str]) -> Deeds:
    return replace(done, edits=done.edits + 1, changed=done.changed.union(files), tested=False, checked=False)


def _after_command(done: Deeds, step: _Step) -> Deeds:
    line = step.line
    done = replace(done, commands=done.commands + 1, acted=done.acted + (step.well and _acts(line)))
    if step.well and _moved(step):
        return _changed(done, re.split(r"[\s'\"]+", line))  # which of them are files, nobody asks
    if shown := proof(line, step.told):
        return _proven(done, step, shown)
    return replace(done, tested=False, checked=False) if _WRITES.search(line) else done


def _proven(done: Deeds, step: _Step, shown: Proof) -> Deeds:
    """Where another command has the last word, only the output can speak for the first."""
    checks = shown.kind == "check"
    known = done.checked if checks else done.tested  # a result that was seen before is not said again at length
    good = step.well and (not shown.masked or known or shows_green(step.result.text))
    if checks:
        return replace(done, checked=good, red=not step.well)
    return replace(done, tested=good, red=not step.well)


def _moved(step: _Step) -> bool:
    """`rm -f` ends well on a file that was never there, and so does anything with `; true` behind it."""
    found = _MOVES.search(step.line)
    if found is None or _MOVED_NOTHING.search(step.result.text):
        return False
    rest = step.line[found.end() :]
    if _SEVERAL.search(rest) and is_thrown_away(rest):
        return False
    forced = re.match(r"rm\s+-\w*f|rm\s.*--force", found["move"] + rest)
    return forced is None or _is_known(rest, step)


def _is_known(words: str, step: _Step) -> bool:
    """Whether a file of these was heard of before."""
    names = (re.sub(r"^\W+|\W+$", "", word.rpartition("/")[2] or word) for word in words.split())
    heard = (*step.told, *step.shown)
    return any(len(name) > 1 and any(name in text for text in heard) for name in names)


def _acts(line: str) -> bool:
    """More than looking and trying out. What a program of the project writes, the work tree shows."""
    if line.lstrip().startswith("git ") and not only_looks(line):
        return True
    return not _ONLY_LOOKS.match(line) and (_PROVES.match(line) is None or _SETS_UP.search(line) is not None)


_ONLY_LOOKS = re.compile(r"\s*(?:cat|cd|echo|find|git|grep|head|ls|pwd|rg|sed|tail|tree|wc)\b[^;&|]*$")
_PROVES = re.compile(
    r"\s*(?:cd \S+ *(?:&&|;) *)?(?:\w+=\S+ +)*(?:\w+ run +)?"
    r"(?:\S*(?:python|node|test|tox|nox|ruff|mypy|pyright)\S*|\S+ (?:run )?(?:test|check|vet|lint)\S*)(?=\s|$)"
)
_SETS_UP = re.compile(r"(?<!\S)(?:(?:un)?install|-m (?:pip|venv)|migrate|upgrade|deploy|build)\b")
_MOVES = re.compile(r"(?:^|[;&|(]\s*|\n)\s*(?P<move>rm|mv|git (?:rm|mv|apply|checkout|restore|reset|revert|stash))\b")
"""Commands that take files away or put old ones back: the work tree shows no new file for them."""
_MOVED_NOTHING = re.compile(
    r"^(?:fatal|error|rm|mv|git):|^No local changes|\bNo such file or directory|\bnot a git repository", re.MULTILINE
)
_WRITES = re.compile(
    r"(?:^|[;&|(\n])\s*(?:cp|tee|patch|dd|truncate|(?:sed|perl)\s+-\w*i|ruff (?:format|check .*--fix)|black|isort"
    r"|prettier"
    r"|unzip|tar)\b|(?<![\d&>])>{1,2}\s*(?!/dev/null|&)\S"
)
"""What was proven before these was proven of other files."""
_RED = re.compile(r"\bFAIL(?:ED|URES?)?\b|\bfailures?[=:] ?[1-9]|\b[1-9]\d* failed\b|Traceback \(most recent")
"""Of several commands only the last one's exit code is told: `pytest | tail` ends well whatever the tests say."""
_SEVERAL = re.compile(r"[;|&\n]")


def came_out_well(call: ToolCall, risk: Risk, text: str) -> bool:
    """Whether a result whose exit code is good says nothing else in its text."""
    several = risk == "command" and _SEVERAL.search(str(call.arguments.get("command", "")))
    return not several or _RED.search(text) is None

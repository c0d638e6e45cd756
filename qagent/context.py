"""From a session to a prompt that fits: the fixed text in front, what was left out, and the exact text of a turn. Pure.

The prompt only ever grows at its end. A call that has no result in the session was not run, and the model is told so;
nothing in the session is repaired for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from qagent.errors import ConfigProblem
from qagent.qwen import chatml
from qagent.qwen.profiles import DEFAULT, EditForm, Profile, listed
from qagent.tools.toolbox import signature
from qagent.types import AssistantMessage, Message, Prompt, ToolResult, ToolSpec
from qagent.words import Words


def system_text(words: Words, specs: Sequence[ToolSpec], notes: str = "", profile: Profile = DEFAULT) -> str:
    """The fixed part of every prompt: how to work, the tools, worked examples; then the project's notes, if any.

    The profile chooses which tools are listed, which ways to change a file are shown first, and the tag of the calls;
    for a model that cannot drive tools there are none of them.
    """
    text = words.prompt("system_chat") if profile.strip_tools else _with_tools(words, specs, profile)
    return f"{text}\n\n{notes}" if notes else text


def _with_tools(words: Words, specs: Sequence[ToolSpec], profile: Profile) -> str:
    shown = listed([spec.name for spec in specs], profile)
    text = words.prompt(
        "system",
        tools="\n".join(signature(spec) for spec in specs if spec.name in shown),
        read_file=_example(specs, "read_file"),
        changes="\n\n".join(_changes(words, specs, profile)),
    )
    return text.replace("<tools>", f"<{profile.call_form}>").replace("</tools>", f"</{profile.call_form}>")


def _changes(words: Words, specs: Sequence[ToolSpec], profile: Profile) -> Iterator[str]:
    """The ways to change a file, the preferred one first."""
    for form in _ORDER[profile.edit_form]:
        match form:
            case "search_replace":
                yield words.prompt("edit_search_replace", example=_example(specs, "edit_file"))
            case "symbol":
                yield words.prompt("edit_symbol", example=_example(specs, "edit_file", 1))
            case "whole" if lines := profile.whole_file_lines:
                yield words.prompt("edit_short", lines=str(lines), example=_example(specs, "write_file"))
            case "whole":
                yield words.prompt("edit_whole", example=_example(specs, "write_file"))


_ORDER: Mapping[EditForm, tuple[EditForm, ...]] = MappingProxyType(
    {
        "search_replace": ("search_replace", "symbol", "whole"),
        "symbol": ("symbol", "whole", "search_replace"),
        "whole": ("whole", "symbol"),
    }
)
"""Small sizes copy old text badly: with "whole" that way is not shown. The reader takes it all the same."""


def _example(specs: Sequence[ToolSpec], name: str, number: int = 0) -> str:
    examples = next((spec.examples for spec in specs if spec.name == name), ())
    if len(examples) <= number:
        raise ConfigProblem(f"tools/{name}.toml has too few examples", todo=f"the system prompt shows {number + 1}")
    return examples[number]


def quoted_notes(words: Words, name: str, text: str, limit: int) -> tuple[str, bool]:
    """AGENTS.md as material for the prompt, cut at a line to stay within `limit` tokens; and whether it was cut."""
    kept: list[str] = []
    spent = 0
    lines = chatml.mark(text.strip()).split("\n")
    for line in lines:
        spent += chatml.estimate(line) + 1
        if spent > limit:
            break
        kept.append(line)
    cut = len(kept) < len(lines)
    if cut:
        kept.append(f"(… {name} is longer; read it for the rest.)")
    return words.prompt("notes", name=name, notes="\n".join(kept)), cut


def build(messages: Sequence[Message], not_run: str, prefill: str = "") -> Prompt:
    """The prompt for the next reply. `not_run` is what the model reads in place of a missing result, `prefill` how its
    turn is begun in its place."""
    whole = tuple(_with_missing_results(messages, not_run))
    text = chatml.render(whole)
    replies = [number for number, message in enumerate(whole) if isinstance(message, AssistantMessage)]
    new = chatml.render(whole[replies[-1] + 1 :]) if replies else text
    begun = chatml.estimate(prefill)
    return Prompt(
        text + prefill, chatml.estimate(text) + begun, chatml.estimate(new) + begun, messages=whole, prefill=prefill
    )


def _with_missing_results(messages: Sequence[Message], not_run: str) -> Iterator[Message]:
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolResult):
            waiting = [call_id for call_id in waiting if call_id != message.call_id]
        else:
            yield from (ToolResult(call_id, not_run, ok=False) for call_id in waiting)
            waiting = [call.id for call in message.calls] if isinstance(message, AssistantMessage) else []
        yield message
    yield from (ToolResult(call_id, not_run, ok=False) for call_id in waiting)

"""The values that pass between modules: parts, messages, calls, results, prompts.

Frozen, plain, serialisable; nothing here does anything. Every class has a `kind`, so one union serves the screen, the
session file, `--output-format stream-json` and the tests. Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Arguments: TypeAlias = dict[str, Any]
"""The arguments of a call: JSON values by name, already of the types that the tool's parameters ask for."""

Risk = Literal["read", "write", "command"]
Mode = Literal["plan", "ask", "accept-edits", "auto"]
MODES: tuple[Mode, ...] = ("plan", "ask", "accept-edits", "auto")
"""From the strictest to the freest; `plan` reads only."""

Form = Literal["tools", "tool_call", "tag", "xml", "fence", "bare", "named", "native", "forced"]
"""How the model wrote a call: in `<tools>` tags (as taught), `<tool_call>`, another tag, as XML with its name in the
tag (`<function=run>`), in a code fence, as bare JSON, or with its name in front of its arguments (`run {…}`).
The last two it did not choose: "native" was read by the server itself, "forced" was written while the server held the
reply to the form of a call."""

Repair = Literal[
    "closers",  # brackets that were missing, one too many, or in the wrong order
    "comments",
    "control",  # real newlines and tabs inside a string
    "escapes",  # a backslash before a letter that JSON does not escape
    "commas",
    "quotes",  # single, curly or missing quotes around keys and values; triple quotes, backticks
    "literals",  # True, None
    "inner_quotes",  # quotes inside a text that were not escaped
    "double_escaped",  # the whole value was escaped once more
    "encoded",  # the arguments were a string that held JSON
    "envelope",  # the call stood inside another object, or under another key than `name` and `arguments`
    "tool_name",
    "argument_name",
    "type",
]
"""What had to be mended before a call could be run."""

ReplyEnd = Literal["stop", "length", "cancelled", "failed"]
"""Why a reply ended: by itself, at the reply limit, by the user, or because the server failed in the middle."""


Fate = Literal["run", "refused", "not_run"]
"""What became of a call: it was run, well or not; a rule or the person said no; it was put off or never began."""


# ------------------------------------------------------------------ what the model may call


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Literal["string", "integer", "number", "boolean", "array", "object", "any"]
    required: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What is known of a tool without running it.

    `parameters` is None when the names alone are known: then any arguments fit. `forms` lists alternative sets of
    parameters of which at least one must be complete, beside the required ones. `body` names the parameters that the
    plain block after a call's header can fill, in order of preference.
    """

    name: str
    summary: str = ""
    parameters: tuple[Parameter, ...] | None = None
    forms: tuple[tuple[str, ...], ...] = ()
    body: tuple[str, ...] = ()
    risk: Risk = "read"
    examples: tuple[str, ...] = ()


# ------------------------------------------------------------------ what a reply consists of


@dataclass(frozen=True, slots=True)
class Prose:
    """Text for the person. A streamed reply yields many small ones; joined, they do not depend on the chunks."""

    text: str
    kind: Literal["prose"] = "prose"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`repairs`: what was mended, in order; empty when the call was written right."""

    id: str
    name: str
    arguments: Arguments
    form: Form = "tools"
    repairs: tuple[Repair, ...] = ()
    kind: Literal["call"] = "call"


@dataclass(frozen=True, slots=True)
class BadCall:
    """Something meant as a call that cannot be run. `why` is one short sentence for the model."""

    id: str
    raw: str
    why: str
    name: str = ""
    kind: Literal["bad_call"] = "bad_call"


Part: TypeAlias = Prose | ToolCall | BadCall


# ------------------------------------------------------------------ the conversation


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """The fixed prefix, rendered once and kept with the session, so that a resumed prompt has the same bytes."""

    text: str
    kind: Literal["system"] = "system"


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the person wrote, or, with origin "harness", what qagent tells the model in the person's place."""

    text: str
    origin: Literal["user", "harness"] = "user"
    kind: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """One reply: `raw` is the model's own text, byte for byte as it stands in every later prompt."""

    raw: str
    parts: tuple[Part, ...] = ()
    end: ReplyEnd = "stop"
    kind: Literal["assistant"] = "assistant"

    @property
    def calls(self) -> tuple[ToolCall | BadCall, ...]:
        return tuple(part for part in self.parts if not isinstance(part, Prose))

    @property
    def prose(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Prose)).strip()


@dataclass(frozen=True, slots=True)
class Seen:
    """Lines of a file that the model has before its eyes: `first` to `last` of `total`, counted from 1; 0 to 0: none of
    them, though it knows the file. path: relative to the workspace; digest: of the file's bytes, as they were then."""

    path: str
    digest: str
    first: int
    last: int
    total: int
    kind: Literal["seen"] = "seen"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of the call with this id. A call without a result in the session means: not run.

    `ok`: the call was carried out; `good`: and what it did came out well (a command may fail). changed: the files that
    it changed, relative to the workspace. seen: what it showed of files.
    """

    call_id: str
    text: str
    ok: bool = True
    good: bool = True
    changed: tuple[str, ...] = ()
    fate: Fate = "run"
    seen: tuple[Seen, ...] = ()
    kind: Literal["result"] = "result"


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolResult


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request cost. Tokens and seconds; None where the server does not tell.

    prompt_tokens: the whole prompt as the server counted it. fresh_tokens: those it had to read again.
    """

    prompt_tokens: int | None = None
    fresh_tokens: int | None = None
    reply_tokens: int | None = None
    seconds: float = 0.0
    kind: Literal["usage"] = "usage"


# ------------------------------------------------------------------ what goes to a model, and comes back


@dataclass(frozen=True, slots=True)
class Prompt:
    """`text` is exact, control tokens included.

    Our own estimates: `tokens` of its length, `fresh` of what stands behind the last reply, which is all that a server
    with a prefix cache still has to read.

    messages: the same conversation as values, for a server that only takes messages. prefill: how the model's turn was
    begun in its place; `text` ends with it, and the reply goes on behind it. schema: a JSON schema that the reply obeys
    from its first character to its last. stops: where the reply ends, beside the profile's own. reply_tokens: its
    longest length, when it is not the profile's.
    """

    text: str
    tokens: int
    fresh: int = 0
    messages: tuple[Message, ...] = ()
    prefill: str = ""
    schema: dict[str, Any] | None = None
    stops: tuple[str, ...] = ()
    reply_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The last thing a model's stream yields; a stream that ends without it was broken.

    native: the server itself read calls out of the reply; they stand in the text as `<tool_call>` tags.
    """

    end: Literal["stop", "length"]
    usage: Usage
    native: bool = False
    kind: Literal["end"] = "end"


Delta: TypeAlias = TextDelta | ReplyEnded


# ------------------------------------------------------------------ asking for permission


@dataclass(frozen=True, slots=True)
class Question:
    """May this call run? `reason` says why it is asked, `preview` what would change (a diff, or "").

    `always`: no mode and no pattern would have spared the question.
    """

    call: ToolCall
    risk: Risk
    reason: str
    preview: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`words` go to the model when the answer is no. `asked` is false when nobody was there to be asked."""

    yes: bool
    words: str = ""
    asked: bool = True


Approve: TypeAlias = Callable[[Question], Awaitable[Answer]]


# ------------------------------------------------------------------ how a task ended

OutcomeReason = Literal["done", "turn_limit", "time_limit", "bad_calls", "no_progress", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` is the last prose of the model; `refused` counts the calls that nobody was there to allow."""

    reason: OutcomeReason
    answer: str = ""
    detail: str = ""
    turns: int = 0
    refused: int = 0
    kind: Literal["outcome"] = "outcome"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a task ends though it is not done. Turns are replies of the model, seconds are wall time."""

    turns: int = 40
    seconds: float | None = None
    bad_calls: int = 3
    nudges: int = 2


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool's function returns: `text` for the model, `summary` for people, `diff` of what changed on disk.

    `good` is false when it did what was asked and that came out badly: a command that failed. `seen`: what the text
    shows of files.
    """

    text: str
    summary: str
    diff: str = ""
    changed: tuple[str, ...] = ()
    good: bool = True
    seen: tuple[Seen, ...] = ()

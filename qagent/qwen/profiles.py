"""What is known of each size of Qwen 2.5 Coder, one row a size, and where each value comes from.

In: a model's name. Out: its row; a model outside the family gets the careful row "other", with what
`qagent.qwen.outside` knows of its kind. A quirk is a row here, never an `if` on a name. It refuses to know what the
person has set (that is laid over a row by `qagent.config.per_model`) and which server runs the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from qagent.qwen.outside import kind_of

STOPS = ("<|im_end|>", "<|im_start|>", "<|endoftext|>")
"""Where the server ends a reply: the turn's end, and where the model begins somebody else's turn.

`<tool_response>` is none of them: a server swallows what it stops at, and then nobody sees that the model went on with
a result of its own making. The reader cuts there itself, whatever the template, and the request is ended at once.
"""

CallForm = Literal["tools", "tool_call"]
"""The tag that the worked examples show. The reader takes both, and all others."""

EditForm = Literal["whole", "symbol", "search_replace"]
"""The way to change a file that the prompt shows first. "whole" shows whole files and whole symbols alone."""

LEFT_OUT_FIRST = ("search", "list_files", "run")
"""Which tools are not listed when fewer are offered. `search` goes first: its argument is a regular expression, whose
backslashes inside JSON are what small sizes get wrong. Reading, editing and writing always stay."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What every request of a session carries, byte for byte the same: a changed value reloads the model."""

    window: int = 32_768
    reply_tokens: int = 4_096
    temperature: float = 0.1
    top_p: float = 0.8
    top_k: int = 20
    repeat_penalty: float = 1.0
    stops: tuple[str, ...] = STOPS


@dataclass(frozen=True, slots=True)
class Profile:
    """One size. Tokens are tokens, of 0 bytes nothing is known.

    weight_bytes: the Q4_K_M file. kv_bytes: per token of the window, f16. whole_file_lines: the longest file that
    should be written whole, 0 for no word about it. offered_tools: how many the prompt lists. strip_tools: none at all,
    the model only talks. chatml: whether it was trained on ChatML, so that it can be sent a raw prompt. habits: keys of
    HABITS. sources: where values come from that are this row's own, by field.
    """

    size: str
    weight_bytes: int = 0
    kv_bytes: int = 0
    window: int = 32_768
    reply_tokens: int = 4_096
    temperature: float = 0.1
    top_p: float = 0.8
    top_k: int = 20
    repeat_penalty: float = 1.0
    stops: tuple[str, ...] = STOPS
    call_form: CallForm = "tools"
    edit_form: EditForm = "search_replace"
    whole_file_lines: int = 0
    offered_tools: int = 6
    strip_tools: bool = False
    chatml: bool = True
    habits: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def sampling(self) -> Sampling:
        return Sampling(**{field.name: getattr(self, field.name) for field in fields(Sampling)})

    def source(self, field: str) -> str:
        """Where a field's value comes from, in words."""
        return dict(self.sources).get(field) or SOURCES.get(field, "")


# ------------------------------------------------------------------ where values come from

_CONFIG = "published config.json"
_GENERATION = "published generation_config.json (32B-Instruct)"
_AIDER = "measured by aider's tables"
_PARSER_TABLE = "measured by hanXen/vllm-qwen2.5-coder-tool-parser"

SOURCES = {
    "weight_bytes": "the Q4_K_M file; other builds differ",
    "kv_bytes": f"{_CONFIG}: 2 x layers x kv heads x head width x 2 bytes",
    "window": f"{_CONFIG} (128k would need YaRN)",
    "reply_tokens": "our choice: about 400 lines of code",
    "temperature": "our choice: calls come out cleaner near zero; the published 0.7 is a setting for chat",
    "top_p": _GENERATION,
    "top_k": _GENERATION,
    "repeat_penalty": "our choice: a penalty (1.05 is published) spoils exact copies of code",
    "stops": f"{_GENERATION}; our choice: <|im_start|>, which begins an invented turn; not <tool_response>, where the "
    "reader cuts the reply itself, and tells the model",
    "call_form": f"{_PARSER_TABLE}: an example in <tools> tags is followed 10 times of 10, one in <tool_call> never",
    "edit_form": "our choice; whole symbols and whole files are shown beside it",
    "whole_file_lines": "our choice: no word about it",
    "offered_tools": f"{_PARSER_TABLE}: the right one of ten tools is called 148 times of 149",
    "strip_tools": "our choice: it can drive tools",
    "chatml": "published chat template",
    "habits": "reports from many harnesses",
}

_UNMEASURED = ("call_form", f"{_PARSER_TABLE} at 7B, 14B and 32B; not at this size")
_SHORT_FILES = ("whole_file_lines", "our choice: about 2,000 tokens, half of the longest reply")

# ------------------------------------------------------------------ habits

HABITS = {
    "fenced-json": "shown no example, it writes its calls into a ```json fence",
    "bare-json": "shown no example, it writes its calls as bare JSON",
    "tools-tag": "it writes its calls in <tools> tags, which only listed the tools",
    "prose-then-call": "it puts a sentence or a heading in front of a call",
    "several-calls": "it writes two to four calls into one reply",
    "speculative-plan": "it puts a whole job into one reply, edits of files that it has not read included",
    "detached-arguments": "under a long prompt it writes a tool's name on one line and the arguments below it",
    "shell-like-call": 'it writes a call like a command: `search pattern="x"`',
    "schema-echo": "it sends a tool's definition back in place of a call",
    "orphan-tag": "it leaves out an opening or a closing tag",
    "code-in-json": "code inside JSON comes out with raw newlines and bare quotes",
    "extra-brace": "a JSON text inside a string makes it close one brace too many",
    "triple-quotes": 'it quotes longer code in JSON with """',
    "invented-tool": "it calls tools that were not offered",
    "placeholder": "it writes placeholders where a value belongs: `/path/to/file`, `<fileContent>`, `...`",
    "call-on-greeting": "it answers a greeting with a call",
    "false-refusal": "under a long prompt it says that it cannot reach files",
    "early-finish": "it says that it is done before it has done anything",
    "faked-result": "it invents a tool's result and goes on with it",
    "runaway-turn": "it goes on with an invented turn of the user's",
    "claim-without-deed": "it says that it has edited or tested, and has not",
    "repeat-loop": "it repeats a call, or varies it with the same result",
    "whole-defs": "asked for search/replace blocks, it writes whole functions",
    "search-mismatch": "the text that it wants to replace does not stand in the file as it copied it",
    "language-switch": "Chinese words slip into an answer",
}
"""How the family is known to slip, by name."""

_ALL = (
    *("prose-then-call", "several-calls", "code-in-json", "invented-tool", "claim-without-deed", "repeat-loop"),
    "language-switch",
)
_SMALL = (*_ALL, "fenced-json", "schema-echo", "early-finish")
_MIDDLE = (*_ALL, "speculative-plan", "detached-arguments", "orphan-tag", "extra-brace", "call-on-greeting")

# ------------------------------------------------------------------ the rows


def _small(size: str, weight: int, kv: int, passed: str, note: str, *habits: str) -> Profile:
    """Below 7B: short files and whole symbols are written anew, and fewer tools are offered."""
    return Profile(
        size, weight, kv, edit_form="whole", whole_file_lines=200, offered_tools=5, habits=habits, note=note,
        sources=(
            ("edit_form", f"{_AIDER}: {passed} % pass and 100 % well formed as whole files"),
            ("offered_tools", "our choice: without `search`; more than about five make small models fall out of form"),
            _SHORT_FILES,
            _UNMEASURED,
        ),
    )  # fmt: skip


_TOO_SMALL = "too small to drive tools reliably; expect failures"

PROFILES = {
    row.size: row
    for row in (
        _small("0.5b", 390_000_000, 12_288, "14", _TOO_SMALL, *_SMALL),
        _small("1.5b", 980_000_000, 28_672, "32", _TOO_SMALL, *_SMALL),
        _small("3b", 1_920_000_000, 36_864, "39", "below 7B; expect failures",
               *_SMALL, "shell-like-call", "triple-quotes"),
        Profile("7b", 4_680_000_000, 57_344, habits=(*_MIDDLE, "fenced-json", "placeholder", "false-refusal",
                                                     "faked-result", "whole-defs")),
        Profile("14b", 8_980_000_000, 196_608, habits=(*_MIDDLE, "bare-json", "triple-quotes")),
        Profile("32b", 19_850_000_000, 262_144, habits=(*_ALL, "bare-json", "tools-tag", "speculative-plan",
                                                        "extra-brace", "search-mismatch", "runaway-turn"),
                sources=(("edit_form", f"{_AIDER}: 71 % pass, 95 % well formed as search/replace"),)),
    )
}  # fmt: skip
DEFAULT = PROFILES["7b"]

_CAREFUL = "our choice for a model that nothing is known of"

OTHER = Profile(
    "other",
    window=8_192,
    reply_tokens=2_048,
    edit_form="whole",
    whole_file_lines=150,
    offered_tools=5,
    note="outside the family that the prompt and the reader are made for",
    sources=tuple((name, _CAREFUL) for name in SOURCES if name not in ("temperature", "repeat_penalty")),
)
"""The row of every model outside the family."""

SIZES = (*PROFILES, OTHER.size)
SIZES_ARE = f"its sizes are {', '.join(PROFILES)}"

OVERHEAD_BYTES = 1 << 30
"""Compute buffers and the runner itself, beside weights and KV cache."""


# ------------------------------------------------------------------ names


def size_of(model: str) -> str | None:
    """The size in a model's name, however it is spelled: `qwen2.5-coder:7b-instruct-q4_K_M`, `qwen2.5-coder-7b`."""
    found = re.search(r"(?<![\d.])(0\.5|1\.5|3|7|14|32)b(?![a-z0-9])", model.lower())
    return f"{found[1]}b" if found else None


def unknown_size(model: str) -> str:
    """What stands in a name as a size (`13b`) and is none of the family's; "" for no such thing."""
    found = re.search(r"(?<![\w.])(\d{1,4}(?:\.\d{1,2})?b)(?![a-z0-9])", model.lower())
    return found[1] if found and size_of(model) is None else ""


def is_family(model: str) -> bool:
    return re.search(r"qwen[-_ ]?2\.5[-_ ]?coder", model.lower()) is not None


def is_base(model: str) -> bool:
    """A build that completes text and was not trained on conversations."""
    return re.search(r"(?<![a-z])base(?![a-z])", model.lower()) is not None


def profile_of(model: str) -> Profile:
    """The row for a model's name: the 7B's when a name of the family tells no size, "other" outside the family."""
    return PROFILES.get(size_of(model) or "", DEFAULT) if is_family(model) else _outside(model)


def row_named(size: str, model: str) -> Profile:
    """The row of this size, whatever the model is called."""
    return PROFILES[size] if size in PROFILES else _outside(model)


def _outside(model: str) -> Profile:
    kind = kind_of(model)
    if kind is None:
        return OTHER
    why = f"{kind.name}: {kind.reason}"
    own: list[tuple[str, str]] = [("chatml", why)]
    own += [("strip_tools", why)] if kind.completes_only else []
    own += [("call_form", why)] if kind.trained_tag else []
    form: CallForm = "tool_call" if kind.trained_tag else "tools"
    row = replace(OTHER, strip_tools=kind.completes_only, call_form=form, sources=(*OTHER.sources, *own))
    return trained(row, kind.chatml, why)


def trained(row: Profile, chatml: bool, why: str) -> Profile:
    """The row of a model of which it is known whether it was trained on ChatML: without, its own template ends its
    turns, and no stops are sent. The reader cuts an invented result off in any template."""
    stops = STOPS if chatml else ()
    own = (("chatml", why), ("stops", why))
    return replace(row, chatml=chatml, stops=stops, sources=(*row.sources, *own))


def listed(names: Sequence[str], profile: Profile) -> tuple[str, ...]:
    """The tools that the prompt lists, in their order: as many as the profile offers, none for a model that only talks.

    What is not listed is still carried out when the model calls it.
    """
    if profile.strip_tools:
        return ()
    surplus = max(0, len(names) - profile.offered_tools)
    left_out = [name for name in LEFT_OUT_FIRST if name in names][:surplus]
    return tuple(name for name in names if name not in left_out)

"""What differs between servers that speak OpenAI's protocol, one row a server. A quirk is a row, never an `if`.

Pure. Which server it is, `owned_by` in /v1/models tells. Sources:
    llama.cpp   seen with b11549: /v1/completions obeys `json_schema` and ignores `response_format`; unknown fields are
                ignored; a last assistant message is gone on with.
    vLLM        vllm/entrypoints/openai/completion/protocol.py; docs.vllm.ai, "Structured Outputs": `guided_json` until
                0.11, `structured_outputs` from 0.10.2 on, each ignored by the others' versions, so both are sent.
                A chat needs both fields to go on with its last message (vllm#6772).
    SGLang      sglang/srt/entrypoints/openai/protocol.py: `json_schema` is a string there; continue_final_message came
                with sglang#4226.
    LM Studio   lmstudio.ai/docs, "Structured Output": `response_format`, described for chats only.
    Ollama      its /v1/completions puts the prompt into the model's template, so a raw prompt would be framed twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]
Fields: TypeAlias = dict[str, object]


def response_format(schema: Schema) -> Fields:
    """OpenAI's own way to ask for a JSON schema."""
    wrapped = {"name": "reply", "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": wrapped}}


def _structured(schema: Schema) -> Fields:
    return {"structured_outputs": {"json": schema}}


def _guided(schema: Schema) -> Fields:
    return {"guided_json": schema}


def _plain(schema: Schema) -> Fields:
    return {"json_schema": schema}


def _string(schema: Schema) -> Fields:
    return {"json_schema": json.dumps(schema)}


def _others(schema: Schema) -> Fields:
    return {**_structured(schema), **_guided(schema), **_plain(schema)}


def _none(schema: Schema) -> Fields:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """owner: what `owned_by` says. raw: /v1/completions takes a prompt as it is. schema: the fields that make a
    completion obey a schema (a chat obeys `response_format` everywhere); more: further ones, for versions or servers
    that one cannot tell apart, left out when refused. prefill: the fields that make a chat go on with its last
    message, None where nothing is known to."""

    owner: str
    title: str
    raw: bool = True
    schema: Callable[[Schema], Fields] = response_format
    more: Callable[[Schema], Fields] = _none
    prefill: Fields | None = None


_CONTINUE: Fields = {"add_generation_prompt": False, "continue_final_message": True}

ROWS = {
    row.owner: row
    for row in (
        Row("llamacpp", "llama.cpp", schema=_plain, prefill=_CONTINUE),
        Row("vllm", "vLLM", schema=_structured, more=_guided, prefill=_CONTINUE),
        Row("sglang", "SGLang", schema=_string, prefill=_CONTINUE),
        Row("organization_owner", "LM Studio"),
        Row("library", "Ollama", raw=False),
    )
}

UNKNOWN = Row("", "the server", more=_others)
"""Behind a gateway stands any of them: what one does not know it ignores, or refuses and is asked without."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request: `fields` that every server takes, and `extras` that one may refuse and then does without."""

    fields: Fields
    extras: Fields = field(default_factory=dict[str, object])

    @property
    def whole(self) -> Fields:
        return {**self.fields, **self.extras}

    def less(self, names: Collection[str]) -> Body:
        """Less the extras of these names."""
        return Body(self.fields, {name: value for name, value in self.extras.items() if name not in names})

    def without(self, refused: str) -> Body | None:
        """Less those extras that the text of a refusal names; without any when it names none. None: nothing left."""
        if not self.extras:
            return None
        named = [name for name in self.extras if re.search(rf"\b{name}\b", refused)]
        return self.less(named or self.extras)

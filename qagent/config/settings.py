"""The settings: one frozen model, a line a key. It knows what a value must be, and not where it came from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from qagent.sandbox.bounds import Wanted
from qagent.types import Mode

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
"""Capitals alone: a key would pass for a name too, and names are shown."""
_KEEP_ALIVE = re.compile(r"0|-?(\d+(\.\d+)?(ms|s|m|h))+")


def _spoken(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be text that is not blank, on one line")
    return text


def _seconds(value: object) -> object:
    """Seconds from 90, "90", "90s", "15m", "2h"; more than none, and an end to it."""
    if isinstance(value, str):
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smh]?)", value.strip(), re.ASCII)
        value = float(found[1]) * _UNITS[found[2]] if found else math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ValueError("must be a time such as 90, 90s, 15m or 2h")
    return float(value)


def _kept(text: str) -> str:
    if not _KEEP_ALIVE.fullmatch(text):
        raise ValueError("must be a time such as 30m or 2h, 0 for not at all, or -1m for ever")
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the name of an environment variable in capitals, and not the key itself")
    return text


def _items(value: object) -> object:
    """TOML and JSON have lists; a frozen model has tuples."""
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


Text = Annotated[str, AfterValidator(_spoken)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
KeepAlive = Annotated[str, AfterValidator(_kept)]
Variable = Annotated[str, AfterValidator(_variable)]
Size = Literal["0.5b", "1.5b", "3b", "7b", "14b", "32b", "other"]
Network = Literal["off", "ask", "on"]
NETWORKS: tuple[Network, ...] = ("off", "ask", "on")
"""From the strictest to the freest."""
KEY_VARIABLE = "OPENAI_API_KEY"
Texts = Annotated[tuple[Text, ...], BeforeValidator(_items)]


class ModelSettings(BaseModel):
    """What can be set for all models, or for one in a table of its own. None: what the model's row says."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    profile: Size | None = Field(
        default=None, description="use this size's row, whatever the model is called: 0.5b to 32b, other"
    )
    num_ctx: int | None = Field(default=None, ge=2_048, le=1_048_576, description="the model's window, in tokens")
    reply_tokens: int | None = Field(default=None, ge=64, le=1_048_576, description="the longest reply, in tokens")
    temperature: float | None = Field(
        default=None, ge=0, le=2, allow_inf_nan=False, description="0 is the most exact, 2 the wildest"
    )
    top_p: float | None = Field(
        default=None, gt=0, le=1, allow_inf_nan=False, description="sample from the likeliest tokens up to this share"
    )
    top_k: int | None = Field(default=None, ge=0, le=1_000_000, description="sample from this many likeliest tokens")
    repeat_penalty: float | None = Field(
        default=None, gt=0, le=10, allow_inf_nan=False, description="1 is none; more spoils exact copies of code"
    )
    stops: Texts | None = Field(default=None, description="texts that end a reply")
    call_form: Literal["tools", "tool_call"] | None = Field(
        default=None, description="the tag that calls are asked for in: tools, tool_call"
    )
    edit_form: Literal["whole", "symbol", "search_replace"] | None = Field(
        default=None, description="the way to change a file that is shown first: whole, symbol, search_replace"
    )
    whole_file_lines: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="the longest file to be written whole, in lines; 0 for no word of it",
    )
    offered_tools: int | None = Field(default=None, ge=3, le=100, description="how many tools the prompt lists")
    strip_tools: bool | None = Field(default=None, description="offer no tools at all: the model can only talk")
    endpoint: Literal["auto", "completions", "chat"] = Field(
        default="auto", description="how the server is asked: auto, completions (our own prompt), chat (its template)"
    )
    send_tools: bool = Field(default=False, description="with endpoint chat: send the server the tools' schemas too")


class Settings(ModelSettings):
    """Tokens are tokens, times seconds. `host` is None only before `load` has filled it in."""

    model: Text | None = Field(
        default=None, description="the model's name; without one, the best Qwen 2.5 Coder that is there"
    )
    models: tuple[tuple[str, ModelSettings], ...] = Field(
        default=(), description='a table for one model: [models."qwen2.5-coder:7b"], with keys such as num_ctx'
    )
    server: Literal["ollama", "llamacpp", "openai"] = Field(
        default="ollama", description="what kind of server answers: ollama, llamacpp, openai (or any that speaks so)"
    )
    host: Text | None = Field(
        default=None,
        description="the server's address; else OLLAMA_HOST (openai: OPENAI_BASE_URL) or the usual port",
    )
    api_key_env: Variable = Field(
        default=KEY_VARIABLE, description="the environment variable that holds the key of an openai server"
    )
    allow_hosts: Texts = Field(
        default=(), description="hosts off this machine that may get code: consent to send it all there"
    )
    keep_alive: KeepAlive = Field(default="30m", description="how long Ollama keeps the model in memory after a reply")
    stall_timeout: Seconds = Field(default=120.0, description="give up when a reply stops for this long")
    first_token_timeout: Seconds = Field(default=600.0, description="give up when a reply does not begin for this long")
    mode: Mode = Field(default="ask", description="what needs no asking: plan (reads only), ask, accept-edits, auto")
    allow_commands: Texts = Field(default=(), description="patterns of commands that run without asking")
    deny_commands: Texts = Field(default=(), description="patterns of commands that never run")
    sandbox: Wanted = Field(
        default="auto", description="what commands are kept in: auto, bubblewrap, landlock, seatbelt, off"
    )
    network: Network = Field(
        default="ask", description="whether commands in a sandbox reach other machines: ask, off, on"
    )
    sandbox_writes: Texts = Field(
        default=(), description="folders outside of the project that commands may write to as well"
    )
    check_command: Text | None = Field(
        default=None, description="a lint or test command; it runs after edits, and what it finds goes to the model"
    )
    check_rounds: int = Field(default=3, ge=1, le=3, description="how often the check may send the model back to work")
    max_turns: int = Field(default=40, ge=1, le=10_000, description="the most replies a task may take")
    timeout: Seconds | None = Field(default=None, description="the longest a task may take; without one, no limit")
    bad_calls: int = Field(
        default=3, ge=1, le=100, description="how many replies in a row with a call that cannot be run end a task"
    )
    agents_md: bool = Field(default=True, description="put the repository's AGENTS.md into the prompt")
    agents_md_tokens: int = Field(default=2_000, ge=0, description="the most of AGENTS.md to put there, in tokens")


KEYS: tuple[str, ...] = tuple(Settings.model_fields)
MODEL_KEYS: tuple[str, ...] = tuple(ModelSettings.model_fields)
LISTS = frozenset({"allow_hosts", "allow_commands", "deny_commands", "sandbox_writes", "stops"})
SECRET = frozenset({"api_key_env"})
"""What is written there by mistake may be a key, and is not shown."""
ADDRESSES = frozenset({"host", "allow_hosts"})
OPTIONAL = frozenset(name for name, field in Settings.model_fields.items() if field.default is None)
"""May be emptied again by a higher place, as in `--set timeout=`."""

_MUST_BE = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    "int_parsing_size": "a whole number of a sensible size",
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("string_type", "string_unicode"), "a text"),
    "tuple_type": "a list of texts",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
}


def must_be(kind: str, words: str, context: Mapping[str, object]) -> str:
    """`must be a whole number`, from the library's name for a fault, its own words for it, and their values."""
    if kind in _MUST_BE:
        values = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return f"must be {_MUST_BE[kind].format(**values)}"
    return str(context["error"]) if "error" in context else words.replace("Input should be", "must be")

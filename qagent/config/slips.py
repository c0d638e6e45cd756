"""Slips in settings: what was likely meant by a name that there is not. In: what was written. Out: a ConfigProblem.

Other programs call the same things otherwise, and TOML reads a dot in a table's name as a table inside a table. It
refuses to know where the values are read from.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from qagent.config.settings import KEYS, MODEL_KEYS, Settings
from qagent.errors import ConfigProblem
from qagent.qwen.profiles import PROFILES, SIZES_ARE

PREFIX = "QAGENT_"
_SIZE = re.compile(r"\d+(\.\d+)?b", re.IGNORECASE)

MEANT = MappingProxyType(
    {
        **dict.fromkeys(("base_url", "url", "api_base", "openai_base_url", "ollama_host", "address"), "host"),
        **dict.fromkeys(("api_key", "key", "openai_api_key"), "api_key_env"),
        **dict.fromkeys(("context", "context_length", "n_ctx", "max_model_len", "window"), "num_ctx"),
        **dict.fromkeys(("max_tokens", "num_predict", "n_predict"), "reply_tokens"),
        **dict.fromkeys(("stop", "stop_sequences"), "stops"),
        **dict.fromkeys(("provider", "backend"), "server"),
        "repetition_penalty": "repeat_penalty",
        "tools": "send_tools",
        "yolo": "mode",
    }
)
"""What others call our settings, where the names are not alike."""

SERVERS = MappingProxyType(
    {
        **dict.fromkeys(
            ("vllm", "lmstudio", "lm-studio", "lm studio", "sglang", "openai-compatible", "litellm"), "openai"
        ),
        **dict.fromkeys(("llama.cpp", "llama-cpp", "llama_cpp", "llama-server"), "llamacpp"),
    }
)


def unknown(name: str, place: str, meant: str, known: Sequence[str]) -> ConfigProblem:
    """The error for a name that there is not. `meant`: as it is compared with those that are `known`."""
    meant = MEANT.get(meant.lower(), meant).replace("-", "_")
    near = [meant] if meant in known else difflib.get_close_matches(meant, known, n=2, cutoff=0.6)
    ask = f"; did you mean {' or '.join(f'`{key}`' for key in near)}?" if near else ""
    keys = [key.removeprefix(PREFIX).lower() for key in near]
    todo = "; ".join(about(key) for key in keys if key in KEYS) or f"the settings are: {', '.join(known)}"
    return ConfigProblem(f"{place}: there is no setting {shown(name)}{ask}", todo=todo)


def about(key: str) -> str:
    """What a setting is for, in a line."""
    return f"`{key}`: {Settings.model_fields[key].description}"


def check_table_name(name: str, values: Mapping[str, object], place: str) -> None:
    """Raises ConfigProblem for what can only be a slip: dots without quotes, a size that the family does not have."""
    whole, inner = name, values
    while (key := next(iter(inner), None)) not in (None, *MODEL_KEYS) and isinstance(found := inner[str(key)], dict):
        whole, inner = f"{whole}.{key}", cast("dict[str, object]", found)
    if whole != name:
        raise ConfigProblem(
            f"{place}: the name {shown(whole)} has dots, so it needs quotes", todo=f'write [models."{whole}"]'
        )
    if _SIZE.fullmatch(name.strip()) and name.strip().lower() not in PROFILES:
        raise ConfigProblem(f"{place}: Qwen 2.5 Coder has no size {shown(name.strip())}", todo=SIZES_ARE)


def shown(text: str) -> str:
    """Short, on one line, and harmless to a terminal."""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return f"`{short}`" if short.isprintable() and short else ascii(short)

"""`qagent models`: what is known of a model, what is set for it, and what its server tells. Prints; decides nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, cast

from qagent.cli.ends import say_json
from qagent.cli.start import Options, notice, start
from qagent.config.per_model import FIELD_OF
from qagent.errors import UsageProblem
from qagent.narration import harmless
from qagent.qwen.outside import speaks_chatml
from qagent.qwen.profiles import HABITS, OVERHEAD_BYTES, PROFILES, SIZES_ARE, Profile, listed
from qagent.wiring import Look, look

NO_LINES = ("size", "note", "habits", "sources")
"""Fields of a row that are no lines of the table."""
KEY_OF = MappingProxyType({field: key for key, field in FIELD_OF.items()})
"""A line has the name of its setting, where there is one."""


ROUTE_LABELS = MappingProxyType(
    {
        "window": "window",
        "stops": "stop texts",
        "prefill": "begun replies",
        "schema": "forced form",
        "counts": "tokens told",
        "source": "known from",
    }
)


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    value: Any
    origin: str


def show_model(name: str, options: Options, *, as_json: bool) -> None:
    """Raises UserFacing only for what was typed or set wrongly: a server that does not answer is part of the answer."""
    _check_name(name)
    ready = start(options)
    seen = asyncio.run(look(ready.place.settings, ready.origins, name))
    tools = listed([spec.name for spec in ready.place.toolbox.specs], seen.choice.row.profile)
    if as_json:
        say_json(_record(seen, tools))
        return
    for told in seen.choice.notices:
        notice(told)
    for text in _page(seen, tools):
        print(harmless(text))


def _check_name(name: str) -> None:
    """A bare size must be one of the family's. Raises UsageProblem."""
    if not name.strip():
        raise UsageProblem("the model's name is empty", todo="name a model, or a size: `qagent models show 7b`")
    if re.fullmatch(r"\d+(\.\d+)?b?", name.strip(), re.IGNORECASE) and name.strip().lower() not in PROFILES:
        raise UsageProblem(f"Qwen 2.5 Coder has no size {name.strip()}", todo=SIZES_ARE)


def _lines(seen: Look) -> tuple[_Line, ...]:
    row = seen.choice.row
    of_profile = [
        _Line(KEY_OF.get(field.name, field.name), getattr(row.profile, field.name), row.origins.get(field.name, ""))
        for field in fields(Profile)
        if field.name not in NO_LINES and not (field.name.endswith("_bytes") and not getattr(row.profile, field.name))
    ]
    asked = [_Line(name, getattr(row, name), row.origins.get(name, "")) for name in ("endpoint", "send_tools")]
    return (*of_profile, *asked)


# ------------------------------------------------------------------ for people


def _page(seen: Look, tools: Sequence[str]) -> Iterator[str]:
    profile = seen.choice.row.profile
    yield f"{seen.name}: row {profile.size}" + (f" ({profile.note})" if profile.note else "")
    yield ""
    for line in _lines(seen):
        name, value = line.name, _shown(line.value)
        if len(value) > 16:
            yield f"  {name:17} {value}"
            name = value = ""
        yield f"  {name:17} {value:16}  {line.origin}".rstrip()
    if needs := _needs(seen):
        yield ""
        yield _memory(needs)
    yield ""
    yield f"tools listed: {', '.join(tools) or 'none'}"
    if profile.habits:
        yield ""
        yield "known habits"
        yield from (f"  {habit:19} {HABITS[habit]}" for habit in profile.habits)
    yield ""
    yield from _server(seen)


def _needs(seen: Look) -> Mapping[str, int]:
    """Bytes of memory where the model runs on this machine, as far as they are known; else nothing."""
    profile = seen.choice.row.profile
    weights = seen.weight_bytes or profile.weight_bytes
    if seen.route.path.startswith("/v1/") or not weights or not profile.kv_bytes:
        return {}
    return {"weights": weights, "window": profile.kv_bytes * profile.window, "rest": OVERHEAD_BYTES}


def _memory(needs: Mapping[str, int]) -> str:
    parts = " + ".join(f"{count / 1e9:.1f} GB ({what})" for what, count in needs.items())
    return f"needs about {parts} = {sum(needs.values()) / 1e9:.1f} GB; a smaller num_ctx needs less"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return (
            "none"
            if not value
            else " ".join(json.dumps(text, ensure_ascii=False).strip('"') for text in cast("tuple[str, ...]", value))
        )
    return str(value).lower() if isinstance(value, bool) else f"{value:,}" if isinstance(value, int) else str(value)


def _server(seen: Look) -> Iterator[str]:
    route = seen.route
    yield f"asked by POST {seen.url.removesuffix('/v1')}{route.path} ({route.title})"
    for name, label in ROUTE_LABELS.items():
        yield f"  {label:17} {getattr(route, name)}"
    yield ""
    if seen.trouble:
        yield f"from the server: {seen.trouble}"
        if seen.todo:
            yield f"  {seen.todo}"
        return
    yield "the server tells"
    yield from (f"  {name:17} {value}" for name, value in _facts(seen).items() if value)
    if not any(_facts(seen).values()):
        yield "  nothing of this model"


def _facts(seen: Look) -> Mapping[str, str]:
    shown = seen.shown
    kinds = {True: "ChatML", False: "not ChatML", None: ""}
    return {
        "template": kinds[speaks_chatml(shown.template)],
        "context length": f"{shown.context:,}" if shown.context else "",
        "capabilities": ", ".join(shown.capabilities),
        "family": shown.family,
        "parameters": shown.parameters,
        "quantization": shown.quantization,
    }


# ------------------------------------------------------------------ for programs


def _record(seen: Look, tools: Sequence[str]) -> dict[str, Any]:
    profile = seen.choice.row.profile
    return {
        "exit": 0,
        "reason": "done",
        "model": seen.name,
        "row": profile.size,
        "note": profile.note,
        "values": {line.name: {"value": line.value, "origin": line.origin} for line in _lines(seen)},
        "tools": list(tools),
        "habits": {habit: HABITS[habit] for habit in profile.habits},
        "needs_bytes": dict(_needs(seen)) or None,
        "route": asdict(seen.route),
        "server": None if seen.trouble else {**asdict(seen.shown), "chatml": speaks_chatml(seen.shown.template)},
        "url": seen.url,
        "trouble": seen.trouble,
        "todo": seen.todo,
        "notices": list(seen.choice.notices),
    }

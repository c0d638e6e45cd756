"""How one model will be asked: its row, corrected by what its server tells, and which endpoint follows from that. Pure.

In: a name, the row that counts for it, what was seen on the server. Out: a Choice, with what the person should know.
What the person has set is never corrected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from qagent.config.per_model import Row
from qagent.models import names
from qagent.models.shown import Shown
from qagent.qwen.outside import kind_of, speaks_chatml
from qagent.qwen.profiles import OTHER, SIZES_ARE, Profile, is_base, is_family, trained, unknown_size

SERVER = "the server"
"""Where a value comes from that the server tells."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How one model will be asked. notices: for the person."""

    name: str
    row: Row
    chat: bool
    notices: tuple[str, ...] = ()


def is_open(row: Row, name: str) -> bool:
    """Whether the server's template should have a say: nothing else tells for sure how the model was trained."""
    return row.endpoint != "completions" and not is_family(names.canonical(name)) and "profile" not in row.own


def choice_of(name: str, row: Row, shown: Shown) -> Choice:
    """How the model is asked, and what to know of that. What the server tells comes before what the name does."""
    seen = speaks_chatml(shown.template) if is_open(row, name) else None
    if seen is not None:
        row = _corrected(row, trained(row.profile, seen, "the server's template for it"), "chatml", "stops")
    if shown.context is not None and shown.context < row.profile.window:
        row = _corrected(row, narrowed(row.profile, shown.context), "window", "reply_tokens")
        if row.origins.get("reply_tokens") == SERVER:
            row = replace(row, origins={**row.origins, "reply_tokens": f"{SERVER}: a quarter of its window"})
    chat = row.endpoint == "chat" or (row.endpoint == "auto" and not row.profile.chatml)
    if chat and shown.stops:
        stops = tuple(dict.fromkeys((*shown.stops, *row.profile.stops)))
        row = _corrected(row, replace(row.profile, stops=stops), "stops")
    return Choice(name, row, chat, tuple(_notices(name, row, chat=chat)))


def _corrected(row: Row, better: Profile, *names: str) -> Row:
    """The row with these fields as they are better, except where the person has set them."""
    open_ = [name for name in names if name not in row.own]
    values = {name: getattr(better, name) for name in open_ if getattr(better, name) != getattr(row.profile, name)}
    told = dict.fromkeys(values, SERVER)
    return replace(row, profile=replace(row.profile, **values), origins={**row.origins, **told})


def narrowed(profile: Profile, window: int) -> Profile:
    """A careful window is no larger than what the model was made for."""
    return replace(profile, window=window, reply_tokens=min(profile.reply_tokens, max(1, window // 4)))


def _notices(name: str, row: Row, *, chat: bool) -> Iterator[str]:
    family = is_family(names.canonical(name))
    if not family and row.profile.size == OTHER.size:
        yield _foreign(name, row)
    elif family and (strange := unknown_size(names.canonical(name))):
        yield f"{name}: the family has no {strange}, so the row of the {row.profile.size} counts; {SIZES_ARE}"
    elif is_base(name):
        yield f"{name} is a base build: it completes text, and was not trained on conversations"
    if chat and not row.profile.chatml:
        kind = kind_of(name)
        why = f" ({kind.name}: {kind.reason})" if kind else ""
        yield f"{name} was not trained on ChatML{why}: the server writes its own template around the conversation"
    if row.send_tools and not chat:
        yield f'`send_tools` counts with `endpoint = "chat"` alone: {name} reads of its tools in the prompt'
    if row.profile.strip_tools:
        yield f"{name} is offered no tools: chat only, it can read, change and run nothing (strip_tools)"


def _foreign(name: str, row: Row) -> str:
    """What a name outside the family tells. One that tells nothing may be a served alias of the family."""
    if kind_of(name) or "profile" in row.own:
        return f"{name} is not a Qwen 2.5 Coder model: the prompt and the reader are made for that family"
    table = json.dumps(name, ensure_ascii=False)
    return (
        f"the name {name} does not tell which model it is, so it gets a careful row; if it is a Qwen 2.5 Coder, "
        f'say its size in config.toml: `[models.{table}]`, and below it `profile = "7b"`'
    )

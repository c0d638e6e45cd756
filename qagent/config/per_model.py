"""A model's row with the person's settings laid over it, and where each value comes from. Pure.

In: the settings, a model's name. Out: a Profile, and for each of its fields the place: a file and its line, a variable,
a flag, or the row's own source. What stands in a table `[models."NAME"]` wins over what is set for all; a later place
has been taken out of the tables before (`qagent.config.loading`).

NAME is a model's name in any spelling; a size alone (`7b`) is every model of the family in that size; `*` stands for
anything. When several fit, the last one in the file wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase

from qagent.config.settings import MODEL_KEYS, ModelSettings, Settings
from qagent.models.names import canonical
from qagent.qwen.profiles import DEFAULT, PROFILES, Profile, is_family, profile_of, row_named, size_of

FIELD_OF = {"num_ctx": "window"}
"""Fields of a row that are set under another name."""


@dataclass(frozen=True, slots=True)
class Row:
    """`origins`: by field of the profile, and for `endpoint` and `send_tools`, which are none. own: the fields that
    the person has set."""

    profile: Profile
    origins: dict[str, str]
    endpoint: str = "auto"
    send_tools: bool = False
    own: frozenset[str] = frozenset()


def profile_for(settings: Settings, name: str | None) -> Profile:
    """The values that count for this model; None for one that is not known yet: then those of the 7B."""
    return row_for(settings, {}, name).profile


def row_for(settings: Settings, origins: Mapping[str, str], name: str | None) -> Row:
    """`origins` as `load` gives them."""
    chosen = dict(_chosen(settings, origins, name or ""))
    size = chosen.get("profile")
    base = row_named(str(size[0]), name or "") if size else profile_of(canonical(name)) if name else DEFAULT
    own = {FIELD_OF.get(key, key): pair for key, pair in chosen.items()}
    row = replace(base, **{field.name: own[field.name][0] for field in fields(Profile) if field.name in own})
    places = {field.name: row.source(field.name) for field in fields(Profile)} | {
        field: place for field, (_, place) in own.items()
    }
    asked = str(own["endpoint"][0]), bool(own["send_tools"][0])
    return _fitted(Row(row, places, *asked, frozenset(own)))


def _chosen(settings: Settings, origins: Mapping[str, str], name: str) -> Iterator[tuple[str, tuple[object, str]]]:
    """What is set, the later ones winning: the settings for all, then each table that fits."""
    for key in MODEL_KEYS:
        value = getattr(settings, key)
        if value is not None:
            yield key, (value, origins.get(key, ""))
    for pattern, table in settings.models:
        if name and fits(pattern, name):
            yield from _set(table, origins, pattern)


def _set(table: ModelSettings, origins: Mapping[str, str], pattern: str) -> Iterator[tuple[str, tuple[object, str]]]:
    for key in MODEL_KEYS:
        if key in table.model_fields_set:
            yield key, (getattr(table, key), origins.get(f"models.{pattern}.{key}", ""))


def fits(pattern: str, name: str) -> bool:
    """Whether a table of this name is meant for a model."""
    if pattern.strip().lower() in PROFILES:
        return is_family(canonical(name)) and size_of(canonical(name)) == pattern.strip().lower()
    spelled = (name.casefold(), canonical(name).casefold(), name.casefold().removesuffix(":latest"))
    wanted = (pattern.strip().casefold(), canonical(pattern).casefold())
    return any(fnmatchcase(text, glob) for text in spelled for glob in wanted)


def _fitted(row: Row) -> Row:
    """A reply that fills more than half of the window leaves no room for the prompt: then it has a quarter."""
    profile = row.profile
    if profile.reply_tokens * 2 <= profile.window:
        return row
    why = f"a quarter of the window ({row.origins['window']})"
    return replace(
        row,
        profile=replace(profile, reply_tokens=profile.window // 4),
        origins={**row.origins, "reply_tokens": why},
    )

"""Models' names: which spellings mean the same, which installed model is meant, and which one fits the machine.

Pure. In: names, sizes, memory. Out: a name as the server spells it. It asks no server.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from qagent.errors import ModelMissing
from qagent.qwen.profiles import OVERHEAD_BYTES, PROFILES, is_base, is_family, profile_of, size_of

HUGGING_FACE = "qwen/"
FAMILY = "qwen2.5-coder"
PULLED = f"{FAMILY}:7b"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that a server has. size_bytes: its weights on disk, 0 when the server does not tell. remote: the host
    that runs it in the server's place, "" for none. window: in tokens, as the server was started; None when untold."""

    name: str
    size_bytes: int = 0
    family: str = ""
    parameters: str = ""
    quantization: str = ""
    remote: str = ""
    window: int | None = None


def canonical(name: str) -> str:
    """The one spelling of a name: `qwen2.5-coder-32b` and `Qwen/Qwen2.5-Coder-32B-Instruct` are `qwen2.5-coder:32b`.

    A bare size is one of the family: `7b` is `qwen2.5-coder:7b`. Names with a registry or a user, and names outside the
    family, stay as they are.
    """
    name = name.strip()
    if name.lower() in PROFILES:
        return f"qwen2.5-coder:{name.lower()}"
    tail = name[len(HUGGING_FACE) :] if name.lower().startswith(HUGGING_FACE) else name
    found = re.fullmatch(r"qwen[-_ ]?2\.5[-_ ]?coder(?:[-_: ](.+))?", tail, re.IGNORECASE)
    if "/" in tail or not found:
        return name
    return "qwen2.5-coder" + (f":{_tag(found[1])}" if found[1] else "")


def _tag(tag: str) -> str:
    """A bare size means the build for chat, and so does `-instruct`. A quantisation keeps its case: `q4_K_M`."""
    sized = re.fullmatch(r"(\d+(?:\.\d+)?b)(?:-(instruct|base))?(-.+)?", tag, re.IGNORECASE)
    if not sized:
        return tag.lower()
    size, build, rest = sized[1].lower(), (sized[2] or "").lower(), re.sub(r"(?i)^-gguf$", "", sized[3] or "")
    if build == "base" or (build and rest):
        return f"{size}-{build}{rest}"
    return size + rest


def resolve(wanted: str, installed: Sequence[InstalledModel], *, can_pull: bool = True) -> str:
    """The installed name that `wanted` means. Raises ModelMissing with the nearest names and how to get the model.

    `can_pull`: whether Ollama is asked, which can get it."""
    names = [model.name for model in installed]
    for same in (_exact, _folded, _same_model):
        for name in names:
            if same(name) == same(wanted):
                return name
    raise missing(wanted, names, can_pull=can_pull)


def _exact(name: str) -> str:
    return name.strip()


def _folded(name: str) -> str:
    """Ollama takes a name without a tag for `name:latest`, and does not tell cases apart."""
    return name.strip().casefold().removesuffix(":latest")


def _same_model(name: str) -> str:
    return _folded(canonical(name))


def missing(wanted: str, names: Sequence[str], *, can_pull: bool = True) -> ModelMissing:
    """The error for a model that is not there, with the three nearest that are: those that begin so, then the alike."""
    nearest = _nearest(wanted, names)
    near = ", ".join(nearest)
    if nearest and _same_model(wanted) == FAMILY and not is_base(nearest[0]):
        return ModelMissing(
            f"{wanted!r} names no size; the server has {near}", todo=f"give the size: `-m {nearest[0]}`"
        )
    ways = [f"get it with `ollama pull {canonical(wanted)}`"] if can_pull and _can_be_pulled(wanted) else []
    ways += ["choose another with `-m NAME`"] if near else []
    last = f"get one with `ollama pull {PULLED}`" if can_pull else "ask the server's operator what it serves"
    return ModelMissing(
        f"the server has no model {wanted!r}" + (f"; the nearest it has: {near}" if near else ""),
        todo=", or ".join(ways) or last,
    )


def _nearest(wanted: str, names: Sequence[str]) -> list[str]:
    same = _same_model(wanted)
    spellings = {_same_model(name): name for name in reversed(names)}
    longer = sorted((spelling for spelling in spellings if same and spelling.startswith(same)), key=_likelier)
    near = difflib.get_close_matches(same, list(spellings), n=3, cutoff=0.0)
    return [spellings[spelling] for spelling in dict.fromkeys([*longer, *near])][:3]


def _likelier(name: str) -> tuple[bool, bool, str]:
    """Builds for chat before base builds, the 7B before other sizes."""
    return (is_base(name), size_of(name) != size_of(PULLED), name)


def _can_be_pulled(wanted: str) -> bool:
    """A tag of the family, or else `USER/NAME` or `NAME:TAG`; a bare word is more likely a slip."""
    name = canonical(wanted)
    if not re.fullmatch(r"\w[\w.-]*(?:/\w[\w.-]*)*(?::\w[\w.-]*)?", name, re.ASCII):
        return False
    if name.startswith("qwen2.5-coder"):
        return re.fullmatch(r"qwen2\.5-coder(?::(?:latest|\d+(?:\.\d+)?b(?:-[\w.-]+)?))?", name) is not None
    return "/" in name or ":" in name


# ------------------------------------------------------------------ which one fits the machine


def choose(
    installed: Sequence[InstalledModel],
    memory_bytes: int | None,
    window: int,
    windows: Mapping[str, int] = MappingProxyType({}),
) -> str | None:
    """The largest installed model of the family that fits into `memory_bytes` with a window of `window` tokens, or of
    what `windows` has for its name.

    Never a `-base` build, nor one that another machine runs; a build under somebody's name only when there is no other.
    Memory unknown: the 7B, else the nearest smaller, else the smallest. Nothing fits: the smallest. None when the
    family is not installed.
    """
    here = [model for model in installed if not model.remote]
    family = [model for model in here if is_family(model.name) and not is_base(model.name)]
    ranked = sorted([model for model in family if "/" not in model.name] or family, key=_rank)
    if not ranked:
        return None
    if memory_bytes is None:
        fitting = [model for model in ranked if profile_of(model.name).weight_bytes <= profile_of(PULLED).weight_bytes]
    else:
        fitting = [model for model in ranked if _needed(model, windows.get(model.name, window)) <= memory_bytes]
    return (fitting[-1] if fitting else _smallest(ranked)).name


def _needed(model: InstalledModel, window: int) -> int:
    profile = profile_of(model.name)
    return (model.size_bytes or profile.weight_bytes) + profile.kv_bytes * window + OVERHEAD_BYTES


def _rank(model: InstalledModel) -> tuple[int, bool, int, str]:
    """Worse first: size, then the plain tag, then the finer quantisation."""
    plain = re.fullmatch(r"qwen2\.5-coder(:(latest|[\d.]+b))?", model.name.lower()) is not None
    return (profile_of(model.name).weight_bytes, plain, model.size_bytes, model.name)


def _smallest(ranked: Sequence[InstalledModel]) -> InstalledModel:
    """Of the builds of the smallest size, the one with the smallest weights."""
    size = profile_of(ranked[0].name).weight_bytes
    return min(
        (model for model in ranked if profile_of(model.name).weight_bytes == size), key=lambda model: _needed(model, 0)
    )

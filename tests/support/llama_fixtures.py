"""pytest plugin: real llama.cpp servers for tests, each model started once a session."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from llama_server import LlamaServer
from tiny_models import write_random, write_scripted


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted model says: `default`, or the text for the last key of `on` that stands in the prompt."""

    default: str
    on: Mapping[str, str] = field(default_factory=dict[str, str])


class StartLlama(Protocol):
    def __call__(self, model: Path | Script | None = None, *, ctx: int = 8192, slots: int = 1) -> LlamaServer:
        """The running server for a GGUF file or a script; without either, for random weights.

        Asked again for the same, it returns the same server while that lives. Do not close it; a server that a test
        kills is better started there, as `LlamaServer(path)`.
        """
        ...


@pytest.fixture(scope="session")
def need_llamacpp() -> None:
    """Where the continuous integration runs on Linux, a missing llama.cpp is a failure; elsewhere a reason to skip."""
    if importlib.util.find_spec("xllamacpp"):
        return
    if sys.platform == "linux" and os.environ.get("CI"):
        pytest.fail("xllamacpp is not installed: the dev extra has it")
    pytest.skip("xllamacpp is not installed; `pip install -e .[dev]` brings it on Linux and macOS")


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random(tmp_path_factory.mktemp("random") / "random.gguf")


@pytest.fixture(scope="session")
def llama_server(
    need_llamacpp: None, random_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartLlama]:
    running: dict[tuple[object, ...], LlamaServer] = {}

    def path_of(model: Path | Script | None) -> Path:
        if isinstance(model, Script):
            return write_scripted(tmp_path_factory.mktemp("scripted") / "scripted.gguf", model.default, model.on)
        return model or random_model

    with ExitStack() as stack:

        def start(model: Path | Script | None = None, *, ctx: int = 8192, slots: int = 1) -> LlamaServer:
            what = (model.default, *model.on.items()) if isinstance(model, Script) else (model,)
            key = (*what, ctx, slots)
            if key not in running or not running[key].alive:
                running[key] = stack.enter_context(LlamaServer(path_of(model), ctx=ctx, slots=slots))
            return running[key]

        yield start

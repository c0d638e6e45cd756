"""Runs the command line in this process: quick, and the same code that the console script calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from qagent.cli import run


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout, which must be exactly one JSON object."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def qagent(capsys: pytest.CaptureFixture[str], *arguments: str | Sequence[str]) -> Ran:
    flat = [word for some in arguments for word in ([some] if isinstance(some, str) else some)]
    capsys.readouterr()
    code = run(flat)
    seen = capsys.readouterr()
    return Ran(code, seen.out, seen.err)

"""Edits as models write them, with what must come of each: tests/cases/edits/*.jsonl, an edit a line.

`after` is the exact text; `error` the code of a refusal, which leaves the file as it was; `or_…`: also right. `safety`:
the wrong text would be written without anybody noticing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qagent.edits.applying import Edit, apply
from qagent.edits.refused import EditRefused

FOLDER = Path(__file__).parent / "cases" / "edits"
CASES: list[dict[str, Any]] = [
    json.loads(line) for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_bytes().splitlines()
]


def outcome(case: dict[str, Any]) -> tuple[str, str]:
    edits = [Edit(edit["old"], edit["new"], edit.get("replace_all", False)) for edit in case["edits"]]
    try:
        return "after", apply(case["before"], edits, case["file"]).text
    except EditRefused as refused:
        return "error", refused.code


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_edit_comes_out_as_it_was_meant_or_not_at_all(case: dict[str, Any]) -> None:
    expect = case["expect"]
    kind, found = outcome(case)
    assert found in [expect.get(kind), *expect.get(f"or_{kind}", [])]


def test_there_are_enough_of_them_and_each_has_its_name() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES) > 700
    assert sum(case.get("safety", False) for case in CASES) > 200

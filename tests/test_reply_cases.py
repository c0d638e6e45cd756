"""Replies that break readers of calls, by family; every one whole, by characters and in the row's own pieces."""

from __future__ import annotations

import json

import pytest
from replies import calls, parts_of, prose
from reply_cases import Row, rows, specs, ways

from qagent.types import Part

ROWS = rows()


def heard(row: Row) -> list[Part]:
    """The parts of the reply, which do not depend on how it came."""
    tools = specs(row)
    whole, *others = (parts_of(pieces, tools)[0] for pieces in ways(row))
    for other in others:
        assert other == whole, "the pieces matter"
    return whole


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_reply_becomes_the_right_calls_and_the_right_text(row: Row) -> None:
    parts = heard(row)
    shown = prose(parts)
    made = [{"name": name, "arguments": arguments} for name, arguments in calls(parts)]
    assert _exact(made) in [_exact(good) for good in (row["calls"], *row.get("or_calls", []))], row["why"]
    if row["text"] is not None and made == row["calls"]:
        assert squeezed(shown) == squeezed(row["text"]), row["why"]
    for banned in row.get("never_shown", []):
        assert banned not in shown, row["why"]


def test_every_row_has_its_own_id_and_its_pieces_are_its_reply() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        for pieces in ways(row):
            assert "".join(pieces) == row["raw"], row["id"]


def _exact(value: object) -> str:
    """JSON tells 1, 1.0 and true apart, which Python's comparison does not."""
    return json.dumps(value, sort_keys=True)

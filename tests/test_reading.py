from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.events import Event, Notice, ReplyFinished, TextStreamed
from qagent.reading import FORM_WORDS, HELD, REPAIR_WORDS, Reading, how, note
from qagent.types import Form, Repair, Usage

FORMS: tuple[Form, ...] = get_args(Form)
REPAIRS: tuple[Repair, ...] = get_args(Repair)
PLAIN = ReplyFinished(1, "stop", Usage(), ("tools",), repairs=((),))
RESCUED = ReplyFinished(2, "stop", Usage(), ("fence", "bare"), 1, 7, (("quotes", "commas"), ("commas",)))
FORCED = ReplyFinished(3, "length", Usage(), ("forced",), forced=True, continued=2, repairs=((),))
NATIVE = ReplyFinished(4, "stop", Usage(), ("native",), repairs=((),), native=True)
FAILED = ReplyFinished(5, "failed", Usage())
FAILED_LATE = ReplyFinished(6, "failed", Usage(), bad_calls=1)


def folded(*events: Event) -> Reading:
    total = Reading()
    for event in events:
        total = total.after(event)
    return total


def test_replies_are_added_up_and_other_events_are_not() -> None:
    assert folded(TextStreamed("x"), PLAIN, RESCUED, Notice("y"), FORCED, NATIVE).record == {
        "replies": 4,
        "calls": 5,
        "forms": {"tools": 1, "fence": 1, "bare": 1, "forced": 1, "native": 1},
        "repairs": {"quotes": 1, "commas": 2},
        "bad_calls": 1,
        "forced": 1,
        "continued": 2,
        "native": 1,
        "dropped": 7,
    }


@pytest.mark.parametrize(
    ("total", "words"),
    [
        (folded(), "0 replies; 0 calls"),
        (folded(PLAIN), "1 reply; 1 call (in tools tags 1)"),
        (folded(PLAIN, FAILED), "1 reply; 1 call (in tools tags 1)"),
        (folded(FAILED_LATE), "1 reply; 0 calls; 1 call that cannot be run"),
        (
            folded(RESCUED),
            "1 reply; 2 calls (from a code fence 1, from bare JSON 1); mended: quotes 1, commas 2; "
            "1 call that cannot be run; 7 characters dropped",
        ),
        (
            folded(FORCED, NATIVE),
            "2 replies; 2 calls (held to the form 1, by the server 1); "
            "gone on 2 times where the reply limit cut a call",
        ),
    ],
)
def test_totals_are_one_line(total: Reading, words: str) -> None:
    assert total.words == words


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (PLAIN, ""),
        (NATIVE, "read by the server"),
        (ReplyFinished(1, "stop", Usage(), bad_calls=2, dropped=9), ""),
        (RESCUED, "read from a code fence, from bare JSON; mended: quotes, commas"),
        (FORCED, f"{HELD}; gone on 2 times where the reply limit cut a call"),
        (ReplyFinished(1, "stop", Usage(), bad_calls=1, forced=True), HELD),
        (ReplyFinished(1, "stop", Usage(), ("tools",), repairs=(("inner_quotes",),)), "mended: quotes inside text"),
        (
            ReplyFinished(1, "stop", Usage(), ("tools",), repairs=((),), continued=1),
            "gone on once where the reply limit cut a call",
        ),
    ],
)
def test_only_what_was_out_of_the_ordinary_is_noted(reply: ReplyFinished, words: str) -> None:
    assert note(reply) == words


def test_every_form_and_every_repair_has_its_words() -> None:
    assert set(FORM_WORDS) == set(FORMS)
    assert set(REPAIR_WORDS) == set(REPAIRS)
    assert how(("tools",), ()) == ""


CALLS = st.lists(st.tuples(st.sampled_from(FORMS), st.lists(st.sampled_from(REPAIRS)).map(tuple)), max_size=4)


@st.composite
def replies(draw: st.DrawFn) -> ReplyFinished:
    calls = draw(CALLS)
    forms: tuple[Form, ...] = tuple(form for form, _ in calls)
    repairs = tuple(mended for _, mended in calls)
    counts = st.integers(0, 9)
    return ReplyFinished(1, "stop", Usage(), forms, draw(counts), draw(counts), repairs, draw(st.booleans()))


@given(st.lists(replies(), max_size=6))
def test_totals_do_not_depend_on_the_order_and_no_repair_counts_twice_a_call(heard: list[ReplyFinished]) -> None:
    total = folded(*heard)
    assert total == folded(*reversed(heard))
    assert total.calls == sum(len(reply.forms) for reply in heard)
    assert all(count <= total.calls for count in total.repairs.values())
    assert json.loads(json.dumps(total.record)) == total.record
    assert "\n" not in total.words

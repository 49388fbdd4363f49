"""Splitting spans of days: nothing is lost between the pieces, nothing is in two of them."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.windows import EVERYTHING, Span

days = st.dates(EVERYTHING.first, EVERYTHING.last)
spans = st.tuples(days, days).map(lambda pair: Span(min(pair), max(pair)))


@given(spans)
def test_pieces_are_the_span_in_order(span: Span) -> None:
    pieces = span.split()
    if span.first == span.last:
        assert pieces == ()
        return
    assert len(pieces) > 1
    assert (pieces[0].first, pieces[-1].last) == (span.first, span.last)
    for before, after in pairwise(pieces):
        assert before.first <= before.last
        assert before.last + timedelta(days=1) == after.first


@given(days)
def test_every_day_is_reached_in_a_few_steps(day: date) -> None:
    span, steps = EVERYTHING, 0
    while pieces := span.split():
        span = next(piece for piece in pieces if piece.first <= day <= piece.last)
        steps += 1
    assert span == Span(day, day)
    assert steps <= 8


@pytest.mark.parametrize(
    ("first", "last", "pieces", "second"),
    [
        ("1000-01-01", "9999-12-31", 9, "1970-01-01..1979-12-31"),
        ("2010-01-01", "2019-12-31", 10, "2011-01-01..2011-12-31"),
        ("2020-01-01", "2020-12-31", 12, "2020-02-01..2020-02-29"),
        ("2021-02-01", "2021-02-28", 4, "2021-02-08..2021-02-14"),
        ("2021-03-29", "2021-04-02", 2, "2021-04-01..2021-04-02"),
        ("2021-03-08", "2021-03-14", 7, "2021-03-09..2021-03-09"),
    ],
)
def test_the_calendar_decides(first: str, last: str, pieces: int, second: str) -> None:
    found = Span.of(first, last).split()

    assert len(found) == pieces
    assert found[1].window.name == f"dates:{second}"

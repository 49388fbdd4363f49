"""Times that never repeat, and their one text form."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from clocks import START, FakeClock
from hypothesis import given
from hypothesis import strategies as st

from utils.clock import FetchClock, SystemClock, iso, parse_iso


@given(st.lists(st.integers(-3, 3), max_size=20))
def test_stamps_grow_whatever_the_clock_does(steps: list[int]) -> None:
    clock = FakeClock()
    fetch = FetchClock(clock, START)
    stamps = [START]
    for step in steps:
        clock.advance(step)
        stamps.append(fetch.stamp())
        assert stamps[-1] == max(clock.now(), stamps[-2] + timedelta(microseconds=1))


def test_a_last_value_in_the_future_is_continued() -> None:
    future = START + timedelta(days=2)
    assert FetchClock(FakeClock(), future).stamp() == future + timedelta(microseconds=1)


def test_without_a_last_value_the_first_stamp_is_now() -> None:
    assert FetchClock(FakeClock()).stamp() == START


def test_threads_never_share_a_stamp() -> None:
    fetch = FetchClock(FakeClock())
    with ThreadPoolExecutor(8) as pool:
        stamps = list(pool.map(lambda _: fetch.stamp(), range(500)))
    assert len(set(stamps)) == 500


@given(st.lists(st.datetimes(timezones=st.timezones()), min_size=2, max_size=2))
def test_text_order_is_time_order(moments: list[datetime]) -> None:
    try:
        first, second = (moment.astimezone(UTC) for moment in moments)
    except OverflowError:  # the first and last day of the calendar have no UTC everywhere
        return
    assert (iso(first) < iso(second)) == (first < second)
    assert parse_iso(iso(moments[0])) == first


def test_the_text_form_is_fixed() -> None:
    moment = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    assert iso(moment) == "2026-03-29T01:30:00.000000+00:00"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        iso(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="no time zone"):
        parse_iso("2026-01-01T00:00:00")


def test_the_system_clock_tells_utc_and_sleeps() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    before = clock.monotonic()
    clock.sleep(0.01)
    clock.sleep(-1)
    assert clock.monotonic() - before >= 0.01

"""One window: rows that slip over page edges, pages that fail, and windows that go on."""

import pytest
from fake_listing import UPDATED, Drive, FakeListing

from ingestion.rawg_fetcher import ListingQuery, Page, PageUnreadable, RowHead
from ingestion.reading import Limits, Reading, Verdict
from ingestion.reading_kinds import BrowseReading
from storage.database.repositories.windows import WindowRow
from storage.layout import BROWSE


def answer(reading: Reading, number: int, ids: range, count: int, *, more: bool = False) -> None:
    heads = tuple(RowHead(i, UPDATED, None) for i in ids)
    page = Page(ListingQuery(), number, count, heads, b"[]", BROWSE, more, False)
    if number in reading.wanted:
        reading.wanted.remove(number)
    reading.absorb(number, page, reading.look(number, page))


def wanted(reading: Reading) -> list[int]:
    return sorted(reading.wanted)


def test_rows_removed_before_an_edge_are_looked_for_on_the_page_read_earlier() -> None:
    reading = BrowseReading(Limits(1_000))
    answer(reading, 1, range(40), 100)
    answer(reading, 2, range(42, 82), 98)  # rows 40 and 41 have moved onto page 1
    answer(reading, 3, range(82, 100), 98)

    assert (reading.settle(), wanted(reading)) == (Verdict.MORE, [1])
    answer(reading, 1, range(2, 42), 98)
    assert reading.settle() is Verdict.DONE
    assert reading.fetched == 100


def test_rows_inserted_before_an_edge_are_looked_for_on_the_page_read_earlier() -> None:
    reading = BrowseReading(Limits(1_000))
    answer(reading, 2, range(40, 80), 79)
    answer(reading, 1, range(1000, 1040), 119)  # read after forty rows came in front of page 2

    assert reading.settle() is Verdict.MORE
    assert 2 in reading.wanted


def test_an_unreadable_page_is_tried_again_and_then_named() -> None:
    reading = BrowseReading(Limits(1_000))
    answer(reading, 1, range(40), 50)
    error = PageUnreadable(ListingQuery(), 2, "no JSON", "<html>")
    for expected in (Verdict.MORE, Verdict.MORE, Verdict.INCOMPLETE):
        reading.wanted.clear()
        reading.fail(2, error)
        assert reading.settle() is expected
    assert reading.note == "unreadable: page 2"
    assert reading.unreadable() == [error]


def test_a_listing_that_goes_on_after_its_count_is_followed() -> None:
    reading = BrowseReading(Limits(1_000))
    answer(reading, 1, range(40), 40, more=True)
    assert (reading.settle(), wanted(reading)) == (Verdict.MORE, [2])
    answer(reading, 2, range(40, 60), 40)
    assert reading.settle() is Verdict.DONE


def test_a_listing_that_repeats_its_last_page_for_ever_is_not_followed() -> None:
    reading = BrowseReading(Limits(1_000))
    answer(reading, 1, range(40), 40, more=True)
    assert reading.settle() is Verdict.MORE
    answer(reading, 2, range(40), 40, more=True)
    assert reading.settle() is Verdict.DONE


def test_rows_without_an_id_are_accounted_for_once() -> None:
    reading = BrowseReading(Limits(1_000))
    heads = (RowHead(1, UPDATED, None), RowHead(None, None, None))
    page = Page(ListingQuery(), 1, 2, heads, b"[]", BROWSE, False, False)
    for _ in range(2):
        reading.absorb(1, page, reading.look(1, page))

    assert reading.fetched == 2


@pytest.mark.parametrize("done", [{1}, {1, 2, 5}, {1, 2, 3, 4, 5, 6}])
def test_a_resumed_window_asks_only_for_what_is_left(done: set[int]) -> None:
    source = FakeListing(dict.fromkeys(range(1, 231)))
    rows = sum(30 if page == 6 else 40 for page in done)
    row = WindowRow("run", "browse", "browse", "", "", 230, rows, "open", "")
    reading = BrowseReading(Limits(1_000))
    reading.resume(row, done)
    Drive(source).read([reading])

    assert {page for _, page in source.asked} == set(range(1, 7)) - done
    assert (reading.state, reading.fetched) == ("done", 230)


def test_a_window_that_was_short_is_read_again_from_nothing() -> None:
    source = FakeListing(dict.fromkeys(range(1, 101)))
    row = WindowRow("run", "browse", "browse", "", "", 100, 90, "incomplete", "gave 90 of 100 rows")
    reading = BrowseReading(Limits(1_000))
    reading.resume(row, {1, 2, 3})
    Drive(source).read([reading])

    assert (reading.state, reading.fetched) == ("done", 100)


def test_a_window_is_done_for_the_store_once_its_pages_are_in_raw() -> None:
    reading = BrowseReading(Limits(1_000))
    answer(reading, 1, range(40), 50)
    answer(reading, 2, range(40, 50), 50)
    reading.rolled.add(1)
    assert (reading.settled, reading.durable(), reading.fetched) == (False, 40, 50)

    reading.rolled.add(2)
    assert (reading.settled, reading.durable()) == (True, 50)

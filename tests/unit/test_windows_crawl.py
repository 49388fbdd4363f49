"""Whatever the catalogue and the limits: every game is read, and not with endless requests."""

from datetime import date, timedelta

from fake_listing import Drive, FakeListing
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.crawl import Crawl
from ingestion.reading import Limits
from ingestion.reading_kinds import BrowseReading, DatesReading, PopularReading, UndatedReading
from ingestion.windows import EVERYTHING, Span


@st.composite
def catalogues(draw: st.DrawFn) -> dict[int, str | None]:
    """Games spread over the years, with spikes on single days and some without a date."""
    spikes = draw(
        st.lists(
            st.tuples(st.dates(date(1955, 1, 1), date(2033, 1, 1)), st.integers(1, 250)),
            max_size=8,
        )
    )
    dates = [day.isoformat() for day, games in spikes for _ in range(games)]
    undated = draw(st.integers(0, 130))
    return dict(enumerate([*dates, *[None] * undated], start=1))


def read_all(source: FakeListing, limits: Limits) -> tuple[Drive, set[str]]:
    drive, total = Drive(source), len(source.games)
    dated = drive.read([DatesReading(EVERYTHING.window, limits, total)])
    root = next(reading for reading in dated if reading.window.name == EVERYTHING.window.name)
    undated = drive.read([UndatedReading(limits, total - (root.api_count or 0))])
    return drive, {reading.state for reading in [*dated, *undated]}


@settings(max_examples=60, deadline=None)
@given(catalogues(), st.sampled_from([80, 120, 200, 1_000]), st.booleans())
def test_every_game_is_found(games: dict[int, str | None], depth: int, known: bool) -> None:
    source = FakeListing(games, depth=depth)
    drive, states = read_all(source, Limits(depth if known else 10_000))

    # A limit nobody knows of, a few rows below a count, looks like a wrong count: then it is said.
    assert set(drive.got) == set(games) or (not known and "incomplete" in states)
    if known:
        assert states <= {"done", "split"}
        pages = len(games) // 40 + drive.splits * 32 + 40
        assert len(source.asked) <= pages + 2 * len(games) // 40


@settings(max_examples=30, deadline=None)
@given(catalogues())
def test_within_the_limits_no_page_is_asked_for_twice(games: dict[int, str | None]) -> None:
    source = FakeListing(games)
    drive, _ = read_all(source, Limits(10_000))

    assert len(source.asked) == len(set(source.asked))
    assert set(drive.got.values()) <= {1}


def test_an_empty_year_costs_one_request() -> None:
    games: dict[int, str | None] = dict(enumerate(["2010-01-01"] * 90 + ["2015-01-01"] * 90))
    source = FakeListing(games, depth=100)
    Drive(source).read([DatesReading(Span.of("2010-01-01", "2019-12-31").window, Limits(100), 180)])

    empty = [asked for asked in source.asked if asked[0].startswith("dates=2012")]
    assert empty == [("dates=2012-01-01,2012-12-31&ordering=created", 1)]


def test_the_browse_listing_is_read_in_order_of_creation() -> None:
    source = FakeListing(dict.fromkeys(range(1, 206)))
    drive = Drive(source)
    (reading,) = drive.read([BrowseReading(Limits(100))])

    assert (reading.state, reading.fetched, len(source.asked)) == ("done", 205, 6)


def test_a_limit_keeps_exactly_that_many() -> None:
    drive = Drive(FakeListing(dict.fromkeys(range(1, 206))))
    drive.read([PopularReading(Limits(100), 90)])

    assert len(drive.got) == 90


def test_an_allowance_is_shared_by_all_windows() -> None:
    games = dict(enumerate(date(2010, 1, 1) + timedelta(days=30 * i) for i in range(120)))
    source = FakeListing({i: day.isoformat() for i, day in games.items()}, depth=50)
    drive = Drive(source)
    drive.read([DatesReading(EVERYTHING.window, Limits(50, allowance=77), 120)])

    assert len(drive.got) == 77


def test_a_window_is_open_until_its_pieces_are_written_down() -> None:
    """Else whoever stores windows meanwhile would store one that is split into nothing."""
    games: dict[int, str | None] = {i: f"2020-01-{i % 28 + 1:02d}" for i in range(1, 101)}
    source, limits, states = FakeListing(games, depth=50), Limits(50), []
    whole = DatesReading(EVERYTHING.window, limits, len(games))
    crawl = Crawl([whole], lambda reading, pieces: states.append((reading.state, bool(pieces))))
    task = crawl.next()
    assert task is not None
    page = source.page(task.query, task.page)
    crawl.finish(task, page, crawl.look(task, page))

    assert states[0] == ("open", True)
    assert whole.state == "split"

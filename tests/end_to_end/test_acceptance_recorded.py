"""The recorded games through the whole lake: the star is what an independent reading gives."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acceptance_lake import (
    asked,
    pointers,
    raw_ids,
    star_of,
    without,
    without_russian_tags,
)
from acceptance_served import (
    dated_pages,
    lookup_pages,
    recorded_pages,
    undated_pages,
    years_served,
)
from lakes import LakeUnderTest
from oracle import Oracle, Row
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess

pytestmark = [pytest.mark.recorded, pytest.mark.xdist_group("recorded")]
GAMES, UNDATED = 13_960, 361
# When a row was read is ours to say, and how its hash is made too; every other column is checked.
OURS = frozenset({"observed_at", "payload_hash"})
Star = dict[str, list[Row]]


@pytest.fixture(scope="module")
def source(recorded_data: Path) -> Iterator[SimulatorProcess]:
    with running(replay=recorded_data / "rawg/pages") as simulator:
        yield simulator


class Crawled:
    """A lake after its first `ingest` and `etl`; what the source was asked meanwhile."""

    def __init__(self, source: SimulatorProcess, home: Path, strategy: str) -> None:
        source.control.reset_counters()
        self.lake = LakeUnderTest(home, source.base_url)
        self.ingested: dict[str, Any] = self.lake.must("ingest", "--strategy", strategy)
        self.requests = sum(source.control.counters()["kinds"].values())
        self.lake.must("etl")
        self.star: Star = star_of(self.lake)


@pytest.fixture(scope="module")
def by_dates(source: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return Crawled(source, tmp_path_factory.mktemp("dates"), "dates")


@pytest.fixture(scope="module")
def by_browsing(source: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return Crawled(source, tmp_path_factory.mktemp("browse"), "browse")


def test_a_crawl_by_dates_says_complete_and_every_figure_adds_up(by_dates: Crawled) -> None:
    report = by_dates.ingested
    assert (report["scope"], report["state"], report["complete"]) == ("all", "completed", True)
    counts = [report[f"games_{name}"] for name in ("seen", "new", "changed", "unchanged")]
    assert counts == [GAMES, GAMES, 0, 0]
    assert report["requests"] == by_dates.requests
    assert sum(window["fetched"] for window in report["windows"]) == GAMES
    assert all(window["api_count"] == window["fetched"] for window in report["windows"])
    assert by_dates.lake.broken() == []


def test_years_of_the_star_are_those_the_source_counts(
    source: SimulatorProcess, by_dates: Crawled
) -> None:
    released = [row["released_on"] for row in by_dates.star["fact_games"]]
    years = Counter(day.year for day in released if day is not None)

    assert years == years_served(source)
    assert released.count(None) == UNDATED == GAMES - sum(years.values())


def test_how_much_of_each_year_is_held_is_measured_by_what_the_source_has(
    source: SimulatorProcess, by_dates: Crawled, tmp_path: Path
) -> None:
    """Traps 11 and 12: the 400 most popular games look like the market of each year."""
    few = LakeUnderTest(tmp_path / "few", source.base_url)
    few.must("ingest", "--limit", "400")
    few.must("etl")
    listed = {None: UNDATED, **years_served(source)}
    whole, part = (
        {row["release_year"]: row for row in asked(lake, "SELECT * FROM catalogue_coverage")}
        for lake in (by_dates.lake, few)
    )

    assert {year: row["source_games"] for year, row in whole.items()} == listed
    assert {row["coverage_pct"] for row in whole.values()} == {100.0}
    assert {year: row["source_games"] for year, row in part.items()} == listed
    assert sum(row["loaded_games"] for row in part.values()) == 400
    assert all(
        row["coverage_pct"] == pytest.approx(100 * row["loaded_games"] / listed[year])
        for year, row in part.items()
    )


def test_the_star_of_a_crawl_by_dates_is_what_the_rows_as_served_give(
    source: SimulatorProcess, by_dates: Crawled
) -> None:
    run = by_dates.ingested["run_id"]
    oracle = Oracle().feed(lookup_pages(source, run))
    oracle.feed(dated_pages(source, run)).feed(undated_pages(source, run))

    assert len(by_dates.star["fact_games"]) == GAMES
    assert compare(by_dates.star, oracle.star(), ignore=OURS) == []


def test_the_star_of_a_browse_crawl_is_what_the_recorded_pages_give(
    source: SimulatorProcess, by_browsing: Crawled, recorded_data: Path
) -> None:
    run = by_browsing.ingested["run_id"]
    oracle = Oracle().feed(lookup_pages(source, run)).feed(recorded_pages(recorded_data, run))

    assert by_browsing.ingested["complete"]
    assert compare(by_browsing.star, oracle.star(), ignore=OURS) == []
    assert by_browsing.lake.broken() == []


def test_both_listings_give_the_same_star_but_for_what_only_one_of_them_carries(
    by_dates: Crawled, by_browsing: Crawled
) -> None:
    platform_dates = {"bridge_game_platform": ["released_on"]}
    one, other = (
        without(without_russian_tags(crawled.star), platform_dates)
        for crawled in (by_dates, by_browsing)
    )

    assert any(row["language_code"] == "rus" for row in by_dates.star["dim_tag"])
    assert any(row["released_on"] for row in by_browsing.star["bridge_game_platform"])
    assert compare(one, other, ignore={"run_id", "observed_at"}) == []


@pytest.mark.parametrize("strategy", ["dates", "browse"])
def test_a_second_ingest_finds_nothing_new_at_a_twentieth_of_the_requests(
    source: SimulatorProcess, request: pytest.FixtureRequest, strategy: str
) -> None:
    crawled: Crawled = request.getfixturevalue(
        {"dates": "by_dates", "browse": "by_browsing"}[strategy]
    )
    before = pointers(crawled.lake)
    source.control.reset_counters()
    again = crawled.lake.must("ingest")
    sent = sum(source.control.counters()["kinds"].values())
    built = crawled.lake.must("etl")

    assert (again["scope"], again["complete"]) == ("delta", True)
    assert (again["games_new"], again["games_changed"], again["quarantined"]) == (0, 0, 0)
    assert again["games_unchanged"] == again["games_seen"] > 0
    assert again["requests"] == sent <= crawled.requests * 0.05
    assert (built["published"], built["mode"]) == (False, "none")
    assert pointers(crawled.lake) == before
    assert crawled.lake.broken() == []


def test_the_star_after_crawls_of_both_listings_is_what_both_say(
    recorded_data: Path, tmp_path: Path
) -> None:
    """Slim rows, richer ones, slim ones again: all new, all enriched but the undated, one changed.

    The first of the popular games changes its play time and not its `updated`.
    """
    with running(replay=recorded_data / "rawg/pages") as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        oracle, reports = Oracle(), []
        for strategy in ("dates", "browse", "dates"):
            report = lake.must("ingest", "--full", "--strategy", strategy)
            run = report["run_id"]
            if not reports:
                oracle.feed(lookup_pages(source, run))
            if strategy == "browse":
                oracle.feed(recorded_pages(recorded_data, run))
                source.control.change(3498, touch=False, playtime=1_234)
            else:
                oracle.feed(dated_pages(source, run)).feed(undated_pages(source, run))
            reports.append((report["games_new"], report["games_changed"], len(raw_ids(lake, run))))
        lake.must("etl")

        assert reports == [(GAMES, 0, GAMES), (0, 0, GAMES - UNDATED), (0, 1, 1)]
        assert compare(star_of(lake), oracle.star(), ignore=OURS) == []

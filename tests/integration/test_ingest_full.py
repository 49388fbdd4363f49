"""A first run reads everything, whatever the source's limits; a second one finds nothing."""

from pathlib import Path

import pytest
from ingest_lab import AGAIN, FULL, lab

from ingestion.context import IngestRequest
from utils.errors import GamelakeError, Incomplete, UsageError


def test_everything_is_read_once_and_then_nothing_is_new(tmp_path: Path) -> None:
    with lab(tmp_path, games=700) as lake:
        first = lake.ingest()
        sent = lake.requests()
        second = lake.ingest()

        assert (first.scope, first.complete, first.games_new) == ("all", True, 700)
        assert first.requests == sum(sent.values())
        assert (second.scope, second.complete) == ("delta", True)
        assert (second.games_new, second.games_changed) == (0, 0)
        assert len(lake.column("id")) == len(lake.ids()) == 700


def test_the_statement_adds_up(tmp_path: Path) -> None:
    with lab(tmp_path, games=300) as lake:
        report = lake.ingest()

        assert sum(window.fetched for window in report.windows) == 300
        assert all(window.fetched == window.api_count for window in report.windows)
        assert "counted 300 games" in report.statement
        assert "300 games seen = 300 new + 0 changed" in report.statement


def test_the_statement_of_a_part_counts_that_part(tmp_path: Path) -> None:
    months = IngestRequest(first="2015-01", last="2019-12")
    with lab(tmp_path, games=300) as lake:
        some = lake.ingest(months)
        limited = lake.ingest(IngestRequest(limit=7))
        both = lake.ingest(IngestRequest(first="2015-01", last="2019-12", limit=5))
        lake.ingest()
        delta = lake.ingest()
        planned = str(lake.plan(months))

    within, seen = some.games_seen, delta.games_seen
    counted = f"the source counted {within} games from 2015-01-01 to 2019-12-31"
    assert 5 < within < 300
    assert f"Complete: {counted}; 1 window holds {within} dated + 0 other" in some.statement
    assert "counted 300 games, up to 7 of them asked for; 1 window holds" in limited.statement
    assert f"Not complete: {counted}, up to 5 of them asked for; 1 window" in both.statement
    assert f"300 games, {seen} of them updated since 2" in delta.statement
    assert f"1 window holds 0 dated + {seen} other = {seen} rows; {seen} games" in delta.statement
    assert "in 1 window with" in planned


@pytest.mark.parametrize("known", [90, 10_000], ids=["configured limit", "unknown limit"])
def test_a_low_depth_limit_loses_nothing(tmp_path: Path, known: int) -> None:
    with lab(tmp_path, games=600, depth_limit=90, settings={"rawg_depth_limit": known}) as lake:
        report = lake.ingest()

        assert (report.complete, report.games_new) == (True, 600)
        assert len(report.windows) > 10


def test_a_day_over_the_limit_is_read_from_the_browse_listing(tmp_path: Path) -> None:
    with lab(tmp_path, games=500, depth_limit=80, busy_day=200) as lake:
        report = lake.ingest()

        assert (report.complete, len(lake.ids())) == (True, 500)
        assert [window.fetched for window in report.windows if window.name.startswith("browse:")]


def test_the_browse_strategy_reads_the_same_games(tmp_path: Path) -> None:
    with lab(tmp_path, games=500) as lake:
        report = lake.ingest(IngestRequest(strategy="browse"))
        enriched = lake.ingest(AGAIN)

        assert (report.complete, report.games_new) == (True, 500)
        assert set(lake.column("_listing")) == {"browse"}
        assert (enriched.games_new, enriched.games_changed) == (0, 0)


def test_browse_rows_after_filtered_ones_are_stored_but_no_change(tmp_path: Path) -> None:
    with lab(tmp_path, games=200) as lake:
        lake.ingest()
        dated = lake.column("_listing").count("filtered")
        report = lake.ingest(IngestRequest(full=True, strategy="browse"))

        assert (report.games_changed, report.games_unchanged) == (0, 200)
        assert sum(part.manifest.enriched for part in lake.parts()) == dated > 0


def test_a_limit_stops_and_a_plain_run_fetches_the_rest(tmp_path: Path) -> None:
    with lab(tmp_path, games=500) as lake:
        limited = lake.ingest(IngestRequest(limit=70))
        assert (limited.games_seen, limited.complete, limited.scope) == (70, False, "limit")
        assert lake.state("watermark:rawg") is None

        report = lake.ingest()

        assert (report.scope, report.complete, report.games_new) == ("all", True, 430)


def test_a_limit_beyond_the_catalogue_is_complete(tmp_path: Path) -> None:
    with lab(tmp_path, games=90) as lake:
        assert lake.ingest(IngestRequest(limit=1_000)).complete


def test_months_are_read_whole_and_move_no_watermark(tmp_path: Path) -> None:
    with lab(tmp_path, games=800) as lake:
        report = lake.ingest(IngestRequest(first="2019-02", last="2020-02"))

        released = sorted(lake.column("released"))
        assert (report.scope, report.complete) == ("range", True)
        assert "2019-02-01" <= released[0] <= released[-1] <= "2020-02-29"
        assert lake.state("watermark:rawg") is None
        assert lake.ingest().games_new == 800 - len(released)


def test_months_with_a_limit(tmp_path: Path) -> None:
    with lab(tmp_path, games=800) as lake:
        report = lake.ingest(IngestRequest(first="2018-01", last="2022-12", limit=55))

        assert (report.games_new, report.complete) == (55, False)


def test_the_plan_names_the_requests_that_are_sent(tmp_path: Path) -> None:
    with lab(tmp_path, games=900, depth_limit=200, settings={"rawg_depth_limit": 200}) as lake:
        for request in (FULL, FULL, IngestRequest(first="2019-01", last="2021-12")):
            plan = lake.plan(request)
            assert lake.state("last_fetched_at") is None or lake.parts()
            lake.requests()
            report = lake.ingest(request)
            assert plan.requests == report.requests == sum(lake.requests().values())
            assert plan.scope == report.scope


def test_planning_writes_nothing_to_raw(tmp_path: Path) -> None:
    with lab(tmp_path, games=100) as lake:
        plan = lake.plan()

        assert plan.rows == 100
        assert not (tmp_path / "raw").exists()
        assert "windows" in str(plan)


def test_a_lake_is_bound_to_its_source(tmp_path: Path) -> None:
    with lab(tmp_path, games=50) as lake:
        lake.ingest()
    with lab(tmp_path, games=50) as other, pytest.raises(UsageError, match="was filled from"):
        other.ingest()


def test_a_missing_key_writes_nothing(tmp_path: Path) -> None:
    with lab(tmp_path, games=50, settings={"rawg_api_key": ""}) as lake:
        with pytest.raises(UsageError) as caught:
            lake.ingest()

        assert "https://rawg.io/apidocs" in caught.value.hint
        assert not (tmp_path / "raw").exists()


def test_a_wrong_key_leaves_no_run_and_no_raw(tmp_path: Path) -> None:
    with lab(tmp_path, games=50, key="another") as lake:
        with pytest.raises(GamelakeError) as caught:
            lake.ingest()

        assert caught.value.exit_code == 3
        assert not (tmp_path / "raw").exists()
        with lake.database.reading() as unit:
            assert unit.runs.list() == []


@pytest.mark.parametrize(
    "request_",
    [
        IngestRequest(first="2020"),
        IngestRequest(first="2020-13"),
        IngestRequest(first="0000-01"),
        IngestRequest(last="0000-12"),
        IngestRequest(first="\u0662\u0660\u0662\u0660-01"),  # digits, but none of a date
        IngestRequest(first="2021-01", last="2020-01"),
        IngestRequest(limit=0),
        IngestRequest(first="2020-01", strategy="browse"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, request_: IngestRequest) -> None:
    with lab(tmp_path, games=5) as lake, pytest.raises(UsageError):
        lake.ingest(request_)


def test_an_empty_listing_removes_nothing_and_is_no_success(tmp_path: Path) -> None:
    with lab(tmp_path, games=100) as lake:
        lake.ingest()
        lake.simulator.control.lie(empty_listing=True)
        for request in (FULL, AGAIN):
            with pytest.raises(Incomplete, match="lists 0 games"):
                lake.ingest(request)
        lake.simulator.control.lie()

        assert lake.ingest().complete
        assert len(lake.ids()) == 100

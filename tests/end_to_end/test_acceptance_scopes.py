"""What a run covers: limits, months, deltas, enrichment; and that no scope harms another."""

from pathlib import Path
from typing import Any

import pytest
from acceptance_lake import raw_ids, raw_rows, star_of, watermark
from acceptance_served import every_row
from lakes import LakeUnderTest
from simulated import running

from simulator.process import SimulatorProcess

GAMES = 600
USAGE = 2


@pytest.fixture
def source() -> Any:
    with running(games=GAMES) as simulator:
        yield simulator


@pytest.fixture
def lake(source: SimulatorProcess, tmp_path: Path) -> LakeUnderTest:
    return LakeUnderTest(tmp_path / "lake", source.base_url)


def _ids(source: SimulatorProcess, first: str = "", last: str = "") -> set[int]:
    """Games released from day `first` to `last`; all games when no day is given."""
    rows = every_row(source)
    if first:
        rows = [row for row in rows if row["released"] and first <= row["released"] <= last]
    return {row["id"] for row in rows}


def test_after_a_limit_a_plain_ingest_fetches_all_the_rest(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    some = lake.must("ingest", "--limit", "100")
    assert watermark(lake) is None
    rest = lake.must("ingest")

    assert (some["scope"], some["games_new"], some["complete"]) == ("limit", 100, False)
    assert (rest["scope"], rest["complete"]) == ("all", True)
    assert (rest["games_new"], rest["games_changed"]) == (GAMES - 100, 0)
    assert raw_ids(lake) == _ids(source)
    assert lake.must("ingest")["scope"] == "delta"
    assert lake.broken() == []


def test_a_limit_shows_the_games_that_most_people_own(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    lake.must("ingest", "--limit", "50")
    owners = sorted((row["added"] for row in every_row(source)), reverse=True)

    assert sorted((r["added"] for r in raw_rows(lake, None, "added")), reverse=True) == owners[:50]


def test_months_are_whole_and_plain_ingest_fetches_the_other_ones(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    months = _ids(source, "2019-02-01", "2020-02-29")
    some = lake.must("ingest", "--from", "2019-02", "--to", "2020-02")

    assert (some["scope"], some["complete"]) == ("range", True)
    assert raw_ids(lake) == months != set()
    assert watermark(lake) is None
    rest = lake.must("ingest")
    assert (rest["scope"], rest["games_new"]) == ("all", GAMES - len(months))
    assert raw_ids(lake) == _ids(source)


@pytest.mark.parametrize("scope", [["--limit", "30"], ["--from", "2000-01", "--to", "2030-12"]])
def test_partial_runs_do_not_move_the_watermark(
    scope: list[str], source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    """Else what changed outside of them, before them, would be taken for read."""
    lake.must("ingest")
    before = watermark(lake)
    source.control.advance(10 * 86_400)
    changed = set(source.control.churn(40))
    source.control.advance(10 * 86_400)
    partial = lake.must("ingest", *scope)
    assert watermark(lake) == before
    delta = lake.must("ingest")

    seen = raw_ids(lake, partial["run_id"]) & changed
    assert 0 < len(seen) == partial["games_changed"] < len(changed)
    assert delta["scope"] == "delta"
    assert raw_ids(lake, delta["run_id"]) >= changed - seen
    assert (watermark(lake) or "") > (before or "")


def test_a_browse_crawl_enriches_and_nothing_blanks_that_again(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    """Rows that say more are stored, but nothing has changed; slimmer rows take nothing away."""
    lake.must("run")
    slim = star_of(lake)
    rich_run = lake.must("ingest", "--strategy", "browse", "--full")
    lake.must("etl")
    rich = star_of(lake)
    again = lake.must("ingest", "--full")
    source.control.change(next(iter(_ids(source, "2015-01-01", "2020-12-31"))), playtime=77)
    changed = lake.must("ingest", "--full")
    lake.must("etl")
    last = star_of(lake)

    dated = [row for row in slim["fact_games"] if row["released_on"]]
    assert rich_run["games_changed"] == rich_run["games_new"] == 0
    assert len(raw_ids(lake, rich_run["run_id"])) == len(dated)
    assert _platform_dates(slim) < _platform_dates(rich)
    assert rich["bridge_game_tag"] == slim["bridge_game_tag"]
    assert rich["fact_game_history"] == slim["fact_game_history"]
    assert (again["games_changed"], raw_ids(lake, again["run_id"])) == (0, set())
    assert changed["games_changed"] == 1
    assert _platform_dates(last) == _platform_dates(rich)
    assert last["dim_store"] == rich["dim_store"]
    assert last["bridge_game_tag"] == rich["bridge_game_tag"]
    assert [row["store_domain"] for row in last["dim_store"][1:]].count(None) == 0


def _platform_dates(star: Any) -> set[tuple[Any, ...]]:
    """Return game, platform and date of what is dated."""
    rows = star["bridge_game_platform"]
    return {tuple(row.values()) for row in rows if row["released_on"] is not None}


def test_a_lake_stays_with_the_source_it_was_filled_from(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    lake.must("ingest", "--limit", "40")
    before = raw_ids(lake)
    with running(games=50, seed=9) as other:
        for argv in (["ingest"], ["ingest", "--dry-run"]):
            told = lake.but(RAWG_BASE_URL=other.base_url).run(*argv)
            assert told.code == USAGE
            assert source.base_url in told.json["error"]
        assert other.control.counters()["kinds"] == {}
    assert raw_ids(lake) == before


def test_a_game_that_vanishes_at_the_source_stays(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    lake.must("run")
    gone = sorted(_ids(source))[:7]
    source.control.remove(gone)
    delta, full = lake.must("run"), lake.must("ingest", "--full")
    lake.must("etl")

    assert delta["ingest"]["complete"]
    assert full["complete"]
    assert full["games_seen"] == GAMES - len(gone)
    assert {row["game_id"] for row in star_of(lake)["fact_games"]} >= set(gone)
    assert len(star_of(lake)["fact_games"]) == GAMES

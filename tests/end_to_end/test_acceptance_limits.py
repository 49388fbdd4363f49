"""A filtered listing ends silently at its limit; the lake is whole all the same, or says so."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from acceptance_lake import raw_ids, raw_rows
from acceptance_served import every_row, years_served
from lakes import LakeUnderTest
from simulated import running

from simulator.process import SimulatorProcess

LOW = 400
BUSY_DAY = "2017-12-04"
INCOMPLETE = 8


def crawl(source: SimulatorProcess, home: Path, **settings: str) -> tuple[LakeUnderTest, Any]:
    """Ingest everything; the lake holds what the browse listing shows, each game once.

    A day that turns out too large is read in both listings: then twice, the second is richer.
    """
    lake = LakeUnderTest(home, source.base_url, settings)
    report = lake.must("ingest")
    served = {row["id"] for row in every_row(source)}
    rows = raw_rows(lake, None, "released", "_listing")
    found = {row["id"]: row for row in rows}
    assert report["complete"]
    assert report["games_seen"] == report["games_new"] == len(served)
    assert found.keys() == served
    assert len({(row["id"], row["_listing"]) for row in rows}) == len(rows)
    _years_reconcile(source, list(found.values()), report)
    return lake, report


def _years_reconcile(source: SimulatorProcess, found: list[Any], report: Any) -> None:
    """Years as the source counts them, and the rest undated; windows sum up to both."""
    years = Counter(int(row["released"][:4]) for row in found if row["released"])
    assert years == years_served(source)
    undated = [w["fetched"] for w in report["windows"] if not w["from"]]
    assert undated == [len(found) - years.total()]
    assert sum(window["fetched"] for window in report["windows"]) == len(found)
    assert all(window["api_count"] == window["fetched"] for window in report["windows"])


@pytest.mark.recorded
@pytest.mark.parametrize("told", [True, False], ids=["told", "hidden"])
def test_a_limit_of_400_is_met_with_smaller_windows(
    recorded_data: Path, tmp_path: Path, told: bool
) -> None:
    """Told: RAWG_DEPTH_LIMIT says so too. Hidden: we believe in 10,000 and find out."""
    with running(replay=recorded_data / "rawg/pages", depth_limit=LOW) as source:
        settings = {"RAWG_DEPTH_LIMIT": str(LOW)} if told else {}
        _, report = crawl(source, tmp_path / "lake", **settings)

    assert all(window["api_count"] <= LOW for window in report["windows"] if window["from"])


def test_a_month_of_16_000_games_at_the_real_limit(tmp_path: Path) -> None:
    with running(games=20_000, busy_month=16_000) as source:
        lake, report = crawl(source, tmp_path / "lake")
        months = Counter((row["released"] or "")[:7] for row in raw_rows(lake, None, "released"))

    assert months["2019-05"] >= 16_000
    assert len([w for w in report["windows"] if w["from"][:7] == "2019-05"]) > 1


@pytest.mark.parametrize("told", [True, False], ids=["told", "hidden"])
def test_a_day_over_the_limit_is_found_in_the_browse_listing(tmp_path: Path, told: bool) -> None:
    with running(games=3_000, busy_day=900, depth_limit=LOW) as source:
        settings = {"RAWG_DEPTH_LIMIT": str(LOW)} if told else {}
        _, report = crawl(source, tmp_path / "lake", **settings)

    days = [w for w in report["windows"] if w["from"] == w["to"] == BUSY_DAY]
    assert [day["fetched"] >= 900 for day in days] == [True]


def test_a_day_that_cannot_be_found_there_either_ends_incomplete(tmp_path: Path) -> None:
    """Exit 8, and what was read stays; once the listing is whole the same command finishes."""
    with running(games=3_000, busy_day=900, depth_limit=LOW) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        source.control.lie(match="ordering=released", end_page=20)
        told = lake.run("ingest")
        stored = raw_ids(lake)
        source.control.lie()
        finished = lake.must("ingest")

        assert told.code == INCOMPLETE
        assert BUSY_DAY in told.json["error"]
        assert 0 < len(stored) < 3_000
        assert finished["complete"]
        assert raw_ids(lake) == {row["id"] for row in every_row(source)}
        assert lake.broken() == []

"""run_etl on an embedded lake: what it publishes, when it does nothing, what it refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from etl_lake import EtlLake, open_lake
from raw_builder import game, lookup, named, platform, store, tag

from etl.context import EtlRequest
from etl.pipeline import run_etl
from storage.layout import MAIN, STAR, etl_branch, run_tag
from utils.errors import ChecksFailed

DELTA = EtlRequest()
FULL = EtlRequest(full=True)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[EtlLake]:
    with open_lake(tmp_path) as opened:
        yield opened


def _first_load(lake: EtlLake) -> None:
    lake.add("r1", "platforms", [lookup(4, "PC", at=1)])
    lake.add(
        "r1",
        "games",
        [
            game(1, at=10, platforms=[platform(4, "2020-05-01")], genres=[named(7)]),
            game(2, at=10, released="2020-05-01", stores=[store(1, "steam.com")], tags=[tag(3)]),
        ],
    )


def test_the_first_run_publishes_every_table(lake: EtlLake) -> None:
    _first_load(lake)

    report = run_etl(lake.ctx, DELTA)

    assert (report.mode, report.published, report.state) == ("full", True, "completed")
    assert set(report.tables) == set(lake.star()) == set(STAR)
    assert [row["game_id"] for row in lake.rows("fact_games")] == [1, 2]
    assert report.tables["fact_games"].added == 2
    assert report.checks.failed == 0
    assert run_tag(report.run_id) in lake.ctx.catalog.references()
    assert etl_branch(report.run_id) not in lake.ctx.catalog.references()
    assert lake.ctx.catalog.pin(MAIN).head == report.commit


def test_nothing_new_writes_nothing(lake: EtlLake) -> None:
    _first_load(lake)
    run_etl(lake.ctx, DELTA)
    before = (lake.snapshots(), lake.ctx.catalog.references())
    lake.add("r2", "games", [])

    report = run_etl(lake.ctx, DELTA)

    assert (report.mode, report.published) == ("none", False)
    assert (lake.snapshots(), lake.ctx.catalog.references()) == before
    assert report.tables["fact_games"].rows == 2


def test_an_empty_lake_is_nothing_new(lake: EtlLake) -> None:
    assert run_etl(lake.ctx, DELTA).mode == "none"
    assert lake.star() == {}


def test_only_tables_that_change_get_a_snapshot(lake: EtlLake) -> None:
    _first_load(lake)
    run_etl(lake.ctx, DELTA)
    before = lake.snapshots()
    lake.add("r2", "games", [game(2, at=20, released="2020-05-01", rating=4.0, tags=[tag(3)])])

    report = run_etl(lake.ctx, DELTA)

    after = lake.snapshots()
    changed = {name for name in STAR if before[name] != after[name]}
    assert report.mode == "incremental"
    assert changed == {"fact_games", "fact_game_history", "bridge_game_store"}
    assert report.tables["fact_games"] == type(report.tables["fact_games"])(2, 1, 1)
    assert report.tables["fact_game_history"].added == 1
    assert report.tables["bridge_game_store"].removed == 1
    assert lake.rows("fact_games")[1]["rating"] == 4.0


def test_late_pages_lead_to_a_full_build(lake: EtlLake) -> None:
    _first_load(lake)
    run_etl(lake.ctx, DELTA)
    lake.add("r1", "games", [game(3, at=5, genres=[named(7, "Old")])])

    report = run_etl(lake.ctx, DELTA)

    assert report.mode == "full"
    assert lake.rows("dim_genre")[1]["genre_name"] == "n7"


def test_after_a_rollback_what_came_later_is_applied_again(lake: EtlLake) -> None:
    _first_load(lake)
    first = run_etl(lake.ctx, DELTA)
    lake.add("r2", "games", [game(3, at=20)])
    run_etl(lake.ctx, DELTA)
    latest = lake.star()

    lake.ctx.catalog.assign(MAIN, run_tag(first.run_id))
    assert len(lake.rows("fact_games")) == 2
    report = run_etl(lake.ctx, DELTA)

    assert report.mode == "incremental"
    assert lake.star() == latest


def test_an_older_run_can_be_asked_for(lake: EtlLake) -> None:
    _first_load(lake)
    run_etl(lake.ctx, DELTA)
    first = lake.star()
    lake.add("r2", "games", [game(3, at=20)])
    run_etl(lake.ctx, DELTA)

    report = run_etl(lake.ctx, EtlRequest(run_id="r1"))

    assert report.mode == "full"
    assert report.tables["fact_games"].removed == 1
    assert lake.star() == first


def test_a_full_build_gives_the_same_rows(lake: EtlLake) -> None:
    _first_load(lake)
    run_etl(lake.ctx, DELTA)
    lake.add("r2", "games", [game(2, at=20, listing="filtered", platforms=[platform(9)])])
    run_etl(lake.ctx, DELTA)
    incremental = lake.star()

    report = run_etl(lake.ctx, FULL)

    assert report.mode == "full"
    assert lake.star() == incremental
    assert all(t.added == t.removed == 0 for t in report.tables.values())


def test_a_failed_check_publishes_nothing_and_names_rows(
    lake: EtlLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _first_load(lake)
    run_etl(lake.ctx, DELTA)
    before = lake.ctx.catalog.pin(MAIN).head
    lake.add("r2", "games", [game(3, at=20, genres=[named(8)])])
    monkeypatch.setattr("etl.star.bridges.surrogate_key", lambda key: key + 1, raising=False)
    monkeypatch.setattr("etl.bridges.surrogate_key", lambda key: key + 1)

    with pytest.raises(ChecksFailed, match="every genre_key is a genre_key of dim_genre") as error:
        run_etl(lake.ctx, DELTA)

    assert "bridge_game_genre" in error.value.subject
    assert '"game_id": 3' in error.value.message
    assert lake.ctx.catalog.pin(MAIN).head == before
    branches = [n for n in lake.ctx.catalog.references() if n.startswith("etl-")]
    assert len(branches) == 1
    with lake.ctx.database.reading() as unit:
        run = unit.runs.list(limit=1, kind="etl")[0]
        failed = [row for row in unit.checks.list(run.run_id) if row.outcome == "failed"]
    assert run.state == "failed"
    assert any(row.subject == "bridge_game_genre" and row.failing == 1 for row in failed)

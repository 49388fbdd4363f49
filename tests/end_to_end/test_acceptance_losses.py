"""What is lost or broken on the way comes back: a row, the operational store, the catalog."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance_lake import star_of
from acceptance_served import every_row
from lakes import LakeUnderTest
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess

GAMES = 600


@pytest.fixture
def source() -> Iterator[SimulatorProcess]:
    with running(games=GAMES) as simulator:
        yield simulator


@pytest.fixture
def lake(source: SimulatorProcess, tmp_path: Path) -> LakeUnderTest:
    return LakeUnderTest(tmp_path / "lake", source.base_url)


def test_a_row_of_wrong_types_is_set_aside_and_comes_when_it_is_mended(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    ident = every_row(source)[17]["id"]
    row = source.control.row(ident)
    source.control.raw(ident, json.dumps(row | {"ratings_count": "many"}).encode())
    first = lake.must("run")["ingest"]
    source.control.change(ident, name="Mended")
    second = lake.must("run")["ingest"]

    assert (first["quarantined"], first["complete"], first["games_new"]) == (1, True, GAMES - 1)
    assert (second["quarantined"], second["games_new"]) == (0, 1)
    assert {r["game_id"]: r["name"] for r in star_of(lake)["fact_games"]}[ident] == "Mended"
    assert lake.broken() == []


def test_a_lost_store_costs_a_full_crawl_but_stores_nothing_twice(lake: LakeUnderTest) -> None:
    lake.must("run")
    before = star_of(lake)
    for file in lake.home.glob("store.db*"):
        file.unlink()
    assert lake.must("etl")["mode"] == "none"
    again = lake.must("run")

    assert again["ingest"]["scope"] == "all"
    assert (again["ingest"]["games_new"], again["ingest"]["games_changed"]) == (0, 0)
    assert again["etl"]["mode"] == "none"
    assert star_of(lake) == before
    assert lake.broken() == []


def test_a_lost_catalog_is_rebuilt_from_raw(source: SimulatorProcess, lake: LakeUnderTest) -> None:
    lake.must("run")
    source.control.churn(50)
    lake.must("run")
    before = star_of(lake)
    for file in lake.home.glob("catalog.db*"):
        file.unlink()
    shutil.rmtree(lake.home / "warehouse")
    built = lake.must("etl")

    assert (built["published"], built["mode"]) == (True, "full")
    assert compare(star_of(lake), before, ignore=()) == []
    assert lake.broken() == []

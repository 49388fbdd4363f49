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
from testbed.servers import PostgresServer

GAMES = 600
PROFILES = ["embedded", pytest.param("stack", marks=pytest.mark.stack)]


@pytest.fixture
def source() -> Iterator[SimulatorProcess]:
    with running(games=GAMES) as simulator:
        yield simulator


@pytest.fixture
def lake(source: SimulatorProcess, tmp_path: Path) -> LakeUnderTest:
    return LakeUnderTest(tmp_path / "lake", source.base_url)


@pytest.fixture(params=PROFILES)
def either(request: pytest.FixtureRequest, lake: LakeUnderTest) -> LakeUnderTest:
    """A lake of the embedded profile, and one on the servers."""
    if request.param == "embedded":
        return lake
    settings: dict[str, str] = request.getfixturevalue("stack_settings")
    return lake.but(**settings)


def lose_store(request: pytest.FixtureRequest, lake: LakeUnderTest) -> None:
    """Put an empty operational store in the place of the lake's."""
    if address := lake.environ.get("DATABASE_URL"):
        postgres: PostgresServer = request.getfixturevalue("postgres")
        name = address.rpartition("/")[2]
        postgres.drop_database(name)
        postgres.create_database(name)
    for file in lake.home.glob("store.db*"):
        file.unlink()


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


def test_a_lost_store_costs_a_full_crawl_but_stores_nothing_twice(
    request: pytest.FixtureRequest, lake: LakeUnderTest
) -> None:
    lake.must("run")
    before = star_of(lake)
    lose_store(request, lake)
    assert lake.must("etl")["mode"] == "none"
    again = lake.must("run")

    assert again["ingest"]["scope"] == "all"
    assert (again["ingest"]["games_new"], again["ingest"]["games_changed"]) == (0, 0)
    assert again["etl"]["mode"] == "none"
    assert star_of(lake) == before
    assert lake.broken() == []


@pytest.mark.parametrize("first", ["run", "rollback"])
def test_after_the_store_is_lost_the_next_writer_may_publish(
    request: pytest.FixtureRequest, source: SimulatorProcess, either: LakeUnderTest, first: str
) -> None:
    """A new store counts its leases from 1, and main was moved by higher ones."""
    for _ in range(3):
        either.must("run")
        source.control.churn(20)
    lose_store(request, either)
    if first == "rollback":
        with either.open() as opened:
            oldest = min(n for n in opened.catalog.references() if n.startswith("run-"))
        assert either.must("rollback", oldest, "--yes")["changed"]

    told = either.must("run")

    assert told["etl"]["published"]
    assert {row["game_id"]: row["name"] for row in star_of(either)["fact_games"]} == {
        row["id"]: row["name"] for row in every_row(source)
    }
    assert either.broken() == []


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

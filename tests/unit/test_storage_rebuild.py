"""The ledger can be rebuilt from raw alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import START
from manifests import manifest
from object_stores import STORES
from raw_builder import game, lookup, moment, raw_games, raw_lookups

from storage.database.repositories.ledger import LedgerRow
from storage.database.session import Database
from storage.database.writer import hold_writer
from storage.object_store import ObjectStore
from storage.raw_parts import write_part
from storage.rebuild import rebuild_ledger, restore_lost_ledger
from utils.clock import iso
from utils.errors import Locked


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> ObjectStore:
    made: ObjectStore = request.param(request)()
    return made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path}/store.db") as database:
        yield database


def test_the_last_version_in_time_wins_whatever_part_it_is_in(
    store: ObjectStore, database: Database
) -> None:
    late, early = game(1, at=9, listing="filtered"), game(1, at=3, updated="2024")
    write_part(store, raw_games([late, game(2, at=1)]), manifest(number=1, rows=2))
    write_part(store, raw_games([early]), manifest(number=2))
    assert rebuild_ledger(store, database) == 2
    with database.reading() as unit:
        found = unit.ledger.lookup("rawg", "games", [1, 2, 3])
    one = LedgerRow(
        1, "2025-01-01T00:00:00", "h9", "filtered", iso(moment(3)), iso(moment(9)), "run-1"
    )
    assert found[1] == one
    assert sorted(found) == [1, 2]


def test_what_raw_does_not_hold_is_forgotten(store: ObjectStore, database: Database) -> None:
    stale = LedgerRow(5, None, "h", "browse", iso(START), iso(START), "r")
    with database.unit_of_work() as unit:
        unit.ledger.upsert("rawg", "games", [stale])
    write_part(store, raw_games([game(1)]), manifest())
    rebuild_ledger(store, database)
    with database.reading() as unit:
        assert list(unit.ledger.ids("rawg", "games")) == [1]


def test_look_ups_are_rebuilt_and_quarantine_is_not(store: ObjectStore, database: Database) -> None:
    write_part(store, raw_lookups([lookup(4, "Action")]), manifest(entity="genres"))
    write_part(store, raw_games([game(1)]), manifest(entity="_quarantine"))
    assert rebuild_ledger(store, database) == 1
    with database.reading() as unit:
        assert unit.ledger.lookup("rawg", "genres", [4])[4].updated is None
        assert unit.ledger.count("rawg", "_quarantine") == 0


def test_new_runs_and_pages_come_after_those_in_raw(store: ObjectStore, database: Database) -> None:
    future = manifest(run_id="20990101t000000-000000", last_fetched_at="2099-01-01T00:00:00+00:00")
    write_part(store, raw_games([game(1)]), future)
    rebuild_ledger(store, database)
    with database.unit_of_work() as unit:
        assert unit.state.get("last_fetched_at") == "2099-01-01T00:00:00.000000+00:00"
        assert unit.runs.create("ingest", scope={}, now=START).run_id > future.run_id


def test_a_lost_store_is_restored_once_and_a_living_one_left_alone(
    store: ObjectStore, database: Database
) -> None:
    write_part(store, raw_games([game(1)]), manifest())
    with hold_writer(database) as lease:
        with database.unit_of_work(lease) as unit:
            unit.runs.create("etl", scope={}, now=START)
        assert restore_lost_ledger(store, database, lease) == 1
        with database.unit_of_work(lease) as unit:
            unit.runs.create("ingest", scope={}, now=START)
            unit.ledger.clear()
        assert restore_lost_ledger(store, database, lease) == 0


def test_a_zombie_cannot_rebuild(store: ObjectStore, database: Database) -> None:
    with hold_writer(database) as lease:
        pass
    write_part(store, raw_games([game(1)]), manifest())
    with pytest.raises(Locked):
        rebuild_ledger(store, database, lease)
    with database.reading() as unit:
        assert unit.ledger.count("rawg", "games") == 0


def test_an_empty_lake_rebuilds_to_nothing(store: ObjectStore, database: Database) -> None:
    assert rebuild_ledger(store, database) == 0

"""Several processes on one PostgreSQL: they migrate, lease, fence and write in turn."""

import pytest
from postgres_workers import add_under_lease, at_once, open_store

from storage.database.repositories.leases import Lease
from storage.database.repositories.ledger import LedgerRow
from storage.database.session import Database
from utils.errors import Locked

pytestmark = pytest.mark.stack
_PROCESSES = 4


def test_processes_that_migrate_at_once_all_get_the_store(database_url: str) -> None:
    assert at_once(open_store, [(database_url,)] * _PROCESSES) == [0] * _PROCESSES


def test_one_process_at_a_time_holds_the_lease_and_no_epoch_is_given_twice(
    database_url: str,
) -> None:
    Database.open(database_url).close()
    told = at_once(add_under_lease, [(database_url, 10)] * _PROCESSES)
    epochs = sorted(epoch for own in told for epoch in own)
    assert epochs == list(range(1, 10 * _PROCESSES + 1))
    with Database.open(database_url) as database, database.reading() as unit:
        assert unit.state.get("n") == str(10 * _PROCESSES)


def test_a_writer_that_is_replaced_while_it_writes_does_not_commit(database_url: str) -> None:
    """The fence and the commit are one: nobody can come in between."""
    with Database.open(database_url) as old, Database.open(database_url) as new:
        stale = _take(old, "old", ttl_s=0)
        assert _take(new, "new", ttl_s=60).epoch == stale.epoch + 1
        with pytest.raises(Locked, match="old lost its lease"), old.unit_of_work(stale) as unit:
            unit.ledger.upsert("rawg", "games", [_row(n) for n in range(1000)])
        with new.reading() as unit:
            assert unit.ledger.count("rawg", "games") == 0


def test_bulk_writes_in_opposite_order_wait_for_each_other_and_do_not_deadlock(
    database_url: str,
) -> None:
    Database.open(database_url).close()
    orders = [(database_url, step) for step in (1, -1, 1, -1)]
    assert at_once(upsert_many, orders) == [20] * 4


def upsert_many(url: str, step: int) -> int:
    with Database.open(url) as database:
        for _ in range(20):
            with database.unit_of_work() as unit:
                for start in range(0, 500, 100)[::step]:
                    rows = [_row(n) for n in range(start, start + 100)]
                    unit.ledger.upsert("rawg", "games", rows)
    return 20


def _row(number: int) -> LedgerRow:
    return LedgerRow(number, None, "hash", "browse", "then", "now", "run")


def _take(database: Database, owner: str, ttl_s: float) -> Lease:
    with database.unit_of_work() as unit:
        return unit.leases.acquire("writer", owner, database.clock.now(), ttl_s)

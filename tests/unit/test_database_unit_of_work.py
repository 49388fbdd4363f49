"""One transaction: all or nothing, and readers that wait for no one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from clocks import START

from storage.database.repositories.checks import CheckRow
from storage.database.session import Database, UnitOfWork
from utils import seams
from utils.errors import GamelakeError


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with Database.open(store_url) as database:
        yield database


def value(database: Database) -> str | None:
    with database.reading() as unit:
        return unit.state.get("key")


def test_a_block_that_ends_is_stored(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.state.set("key", "one")
        unit.state.set("key", "two")
    assert value(database) == "two"


def test_a_block_that_raises_stores_nothing(database: Database) -> None:
    def set_and_fail(unit: UnitOfWork) -> None:
        unit.state.set("key", "one")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.unit_of_work() as unit:
        set_and_fail(unit)
    assert value(database) is None


@pytest.mark.parametrize(("when", "stored"), [("before", None), ("after", "one")])
def test_a_commit_that_fails_says_so(
    database: Database, when: seams.When, stored: str | None
) -> None:
    seams.arm(seams.Fault("error", when, "db.commit", 1))
    try:
        with pytest.raises(OSError, match="No space left"), database.unit_of_work() as unit:
            unit.state.set("key", "one")
    finally:
        seams.arm(None)
    assert value(database) == stored


def test_readers_see_the_last_commit_while_a_writer_works(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.state.set("key", "one")
    with database.unit_of_work() as unit:
        unit.state.set("key", "two")
        assert value(database) == "one"
    assert value(database) == "two"


def test_opening_waits_for_no_writer(database: Database, store_url: str) -> None:
    with database.unit_of_work() as unit:
        unit.state.set("key", "one")
        with Database.open(store_url) as other:
            assert value(other) is None


def test_a_run_that_does_not_exist_cannot_be_referred_to(database: Database) -> None:
    with pytest.raises(GamelakeError, match=r"(?i)foreign key"), database.unit_of_work() as unit:
        unit.checks.add("no-such-run", [CheckRow("unique", "fact_games", "passed")])


def test_checks_and_audit_come_back_in_order(database: Database) -> None:
    rows = [
        CheckRow("unique", "fact_games", "passed"),
        CheckRow("joins", "bridge_game_tag", "failed", 2, "game_id 7, 9"),
    ]
    with database.unit_of_work() as unit:
        run_id = unit.runs.create("etl", scope={}, now=START).run_id
        unit.checks.add(run_id, rows)
        unit.checks.add(run_id, [])
        unit.audit.add("rollback", "main", "to run-1", START)
        unit.audit.add("rollback", "main", "to run-2", START)
    with database.reading() as unit:
        assert unit.checks.list(run_id) == rows
        assert [entry.detail for entry in unit.audit.list()] == ["to run-2", "to run-1"]
        assert len(unit.audit.list(1)) == 1


def test_no_request_is_lost_when_many_spend_at_once(database: Database) -> None:
    def spend(_: int) -> None:
        with database.unit_of_work() as unit:
            unit.budget.spend("key", "2026-11", 3)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(spend, range(40)))
    with database.unit_of_work() as unit:
        assert unit.budget.spent("key", "2026-11") == 120
        assert unit.budget.spend("key", "2026-12", 1) == 1
        assert unit.budget.spent("other", "2026-11") == 0

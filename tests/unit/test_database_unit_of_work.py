"""One transaction: all or nothing, and readers that wait for no one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from clocks import START

from storage.database.repositories.checks import CheckRow
from storage.database.repositories.windows import WindowRow
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


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.reading() as unit:
        assert unit.state.get("key") is None
        with database.unit_of_work() as other:
            other.state.set("key", "one")
            other.runs.create("etl", scope={}, now=START)
        assert unit.state.get("key") is None
        assert unit.runs.list() == []
    assert value(database) == "one"


def test_what_a_reader_writes_is_dropped(database: Database) -> None:
    with database.reading() as unit:
        unit.state.set("key", "one")
    assert value(database) is None


def test_a_reader_of_the_lease_waits_for_no_writer(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.leases.acquire("writer", "me", START, 60)
        with database.reading() as other:
            assert other.leases.current("writer") is None
            assert other.leases.holder("writer", START) is None


def test_writers_take_turns_and_read_what_the_one_before_stored(database: Database) -> None:
    def count_up(_: int) -> None:
        with database.unit_of_work() as unit:
            unit.state.set("n", str(int(unit.state.get("n") or 0) + 1))
            unit.runs.create("etl", scope={}, now=START)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(40)))
    with database.reading() as unit:
        assert unit.state.get("n") == "40"
        assert len({run.run_id for run in unit.runs.list(100)}) == 40


def test_hostile_words_and_numbers_are_stored(database: Database) -> None:
    """What a source says ends up in notes, reasons, counts and summaries."""
    nul, huge = "a\x00b", 2**62
    with database.unit_of_work() as unit:
        run = unit.runs.create("ingest", scope={"text": nul}, now=START)
        unit.runs.transition(run.run_id, "running", reason=nul)
        unit.runs.set_summary(run.run_id, {"games_seen": huge, nul: nul})
        row = WindowRow(run.run_id, "w", "dates", "", nul, huge, huge, "open", "\ud7ff'\"%s")
        unit.windows.save(row)
        unit.budget.spend("key", "2026-11", huge)
    with database.reading() as unit:
        (window,) = unit.windows.list(run.run_id)
        assert (window.api_count, window.fetched, window.note) == (huge, huge, row.note)
        assert unit.runs.get(run.run_id).reason in (nul, "a\ufffdb")  # as the database can
        assert unit.runs.get(run.run_id).summary["games_seen"] == huge
        log = unit.state._connection.exec_driver_sql("SELECT games_fetched FROM ingestion_log")
        assert log.scalars().all() == [huge]
        assert unit.budget.spent("key", "2026-11") == huge


def test_text_sorts_by_its_bytes(database: Database) -> None:
    words = ["a", "B", "\u00e4", "-a", "a-", "_", "Z", "0"]
    with database.unit_of_work() as unit:
        run_id = unit.runs.create("ingest", scope={}, now=START).run_id
        rows = [WindowRow(run_id, word, "dates", word, "", 0, 0, "open", "") for word in words]
        unit.windows.plan(run_id, rows)
    with database.reading() as unit:
        assert [row.window for row in unit.windows.list(run_id)] == sorted(words)


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

"""What PostgreSQL is told and what it says: time limits, rights, sorting, and no password ever."""

import logging
import time
import traceback
from contextlib import ExitStack, closing

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from storage.database.repositories import ledger_bulk
from storage.database.repositories.ledger import LedgerRow
from storage.database.repositories.windows import WindowRow
from storage.database.session import Database, UnitOfWork
from testbed.servers import PostgresServer
from utils.clock import SystemClock
from utils.errors import GamelakeError, Locked, ServiceDown, UsageError

pytestmark = pytest.mark.stack
PASSWORD = "canary/of:the@store%41"  # noqa: S105 - of no real server


def with_options(url: str, **settings: int) -> str:
    """Return `url` with server settings of its own; they win over ours."""
    said = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return make_url(url).update_query_dict({"options": said}).render_as_string(False)


def administer(url: str, *statements: sql.Composed | sql.SQL) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(False)
    with closing(psycopg.connect(plain, autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_every_wait_is_bounded(database_url: str) -> None:
    with Database.open(database_url) as database, database.reading() as unit:
        asked = (
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "tcp_keepalives_idle",
            "application_name",
        )
        ask = unit.state._connection.exec_driver_sql
        assert [ask(f"SHOW {name}").scalar() for name in asked] == [
            "30s",
            "20s",
            "5min",
            "5",
            "gamelake",
        ]


def test_a_writer_that_waits_too_long_is_told_that_it_is_locked_out(database_url: str) -> None:
    impatient = with_options(database_url, lock_timeout=200)
    with (
        Database.open(database_url) as first,
        Database.open(impatient) as second,
        first.unit_of_work() as unit,
    ):
        unit.state.set("key", "first")
        with pytest.raises(Locked, match="another process"), second.unit_of_work() as other:
            other.state.set("key", "second")


def test_a_statement_that_takes_too_long_is_ended(database_url: str) -> None:
    impatient = with_options(database_url, statement_timeout=200)
    with (
        Database.open(impatient) as database,
        pytest.raises(ServiceDown, match="it took longer"),
        database.reading() as unit,
    ):
        unit.state._connection.exec_driver_sql("SELECT pg_sleep(5)")


def test_a_transaction_that_the_server_gave_up_is_no_defect(database_url: str) -> None:
    url = with_options(database_url, idle_in_transaction_session_timeout=100)
    with Database.open(url) as database:
        with pytest.raises(ServiceDown), database.unit_of_work() as unit:
            unit.state.set("key", _late(unit))
        with database.reading() as unit:
            assert unit.state.get("key") is None


def _late(unit: UnitOfWork) -> str:
    unit.state.get("key")  # the transaction has begun
    time.sleep(0.5)
    return "late"


def test_a_role_without_rights_is_told_which_it_needs(database_url: str) -> None:
    role = sql.SQL(
        "DO $$ BEGIN CREATE ROLE guest LOGIN PASSWORD 'canary/of:the@store%41'; EXCEPTION WHEN"
        " duplicate_object THEN NULL; END $$"
    )
    administer(database_url, role)
    url = make_url(database_url).set(username="guest", password=PASSWORD)
    with pytest.raises(UsageError, match="permission denied") as caught:
        Database.open(url.render_as_string(False))
    assert "OWNER TO guest" in caught.value.hint


def test_a_standby_is_no_place_to_write(database_url: str) -> None:
    Database.open(database_url).close()
    with (
        Database.open(with_options(database_url, default_transaction_read_only=1)) as database,
        pytest.raises(ServiceDown, match="read-only"),
        database.unit_of_work() as unit,
    ):
        unit.state.set("key", "one")


@pytest.mark.parametrize("change", ["password", "database", "host", "port", "username"])
def test_the_password_is_in_no_message_and_no_log(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    caplog.set_level(logging.DEBUG)
    url = make_url(postgres.start().url()).set(password=PASSWORD)
    changes = {"password": PASSWORD, "database": "nosuch", "username": "nobody"}
    wrong = {**changes, "host": "nosuch.invalid", "port": 1}
    broken = url.set(**{change: wrong[change]})
    with pytest.raises(GamelakeError) as caught:
        Database.open(broken.render_as_string(False))
    told = "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict())
    for text in (told, caplog.text):
        assert "canary" not in text
    assert "canary" not in repr(caught.value.__cause__)


def test_the_log_of_a_working_store_holds_no_password(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    role = sql.SQL(
        "DO $$ BEGIN CREATE ROLE secretive SUPERUSER LOGIN; EXCEPTION WHEN"
        " duplicate_object THEN NULL; END $$"
    )
    secret = sql.SQL("ALTER ROLE secretive PASSWORD {}").format(sql.Literal(PASSWORD))
    administer(database_url, role, secret)
    caplog.set_level(logging.DEBUG)
    url = make_url(database_url).set(username="secretive", password=PASSWORD)
    with Database.open(url.render_as_string(False)) as database, database.unit_of_work() as unit:
        unit.state.set("key", "one")
        assert "canary" not in repr(database._engine)
        assert "canary" not in repr(unit.state._connection.connection.dbapi_connection)
    assert "canary" not in caplog.text


def test_text_sorts_by_its_bytes_in_a_database_of_another_language(
    postgres: PostgresServer,
) -> None:
    postgres.start()
    icu = sql.SQL("CREATE DATABASE nordic TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'sv'")
    administer(postgres.url(), icu)
    words = ["a", "B", "ä", "-a", "a-", "_", "Z", "0", "å"]
    try:
        with Database.open(postgres.url("nordic")) as database:
            with database.unit_of_work() as unit:
                run_id = unit.runs.create("ingest", scope={}, now=SystemClock().now()).run_id
                rows = [WindowRow(run_id, w, "dates", w, "", 0, 0, "open", "") for w in words]
                unit.windows.plan(run_id, rows)
            with database.reading() as unit:
                assert [row.window for row in unit.windows.list(run_id)] == sorted(words)
    finally:
        postgres.drop_database("nordic")


def test_the_ledger_is_found_by_its_key_before_the_server_has_statistics(
    database_url: str,
) -> None:
    """Else a backfill's first minutes read the whole ledger for every page."""
    with Database.open(database_url) as database:
        with database.unit_of_work() as unit:
            off = "ALTER TABLE ledger SET (autovacuum_enabled = off)"
            unit.state._connection.exec_driver_sql(off)
            rows = [LedgerRow(n, None, "h", "browse", "f", "l", "r") for n in range(20_000)]
            unit.ledger.upsert("rawg", "games", rows)
        values = {"source": "rawg", "entity": "games", "ids": [1, 2, 3], "n": 3}
        values |= {"seen": "s", "run": "r"}
        with database.unit_of_work() as unit:
            for statement in (ledger_bulk._PG_LOOKUP, ledger_bulk._PG_TOUCH):
                explained = unit.state._connection.exec_driver_sql("EXPLAIN " + statement, values)
                plan = " ".join(explained.scalars())
                assert "Index Cond" in plan
                assert "Filter" not in plan
                assert "natural_id = asked.id" in plan


def test_a_pool_without_a_free_connection_is_no_defect(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database.open(database_url) as database:
        monkeypatch.setattr(database._engine.pool, "_timeout", 0.1)
        with ExitStack() as readers:
            for _ in range(20):
                readers.enter_context(database.reading())
            with pytest.raises(ServiceDown, match="no connection was free"):
                readers.enter_context(database.reading())

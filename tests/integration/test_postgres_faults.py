"""A PostgreSQL that dies, freezes, restarts or loses its answer: told in time, never half done."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import crash
import pytest
from cutting_proxy import Cut, CuttingProxy
from postgres_workers import ingest_and_kill
from storage_lab import Lab, check, check_finished, finish

from storage.database import postgres_engine
from storage.database.session import Database, UnitOfWork
from testbed.servers import PostgresServer
from utils.errors import ServiceDown

pytestmark = pytest.mark.stack


@contextmanager
def told_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    with pytest.raises(ServiceDown) as caught:
        yield
    assert time.monotonic() - started < seconds
    assert "make up" in caught.value.hint
    assert "***" in caught.value.subject


def write(database: Database, value: str) -> None:
    with database.unit_of_work() as unit:
        unit.state.set("key", value)


def read(database: Database) -> str | None:
    with database.reading() as unit:
        return unit.state.get("key")


@contextmanager
def opened_through_proxy(
    url: str, postgres: PostgresServer
) -> Iterator[tuple[Database, CuttingProxy]]:
    with CuttingProxy(postgres.address) as proxy:
        through = url.replace(postgres.address, f"127.0.0.1:{proxy.port}")
        with Database.open(through) as database:
            yield database, proxy


def test_a_server_that_is_not_there(database_url: str, postgres: PostgresServer) -> None:
    postgres.kill()
    with told_within(3):
        Database.open(database_url)


def test_a_socket_that_accepts_and_never_answers(
    database_url: str, postgres: PostgresServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole, told_within(8):
        port = hole.getsockname()[1]
        Database.open(database_url.replace(postgres.address, f"127.0.0.1:{port}"))


def test_a_server_killed_inside_a_transaction(database_url: str, postgres: PostgresServer) -> None:
    with Database.open(database_url) as database:
        write(database, "one")
        with told_within(3), database.unit_of_work() as unit:
            unit.state.set("key", "two")
            postgres.kill()
            unit.state.get("key")
        postgres.start()
        assert read(database) == "one"
        write(database, "two")
        assert read(database) == "two"


def test_a_restart_between_two_transactions_is_no_error(
    database_url: str, postgres: PostgresServer
) -> None:
    with Database.open(database_url) as database:
        write(database, "one")
        postgres.restart()
        assert read(database) == "one"
        postgres.restart()
        write(database, "two")
        assert read(database) == "two"


def test_a_server_that_freezes_is_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database.open(database_url) as database:
        write(database, "one")
        with told_within(4), _frozen(database) as unit:
            monkeypatch.setattr(postgres_engine, "_SILENCE_S", 1)
            unit.state.get("key")
        assert read(database) == "one"


def test_a_commit_whose_answer_is_lost_is_asked_for(
    database_url: str, postgres: PostgresServer
) -> None:
    with opened_through_proxy(database_url, postgres) as (database, proxy):
        proxy.cut = Cut(b"COMMIT")
        write(database, "one")  # no error: the server says that it committed
        assert proxy.cut.done == 1
        assert read(database) == "one"


def test_a_commit_that_never_arrived_is_an_error(
    database_url: str, postgres: PostgresServer
) -> None:
    with opened_through_proxy(database_url, postgres) as (database, proxy):
        proxy.cut = Cut(b"COMMIT", before=True)
        with told_within(8):
            write(database, "one")
        assert proxy.cut.done == 1
        assert read(database) is None


def test_a_commit_whose_outcome_nobody_tells_is_an_error(
    database_url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_engine, "_SETTLE_S", 1.0)
    with opened_through_proxy(database_url, postgres) as (database, proxy):
        lose_the_rest = Cut(b"pg_xact_status", times=1000)
        proxy.cut = Cut(b"COMMIT", then=lambda: setattr(proxy, "cut", lose_the_rest))
        with told_within(5):
            write(database, "one")
    with Database.open(database_url) as database:
        assert read(database) == "one"  # it was stored: the caller must be able to repeat it
        write(database, "one")


def test_a_server_that_dies_at_a_commit_and_comes_back_is_asked(
    database_url: str, postgres: PostgresServer
) -> None:
    """SIGKILL between the commit's durability and its answer: after the restart it counts."""
    with opened_through_proxy(database_url, postgres) as (database, proxy):
        proxy.cut = Cut(b"COMMIT")
        restart = threading.Timer(0.05, postgres.restart)
        restart.start()
        write(database, "one")
        restart.join()
        assert read(database) == "one"


@pytest.mark.crash
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_goes_on_after_the_server_died_at_any_commit(
    tmp_path: Path, postgres: PostgresServer, when: str
) -> None:
    for nth in count():
        url = postgres.start().create_database(f"died{when}{nth}")
        lab = Lab(tmp_path / str(nth), url)
        outcome = crash.run(ingest_and_kill, lab.home, url, postgres.pid, (when, nth))
        commits = outcome.result
        if commits is None:
            assert outcome.exit_code == 7, outcome.traceback
        postgres.start()
        check(lab)
        finish(lab)
        check_finished(lab)
        postgres.drop_database(f"died{when}{nth}")
        if commits is not None and commits <= nth:
            break  # it ended before the commit that was to be its last
    assert nth >= 6, "commits went missing: this test would prove less"


@contextmanager
def _frozen(database: Database) -> Iterator[UnitOfWork]:
    """A transaction whose server process has stopped answering, without closing anything."""
    backend = 0
    try:
        with database.unit_of_work() as unit:
            backend = unit.state._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            unit.state.set("key", "frozen")
            os.kill(backend, signal.SIGSTOP)
            yield unit
    finally:
        os.kill(backend, signal.SIGCONT)

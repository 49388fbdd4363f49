"""The operational store's schema: brought up to date on open, from anywhere, or refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from storage.database.address import parse_address
from storage.database.engines import engine_for
from storage.database.migrate import alembic_config
from storage.database.models import Base
from storage.database.session import Database
from utils.errors import GamelakeError, ServiceDown, UsageError


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = engine_for(parse_address(url))
    try:
        yield engine
    finally:
        engine.dispose()


def file_url(folder: Path) -> str:
    return f"sqlite:///{folder}/store.db"


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrated_schema_is_the_models(store_url: str) -> None:
    Database.open(store_url).close()
    with engine_of(store_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_go_down_and_up_again(store_url: str) -> None:
    steps = (("upgrade", "head", len(Base.metadata.tables)), ("downgrade", "base", 0))
    with engine_of(store_url) as engine:
        for name, target, expected in (*steps, *steps):
            with engine.begin() as connection:
                getattr(command, name)(alembic_config(connection), target)
            assert len(tables(engine)) == expected


def test_a_store_opens_from_any_folder_and_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        Database.open("sqlite:///a lake/50%/store.db") as database,
        database.unit_of_work() as unit,
    ):
        unit.state.set("key", "value")
    again_url = file_url(tmp_path / "a lake" / "50%")
    with Database.open(again_url) as again, again.reading() as unit:
        assert unit.state.get("key") == "value"


def test_a_newer_schema_is_refused_before_anything_is_written(store_url: str) -> None:
    Database.open(store_url).close()
    with engine_of(store_url) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of the future'")
            connection.exec_driver_sql("DROP TABLE audit_trail")  # would be made again
        with pytest.raises(UsageError, match="of the future") as caught:
            Database.open(store_url)
        assert "upgrade gamelake" in caught.value.hint
        assert "audit_trail" not in tables(engine)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database" * 100)
    with pytest.raises(GamelakeError, match="not a database") as caught:
        Database.open(file_url(tmp_path))
    assert "store.db" in caught.value.subject


def test_a_path_that_cannot_be_opened_is_a_service_down(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(ServiceDown, match="unable to open") as caught:
        Database.open(file_url(tmp_path))
    assert caught.value.hint


def test_processes_that_open_a_new_store_at_once_all_get_it(store_url: str) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def open_it() -> None:
        barrier.wait()
        try:
            Database.open(store_url).close()
        except GamelakeError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_failed_migration_leaves_nothing_behind(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_halfway(config: object, target: str) -> None:
        upgrade(config, target)
        raise OSError("power failed")

    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", fail_halfway)
    with pytest.raises(OSError, match="power failed"):
        Database.open(store_url)
    with engine_of(store_url) as engine:
        assert tables(engine) == set()


def test_the_file_is_durable_and_consistent_by_its_settings(tmp_path: Path) -> None:
    with Database.open(file_url(tmp_path)) as database, database.reading() as unit:
        connection = unit.state._connection
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked}
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
